#include "service/server.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/config_value.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text_fit.h"
#include "service/connections.h"
#include "service/events.h"
#include "service/gate.h"
#include "service/listen.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The threads share the connections. A slow answer (the status of a busy database) delays only the
 * connections of its own thread. */
#define THREADS 4

/* Request line and headers together; libmicrohttpd rejects longer ones. */
#define CONNECTION_MEMORY 32768

/* A rejected body is read up to this size, so that the client sees the answer instead of a reset; a
 * longer one is cut off. */
#define SWALLOW_MAX ((uint64_t)16 << 20)

#define TICK_MS      250
#define HEARTBEAT_MS 10000
#define FAREWELL_MS  500

/* Lines for requests in the log per second. */
#define LOG_RATE 50

struct server {
    struct MHD_Daemon *daemon;
    const struct routes_context *context;
    struct gate gate;
    struct connections connections;
    struct events events;
    char url[LISTEN_URL_SIZE];

    pthread_t housekeeper;
    pthread_mutex_t mutex; /* of stopping and the log's rate */
    pthread_cond_t wake;
    bool stopping;
    int64_t log_second;
    int log_lines;
};

/* One request that is being answered. */
struct exchange {
    struct server *server;
    struct connection *slot;
    const char *method; /* libmicrohttpd's, for the life of the request */
    char path[256];
    int64_t began_ms;
    const struct route *route;
    const char *tail;
    route_handler *handler;
    struct reply reply; /* status 0: not decided yet */
    struct buffer body;
    uint64_t received;
};

static int64_t monotonic_ms(void)
{
    const struct clock *clock = clock_system();

    return clock->monotonic_ms(clock->context);
}

/* --- deciding ---------------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* The checks that need no body, in the documented order. */
static void decide(struct exchange *exchange, struct MHD_Connection *connection, const char *path)
{
    struct server *server = exchange->server;
    struct reply *reply = &exchange->reply;
    const char *host = header(connection, "Host");

    exchange->route = routes_find(path, &exchange->tail);
    if (!gate_knows_host(&server->gate, host)) {
        reply_error(reply, 403, "forbidden", "this host name is not served here");
        return;
    }
    if (gate_is_foreign(host, header(connection, "Origin"), header(connection, "Sec-Fetch-Site")) &&
        strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
        reply_error(reply, 403, "forbidden", "requests from other sites are not served");
        return;
    }
    bool open = exchange->route != NULL && exchange->route->open;
    if (!open && !gate_admits(&server->gate, header(connection, "Authorization"))) {
        reply_error(
            reply, 401, "unauthorized",
            "a valid bearer token is needed: the value of BQ_ADMIN_TOKEN");
        return;
    }
    if (exchange->route == NULL) {
        reply_error(reply, 404, "not_found", "there is nothing here");
        return;
    }
    exchange->handler = routes_handler(exchange->route, exchange->method);
    if (exchange->handler == NULL) {
        reply->allow = exchange->route->allow;
        reply_error(reply, 405, "method_not_allowed", "use %s", exchange->route->allow);
    }
}

static void refuse_length(struct exchange *exchange)
{
    reply_error(
        &exchange->reply, 413, "too_large", "a body may have at most %d bytes", SERVER_BODY_MAX);
}

/* --- sending ----------------------------------------------------------------------------- */

static void add_headers(struct MHD_Response *response, const struct reply *reply)
{
    const struct {
        const char *name;
        const char *value;
    } headers[] = {
        {"Content-Type", reply->stream                 ? "text/event-stream"
                         : reply->content_type != NULL ? reply->content_type
                                                       : "application/json"},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Content-Security-Policy",
         reply->security != NULL ? reply->security : "default-src 'none'; frame-ancestors 'none'"},
        {"Allow", reply->allow},
        {"WWW-Authenticate", reply->status == 401 ? "Bearer realm=\"bqsync\"" : NULL},
        {"Retry-After", reply->status == 503 ? "5" : NULL},
    };

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].value != NULL)
            MHD_add_response_header(response, headers[i].name, headers[i].value);
}

static enum MHD_Result send_reply(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct reply *reply = &exchange->reply;
    struct server *server = exchange->server;
    struct MHD_Response *response = NULL;
    bool head = strcmp(exchange->method, "HEAD") == 0;

    if (reply->stream && !head) {
        char *first = routes_event(server->context);
        response = events_open(&server->events, connection, first);
        free(first);
        if (response == NULL) {
            reply->stream = false;
            reply_error(reply, 503, "too_many", "too many event streams are open");
        }
    }
    if (response == NULL) {
        static char nothing[] = "";
        bool empty = reply->body == NULL;
        response = MHD_create_response_from_buffer(
            reply->length, empty ? nothing : reply->body,
            empty ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
        if (response == NULL)
            return MHD_NO;
        reply->body = NULL;
    }
    connections_enter(
        &server->connections, exchange->slot,
        reply->stream ? CONNECTION_STREAMING : CONNECTION_ANSWERING, monotonic_ms());
    add_headers(response, reply);
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* --- libmicrohttpd's callbacks ----------------------------------------------------------- */

static struct exchange *begin(
    struct server *server, struct MHD_Connection *connection, const char *path, const char *method)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->server = server;
    exchange->slot = info == NULL ? NULL : info->socket_context;
    exchange->method = method;
    exchange->began_ms = monotonic_ms();
    strncpy(exchange->path, path, sizeof exchange->path - 1);
    buffer_init(&exchange->body, SERVER_BODY_MAX);
    decide(exchange, connection, path);
    return exchange;
}

static uint64_t announced_length(struct MHD_Connection *connection)
{
    const char *text = header(connection, "Content-Length");

    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static enum MHD_Result receive(struct exchange *exchange, const char *bytes, size_t *length)
{
    exchange->received += *length;
    if (exchange->received > SERVER_BODY_MAX && exchange->reply.status == 0)
        refuse_length(exchange);
    if (exchange->reply.status == 0)
        buffer_append(&exchange->body, bytes, *length);
    *length = 0;
    return exchange->received > SWALLOW_MAX ? MHD_NO : MHD_YES;
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result on_request(
    void *context, struct MHD_Connection *connection, const char *path, const char *method,
    const char *version, const char *upload, size_t *upload_length, void **request_context)
{
    struct exchange *exchange = *request_context;

    (void)version;
    if (exchange == NULL) {
        exchange = begin(context, connection, path, method);
        *request_context = exchange;
        if (exchange == NULL)
            return MHD_NO;
        if (announced_length(connection) <= SWALLOW_MAX)
            return MHD_YES;
        if (exchange->reply.status == 0)
            refuse_length(exchange);
        return send_reply(exchange, connection);
    }
    if (*upload_length > 0)
        return receive(exchange, upload, upload_length);

    if (exchange->reply.status == 0)
        exchange->handler(
            exchange->server->context,
            &(struct route_request){
                .path = path,
                .tail = exchange->tail,
                .limit = argument(connection, "limit"),
                .table = argument(connection, "table"),
                .after = argument(connection, "after"),
                .body = buffer_slice(&exchange->body),
                .needs_token = gate_needs_token(&exchange->server->gate),
            },
            &exchange->reply);
    return send_reply(exchange, connection);
}

/* Whether one more request may be logged in this second, so that a client with many requests does
 * not fill the log. */
static bool may_log(struct server *server, int64_t now_ms)
{
    pthread_mutex_lock(&server->mutex);
    if (server->log_second != now_ms / 1000) {
        server->log_second = now_ms / 1000;
        server->log_lines = 0;
    }
    bool may = server->log_lines++ < LOG_RATE;
    pthread_mutex_unlock(&server->mutex);
    return may;
}

/* A client's text for the log: shortened, and without control characters. */
static void make_printable(const char *text, char *out, size_t size)
{
    size_t length = 0;

    for (; text[length] != '\0' && length < size - 1; length++)
        out[length] = text[length] < ' ' || text[length] > '~' ? '?' : text[length];
    out[length] = '\0';
}

static void log_request(const struct exchange *exchange, int64_t now_ms)
{
    char method[16];
    char path[sizeof exchange->path];
    bool plain = exchange->reply.status < 400 && strcmp(exchange->method, "POST") != 0;
    enum log_level level = plain ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

    if (!log_enabled(level) || !may_log(exchange->server, now_ms))
        return;
    make_printable(exchange->method, method, sizeof method);
    make_printable(exchange->path, path, sizeof path);
    log_write(
        level, "request",
        LOG_FIELDS(
            LOG_TEXT("method", method), LOG_TEXT("path", path),
            LOG_NUMBER("status", exchange->reply.status),
            LOG_NUMBER("bytes", exchange->reply.length),
            LOG_NUMBER("duration_ms", now_ms - exchange->began_ms)));
}

static void on_completed(
    void *context, struct MHD_Connection *connection, void **request_context,
    enum MHD_RequestTerminationCode how)
{
    struct exchange *exchange = *request_context;
    int64_t now_ms = monotonic_ms();

    (void)context;
    (void)connection;
    (void)how;
    if (exchange == NULL)
        return;
    log_request(exchange, now_ms);
    connections_enter(&exchange->server->connections, exchange->slot, CONNECTION_READING, now_ms);
    buffer_clear(&exchange->body);
    reply_clear(&exchange->reply);
    free(exchange);
    *request_context = NULL;
}

static void on_connection(
    void *context, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode what)
{
    struct server *server = context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        connections_close(&server->connections, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL)
        *socket_context = connections_open(&server->connections, info->connect_fd, monotonic_ms());
}

/* Decodes as MHD_http_unescape does, but keeps an encoded NUL: it would end the path early, and the
 * request would match another route. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    char *out = text;

    (void)context;
    (void)connection;
    for (const char *at = text; *at != '\0'; at++) {
        int high = at[0] == '%' ? hex_digit(at[1]) : -1;
        int low = high >= 0 ? hex_digit(at[2]) : -1;
        if (low >= 0 && high * 16 + low != 0) {
            *out++ = (char)(high * 16 + low);
            at += 2;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* libmicrohttpd logs every client that disconnects, which is not of interest to operators. */
static void on_library_log(void *context, const char *format, va_list arguments)
{
    char text[512];

    (void)context;
    if (!log_enabled(LOG_LEVEL_DEBUG))
        return;
    text_format_list(text, sizeof text, format, arguments);
    log_debug("http library", LOG_TEXT("message", text));
}

/* --- housekeeping ------------------------------------------------------------------------ */

static bool wait_tick(struct server *server)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&server->mutex);
    if (!server->stopping)
        pthread_cond_timedwait(&server->wake, &server->mutex, &until);
    bool stopping = server->stopping;
    pthread_mutex_unlock(&server->mutex);
    return !stopping;
}

static void *keep_house(void *context)
{
    struct server *server = context;
    uint64_t seen = UINT64_MAX;
    int64_t beat_ms = 0;

    while (wait_tick(server)) {
        int64_t now_ms = monotonic_ms();
        size_t cut = connections_sweep(&server->connections, now_ms);
        if (cut > 0)
            log_debug("slow connections cut off", LOG_NUMBER("count", cut));
        uint64_t version = routes_version(server->context);
        if (version != seen && events_count(&server->events) > 0) {
            char *message = routes_event(server->context);
            if (message != NULL)
                events_send(&server->events, message, true);
            free(message);
            seen = version;
        } else if (now_ms - beat_ms >= HEARTBEAT_MS) {
            events_send(&server->events, ": still here\n\n", false);
            beat_ms = now_ms;
        }
    }
    return NULL;
}

/* --- life -------------------------------------------------------------------------------- */

static bool start_daemon(struct server *server, int socket, struct error *err)
{
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, server,
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, server, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    return server->daemon != NULL ||
           error_set(err, ERROR_CONFIG, "the admin API cannot be started on %s", server->url);
}

bool server_start(
    const char *listen, const char *token, const struct routes_context *context,
    struct server **out_server, struct error *err)
{
    struct server *server = calloc(1, sizeof *server);
    int socket = -1;

    if (server == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    server->context = context;
    gate_init(&server->gate, config_value_is_loopback(listen));
    gate_set_token(&server->gate, token);
    connections_init(&server->connections);
    events_init(&server->events);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->wake, NULL);
    if (!listen_open(listen, &socket, server->url, err) || !start_daemon(server, socket, err)) {
        if (socket >= 0)
            close(socket);
        server_stop(server);
        return false;
    }
    if (pthread_create(&server->housekeeper, NULL, keep_house, server) != 0) {
        MHD_stop_daemon(server->daemon);
        server->daemon = NULL;
        server_stop(server);
        return error_set(err, ERROR_MEMORY, "cannot start a thread");
    }
    *out_server = server;
    return true;
}

void server_set_token(struct server *server, const char *token)
{
    gate_set_token(&server->gate, token);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

/* Streams get a moment to end in order; a client that does not read is cut off. */
static void wait_for_streams(struct server *server)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    for (int i = 0; i < FAREWELL_MS / 10 && events_count(&server->events) > 0; i++)
        nanosleep(&pause, NULL);
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        pthread_mutex_lock(&server->mutex);
        server->stopping = true;
        pthread_cond_signal(&server->wake);
        pthread_mutex_unlock(&server->mutex);
        pthread_join(server->housekeeper, NULL);
        events_stop(&server->events);
        wait_for_streams(server);
        MHD_stop_daemon(server->daemon);
    }
    events_clear(&server->events);
    connections_clear(&server->connections);
    gate_clear(&server->gate);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
