#include "service/routes.h"

#include "base/json_memory.h"
#include "service/body.h"
#include "service/metrics.h"
#include "service/page.h"
#include "service/past_runs.h"
#include "service/route_ledger.h"
#include "service/routes_rejects.h"
#include "service/routes_verify.h"
#include "service/state_read.h"
#include "service/status_document.h"
#include "source/tracking.h"
#include "sync/report/table_report.h"
#include "warehouse/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_CEILING ((size_t)8 << 20)
#define EVENT_CEILING   ((size_t)4 << 20)
#define LIMIT_DEFAULT   50

/* --- status ------------------------------------------------------------------------------ */

static int64_t wall_us(const struct routes_context *context)
{
    const struct clock *clock = context->deployment->clock;

    return clock->wall_us(clock->context);
}

static void get_status(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct scheduler_view view;
    struct ledger ledger;
    struct error err;

    (void)request;
    if (!route_ledger(context, &ledger, &err)) {
        reply_failure(reply, &err);
        return;
    }
    scheduler_view(context->scheduler, &view);
    cJSON *recent = scheduler_recent(context->scheduler, 1);
    struct status_live live = {
        .now_us = wall_us(context),
        .serves_since_us = context->started_us,
        .view = &view,
        .ledger = &ledger,
        .running = scheduler_running(context->scheduler),
        .recent = recent,
    };
    quota_outage(context->deployment->quota, &live.outage);
    reply_json(reply, 200, status_json(context->status, &live));
    cJSON_Delete(recent);
    ledger_clear(&ledger);
}

static void get_tables(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    (void)request;
    reply_json(
        reply, 200,
        table_report_json(context->deployment->tables, context->deployment->table_count));
}

/* --- runs -------------------------------------------------------------------------------- */

static void reply_started(
    struct reply *reply, enum scheduler_answer answer, const char *run_id, enum run_kind kind)
{
    cJSON *json = NULL;

    switch (answer) {
    case SCHEDULER_ACCEPTED:
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "run_id", run_id);
        cJSON_AddStringToObject(json, "kind", run_kind_name(kind));
        reply_json(reply, 202, json);
        return;
    case SCHEDULER_BUSY:
        reply_already_running(reply, "a sync is running; wait for it to end", "run_id", run_id);
        return;
    case SCHEDULER_STOPPING:
        reply_stopping(reply);
        return;
    }
}

static void start(
    const struct routes_context *context, const struct route_request *request, enum run_kind kind,
    struct reply *reply)
{
    char run_id[RUN_ID_SIZE];

    if (!body_is_empty(request->body, reply))
        return;
    enum scheduler_answer answer = scheduler_request(context->scheduler, kind, NULL, 0, run_id);
    reply_started(reply, answer, run_id, kind);
}

static void post_manual(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    start(context, request, RUN_FULL, reply);
}

static void post_incremental(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    start(context, request, RUN_INCREMENTAL, reply);
}

static void post_tables(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    const struct table **tables = NULL;
    size_t count = 0;
    char run_id[RUN_ID_SIZE];

    if (!body_tables(context->deployment, request->body, &tables, &count, reply))
        return;
    enum scheduler_answer answer =
        scheduler_request(context->scheduler, RUN_TABLES, tables, count, run_id);
    reply_started(reply, answer, run_id, RUN_TABLES);
    free(tables);
}

static bool read_limit(const char *text, int *out_limit)
{
    char *end = NULL;

    *out_limit = LIMIT_DEFAULT;
    if (text == NULL)
        return true;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > TRACKING_RUNS_KEPT)
        return false;
    *out_limit = (int)value;
    return true;
}

static void get_runs(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct tracking tracking;
    bool open = false;
    cJSON *runs = NULL;
    struct error err;
    int limit = 0;

    if (!read_limit(request->limit, &limit)) {
        reply_error(
            reply, 400, "bad_request", "limit has to be a number from 1 to %d", TRACKING_RUNS_KEPT);
        return;
    }
    cJSON *running = scheduler_running(context->scheduler);
    cJSON *recent = scheduler_recent(context->scheduler, limit);
    bool ok = state_read_open(context->deployment->config, &tracking, &open, &err);
    if (ok && open) {
        ok = past_runs_list(&tracking, recent, limit, &runs, &err);
        tracking_close(&tracking);
    }
    if (ok) {
        cJSON *json = cJSON_CreateObject();
        if (runs == NULL)
            runs = cJSON_Duplicate(recent, true);
        if (running != NULL)
            cJSON_InsertItemInArray(runs, 0, running);
        cJSON_AddItemToObject(json, "runs", runs);
        reply_json(reply, 200, json);
    } else {
        cJSON_Delete(running);
        reply_failure(reply, &err);
    }
    cJSON_Delete(recent);
}

static bool find_run(
    const struct routes_context *context, const char *run_id, cJSON **out_run, struct error *err)
{
    struct tracking tracking;
    bool open = false;

    *out_run = scheduler_running(context->scheduler);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(*out_run, "run_id");
    if (id != NULL && strcmp(id->valuestring, run_id) == 0)
        return true;
    cJSON_Delete(*out_run);
    *out_run = NULL;
    if (!state_read_open(context->deployment->config, &tracking, &open, err))
        return false;
    cJSON *recent = scheduler_recent(context->scheduler, SCHEDULER_RECENT_MAX);
    bool ok = past_runs_find(open ? &tracking : NULL, recent, run_id, out_run, err);
    if (open)
        tracking_close(&tracking);
    cJSON_Delete(recent);
    return ok;
}

static void get_run(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    cJSON *run = NULL;
    struct error err;

    if (!find_run(context, request->tail, &run, &err))
        reply_failure(reply, &err);
    else if (run == NULL)
        reply_error(reply, 404, "unknown_run", "no run %.64s is known", request->tail);
    else
        reply_json(reply, 200, run);
}

static void get_events(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    (void)context;
    (void)request;
    reply->status = 200;
    reply->stream = true;
}

uint64_t routes_version(const struct routes_context *context)
{
    struct quota_outage outage;

    quota_outage(context->deployment->quota, &outage);
    // The two numbers only have to differ from those before.
    return scheduler_version(context->scheduler) * 4096 + outage.attempts % 4096;
}

char *routes_event(const struct routes_context *context)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *running = scheduler_running(context->scheduler);
    cJSON *recent = scheduler_recent(context->scheduler, 1);
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(recent->child, "run_id");
    struct quota_outage outage;
    struct buffer out;

    cJSON_AddItemToObject(json, "running", running == NULL ? cJSON_CreateNull() : running);
    // A pass may start and end between two messages.
    cJSON_AddItemToObject(
        json, "last_run_id", last == NULL ? cJSON_CreateNull() : cJSON_Duplicate(last, true));
    cJSON_Delete(recent);
    quota_outage(context->deployment->quota, &outage);
    if (outage.attempts > 0)
        cJSON_AddItemToObject(json, "outage", status_document_outage(&outage));
    char *text = json_print(json);
    cJSON_Delete(json);
    buffer_init(&out, EVENT_CEILING);
    buffer_append_text(&out, "event: progress\ndata: ");
    buffer_append_text(&out, text == NULL ? "{}" : text);
    buffer_append_text(&out, "\n\n");
    free(text);
    return buffer_take(&out);
}

/* --- health, metrics, page --------------------------------------------------------------- */

static void get_healthz(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    if (atomic_load(context->stopping)) {
        reply_stopping(reply);
        return;
    }
    // The dashboard asks for a token only if one is needed.
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "status", "ok");
    cJSON_AddStringToObject(json, "auth", request->needs_token ? "bearer" : "none");
    reply_json(reply, 200, json);
}

/* Ready means that passes can run and that their state can be read. BigQuery does not count: if it
 * is not reachable, status and metrics say so, and a load balancer must not hide them. */
static void get_readyz(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct status_table *tables = calloc(context->deployment->table_count + 1, sizeof *tables);
    struct error err = {.code = ERROR_MEMORY, .message = "out of memory"};

    (void)request;
    if (atomic_load(context->stopping))
        reply_stopping(reply);
    else if (tables == NULL || !status_read(context->status, tables, &err))
        // This route needs no token, so the message has no details such as paths.
        reply_error(
            reply, 503, error_code_name(err.code), "the source or state database cannot be read");
    else {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "status", "ok");
        reply_json(reply, 200, json);
    }
    free(tables);
}

static int64_t modifications(void *context, const char *table)
{
    return quota_used(context, table);
}

static void get_metrics(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct status_table *tables = calloc(context->deployment->table_count + 1, sizeof *tables);
    struct verifier_view verified;
    struct spending spending = {0};
    struct scheduler_view view;
    struct ledger ledger;
    struct buffer out;
    struct error err;

    (void)request;
    if (tables == NULL || !route_ledger(context, &ledger, &err)) {
        free(tables);
        reply_error(reply, 500, "memory", "out of memory");
        return;
    }
    bool readable = status_read(context->status, tables, &err) &&
                    status_spending(context->status, &spending, &err);
    cJSON *running = scheduler_running(context->scheduler);
    scheduler_view(context->scheduler, &view);
    verifier_view(context->verifier, &verified);
    buffer_init(&out, METRICS_CEILING);
    metrics_write(
        &out, &(struct metrics_input){
                  .now_us = wall_us(context),
                  .started_us = context->started_us,
                  .ledger = &ledger,
                  .tables = readable ? tables : NULL,
                  .spending = readable ? &spending : NULL,
                  .view = &view,
                  .verified = &verified,
                  .running = running != NULL,
                  .modifications = modifications,
                  .context = context->deployment->quota,
              });
    reply->status = 200;
    reply->content_type = METRICS_CONTENT_TYPE;
    reply->length = out.length;
    reply->body = buffer_take(&out);
    if (reply->body == NULL)
        reply->status = 500;
    cJSON_Delete(running);
    ledger_clear(&ledger);
    free(tables);
}

static void get_page(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct slice page = page_html();

    (void)request;
    reply->body = malloc(page.length + 1);
    if (reply->body == NULL) {
        reply->status = 500;
        return;
    }
    memcpy(reply->body, page.data, page.length);
    reply->status = 200;
    reply->length = page.length;
    reply->content_type = "text/html; charset=utf-8";
    reply->security = context->page_policy;
}

/* --- the table --------------------------------------------------------------------------- */

#define GET_ONLY  "GET, HEAD"
#define POST_ONLY "POST"
#define BOTH      "GET, HEAD, POST"

static const struct route table[] = {
    {"/", true, GET_ONLY, get_page, NULL},
    {"/healthz", true, GET_ONLY, get_healthz, NULL},
    {"/readyz", true, GET_ONLY, get_readyz, NULL},
    {"/metrics", false, GET_ONLY, get_metrics, NULL},
    {"/admin/bigquery/tables", false, GET_ONLY, get_tables, NULL},
    {"/admin/bigquery/rejects", false, GET_ONLY, routes_get_rejects, NULL},
    {"/admin/bigquery/verify", false, BOTH, routes_get_verify, routes_post_verify},
    {"/admin/bigquery/sync/status", false, GET_ONLY, get_status, NULL},
    {"/admin/bigquery/sync/manual", false, POST_ONLY, NULL, post_manual},
    {"/admin/bigquery/sync/incremental", false, POST_ONLY, NULL, post_incremental},
    {"/admin/bigquery/sync/tables", false, POST_ONLY, NULL, post_tables},
    {"/admin/bigquery/sync/runs", false, GET_ONLY, get_runs, NULL},
    {"/admin/bigquery/sync/runs/{id}", false, GET_ONLY, get_run, NULL},
    {"/admin/bigquery/sync/events", false, GET_ONLY, get_events, NULL},
};

const struct route *routes(size_t *out_count)
{
    *out_count = sizeof table / sizeof table[0];
    return table;
}

const struct route *routes_find(const char *path, const char **out_tail)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *brace = strchr(table[i].path, '{');
        if (brace == NULL) {
            if (strcmp(table[i].path, path) == 0)
                return &table[i];
            continue;
        }
        size_t prefix = (size_t)(brace - table[i].path);
        const char *tail = path + prefix;
        if (strncmp(path, table[i].path, prefix) == 0 && *tail != '\0' &&
            strchr(tail, '/') == NULL) {
            *out_tail = tail;
            return &table[i];
        }
    }
    return NULL;
}

route_handler *routes_handler(const struct route *route, const char *method)
{
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return route->get;
    return strcmp(method, "POST") == 0 ? route->post : NULL;
}
