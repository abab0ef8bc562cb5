/* Correct. One thread and poll; a message is a struct of 32 bytes for the name and 512 for the words.
 * With -DBELIEVES (survives): a field is taken for a string that ends with a zero; one that does not runs over the stack. */
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

#define NAME 32
#define WORDS 512
#define MOST 256

struct message {
    char name[NAME];
    char words[WORDS];
};

struct client {
    int fd;
    size_t got;
    struct message in;
};

static struct client *clients[MOST];
static struct pollfd polled[MOST + 1];
static int count;

static void drop(int i)
{
    close(clients[i]->fd);
    free(clients[i]);
    clients[i] = clients[--count];
}

static void everybody(const struct message *m, const struct client *but)
{
    for (int i = 0; i < count; i++)
        if (clients[i] != but)
            if (send(clients[i]->fd, m, sizeof *m, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof *m)
                shutdown(clients[i]->fd, SHUT_RDWR); /* its end is read next */
}

static void harmless(char *to, const char *from, size_t size)
{
    for (size_t i = 0; i + 1 < size && from[i]; i++)
        *to++ = (unsigned char)from[i] < 32 || from[i] == 127 ? ' ' : from[i];
}

static int said(struct client *c)
{
    struct message out = {0};
#ifdef BELIEVES
    char shown[NAME + WORDS];
    sprintf(shown, "%s%s", c->in.name, c->in.words); /* as long as both have a zero */
    harmless(out.name, shown, strlen(c->in.name) + 1);
    harmless(out.words, shown + strlen(c->in.name), WORDS);
#else
    c->in.name[NAME - 1] = c->in.words[WORDS - 1] = 0;
    harmless(out.name, c->in.name, NAME);
    harmless(out.words, c->in.words, WORDS);
#endif
    if (strcmp(out.words, "quit") == 0)
        return 0;
    if (*out.words)
        everybody(&out, c);
    return 1;
}

/* What one has sent; 0 when it is gone. */
static int hear(struct client *c)
{
    ssize_t n = recv(c->fd, (char *)&c->in + c->got, sizeof c->in - c->got, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    c->got += n;
    if (c->got < sizeof c->in)
        return 1;
    c->got = 0;
    return said(c);
}

int main(int argc, char **argv)
{
    int one = 1, door = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 9000)};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (struct sockaddr *)&here, sizeof here) || listen(door, 128)) {
        perror("bind or listen");
        return 1;
    }
    for (;;) {
        polled[0] = (struct pollfd){.fd = count < MOST ? door : -1, .events = POLLIN};
        for (int i = 0; i < count; i++)
            polled[i + 1] = (struct pollfd){.fd = clients[i]->fd, .events = POLLIN};
        int seen = count;
        if (poll(polled, seen + 1, -1) < 0)
            continue;
        for (int i = seen - 1; i >= 0; i--)
            if (polled[i + 1].revents && !hear(clients[i]))
                drop(i);
        if (polled[0].revents) {
            int fd = accept(door, NULL, NULL);
            struct client *c = fd < 0 ? NULL : calloc(1, sizeof *c);
            if (fd < 0)
                usleep(50000);
            else if (!c)
                close(fd);
            else {
                c->fd = fd;
                clients[count++] = c;
            }
        }
    }
}
