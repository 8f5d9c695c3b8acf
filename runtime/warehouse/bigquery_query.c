/* Reading rows back: jobs.query and jobs.getQueryResults ("BigQuery API reference": Jobs). */
#include "warehouse/bigquery.h"

#include "base/json_exact.h"
#include "warehouse/call.h"
#include "warehouse/call_path.h"
#include "warehouse/foreign_text.h"
#include "warehouse/job_patience.h"
#include "warehouse/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "REST resource: jobs": the id has at most 1,024 characters. */
#define JOB_ID_MAX 1024
/* Rows of a page. Left to itself BigQuery sends up to 10 MB of JSON ("API reference", jobs.query:
 * maxResults), which takes ten times as much memory once it is parsed. So many rows of three short
 * cells take 8 MB, and twice that while the next page comes. */
#define PAGE_ROWS 10000
/* How often a query that fails on the server's side is run in all. */
#define RUNS_MAX 3

struct selection {
    struct bigquery *bigquery;
    const char *sql;
    bigquery_row_visit *visit;
    void *context;
    /* Of the query's job, once an answer has named it. */
    char *job_id;
    char *location;
    /* The id as messages show it; "" before. */
    char shown_id[200];
    uint64_t rows;
    /* -1 until an answer says it. */
    int64_t bytes_billed;
    /* The visit wants no more rows. */
    bool stopped;
};

static bool keep_reference(struct selection *selection, const cJSON *answer, struct error *err)
{
    const cJSON *reference = cJSON_GetObjectItemCaseSensitive(answer, "jobReference");
    const char *location = call_text(reference, "location");
    const char *job_id = call_text(reference, "jobId");

    if (selection->job_id != NULL || reference == NULL)
        return true;
    if (location[0] == '\0')
        location = selection->bigquery->location;
    if (!foreign_is_name(job_id) || strlen(job_id) > JOB_ID_MAX || !foreign_is_name(location))
        return error_set(
            err, ERROR_TRANSIENT, "BigQuery: the job that an answer names has no id that is one");
    foreign_text(selection->shown_id, sizeof selection->shown_id, job_id);
    selection->job_id = strdup(job_id);
    selection->location = strdup(location);
    return (selection->job_id != NULL && selection->location != NULL) ||
           error_set(err, ERROR_MEMORY, "out of memory for a query's result");
}

/* A request id makes a repeated jobs.query find the first one instead of running twice. */
static cJSON *query_body(struct selection *selection)
{
    struct bigquery *bigquery = selection->bigquery;
    cJSON *body = cJSON_CreateObject();
    char text[40];

    cJSON_AddStringToObject(body, "query", selection->sql);
    cJSON_AddFalseToObject(body, "useLegacySql");
    json_add_int64(body, "timeoutMs", call_hold_ms(bigquery));
    json_add_int64(body, "maxResults", PAGE_ROWS);
    if (bigquery->location[0] != '\0')
        cJSON_AddStringToObject(body, "location", bigquery->location);
    snprintf(
        text, sizeof text, "%016" PRIx64 "%016" PRIx64,
        (uint64_t)retry_random(&bigquery->random, INT64_MAX), retry_seed());
    cJSON_AddStringToObject(body, "requestId", text);
    cJSON *format = cJSON_AddObjectToObject(body, "formatOptions");
    cJSON_AddTrueToObject(format, "useInt64Timestamp");
    if (call_cap(bigquery) > 0) {
        snprintf(text, sizeof text, "%" PRId64, call_cap(bigquery));
        cJSON_AddStringToObject(body, "maximumBytesBilled", text);
    }
    cJSON *labels = cJSON_AddObjectToObject(body, "labels");
    cJSON_AddStringToObject(labels, "tool", "bqsync");
    return body;
}

/* A later answer that names this job is not the answer to a later query. */
static void keep_selected(struct bigquery *bigquery, const char *job_id)
{
    free(bigquery->selected_id);
    bigquery->selected_id = job_id[0] == '\0' ? NULL : strdup(job_id);
}

static bool first_page(struct selection *selection, cJSON **out_page, struct error *err)
{
    struct buffer path;
    cJSON *body = query_body(selection);

    call_path_in_project(selection->bigquery, "/queries", &path);
    const struct call call = {
        .what = TRAFFIC_JOBS_QUERY,
        .subject = "",
        .permission = "bigquery.jobs.create and bigquery.tables.getData",
        .method = "POST",
        .path = buffer_text(&path),
        .body = body,
        .held_ms = call_hold_ms(selection->bigquery),
    };
    bool ok = call_json(selection->bigquery, &call, out_page, err);
    buffer_clear(&path);
    cJSON_Delete(body);
    return ok;
}

/* "" before an answer has named the job. */
static const char *job_name(const struct selection *selection)
{
    return selection->job_id == NULL ? "" : selection->job_id;
}

static bool next_page(
    struct selection *selection, const char *token, cJSON **out_page, struct error *err)
{
    struct buffer path;

    buffer_init(&path, CALL_PATH_CEILING);
    call_path_project(selection->bigquery, &path);
    buffer_append_text(&path, "/queries/");
    http_escape(&path, job_name(selection));
    call_path_query(&path);
    if (selection->location != NULL && selection->location[0] != '\0') {
        buffer_append_text(&path, "&location=");
        http_escape(&path, selection->location);
    }
    buffer_printf(
        &path, "&timeoutMs=%" PRId64 "&maxResults=%d&formatOptions.useInt64Timestamp=true",
        call_hold_ms(selection->bigquery), PAGE_ROWS);
    if (token[0] != '\0') {
        buffer_append_text(&path, "&pageToken=");
        http_escape(&path, token);
    }
    const struct call call = {
        .what = TRAFFIC_JOBS_RESULTS,
        .subject = job_name(selection),
        .permission = "bigquery.tables.getData",
        .method = "GET",
        .path = buffer_text(&path),
        .held_ms = call_hold_ms(selection->bigquery),
    };
    bool ok = call_json(selection->bigquery, &call, out_page, err);
    buffer_clear(&path);
    return ok;
}

/* One row as text cells; cells holds room for count. */
static bool visit_row(
    struct selection *selection, const cJSON *row, const char **cells, size_t count,
    struct error *err)
{
    const cJSON *cell = NULL;
    size_t index = 0;

    cJSON_ArrayForEach(cell, cJSON_GetObjectItemCaseSensitive(row, "f"))
    {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(cell, "v");
        if (index == count || !(cJSON_IsString(value) || cJSON_IsNull(value)))
            return error_set(
                err, ERROR_WAREHOUSE, "BigQuery: a query's row holds more than plain values");
        cells[index++] = cJSON_GetStringValue(value);
    }
    if (index != count)
        return error_set(err, ERROR_WAREHOUSE, "BigQuery: a query's row lacks columns");
    selection->rows++;
    selection->stopped = !selection->visit(selection->context, count, cells);
    return true;
}

static bool visit_page(struct selection *selection, const cJSON *page, struct error *err)
{
    static const char *const fields[] = {"schema", "fields", NULL};
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(page, "rows");
    const cJSON *first = cJSON_GetArrayItem(rows, 0);
    const cJSON *row = NULL;
    size_t count = (size_t)cJSON_GetArraySize(call_member(page, fields));
    bool ok = true;

    if (first == NULL)
        return true;
    if (count == 0)
        count = (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(first, "f"));
    const char **cells = calloc(count + 1, sizeof *cells);
    if (cells == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a query's rows");
    for (row = first; ok && row != NULL && !selection->stopped; row = row->next)
        ok = visit_row(selection, row, cells, count, err);
    free((void *)cells);
    return ok;
}

/* An answer that leaves rows out must not pass for a result without them, and pages that come again
 * must not come for ever. */
static bool check_total(const struct selection *selection, const cJSON *page, struct error *err)
{
    const cJSON *total = cJSON_GetObjectItemCaseSensitive(page, "totalRows");
    bool is_last = call_text(page, "pageToken")[0] == '\0';

    if (total == NULL || selection->stopped)
        return true;
    uint64_t rows = (uint64_t)call_int64(total);
    if (selection->rows == rows || (!is_last && selection->rows < rows))
        return true;
    return error_set(
        err, ERROR_WAREHOUSE,
        "BigQuery: the query %s has %" PRId64 " rows, but %" PRIu64 " were returned",
        selection->shown_id, call_int64(total), selection->rows);
}

/* One query from its start to its last page. The answer to jobs.query may hold the first page, or
 * only say that the query still runs; then, and for every further page, jobs.getQueryResults is
 * asked, which holds the request for a while until there is something to say. So this loop neither
 * sleeps nor counts: an unfinished answer is asked again without a page token, a finished one with
 * its own.
 */
static bool run_once(struct selection *selection, struct error *err)
{
    struct job_patience patience = job_patience_of(selection->bigquery);
    const struct job running = {.state = JOB_RUNNING};
    struct pages pages = {0};
    cJSON *page = NULL;
    bool ok = first_page(selection, &page, err) && keep_reference(selection, page, err);
    if (selection->job_id != NULL)
        keep_selected(selection->bigquery, selection->job_id);

    while (ok) {
        const cJSON *billed = cJSON_GetObjectItemCaseSensitive(page, "totalBytesBilled");
        cJSON *next = NULL;
        bool complete = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(page, "jobComplete"));
        if (complete && billed != NULL)
            selection->bytes_billed = call_int64(billed);
        const char *token = complete ? call_text(page, "pageToken") : "";
        if (complete)
            ok = visit_page(selection, page, err) && check_total(selection, page, err);
        if (!ok || selection->stopped || (complete && token[0] == '\0'))
            break;
        if (clock_stopped())
            ok = error_set(err, ERROR_STOPPED, "asked to stop during a query");
        else
            ok = (complete ? pages_follow(&pages, selection->shown_id, token, err)
                           : job_patience_holds(&patience, selection->shown_id, &running, err)) &&
                 next_page(selection, token, &next, err);
        cJSON_Delete(page);
        page = next;
    }
    cJSON_Delete(page);
    return ok;
}

static void forget_job(struct selection *selection)
{
    free(selection->job_id);
    free(selection->location);
    selection->job_id = NULL;
    selection->location = NULL;
    selection->shown_id[0] = '\0';
}

/* A query that failed inside BigQuery may be run again, unless rows have been visited already. */
static bool deserves_fresh_query(const struct selection *selection, const struct error *err)
{
    const struct retry_event event = {
        .place = RETRY_CALL,
        .status = err->http_status,
        .reason = err->reason,
        .message = err->message,
    };
    enum error_code code = ERROR_NONE;

    return selection->rows == 0 && retry_decide(&event, &code) == RETRY_NEW_JOB;
}

/* After a failed run: waits for the next one. False: there is none, and err says why. */
static bool pause_before_run(struct selection *selection, struct retry *retry, struct error *err)
{
    if (!deserves_fresh_query(selection, err))
        return false;
    int64_t pause = retry_next(retry, false, err->retry_after_ms);
    if (pause < 0)
        return false;
    bigquery_count_retry(selection->bigquery, err);
    return retry_sleep(retry, pause, err);
}

/* Only the answer of jobs.query says what was billed. If the query took longer than that request
 * was held, its job is read for it. */
static bool find_billed(struct selection *selection, int64_t *out_billed, struct error *err)
{
    struct job job = {0};

    if (selection->bytes_billed < 0 && selection->job_id != NULL) {
        if (!bigquery_job_get(selection->bigquery, selection->job_id, &job, err))
            return false;
        selection->bytes_billed = job.bytes_billed;
    }
    *out_billed = selection->bytes_billed < 0 ? 0 : selection->bytes_billed;
    return true;
}

bool bigquery_select(
    struct bigquery *bigquery, const char *sql, bigquery_row_visit *visit, void *context,
    int64_t *out_bytes_billed, struct error *err)
{
    struct selection selection = {
        .bigquery = bigquery,
        .sql = sql,
        .visit = visit,
        .context = context,
        .bytes_billed = -1,
    };
    struct retry retry;
    bool ok = false;

    retry_begin(&retry, bigquery->clock, bigquery->retry_budget_ms, &bigquery->random);
    for (unsigned runs = 1;; runs++) {
        forget_job(&selection);
        ok = run_once(&selection, err);
        if (ok || runs == RUNS_MAX || !pause_before_run(&selection, &retry, err))
            break;
    }
    if (ok && out_bytes_billed != NULL)
        ok = find_billed(&selection, out_bytes_billed, err);
    forget_job(&selection);
    return ok;
}
