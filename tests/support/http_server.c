#include "support/http_server.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define MAX_REQUEST     (64u << 20)

struct connection {
    struct http_server *server;
    pthread_t thread;
    int socket;
    unsigned number;
};

struct http_server {
    http_server_handler *handler;
    void *context;
    int listener;
    int port;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopping;
    bool stopped;
    unsigned requests;
    unsigned cut_request;
    size_t cut_bytes;
    unsigned count;
    struct connection connections[MAX_CONNECTIONS];
};

/* The value of Content-Length, or -1 for a chunked body. */
static long body_length(const char *head)
{
    const char *length = strcasestr(head, "\r\nContent-Length:");

    if (strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL)
        return -1;
    return length == NULL ? 0 : atol(length + strlen("\r\nContent-Length:"));
}

/* What has come in on a connection and is not answered yet. */
struct inbox {
    char *data; /* with a terminator behind it */
    size_t length;
    size_t capacity;
};

/* Waits for more bytes; false at the connection's end. */
static bool read_more(int socket, struct inbox *inbox)
{
    if (inbox->capacity - inbox->length < 65536) {
        inbox->capacity = 2 * inbox->capacity + 65536;
        inbox->data = realloc(inbox->data, inbox->capacity + 1);
    }
    ssize_t got = recv(socket, inbox->data + inbox->length, 65536, 0);
    if (got <= 0)
        return false;
    inbox->length += (size_t)got;
    inbox->data[inbox->length] = '\0';
    return inbox->length < MAX_REQUEST;
}

static bool write_all(int socket, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = send(socket, bytes, length, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        bytes += done;
        length -= (size_t)done;
    }
    return true;
}

static void hold(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->stopped)
        pthread_cond_wait(&server->stopping, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static bool drip(int socket)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

    while (write_all(socket, " ", 1))
        nanosleep(&pause, NULL);
    return false;
}

static void reset_at_close(int socket)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Whether the request that is coming in ends here. */
static bool is_cut(struct http_server *server, size_t body)
{
    pthread_mutex_lock(&server->lock);
    bool cut = server->requests == server->cut_request && body >= server->cut_bytes;
    if (cut)
        server->requests++;
    pthread_mutex_unlock(&server->lock);
    return cut;
}

/* Answers one request; false when the connection is to end. */
static bool serve_one(struct connection *connection, char *data, size_t head, size_t body)
{
    struct http_server *server = connection->server;
    struct served_reply reply = {0};
    char *text = strndup(data, head);

    pthread_mutex_lock(&server->lock);
    unsigned number = server->requests++;
    pthread_mutex_unlock(&server->lock);
    const struct served_request request = {
        .head = text,
        .body = data + head,
        .body_length = body,
        .number = number,
        .connection = connection->number,
    };
    server->handler(server->context, &request, &reply);
    free(text);
    if (reply.hold)
        hold(server);
    size_t length = reply.length > 0 || reply.bytes == NULL ? reply.length : strlen(reply.bytes);
    bool ok = reply.bytes == NULL || write_all(connection->socket, reply.bytes, length);
    if (reply.drip)
        return ok && drip(connection->socket);
    if (reply.reset)
        reset_at_close(connection->socket);
    return ok && !reply.close && !reply.reset && !reply.hold;
}

/* Reads the rest of a request's body; false if it does not come. */
static bool read_body(struct connection *connection, struct inbox *inbox, size_t head, size_t body)
{
    while (inbox->length < head + body) {
        if (!read_more(connection->socket, inbox))
            return false;
        if (is_cut(connection->server, inbox->length - head)) {
            reset_at_close(connection->socket);
            return false;
        }
    }
    return true;
}

static void *serve_connection(void *context)
{
    struct connection *connection = context;
    struct inbox inbox = {0};

    while (read_more(connection->socket, &inbox)) {
        const char *end = strstr(inbox.data, "\r\n\r\n");
        if (end == NULL)
            continue;
        size_t head = (size_t)(end - inbox.data) + 4;
        long body = body_length(inbox.data);
        if (body < 0 || !read_body(connection, &inbox, head, (size_t)body) ||
            !serve_one(connection, inbox.data, head, (size_t)body))
            break;
        inbox.length = 0;
    }
    free(inbox.data);
    // With SO_LINGER of 0 this is the reset.
    pthread_mutex_lock(&connection->server->lock);
    close(connection->socket);
    connection->socket = -1;
    pthread_mutex_unlock(&connection->server->lock);
    return NULL;
}

static void *accept_all(void *context)
{
    struct http_server *server = context;

    for (;;) {
        int socket = accept(server->listener, NULL, NULL);
        if (socket < 0)
            return NULL;
        pthread_mutex_lock(&server->lock);
        if (server->stopped) {
            close(socket);
            pthread_mutex_unlock(&server->lock);
            return NULL;
        }
        if (server->count == MAX_CONNECTIONS)
            abort();
        struct connection *connection = &server->connections[server->count];
        *connection =
            (struct connection){.server = server, .socket = socket, .number = server->count};
        server->count++;
        pthread_create(&connection->thread, NULL, serve_connection, connection);
        pthread_mutex_unlock(&server->lock);
    }
}

struct http_server *http_server_start(http_server_handler *handler, void *context)
{
    struct http_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    server->handler = handler;
    server->cut_request = UINT_MAX;
    server->context = context;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->stopping, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 64) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", server->port);
    pthread_create(&server->thread, NULL, accept_all, server);
    return server;
}

void http_server_stop(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopped = true;
    pthread_cond_broadcast(&server->stopping);
    for (unsigned i = 0; i < server->count; i++)
        if (server->connections[i].socket >= 0)
            shutdown(server->connections[i].socket, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    for (unsigned i = 0; i < server->count; i++)
        pthread_join(server->connections[i].thread, NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->stopping);
    free(server);
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

const char *http_server_url(const struct http_server *server)
{
    return server->url;
}

void http_server_cut(struct http_server *server, unsigned request, size_t bytes)
{
    pthread_mutex_lock(&server->lock);
    server->cut_request = request;
    server->cut_bytes = bytes;
    pthread_mutex_unlock(&server->lock);
}

unsigned http_server_requests(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->requests;
    pthread_mutex_unlock(&server->lock);
    return count;
}
