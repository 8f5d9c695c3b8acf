/* jobs.query and jobs.getQueryResults. */
#include "bqlocal/server/route_table.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/rows.h"

#include <stdlib.h>
#include <string.h>

/* How long jobs.query and getQueryResults wait unless told, and at most. */
#define TIMEOUT_MS     10000
#define TIMEOUT_MAX_MS 200000

#define PAGE_ROWS_MAX 100000

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

/* The Job resource that stands for a jobs.query body, owned. */
static cJSON *job_body(const cJSON *body, const char *job_id)
{
    cJSON *job = cJSON_CreateObject();
    cJSON *configuration = cJSON_AddObjectToObject(job, "configuration");
    cJSON *query = cJSON_AddObjectToObject(configuration, "query");
    cJSON *reference = cJSON_AddObjectToObject(job, "jobReference");
    const char *location = json_text(body, "location");

    for (size_t i = 0; i < sizeof query_keys / sizeof query_keys[0]; i++) {
        const cJSON *item = json_at(body, query_keys[i]);
        if (item != NULL)
            cJSON_AddItemToObject(query, query_keys[i], cJSON_Duplicate(item, true));
    }
    if (json_at(body, "labels") != NULL)
        cJSON_AddItemToObject(
            configuration, "labels", cJSON_Duplicate(json_at(body, "labels"), true));
    if (job_id != NULL)
        cJSON_AddStringToObject(reference, "jobId", job_id);
    if (location != NULL)
        cJSON_AddStringToObject(reference, "location", location);
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

static void append_reference(const struct server *server, const struct job *job, struct buffer *out)
{
    cJSON *reference = cJSON_CreateObject();

    cJSON_AddStringToObject(reference, "projectId", server->store.project);
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

static void append_schema(const struct sql_result *result, struct buffer *out)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddItemToObject(schema, "fields", store_schema_json(&result->schema));
    append_json(out, "schema", schema);
}

/* Appends what a finished query returned. window NULL: what the request's query string asks for. */
static bool append_rows(
    struct server *server, const struct request *request, const struct job *job,
    const struct rows_window *window, struct buffer *out, struct error *err)
{
    struct job_result_columns columns;
    struct rows_source source;

    append_statistics(job, out);
    if (!job->has_result)
        return job->kind != JOB_QUERY ||
               failure_set(
                   err, "notFound", "Not found: the results of job %s have expired", job->id);
    append_schema(&job->result, out);
    if (job->result.result_table[0] == '\0' && job->result.schema.count == 0)
        return true;
    if (!job_result_source(job, &columns, &source, err))
        return false;
    buffer_append_byte(out, ',');
    bool ok = window != NULL
                  ? rows_append_window(&server->store, &source, window, out, err)
                  : rows_append_page(&server->store, request, &source, PAGE_ROWS_MAX, out, err);
    job_result_columns_clear(&columns);
    return ok;
}

static bool answer_results(
    struct server *server, struct request *request, const struct job *job, const char *kind,
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
    append_reference(server, job, &out);
    buffer_printf(&out, ",\"jobComplete\":%s", done ? "true" : "false");
    bool ok = !done || append_rows(server, request, job, window, &out, err);
    buffer_append_byte(&out, '}');
    if (ok)
        answer_text(&request->answer, 200, "application/json; charset=UTF-8", &out);
    buffer_clear(&out);
    return ok;
}

static int64_t deadline(int64_t timeout_ms)
{
    int64_t timeout = timeout_ms < 0                ? 0
                      : timeout_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS
                                                    : timeout_ms;
    return server_monotonic_ms() + timeout;
}

static bool answer_dry_run(
    struct server *server, struct request *request, const cJSON *job, struct error *err)
{
    cJSON *resource = NULL;

    if (!job_dry_run(server, job, &resource, err))
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
static struct job *find_repeated(struct server *server, const cJSON *body)
{
    const char *id = json_text(body, "requestId");
    const char *text = json_text(body, "query");
    int64_t since = store_now_ms(&server->store) - REQUEST_ID_MS;
    struct job *job;

    if (id == NULL || text == NULL)
        return NULL;
    for (size_t i = 0; (job = jobs_at(server->jobs, i)) != NULL; i++) {
        const char *other = job->request_id;
        const char *query = json_text(job_part(job), "query");
        if (other != NULL && strcmp(other, id) == 0 && query != NULL && strcmp(query, text) == 0 &&
            job->created_ms >= since)
            return job;
    }
    return NULL;
}

static bool start_query(
    struct server *server, struct request *request, const cJSON *body, struct job **out_job,
    struct error *err)
{
    const char *request_id = json_text(body, "requestId");
    cJSON *job = NULL;

    *out_job = find_repeated(server, body);
    if (*out_job != NULL)
        return true;
    job = job_body(body, NULL);
    bool ok = job_insert(server, request, job, NULL, out_job, err);
    if (ok && request_id != NULL)
        (*out_job)->request_id = strdup(request_id);
    cJSON_Delete(job);
    return ok;
}

bool rest_query(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = NULL;
    struct job *job = NULL;
    char *id = NULL;
    bool ok = false;

    if (!request_json(request, &body, err))
        return false;
    if (json_bool(body, "dryRun", false)) {
        cJSON *dry = job_body(body, NULL);
        ok = answer_dry_run(server, request, dry, err);
        cJSON_Delete(dry);
        goto cleanup;
    }
    if (!start_query(server, request, body, &job, err))
        goto cleanup;
    id = strdup(job->id);
    if (id == NULL || !job_wait(server, id, deadline(json_number(body, "timeoutMs", TIMEOUT_MS)))) {
        failure_set(err, "notFound", "Not found: the job was deleted");
        goto cleanup;
    }
    const cJSON *format = json_at(body, "formatOptions");
    const char *output = json_text(format, "timestampOutputFormat");
    struct rows_window window = {
        .size = json_number(body, "maxResults", PAGE_ROWS_MAX),
        .rowid = -1,
        .int64_timestamps = json_bool(format, "useInt64Timestamp", false) ||
                            (output != NULL && strcmp(output, "INT64") == 0),
        .iso_timestamps = output != NULL && strcmp(output, "ISO8601_STRING") == 0,
    };
    ok = answer_results(server, request, job, "bigquery#queryResponse", &window, err);

cleanup:
    free(id);
    cJSON_Delete(body);
    return ok;
}

bool rest_query_results(struct server *server, struct request *request, struct error *err)
{
    const char *location = request_query(request, "location");
    const char *id = request->parameters.job;
    struct job *job = NULL;

    if (!jobs_find(server, id, location, &job, err))
        return false;
    if (job->kind != JOB_QUERY)
        return failure_set(
            err, "invalid", "Cannot list a table of type %s: it is no query job", id);
    if (!job_wait(server, id, deadline(request_query_number(request, "timeoutMs", TIMEOUT_MS))) ||
        !jobs_find(server, id, location, &job, err))
        return failure_set(err, "notFound", "Not found: Job %s", id);
    return answer_results(server, request, job, "bigquery#getQueryResultsResponse", NULL, err);
}
