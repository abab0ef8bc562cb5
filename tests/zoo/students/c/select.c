/* Correct (with -DSTALE the end of a message is not marked). select(), a table of clients, fixed buffers, no newline anywhere. Build: gcc -o select select.c */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX 600
#define NAME 16
#define BUF 1024

static struct { int fd; char name[NAME + 1]; } clients[MAX];

static void drop(int i);

/* A client that does not take a message whole, at once, has not read for a long while: it is dropped. */
static void put(int i, const char *text, size_t length)
{
    ssize_t sent = send(clients[i].fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)length)
        shutdown(clients[i].fd, SHUT_RDWR);
}

static void tell(int but, const char *text)
{
    for (int i = 0; i < MAX; i++)
        if (clients[i].fd >= 0 && clients[i].name[0] && i != but)
            put(i, text, strlen(text));
}

static void drop(int i)
{
    char text[NAME + 32];
    close(clients[i].fd);
    clients[i].fd = -1;
    if (clients[i].name[0]) {
        snprintf(text, sizeof text, "%s left the room", clients[i].name);
        clients[i].name[0] = 0;
        tell(i, text);
    }
}

static int taken(const char *name)
{
    for (int i = 0; i < MAX; i++)
        if (clients[i].fd >= 0 && strcmp(clients[i].name, name) == 0)
            return 1;
    return 0;
}

static int good(const char *name)
{
    if (!*name || strlen(name) > NAME)
        return 0;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name))
            return 0;
    return 1;
}

static void message(int i, char *text)
{
    char out[BUF + NAME + 64];
    if (!clients[i].name[0]) {
        if (!good(text) || taken(text)) {
            put(i, "Enter another name: ", 20);
            return;
        }
        strcpy(clients[i].name, text);
        snprintf(out, sizeof out, "Welcome to the room, %s", text);
        put(i, out, strlen(out));
        snprintf(out, sizeof out, "%s entered the room", text);
        tell(i, out);
    } else if (strcmp(text, "quit") == 0) {
        drop(i);
    } else if (*text) {
        snprintf(out, sizeof out, "%s: %s", clients[i].name, text);
        tell(i, out);
    }
}

static void reading(int i)
{
    static char buffer[BUF + 1];
    ssize_t got = recv(clients[i].fd, buffer, BUF, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(i);
        return;
    }
#ifdef STALE
    if (!clients[i].name[0])
#endif
        buffer[got] = 0;
    for (ssize_t n = 0; n < got; n++)
        if ((unsigned char)buffer[n] < 32 || buffer[n] == 127)
            buffer[n] = ' ';
    while (got > 0 && buffer[got - 1] == ' ')
        buffer[--got] = 0;
    message(i, buffer);
}

int main(int argc, char **argv)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 5000)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) {
        perror("bind");
        return 1;
    }
    fcntl(listener, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < MAX; i++)
        clients[i].fd = -1;
    for (;;) {
        fd_set set;
        int top = listener;
        FD_ZERO(&set);
        FD_SET(listener, &set);
        for (int i = 0; i < MAX; i++)
            if (clients[i].fd >= 0) {
                FD_SET(clients[i].fd, &set);
                top = clients[i].fd > top ? clients[i].fd : top;
            }
        if (select(top + 1, &set, NULL, NULL, NULL) < 0)
            continue;
        for (int i = 0; i < MAX; i++)
            if (clients[i].fd >= 0 && FD_ISSET(clients[i].fd, &set))
                reading(i);
        if (FD_ISSET(listener, &set)) {
            int fd = accept(listener, NULL, NULL), i = 0;
            if (fd < 0) {
                if (errno == EMFILE)
                    usleep(50000);
                continue;
            }
            while (i < MAX && clients[i].fd >= 0)
                i++;
            if (i == MAX || fd >= FD_SETSIZE) {
                send(fd, "The room is full", 16, MSG_NOSIGNAL | MSG_DONTWAIT);
                close(fd);
                continue;
            }
            clients[i].fd = fd;
            clients[i].name[0] = 0;
            put(i, "Enter your name: ", 17);
        }
    }
}
