/* Correct. A thread a client; the first message is the name.
 * Build: gcc -pthread -o threads threads.c */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_CLIENTS 500
#define BUFFER_SZ 2048
#define NAME_LEN 32

typedef struct {
    int sockfd;
    char name[NAME_LEN + 1];
} client_t;

static client_t *clients[MAX_CLIENTS];
static pthread_mutex_t clients_mutex = PTHREAD_MUTEX_INITIALIZER;

static int queue_add(client_t *cl)
{
    int done = 0;
    pthread_mutex_lock(&clients_mutex);
    for (int i = 0; i < MAX_CLIENTS && !done; ++i)
        if (!clients[i]) {
            clients[i] = cl;
            done = 1;
        }
    pthread_mutex_unlock(&clients_mutex);
    return done;
}

static void queue_remove(client_t *cl)
{
    pthread_mutex_lock(&clients_mutex);
    for (int i = 0; i < MAX_CLIENTS; ++i)
        if (clients[i] == cl)
            clients[i] = NULL;
    pthread_mutex_unlock(&clients_mutex);
}

/* Without waiting: who is not reading is cut off, and its own thread cleans up. */
static void send_message(const char *s, client_t *sender)
{
    size_t length = strlen(s);
    pthread_mutex_lock(&clients_mutex);
    for (int i = 0; i < MAX_CLIENTS; ++i)
        if (clients[i] && clients[i] != sender)
            if (send(clients[i]->sockfd, s, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
                shutdown(clients[i]->sockfd, SHUT_RDWR);
    pthread_mutex_unlock(&clients_mutex);
}

static int valid(const char *name)
{
    size_t n = strlen(name);
    if (n < 2 || n > NAME_LEN)
        return 0;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name))
            return 0;
    return 1;
}

static void trim(char *s)
{
    for (char *c = s; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = ' ';
    size_t n = strlen(s);
    while (n && s[n - 1] == ' ')
        s[--n] = 0;
}

static void *handle_client(void *arg)
{
    client_t *cli = arg;
    char buffer[BUFFER_SZ + 1], out[BUFFER_SZ + NAME_LEN + 32];
    int listed = 0;
    ssize_t n = recv(cli->sockfd, cli->name, NAME_LEN, 0);
    if (n > 0) {
        cli->name[n] = 0;
        trim(cli->name);
        if (valid(cli->name) && (listed = queue_add(cli))) {
            snprintf(out, sizeof out, "%s has joined\n", cli->name);
            send_message(out, cli);
        }
    }
    while (listed && (n = recv(cli->sockfd, buffer, BUFFER_SZ, 0)) > 0) {
        buffer[n] = 0;
        trim(buffer);
        if (strcmp(buffer, "exit") == 0)
            break;
        if (*buffer) {
            snprintf(out, sizeof out, "%s: %s\n", cli->name, buffer);
            send_message(out, cli);
        }
    }
    queue_remove(cli);
    close(cli->sockfd);
    if (listed) {
        snprintf(out, sizeof out, "%s has left\n", cli->name);
        send_message(out, NULL);
    }
    free(cli);
    return NULL;
}

int main(int argc, char **argv)
{
    int option = 1, listenfd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 4444)};
    pthread_attr_t detached;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 128 * 1024);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &option, sizeof option);
    if (bind(listenfd, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(listenfd, 128) < 0) {
        perror("ERROR: bind or listen");
        return EXIT_FAILURE;
    }
    printf("=== WELCOME TO THE CHATROOM ===\n");
    fflush(stdout);
    while (1) {
        int connfd = accept(listenfd, NULL, NULL);
        if (connfd < 0) {
            usleep(50000);
            continue;
        }
        client_t *cli = calloc(1, sizeof *cli);
        pthread_t tid;
        if (!cli) {
            close(connfd);
            continue;
        }
        cli->sockfd = connfd;
        if (pthread_create(&tid, &detached, handle_client, cli)) {
            close(connfd);
            free(cli);
        }
    }
}
