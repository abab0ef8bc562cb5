/* What the C snippets of the pages take for granted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 33, MAX_LINE = 4096, KEPT = 500, MAX_CLIENTS = 100, IDLE_S = 300 };

struct client {
    int fd;
    bool joined, dead;
    char name[NAME_SIZE], in[MAX_LINE], out[65536];
    size_t used, pending;
    time_t heard;
};
struct session {
    char token[33], kept[KEPT][MAX_LINE];
    unsigned long first, next;
    time_t expires;
    struct client *client;
};

extern struct client clients[MAX_CLIENTS];
extern int n_clients, spare, n_children;
extern pid_t children[MAX_CLIENTS];
extern pthread_mutex_t lock;

void add_client(int fd);
void announce(const char *name, const char *what);
void handle_events(struct pollfd *fds, nfds_t n);
void handle_line(struct client *c, char *line);
void read_client(struct client *c);
int run_command(struct client *c, const char *line);
void serve(int fd);
void *serve_client(void *c);
struct client *find(const char *name);
