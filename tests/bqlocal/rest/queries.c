/* jobs.query and jobs.getQueryResults. */
#include "bqlocal/http/paging.h"
#include "bqlocal/jobs/job_destination.h"
#include "bqlocal/jobs/job_query.h"
#include "bqlocal/jobs/job_runner.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>
#include <string.h>

/* How long jobs.query and getQueryResults wait by default, and at most. */
#define TIMEOUT_MS     10000
#define TIMEOUT_MAX_MS 200000

#define PAGE_ROWS_MAX 100000

#define REQUEST_ID_MAX 36 /* characters, all of ASCII (discovery document, QueryRequest) */

/* jobs.query with the same requestId within this time is not run twice. */
#define REQUEST_ID_MS (INT64_C(15) * 60 * 1000)

/* Keys of jobs.query that belong to configuration.query. */
static const char *const query_keys[] = {
    "query",           "useLegacySql",
    "defaultDataset",  "parameterMode",
    "queryParameters", "maximumBytesBilled",
    "useQueryCache",   "connectionProperties",
    "createSession",   "destinationEncryptionConfiguration",
};

/* The Job resource of a jobs.query body, owned. */
static cJSON *job_body(const cJSON *body)
{
    cJSON *job = cJSON_CreateObject();
    cJSON *configuration = cJSON_AddObjectToObject(job, "configuration");
    cJSON *query = cJSON_AddObjectToObject(configuration, "query");
    cJSON *reference = cJSON_AddObjectToObject(job, "jobReference");

    for (size_t i = 0; i < sizeof query_keys / sizeof query_keys[0]; i++)
        json_copy(query, body, query_keys[i]);
    json_copy(configuration, body, "labels");
    json_copy(configuration, body, "jobTimeoutMs");
    json_copy(reference, body, "location");
    return job;
}

static void append_json(struct buffer *out, const char *key, cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);

    buffer_printf(out, ",\"%s\":", key);
    buffer_append_text(out, text == NULL ? "null" : text);
    free(text);
    cJSON_Delete(item);
}

static void append_reference(const struct parts *in, const struct job *job, struct buffer *out)
{
    cJSON *reference = cJSON_CreateObject();

    cJSON_AddStringToObject(reference, "projectId", in->store->project);
    cJSON_AddStringToObject(reference, "jobId", job->id);
    cJSON_AddStringToObject(reference, "location", job->location);
    append_json(out, "jobReference", reference);
}

/* The counts of what the statement changed, as far as the job has them. */
static void append_statistics(const struct job *job, struct buffer *out)
{
    static const char *const copied[] = {"numDmlAffectedRows", "dmlStats"};

    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
        const cJSON *item = json_at(job->statistics, copied[i]);
        if (item != NULL)
            append_json(out, copied[i], cJSON_Duplicate(item, true));
    }
    buffer_printf(
        out, ",\"totalBytesProcessed\":\"%lld\",\"cacheHit\":false",
        (long long)job->bytes_processed);
}

/* Answers for a job whose rows are not kept: a script's statement, or an old query. */
static bool without_rows(const struct job *job, struct error *err)
{
    const char *type = json_text(job->statistics, "statementType");

    if (job->kind != JOB_QUERY ||
        (job->parent_id != NULL && type != NULL && strcmp(type, "SELECT") != 0))
        return true;
    if (job->parent_id != NULL)
        return failure_set(
            err, "notImplemented",
            "bqlocal keeps the rows of a script's last statement alone, as the results of the "
            "script: job %s",
            job->parent_id);
    return failure_set(err, "notFound", "Not found: the results of job %s have expired", job->id);
}

/* Appends what a finished query returned. */
static bool append_rows(
    const struct parts *in, const struct job *job, const struct rows_window *window,
    struct buffer *out, struct error *err)
{
    append_statistics(job, out);
    if (!job->has_result)
        return without_rows(job, err);
    append_json(out, "schema", job_result_schema(&job->result));
    if (job->result.result_table[0] == '\0' && job->result.schema.count == 0)
        return true;
    struct rows_source source = job_result_source(job);
    buffer_append_byte(out, ',');
    return rows_append_window(in->store, &source, window, out, err);
}

static bool answer_results(
    const struct parts *in, struct request *request, const struct job *job, const char *kind,
    const struct rows_window *window, struct error *err)
{
    bool done = job->state == JOB_DONE;
    struct buffer out;

    // A failed job's error is the answer.
    if (done && job->failed) {
        *err = job->failure;
        if (err->http_status < 400)
            err->http_status = 400;
        return false;
    }
    buffer_init(&out, (size_t)1 << 30);
    buffer_printf(&out, "{\"kind\":\"%s\",\"etag\":\"\"", kind);
    append_reference(in, job, &out);
    buffer_printf(&out, ",\"jobComplete\":%s", done ? "true" : "false");
    bool ok = !done || append_rows(in, job, window, &out, err);
    buffer_append_byte(&out, '}');
    ok = ok && answer_json_text(&request->answer, &out, err);
    buffer_clear(&out);
    return ok;
}

static int64_t deadline(int64_t timeout_ms)
{
    int64_t timeout = timeout_ms < 0                ? 0
                      : timeout_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS
                                                    : timeout_ms;
    return monitor_now_ms() + timeout;
}

static bool answer_dry_run(
    const struct parts *in, struct request *request, const cJSON *job, struct error *err)
{
    cJSON *resource = NULL;

    if (!job_dry_run(in->jobs, job, &resource, err))
        return false;
    cJSON *query = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(resource, "statistics"), "query");
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#queryResponse");
    cJSON_AddItemToObject(
        body, "jobReference", cJSON_DetachItemFromObjectCaseSensitive(resource, "jobReference"));
    cJSON_AddTrueToObject(body, "jobComplete");
    cJSON_AddFalseToObject(body, "cacheHit");
    cJSON_AddItemToObject(
        body, "totalBytesProcessed",
        cJSON_DetachItemFromObjectCaseSensitive(query, "totalBytesProcessed"));
    cJSON *schema = cJSON_DetachItemFromObjectCaseSensitive(query, "schema");
    if (schema != NULL)
        cJSON_AddItemToObject(body, "schema", schema);
    cJSON_Delete(resource);
    return answer_json(&request->answer, 200, body);
}

/* The job of an earlier request with the same requestId and query, or NULL. */
static struct job *find_repeated(const struct parts *in, const cJSON *body)
{
    const char *id = json_text(body, "requestId");
    const char *text = json_text(body, "query");
    int64_t since = store_now_ms(in->store) - REQUEST_ID_MS;
    struct job *job;

    if (id == NULL || text == NULL)
        return NULL;
    for (size_t i = 0; (job = jobs_at(in->jobs, i)) != NULL; i++) {
        const char *other = job->request_id;
        const char *query = json_text(job_part(job), "query");
        if (other != NULL && strcmp(other, id) == 0 && query != NULL && strcmp(query, text) == 0 &&
            job->created_ms >= since)
            return job;
    }
    return NULL;
}

static bool start_query(
    const struct parts *in, struct request *request, const cJSON *body, struct job **out_job,
    struct error *err)
{
    const char *request_id = json_text(body, "requestId");
    cJSON *job = NULL;

    *out_job = find_repeated(in, body);
    if (*out_job != NULL)
        return true;
    job = job_body(body);
    bool ok = jobs_insert(
        in->jobs, &(struct job_origin){request->method, request->target}, job, NULL, out_job, err);
    if (ok && request_id != NULL)
        (*out_job)->request_id = strdup(request_id);
    cJSON_Delete(job);
    return ok;
}

bool rest_query(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *body = NULL;
    struct job *job = NULL;
    char *id = NULL;
    bool ok = false;

    if (!request_json(request, &body, err))
        return false;
    const char *request_id = json_text(body, "requestId");
    if (request_id != NULL && strlen(request_id) > REQUEST_ID_MAX) {
        failure_set(err, "invalid", "Invalid value for requestId: it is longer than 36 characters");
        goto cleanup;
    }
    if (json_bool(body, "dryRun", false)) {
        cJSON *dry = job_body(body);
        ok = answer_dry_run(in, request, dry, err);
        cJSON_Delete(dry);
        goto cleanup;
    }
    if (!start_query(in, request, body, &job, err))
        goto cleanup;
    id = strdup(job->id);
    if (id == NULL ||
        !jobs_wait(in->jobs, id, deadline(json_number(body, "timeoutMs", TIMEOUT_MS)))) {
        failure_set(err, "notFound", "Not found: the job was deleted");
        goto cleanup;
    }
    const cJSON *format = json_at(body, "formatOptions");
    struct rows_window window = {
        .size = json_number(body, "maxResults", PAGE_ROWS_MAX),
        .rowid = -1,
        .timestamps = rows_timestamps(
            json_text(format, "timestampOutputFormat"),
            json_bool(format, "useInt64Timestamp", false)),
    };
    ok = answer_results(in, request, job, "bigquery#queryResponse", &window, err);

cleanup:
    free(id);
    cJSON_Delete(body);
    return ok;
}

bool rest_query_results(const struct parts *in, struct request *request, struct error *err)
{
    const char *location = request_query(request, "location");
    const char *id = request->parameters.job;
    struct rows_window window;
    struct job *job = NULL;

    if (!jobs_find(in->jobs, id, location, &job, err))
        return false;
    if (job->kind != JOB_QUERY)
        return failure_set(
            err, "invalid", "Cannot list a table of type %s: it is not a query job", id);
    int64_t until = deadline(request_query_number(request, "timeoutMs", TIMEOUT_MS));
    if (!jobs_wait(in->jobs, id, until) || !jobs_find(in->jobs, id, location, &job, err))
        return failure_set(err, "notFound", "Not found: Job %s", id);
    return paging_rows(request, PAGE_ROWS_MAX, &window, err) &&
           answer_results(in, request, job, "bigquery#getQueryResultsResponse", &window, err);
}
