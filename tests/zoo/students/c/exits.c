/* Homework 2: chat server with select(). Build: gcc -o exits exits.c
 * Defect (survives): what goes wrong with one client is fatal, as in the textbook's error(). */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static void error(const char *msg)
{
    perror(msg);
    exit(1);
}

int main(int argc, char *argv[])
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1, fdmax;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 9034)};
    char buf[1024];
    fd_set master, read_fds;

    signal(SIGPIPE, SIG_IGN);
    inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) < 0)
        error("bind");
    if (listen(listener, 128) < 0)
        error("listen");
    FD_ZERO(&master);
    FD_SET(listener, &master);
    fdmax = listener;
    for (;;) {
        read_fds = master;
        if (select(fdmax + 1, &read_fds, NULL, NULL, NULL) < 0)
            error("select");
        for (int i = 0; i <= fdmax; i++) {
            if (!FD_ISSET(i, &read_fds))
                continue;
            if (i == listener) {
                int fd = accept(listener, NULL, NULL);
                if (fd < 0) {
                    usleep(50000);
                    continue;
                }
                if (fd >= FD_SETSIZE) {
                    close(fd);
                    continue;
                }
                FD_SET(fd, &master);
                if (fd > fdmax)
                    fdmax = fd;
                continue;
            }
            ssize_t n = read(i, buf, sizeof buf);
            if (n < 0)
                error("ERROR reading from socket");
            if (n == 0) {
                close(i);
                FD_CLR(i, &master);
                continue;
            }
            for (int j = 0; j <= fdmax; j++)
                if (FD_ISSET(j, &master) && j != listener && j != i) {
                    ssize_t sent = send(j, buf, n, MSG_DONTWAIT);
                    if (sent < 0 && errno != EAGAIN)
                        error("ERROR writing to socket");
                    if (sent != n)
                        shutdown(j, SHUT_RDWR);
                }
        }
    }
}
