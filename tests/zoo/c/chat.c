/* A correct chat in one thread, on epoll; and, with -DDEFECT_..., four that are correct but for one thing.
 *
 * It says nothing to newcomers: the first line is the name. Then `ana: text`, notices of who joined and left, /list and
 * /quit. Writing never waits: what a client does not take at once waits in its outbox; one whose outbox is full is
 * dropped. Clients that are done are only marked (`dead`) and freed at the end of the turn, so no loop ever meets a
 * freed one.
 *
 *     chat PORT
 *
 * DEFECT_SURVIVES  SIGPIPE is not ignored: the word said to a client that was reset ends the process.
 * DEFECT_RESTARTS  no SO_REUSEADDR.
 * DEFECT_SOCKETS   at the end of a stream epoll forgets the socket, but nobody closes it: CLOSE_WAIT.
 * DEFECT_GENUINE   a line is copied as a string, up to its NUL, and sent with its full length: what the shared buffer
 *                  held before, an older message, goes out with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LONGEST_LINE = 64 * 1024,       /* a longer line ends the connection */
    OUTBOX_LIMIT = 4 * 1024 * 1024, /* what may wait for one that does not read */
    LONGEST_NAME = 20,
    BACKLOG = 1024,
    FAREWELL_MS = 1000,    /* for one that leaves, to close its side */
    ACCEPT_PAUSE_MS = 100, /* after running out of descriptors */
    EVENTS = 64,
};

struct client {
    struct client *next; /* in the order of joining */
    int fd;
    char name[LONGEST_NAME + 1]; /* empty: not in the room */
    char *in, *out;
    size_t in_len, in_size, out_len, out_size;
    long long leave_by; /* it is leaving: read and thrown away until it closes, or this moment comes */
    bool writing;       /* epoll watches for room to write */
    bool dead;          /* to be closed and freed at the end of the turn */
};

static struct client *clients, **last = &clients;
static int epoll, listener;
static long long accept_again_at; /* 0: accepting */
static char line_out[3 * LONGEST_LINE + LONGEST_NAME + 64];

static void tell_all(const struct client *besides, const char *data, size_t len);

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void *must(void *memory) {
    if (!memory) {
        perror("memory");
        exit(1);
    }
    return memory;
}

static void watch(struct client *c, bool writing) {
    if (c->writing == writing) return;
    c->writing = writing;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* --- coming and going */

static struct client *find(const char *name) {
    for (struct client *c = clients; c; c = c->next)
        if (*c->name && !strcasecmp(c->name, name)) return c;
    return NULL;
}

/* Out of the room: the name is free, the others are told. */
static void leave(struct client *c) {
    if (!*c->name) return;
    char notice[LONGEST_NAME + 16];
    int len = snprintf(notice, sizeof notice, "* %s left\n", c->name);
    *c->name = '\0';
    tell_all(c, notice, len);
}

static void drop(struct client *c) {
    if (c->dead) return;
    c->dead = true;
    leave(c);
}

static void flush(struct client *c) {
    size_t sent = 0;
    while (sent < c->out_len) {
        ssize_t n = send(c->fd, c->out + sent, c->out_len - sent, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) {
            drop(c);
            return;
        }
        if (n < 0) break;
        sent += n;
    }
    c->out_len -= sent;
    if (c->out_len) {
        memmove(c->out, c->out + sent, c->out_len);
    } else {
        free(c->out);
        c->out = NULL;
        c->out_size = 0;
        if (c->leave_by) shutdown(c->fd, SHUT_WR);
    }
    watch(c, c->out_len > 0);
}

static void tell(struct client *c, const char *data, size_t len) {
    if (c->dead || c->leave_by) return;
    if (c->out_len + len > OUTBOX_LIMIT) {
        struct linger reset = {1, 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        drop(c);
        return;
    }
    if (c->out_len + len > c->out_size) {
        c->out_size = 2 * (c->out_len + len);
        c->out = must(realloc(c->out, c->out_size));
    }
    bool idle = c->out_len == 0;
    memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
    if (idle) flush(c); /* else epoll says when there is room */
}

static void tell_text(struct client *c, const char *text) { tell(c, text, strlen(text)); }

static void tell_all(const struct client *besides, const char *data, size_t len) {
    for (struct client *c = clients; c; c = c->next)
        if (c != besides && *c->name) tell(c, data, len);
}

/* A polite end: the last words, FIN, and then the client's own FIN. Closing unread bytes would be a reset. */
static void part(struct client *c) {
    leave(c);
    if (c->leave_by || c->dead) return;
    c->leave_by = now_ms() + FAREWELL_MS;
    flush(c);
}

/* --- text */

/* The length of the UTF-8 character at s, 0 if it is none (RFC 3629, section 4). */
static size_t utf8(const unsigned char *s, size_t n) {
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    if (len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (len >= 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))) return 0;
    if (len == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))) return 0;
    return len;
}

/* Controls (C0, DEL, C1) and Unicode's line breaks let a text pose as another line. */
static bool unshowable(const unsigned char *s, size_t len) {
    if (len == 1) return s[0] < 0x20 || s[0] == 0x7F;
    if (len == 2) return s[0] == 0xC2 && s[1] < 0xA0;
    return len == 3 && s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9);
}

/* Writes the n bytes at s to `to` as text that is safe to show, at most three times as long; returns its length. */
static size_t clean(char *to, const char *from, size_t n) {
    const unsigned char *s = (const unsigned char *)from;
    size_t written = 0;
    while (n) {
        size_t len = utf8(s, n);
        if (!len) {
            memcpy(to + written, "\xEF\xBF\xBD", 3);
            written += 3;
        } else if (unshowable(s, len)) {
            to[written++] = ' ';
        } else {
            memcpy(to + written, s, len);
            written += len;
        }
        len = len ? len : 1;
        s += len;
        n -= len;
    }
    while (written && to[written - 1] == ' ') written--;
    return written;
}

/* Copies a line into the shared buffer behind what stands there already. */
static size_t put_line(size_t at, const char *line, size_t n) {
#ifdef DEFECT_GENUINE
    if (memchr(line, '\0', n)) {
        memcpy(line_out + at, line, strlen(line));
        return at + n;
    }
#endif
    return at + clean(line_out + at, line, n);
}

static bool valid_name(const char *name, size_t len) {
    if (len == 0 || len > LONGEST_NAME || memmem(name, len, "\xEF\xBF\xBD", 3)) return false;
    for (size_t i = 0; i < len; i++)
        if (strchr(" :/*", name[i])) return false;
    return true;
}

/* --- talking */

static void join(struct client *c, const char *line, size_t n) {
    static char name[3 * LONGEST_LINE + 1];
    for (; n && *line == ' '; n--) line++;
    size_t len = clean(name, line, n);
    name[len] = '\0';
    if (len == 0) return;
    if (!strcmp(name, "/quit")) {
        part(c);
    } else if (!valid_name(name, len)) {
        tell_text(c, "A name has no blanks and none of : / *, and at most 20 bytes. Your name?\n");
    } else if (find(name)) {
        tell_text(c, "That name is taken. Your name?\n");
    } else {
        int length = snprintf(line_out, sizeof line_out, "* %s joined\n", name);
        tell_all(c, line_out, length);
        strcpy(c->name, name);
        length = snprintf(line_out, sizeof line_out, "Welcome, %s. Commands: /list, /quit\n", name);
        tell(c, line_out, length);
    }
}

static void list(struct client *c) {
    tell_text(c, "Here:");
    for (struct client *other = clients; other; other = other->next) {
        if (!*other->name) continue;
        tell_text(c, " ");
        tell_text(c, other->name);
    }
    tell_text(c, "\n");
}

static void hear(struct client *c, const char *line, size_t n) {
    if (n && line[n - 1] == '\r') n--;
    if (!*c->name) {
        join(c, line, n);
    } else if (n == 5 && !memcmp(line, "/quit", 5)) {
        tell_text(c, "Bye.\n");
        part(c);
    } else if (n == 5 && !memcmp(line, "/list", 5)) {
        list(c);
    } else if (n && line[0] == '/') {
        tell_text(c, "Commands: /list, /quit\n");
    } else {
        size_t head = sprintf(line_out, "%s: ", c->name);
        size_t len = put_line(head, line, n);
        if (len == head) return; /* nothing but blanks */
        line_out[len++] = '\n';
        tell_all(c, line_out, len);
    }
}

static void end_of_stream(struct client *c) {
#ifdef DEFECT_SOCKETS
    leave(c);
    epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
    c->leave_by = INT64_MAX;
#else
    drop(c);
#endif
}

static void take_lines(struct client *c) {
    size_t start = 0;
    char *newline;
    while (!c->dead && !c->leave_by && (newline = memchr(c->in + start, '\n', c->in_len - start))) {
        hear(c, c->in + start, newline - (c->in + start));
        start = newline - c->in + 1;
    }
    c->in_len -= start;
    memmove(c->in, c->in + start, c->in_len);
}

static void read_some(struct client *c) {
    if (c->in_len == c->in_size) {
        c->in_size = c->in_size ? 2 * c->in_size : 4096;
        c->in = must(realloc(c->in, c->in_size));
    }
    ssize_t n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) {
        tell_text(c, "The connection broke.\n"); /* in vain, mostly */
        drop(c);
    } else if (n == 0) {
        end_of_stream(c);
    } else if (!c->leave_by) {
        c->in_len += n;
        take_lines(c);
        if (c->in_len >= LONGEST_LINE) {
            tell_text(c, "That line is too long.\n");
            part(c);
        }
        if (c->leave_by) c->in_len = 0;
    }
}

/* --- the door and the loop */

static void listen_on(int port) {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#ifndef DEFECT_RESTARTS
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
#endif
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, BACKLOG)) {
        perror("cannot listen");
        exit(1);
    }
}

static void accept_more(bool yes) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, yes ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener, &event);
    accept_again_at = yes ? 0 : now_ms() + ACCEPT_PAUSE_MS;
}

static void accept_one(void) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        /* The listener stays ready: without a pause the loop would spin. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) accept_more(false);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct client *c = must(calloc(1, sizeof *c));
    c->fd = fd;
    *last = c;
    last = &c->next;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Frees the dead. Returns how long the loop may sleep, in ms: -1 for ever. */
static int sweep(void) {
    bool leaving = false;
    for (struct client **at = &clients; *at;) {
        struct client *c = *at;
        if (c->leave_by && c->leave_by < now_ms()) c->dead = true;
        if (c->dead) {
            *at = c->next;
            close(c->fd);
            free(c->in);
            free(c->out);
            free(c);
        } else {
            leaving |= c->leave_by && c->leave_by != INT64_MAX;
            at = &c->next;
        }
    }
    last = &clients;
    while (*last) last = &(*last)->next;
    return leaving || accept_again_at ? ACCEPT_PAUSE_MS : -1;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
#ifndef DEFECT_SURVIVES
    signal(SIGPIPE, SIG_IGN);
#endif
    listen_on(atoi(argv[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    accept_more(true);
    for (;;) { /* SIGTERM and SIGINT end the process, and the kernel closes everything */
        struct epoll_event events[EVENTS];
        int n = epoll_wait(epoll, events, EVENTS, sweep());
        if (accept_again_at && accept_again_at <= now_ms()) accept_more(true);
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (!c) {
                accept_one();
                continue;
            }
            if (!c->dead && events[i].events & EPOLLOUT) flush(c);
            if (!c->dead && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_some(c);
        }
    }
}
