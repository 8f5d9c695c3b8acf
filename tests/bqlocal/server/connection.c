#include "bqlocal/server/connection.h"

#include "bqlocal/auth/strict.h"
#include "bqlocal/faults/fault.h"
#include "bqlocal/faults/permission.h"
#include "bqlocal/http/request_log.h"
#include "bqlocal/rest/uploads.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/store/failure.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* A query's text may have 1 MB; a schema of 10,000 columns needs more. */
#define JSON_BYTES_MAX ((size_t)32 << 20)

/* How often a held request looks whether its client is still there. */
#define CLIENT_CHECK_MS 50

void *serve_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->server = context;
    request->connection = connection;
    request->target = strdup(uri);
    buffer_init(&request->body, JSON_BYTES_MAX);
    return request;
}

static void log_request(struct request *request, int status, uint64_t response_bytes)
{
    bool own = request->route != NULL && request->route->kind == ROUTE_OWN;

    if (request->logged || own || request->path == NULL)
        return;
    request->logged = true;
    request_log_add(
        request->server->log, request->method, request->path, status, request->body_bytes,
        response_bytes);
}

void serve_end(
    void *context, struct MHD_Connection *connection, void **pointer,
    enum MHD_RequestTerminationCode reason)
{
    struct server *server = context;
    struct request *request = *pointer;
    (void)connection;
    (void)reason;

    if (request == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    upload_body_end(server, request);
    log_request(request, 0, 0);
    pthread_mutex_unlock(&server->lock);
    buffer_clear(&request->body);
    path_parameters_clear(&request->parameters);
    answer_clear(&request->answer);
    free(request->target);
    free(request->path);
    free(request->method);
    free(request);
    *pointer = NULL;
}

static bool client_is_gone(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd watched = {.fd = info->connect_fd, .events = POLLRDHUP};

    return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Holds the request while its rule exists; false if the client went away or the server stops. */
static bool hold(struct server *server, struct request *request)
{
    uint64_t rule = request->fault.rule;
    bool there = true;

    faults_hold(server->faults, rule, 1);
    while (there && faults_exists(server->faults, rule)) {
        server_wait(server, server_monotonic_ms() + CLIENT_CHECK_MS);
        there = !server->stopping && !client_is_gone(request);
    }
    faults_hold(server->faults, rule, -1);
    return there;
}

/* Ends the connection so that the client sees a reset. */
static enum MHD_Result reset(struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return MHD_NO;
}

/* What is done to a request before it is processed; false: it ends here without an answer. */
static bool apply_before(struct server *server, struct request *request)
{
    const struct fault_action *fault = &request->fault;
    int64_t until = server_monotonic_ms() + fault->ms;
    struct error err;

    switch (fault->kind) {
    case FAULT_RESET_BEFORE:
        return false;
    case FAULT_HANG_BEFORE:
        return hold(server, request);
    case FAULT_DELAY:
        while (!server->stopping && server_monotonic_ms() < until)
            server_wait(server, until);
        return true;
    case FAULT_CLOCK_SKEW:
        server->store.clock_skew_ms = fault->ms;
        return true;
    case FAULT_TABLE_VANISH:
        // A table that is gone already is as good.
        (void)!store_table_delete(&server->store, fault->dataset, fault->table, &err);
        return true;
    case FAULT_UPLOAD_VANISH:
        upload_vanish(server, request);
        return true;
    default:
        return true;
    }
}

static void answer_fault(struct request *request)
{
    const struct fault_action *fault = &request->fault;
    struct error err;

    failure_set(&err, fault->reason, "%s", fault->message);
    err.http_status = fault->status;
    err.retry_after_ms = fault->retry_after * 1000;
    answer_clear(&request->answer);
    answer_error(&request->answer, &err);
}

static void process(struct server *server, struct request *request)
{
    struct error err = {0};

    if (request->refused) {
        answer_error(&request->answer, &request->refusal);
        return;
    }
    if (!request->route->handler(server, request, &err)) {
        answer_clear(&request->answer);
        answer_error(&request->answer, &err);
    }
    // Before the answer is on its way: the client's next chunk must find its session free.
    upload_body_end(server, request);
}

/* The answer's body as a page of a proxy that knows nothing of JSON. */
static void replace_by_html(struct request *request)
{
    struct buffer page;
    int status = request->fault.status != 0 ? request->fault.status : request->answer.status;

    buffer_init(&page, 4096);
    buffer_append_text(
        &page, "<!DOCTYPE html>\n<html><title>Error</title><p>The server could not complete your "
               "request.</html>\n");
    answer_text(&request->answer, status, "text/html; charset=UTF-8", &page);
}

static void add_headers(struct request *request, struct MHD_Response *response)
{
    const struct answer *answer = &request->answer;
    time_t now = (time_t)(store_now_ms(&request->server->store) / 1000);
    char text[64];
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    MHD_add_response_header(response, "Date", text);
    if (answer->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    if (answer->location != NULL)
        MHD_add_response_header(response, "Location", answer->location);
    if (answer->range[0] != '\0')
        MHD_add_response_header(response, "Range", answer->range);
    if (answer->allow != NULL)
        MHD_add_response_header(response, "Allow", answer->allow);
    if (answer->challenge)
        MHD_add_response_header(
            response, "WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\"");
    if (answer->override_status != 0) {
        snprintf(text, sizeof text, "%d", answer->override_status);
        MHD_add_response_header(response, "X-Http-Status-Code-Override", text);
    }
    if (answer->retry_after > 0) {
        snprintf(text, sizeof text, "%lld", (long long)answer->retry_after);
        MHD_add_response_header(response, "Retry-After", text);
    }
}

/* A body that ends in its middle. */
struct half {
    char *bytes;
    size_t length;
};

static ssize_t read_half(void *context, uint64_t position, char *to, size_t room)
{
    const struct half *half = context;
    size_t left = half->length - (size_t)position;

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t take = left < room ? left : room;
    memcpy(to, half->bytes + position, take);
    return (ssize_t)take;
}

static void free_half(void *context)
{
    struct half *half = context;

    free(half->bytes);
    free(half);
}

static struct MHD_Response *make_response(struct request *request)
{
    struct answer *answer = &request->answer;
    struct half *half;

    if (request->fault.kind == FAULT_TRUNCATE && answer->body_length > 1 &&
        (half = malloc(sizeof *half)) != NULL) {
        *half = (struct half){answer->body, answer->body_length / 2};
        answer->body = NULL;
        return MHD_create_response_from_callback(
            answer->body_length, 4096, read_half, half, free_half);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body_length, answer->body == NULL ? "" : answer->body,
        answer->body == NULL ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
    answer->body = NULL;
    return response;
}

static enum MHD_Result send_answer(struct request *request)
{
    struct MHD_Response *response = make_response(request);

    if (response == NULL)
        return MHD_NO;
    add_headers(request, response);
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->answer.status, response);
    MHD_destroy_response(response);
    request->answered = true;
    return result;
}

/* The whole request has arrived. */
static enum MHD_Result finish(struct server *server, struct request *request)
{
    const struct fault_action *fault = &request->fault;
    bool instead = fault->kind == FAULT_STATUS && !fault->processed;

    if (!apply_before(server, request)) {
        log_request(request, 0, 0);
        return reset(request);
    }
    if (!instead)
        process(server, request);
    if (fault->kind == FAULT_STATUS)
        answer_fault(request);
    if (fault->kind == FAULT_NOT_JSON)
        replace_by_html(request);
    bool silent = fault->kind == FAULT_RESET_AFTER;
    if (fault->kind == FAULT_HANG_AFTER) {
        log_request(request, request->answer.status, request->answer.body_length);
        silent = !hold(server, request);
    }
    log_request(
        request, silent ? 0 : request->answer.status, silent ? 0 : request->answer.body_length);
    return silent ? reset(request) : send_answer(request);
}

/* The headers are here: finds the route, asks the faults, and whether the caller may. */
static void look_at_headers(
    struct server *server, struct request *request, const char *url, const char *method)
{
    request->started = true;
    request->path = strdup(url);
    request->method = strdup(method);
    // HEAD is GET without a body, which microhttpd sees to.
    route_find(request);
    if (request->route == NULL) {
        failure_set(
            &request->refusal, request->path_known ? "methodNotAllowed" : "notFound",
            request->path_known ? "Method %s is not allowed for %s" : "Not found: %s %s", method,
            url);
        request->refused = true;
    }
    bool own = request->route != NULL && request->route->kind == ROUTE_OWN;
    if (!own)
        request->fault = faults_on_request(server->faults, method, request->target);
    if (!request->refused && !strict_allows(server->strict, server, request, &request->refusal))
        request->refused = true;
    if (!request->refused && request->route->permission != NULL &&
        !permission_check(server, request->route->permission, &request->refusal))
        request->refused = true;
    if (!request->refused && request->route->kind == ROUTE_UPLOAD &&
        !upload_body_begin(server, request, &request->refusal))
        request->refused = true;
}

static bool take_body(
    struct server *server, struct request *request, const char *data, size_t length)
{
    const struct fault_action *fault = &request->fault;

    request->body_bytes += length;
    if (fault->kind == FAULT_RESET_BEFORE && fault->after_bytes >= 0 &&
        request->body_bytes >= (uint64_t)fault->after_bytes)
        return false;
    if (request->refused)
        return true;
    if (request->upload == NULL)
        buffer_append(&request->body, data, length);
    else if (!upload_body_write(server, request, (struct slice){data, length}, &request->refusal))
        request->refused = true;
    return true;
}

enum MHD_Result serve_request(
    void *context, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload_data, size_t *upload_data_size, void **pointer)
{
    struct server *server = context;
    struct request *request = *pointer;
    enum MHD_Result result = MHD_YES;
    (void)connection;
    (void)version;

    if (request == NULL)
        return MHD_NO;
    // Media is spooled without the big lock, so that uploads do not stop everything else.
    if (request->started && *upload_data_size > 0) {
        bool going_on = take_body(server, request, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return going_on ? MHD_YES : reset(request);
    }
    pthread_mutex_lock(&server->lock);
    if (!request->started)
        look_at_headers(server, request, url, method);
    else
        result = finish(server, request);
    pthread_mutex_unlock(&server->lock);
    return result;
}
