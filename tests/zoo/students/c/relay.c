/* A raw relay with poll(). -DLINGER: knows `quit`, and closes with a linger time of 0, "so that the port is
 * free at once" (closes).
 * -DTICKER: a child that prints the time of day inherits the listening socket and outlives the server (refuses). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX 800

static struct pollfd fds[MAX];
static int count = 1;

static void leave(int i)
{
#ifdef LINGER
    struct linger now = {1, 0};
    setsockopt(fds[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
#endif
    close(fds[i].fd);
    fds[i] = fds[--count];
}

static void relay(int from, const char *data, ssize_t length)
{
    for (int i = 1; i < count; i++)
        if (i != from && send(fds[i].fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) != length)
            shutdown(fds[i].fd, SHUT_RDWR);
}

int main(int argc, char **argv)
{
    char data[1024];
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 5000)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("listen");
        return 1;
    }
#ifdef TICKER
    pid_t server = getpid();
    if (fork() == 0) { /* logs that the server is up; looks only now and then whether it still is */
        do
            sleep(20);
        while (kill(server, 0) == 0);
        return 0;
    }
#endif
    fds[0].fd = listener;
    fds[0].events = POLLIN;
    while (poll(fds, count, -1) >= 0 || errno == EINTR) {
        for (int i = count - 1; i > 0; i--) {
            if (!fds[i].revents)
                continue;
            ssize_t got = recv(fds[i].fd, data, sizeof data, MSG_DONTWAIT);
#ifdef LINGER
            if (got == 4 && memcmp(data, "quit", 4) == 0) {
                leave(i);
                continue;
            }
#endif
            if (got > 0)
                relay(i, data, got);
            else if (got == 0 || (errno != EAGAIN && errno != EINTR))
                leave(i);
        }
        if (fds[0].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0)
                usleep(20000);
            else if (count == MAX)
                close(fd);
            else {
                fds[count].fd = fd;
                fds[count].events = POLLIN;
                fds[count++].revents = 0;
            }
        }
    }
    return 0;
}
