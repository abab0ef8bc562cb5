/* Correct. Strings travel with their final NUL, both ways; the first one is the name. Build: gcc -o strings strings.c */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 500
#define LONGEST 1024

struct client {
    int fd;
    char name[32];
    char in[LONGEST];
    size_t len;
};

static struct client *clients[MAX_CLIENTS];
static int count;

static void say(struct client *to, const char *text)
{
    ssize_t size = strlen(text) + 1;
    if (send(to->fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) != size)
        shutdown(to->fd, SHUT_RDWR);
}

static void tell(const char *text, struct client *but)
{
    for (int i = 0; i < count; i++)
        if (clients[i] != but && clients[i]->name[0])
            say(clients[i], text);
}

static void drop(int i)
{
    struct client *gone = clients[i];
    char text[64];
    clients[i] = clients[--count];
    close(gone->fd);
    if (gone->name[0]) {
        snprintf(text, sizeof text, "%s left", gone->name);
        tell(text, NULL);
    }
    free(gone);
}

static int good(const char *name)
{
    size_t n = strlen(name);
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            return 0;
    for (int i = 0; i < count; i++)
        if (!strcasecmp(clients[i]->name, name))
            return 0;
    return n > 0 && n < sizeof clients[0]->name;
}

/* One whole string of a client's; 0: it wants to go. */
static int handle(struct client *me, char *text)
{
    char out[LONGEST + 64];
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = ' ';
    if (!me->name[0]) {
        if (!good(text)) {
            say(me, "That name cannot be had");
            return 0;
        }
        strcpy(me->name, text);
        snprintf(out, sizeof out, "Welcome %s", text);
        say(me, out);
        snprintf(out, sizeof out, "%s joined", text);
    } else if (!strcmp(text, "/exit")) {
        return 0;
    } else {
        snprintf(out, sizeof out, "%s: %s", me->name, text);
    }
    tell(out, me);
    return 1;
}

static int receive(struct client *me)
{
    char *end;
    ssize_t n = recv(me->fd, me->in + me->len, LONGEST - me->len, 0);
    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    me->len += n;
    while ((end = memchr(me->in, 0, me->len))) {
        size_t used = end - me->in + 1;
        if (!handle(me, me->in))
            return 0;
        me->len -= used;
        memmove(me->in, me->in + used, me->len);
    }
    return me->len < LONGEST;
}

int main(int argc, char **argv)
{
    int door = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 5000)};
    static struct pollfd fds[MAX_CLIENTS + 1];

    signal(SIGPIPE, SIG_IGN);
    inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(door, (struct sockaddr *)&addr, sizeof addr) || listen(door, 128)) {
        perror("bind");
        return 1;
    }
    for (;;) {
        for (int i = 0; i < count; i++)
            fds[i] = (struct pollfd){clients[i]->fd, POLLIN, 0};
        fds[count] = (struct pollfd){door, POLLIN, 0};
        poll(fds, count + 1, -1);
        int polled = count, new = fds[count].revents;
        for (int i = polled - 1; i >= 0; i--)
            if (fds[i].revents && !receive(clients[i]))
                drop(i);
        if (new && count < MAX_CLIENTS) {
            int fd = accept(door, NULL, NULL);
            struct client *me = fd < 0 ? NULL : calloc(1, sizeof *me);
            if (me) {
                me->fd = fd;
                clients[count++] = me;
            } else {
                usleep(50000);
            }
        }
    }
}
