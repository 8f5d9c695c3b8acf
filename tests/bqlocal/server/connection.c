#include "bqlocal/server/connection.h"

#include "bqlocal/auth/strict.h"
#include "bqlocal/faults/fault.h"
#include "bqlocal/faults/permission.h"
#include "bqlocal/http/content_coding.h"
#include "bqlocal/http/property.h"
#include "bqlocal/http/request_log.h"
#include "bqlocal/rest/uploads.h"
#include "bqlocal/server/mixed.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/monitor.h"
#include "bqlocal/store/store.h"

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

/* The permission of routes that make jobs. */
#define JOBS_CREATE "bigquery.jobs.create"

/* A request, and what its handler need not know of it. */
struct exchange {
    const struct parts *in;
    struct request request;
    const struct route *route; /* NULL: none fits */
    bool started;              /* headers were looked at */
    bool logged;
    bool refused;
    struct error refusal;      /* found before the handler runs; the answer once the body is read */
    struct fault_action fault; /* what is to be done to this request */
    struct content_coding *coding; /* of the body, NULL: none */
};

void *connection_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    exchange->in = context;
    exchange->request.connection = connection;
    exchange->request.target = strdup(uri);
    buffer_init(&exchange->request.body, JSON_BYTES_MAX);
    return exchange;
}

static void log_request(struct exchange *exchange, int status, uint64_t response_bytes)
{
    const struct request *request = &exchange->request;
    bool own = exchange->route != NULL && exchange->route->kind == ROUTE_OWN;

    if (exchange->logged || own || request->path == NULL)
        return;
    exchange->logged = true;
    request_log_add(
        exchange->in->log, request->method, request->path, status, request->body_bytes,
        response_bytes);
}

void connection_end(
    void *context, struct MHD_Connection *connection, void **pointer,
    enum MHD_RequestTerminationCode reason)
{
    struct exchange *exchange = *pointer;
    (void)context;
    (void)connection;
    (void)reason;

    if (exchange == NULL)
        return;
    monitor_enter(exchange->in->monitor);
    upload_body_end(&exchange->request);
    log_request(exchange, 0, 0);
    monitor_leave(exchange->in->monitor);
    request_clear(&exchange->request);
    content_coding_free(exchange->coding);
    free(exchange);
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
static bool hold(struct exchange *exchange)
{
    const struct parts *in = exchange->in;
    uint64_t rule = exchange->fault.rule;
    bool there = true;

    faults_hold(in->faults, rule, 1);
    while (there && faults_exists(in->faults, rule)) {
        monitor_wait(in->monitor, monitor_now_ms() + CLIENT_CHECK_MS);
        there = !in->monitor->stopping && !client_is_gone(&exchange->request);
    }
    faults_hold(in->faults, rule, -1);
    return there;
}

/* What changes the store waits for the statement that is changing it already; false if the client
 * went away or the server stops. */
static bool wait_for_writer(const struct exchange *exchange)
{
    const struct parts *in = exchange->in;
    bool changes = exchange->fault.kind == FAULT_TABLE_VANISH ||
                   (exchange->route != NULL && route_changes_store(exchange->route));

    while (changes && in->store->writing) {
        if (in->monitor->stopping || client_is_gone(&exchange->request))
            return false;
        monitor_wait(in->monitor, monitor_now_ms() + CLIENT_CHECK_MS);
    }
    return true;
}

/* Ends the connection so that the client sees a reset. */
static enum MHD_Result reset(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return MHD_NO;
}

/* What is done to a request before it is processed; false: it ends here without an answer. */
static bool apply_before(struct exchange *exchange)
{
    const struct parts *in = exchange->in;
    const struct fault_action *fault = &exchange->fault;
    int64_t until = monitor_now_ms() + fault->ms;
    struct error err;

    switch (fault->kind) {
    case FAULT_RESET_BEFORE:
        return false;
    case FAULT_HANG_BEFORE:
        return hold(exchange);
    case FAULT_DELAY:
        while (!in->monitor->stopping && monitor_now_ms() < until)
            monitor_wait(in->monitor, until);
        return true;
    case FAULT_CLOCK_SKEW:
        in->store->clock_skew_ms = fault->ms;
        return true;
    case FAULT_TABLE_VANISH:
        // A missing table is as good as a dropped one.
        (void)!store_table_delete(in->store, fault->dataset, fault->table, &err);
        return true;
    case FAULT_UPLOAD_VANISH:
        if (!upload_vanish(in, &exchange->request, &err) && !exchange->refused) {
            exchange->refused = true;
            exchange->refusal = err;
        }
        return true;
    default:
        return true;
    }
}

static void answer_fault(struct request *request, const struct fault_action *fault)
{
    struct error err;

    failure_set(&err, fault->reason, "%s", fault->message);
    err.http_status = fault->status;
    err.retry_after_ms = fault->retry_after * 1000;
    answer_clear(&request->answer);
    answer_error(&request->answer, &err);
}

static void process(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    struct error err = {0};

    if (!exchange->refused)
        exchange->refused = !content_coding_check_end(exchange->coding, &exchange->refusal);
    if (exchange->refused) {
        answer_error(&request->answer, &exchange->refusal);
        return;
    }
    if (!exchange->route->handler(exchange->in, request, &err)) {
        answer_clear(&request->answer);
        answer_error(&request->answer, &err);
    }
    // Before the answer is on its way: the client's next chunk must find its session free.
    upload_body_end(request);
}

/* The answer's body as a page of a proxy that knows nothing of JSON. */
static void replace_by_html(struct request *request, int fault_status)
{
    struct buffer page;
    int status = fault_status != 0 ? fault_status : request->answer.status;

    buffer_init(&page, 4096);
    buffer_append_text(
        &page, "<!DOCTYPE html>\n<html><title>Error</title><p>The server could not complete your "
               "request.</html>\n");
    answer_text(&request->answer, status, "text/html; charset=UTF-8", &page);
}

static void add_number_header(struct MHD_Response *response, const char *name, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)number);
    if (number > 0)
        MHD_add_response_header(response, name, text);
}

static void add_headers(
    const struct store *store, const struct answer *answer, struct MHD_Response *response)
{
    time_t now = (time_t)(store_now_ms(store) / 1000);
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
    if (answer->challenge)
        MHD_add_response_header(
            response, "WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\"");
    add_number_header(response, "X-Http-Status-Code-Override", answer->override_status);
    add_number_header(response, "Retry-After", answer->retry_after);
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

static struct MHD_Response *make_response(struct answer *answer, bool truncate)
{
    struct half *half;

    if (truncate && answer->body_length > 1 && (half = malloc(sizeof *half)) != NULL) {
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

static enum MHD_Result send_answer(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    struct MHD_Response *response =
        make_response(&request->answer, exchange->fault.kind == FAULT_TRUNCATE);

    if (response == NULL)
        return MHD_NO;
    add_headers(exchange->in->store, &request->answer, response);
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->answer.status, response);
    MHD_destroy_response(response);
    return result;
}

/* The whole request has arrived. */
static enum MHD_Result finish(struct exchange *exchange)
{
    const struct fault_action *fault = &exchange->fault;
    struct request *request = &exchange->request;
    const struct answer *answer = &request->answer;

    // A fault may hold the request, and meanwhile a statement may begin.
    if (!wait_for_writer(exchange) || !apply_before(exchange) || !wait_for_writer(exchange)) {
        log_request(exchange, 0, 0);
        return reset(request);
    }
    bool replaced = fault->kind == FAULT_STATUS || fault->kind == FAULT_ANSWER_OF_ANOTHER;
    if (!replaced || fault->processed)
        process(exchange);
    if (fault->kind == FAULT_ANSWER_OF_ANOTHER)
        mixed_answer_other(request);
    if (fault->kind == FAULT_STATUS)
        answer_fault(request, fault);
    if (fault->kind == FAULT_NOT_JSON)
        replace_by_html(request, fault->status);
    bool silent = fault->kind == FAULT_RESET_AFTER;
    if (fault->kind == FAULT_HANG_AFTER) {
        log_request(exchange, answer->status, answer->body_length);
        silent = !hold(exchange);
    }
    log_request(exchange, silent ? 0 : answer->status, silent ? 0 : answer->body_length);
    if (fault->kind == FAULT_ANSWER_TWICE)
        mixed_begin_lag(request);
    else if (exchange->route == NULL || exchange->route->kind != ROUTE_OWN)
        mixed_lag(request);
    return silent ? reset(request) : send_answer(exchange);
}

/* "http://host:port" as the client named us, or as we are bound; owned. */
static char *make_origin(const struct parts *in, const struct request *request)
{
    const char *host = request_header(request, "Host");
    int scheme = (int)(strstr(in->url, "://") - in->url);
    char *origin = NULL;

    if (host == NULL)
        return strdup(in->url);
    return asprintf(&origin, "%.*s://%s", scheme, in->url, host) < 0 ? NULL : origin;
}

/* A walk over headers or query parameters that ends at the first that is refused. */
struct value_check {
    const struct request *request;
    bool ok;
    struct error *err;
};

static enum MHD_Result check_value(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct value_check *check = context;
    const struct request *request = check->request;

    if (kind == MHD_HEADER_KIND)
        check->ok = property_check_header(name, value, check->err);
    else if (request_query(request, name) != value) // the first of this name
        check->ok = failure_set(
            check->err, "badRequest", "The query parameter %.100s is there more than once", name);
    else
        check->ok = property_check_parameter(request->method_id, name, value, check->err);
    return check->ok ? MHD_YES : MHD_NO;
}

/* Whether bqlocal does what headers and query parameters ask for. */
static bool check_values(const struct request *request, struct error *err)
{
    struct value_check check = {request, true, err};

    if (request->method_id == NULL)
        return true;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, check_value, &check);
    if (check.ok)
        MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_value, &check);
    return check.ok;
}

/* Whether the request may be processed: it has a route, and its caller has the token and the
 * permission that the route asks for. */
static bool may_proceed(struct exchange *exchange, bool path_known, struct error *err)
{
    const struct route *route = exchange->route;
    const struct parts *in = exchange->in;
    struct request *request = &exchange->request;

    // It would end the path, and so name something else.
    if (strstr(request->target, "%00") != NULL)
        return failure_set(err, "badRequest", "The URL has a zero byte (%%00)");
    if (route == NULL && path_known)
        return failure_set(
            err, "methodNotAllowed", "Method %s is not allowed for %s", request->method,
            request->path);
    if (route == NULL)
        return failure_set(err, "notFound", "Not found: %s %s", request->method, request->path);
    bool guarded = route->kind == ROUTE_API || route->kind == ROUTE_UPLOAD;
    bool makes_job = route->permission != NULL && strcmp(route->permission, JOBS_CREATE) == 0;
    if (makes_job && strcmp(request->parameters.project, request->project) != 0)
        return failure_set(
            err, "accessDenied",
            "Access Denied: Project %.200s: bqlocal has the project %s alone, whose jobs it runs",
            request->parameters.project, request->project);
    request->method_id = route->id;
    request->schema = route->body;
    return (!guarded || strict_allows(in, request, err)) && check_values(request, err) &&
           content_coding_new(
               request_header(request, "Content-Encoding"), &exchange->coding, err) &&
           (route->permission == NULL ||
            permission_check(in->faults, in->store->project, route->permission, err)) &&
           (route->kind != ROUTE_UPLOAD || upload_body_begin(in, request, err));
}

/* The headers are here: finds the route and the fault, and whether the caller may do this. */
static bool look_at_headers(struct exchange *exchange, const char *url, const char *method)
{
    const struct parts *in = exchange->in;
    struct request *request = &exchange->request;
    bool path_known = false;

    // Google's Java client sends a PATCH as a POST.
    const char *override = request_header(request, "X-HTTP-Method-Override");
    bool overridden = override != NULL && strcmp(method, "POST") == 0;

    exchange->started = true;
    request->path = strdup(url);
    request->method = strdup(overridden ? override : method);
    request->project = in->store->project;
    request->origin = make_origin(in, request);
    if (request->target == NULL || request->path == NULL || request->method == NULL ||
        request->origin == NULL)
        return false;
    exchange->route = route_find(request, &path_known);
    if (exchange->route == NULL || exchange->route->kind != ROUTE_OWN)
        exchange->fault = faults_on_request(in->faults, request->method, request->target);
    exchange->refused = !may_proceed(exchange, path_known, &exchange->refusal);
    return true;
}

/* Decoded bytes of the body. */
static bool take_content(void *context, struct slice bytes, struct error *err)
{
    struct exchange *exchange = context;
    struct request *request = &exchange->request;

    request->content_bytes += bytes.length;
    if (request->upload != NULL)
        return upload_body_write(request, bytes, err);
    buffer_append_slice(&request->body, bytes);
    return buffer_check(&request->body, "the request", err) ||
           failure_set(err, "uploadTooLarge", "Request payload size exceeds the limit");
}

static bool take_body(struct exchange *exchange, const char *data, size_t length)
{
    struct slice bytes = {data, length};
    const struct fault_action *fault = &exchange->fault;
    struct request *request = &exchange->request;

    request->body_bytes += length;
    if (fault->kind == FAULT_RESET_BEFORE && fault->after_bytes >= 0 &&
        request->body_bytes >= (uint64_t)fault->after_bytes)
        return false;
    if (exchange->refused)
        return true;
    exchange->refused =
        exchange->coding == NULL
            ? !take_content(exchange, bytes, &exchange->refusal)
            : !content_coding_write(
                  exchange->coding, bytes, take_content, exchange, &exchange->refusal);
    return true;
}

enum MHD_Result connection_serve(
    void *context, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload_data, size_t *upload_data_size, void **pointer)
{
    struct exchange *exchange = *pointer;
    enum MHD_Result result = MHD_YES;
    (void)context;
    (void)connection;
    (void)version;

    if (exchange == NULL)
        return MHD_NO;
    // Media is spooled outside of the monitor, so that uploads do not stop everything else.
    if (exchange->started && *upload_data_size > 0) {
        bool continues = take_body(exchange, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return continues ? MHD_YES : reset(&exchange->request);
    }
    monitor_enter(exchange->in->monitor);
    if (exchange->started)
        result = finish(exchange);
    else if (!look_at_headers(exchange, url, method))
        result = MHD_NO;
    monitor_leave(exchange->in->monitor);
    return result;
}
