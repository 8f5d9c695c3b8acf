/* The methods of jobs that change something: load, query, and how their ends are learnt
 * ("BigQuery API reference": Job; "Run jobs programmatically"). */
#include "warehouse/bigquery.h"

#include "base/json_memory.h"
#include "warehouse/call.h"
#include "warehouse/call_path.h"
#include "warehouse/job.h"
#include "warehouse/job_patience.h"
#include "warehouse/pages.h"
#include "warehouse/quota.h"
#include "warehouse/spool_body.h"
#include "warehouse/upload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read of a job. Without this an answer repeats the rows that travelled in a statement
 * ("Performance tips": partial responses). */
#define JOB_FIELDS                                                                                 \
    "&fields=jobReference,status,statistics,configuration(jobType,labels,query/query)"
/* How the text of a job with rows ends, which go behind the first bracket. */
#define ROWS_END "]}}]}}}"
/* A pause is a part of the time that the job has taken so far, so that it adds no more than that
 * part to it; shorter ones cost quota. */
#define POLL_PART     5
#define POLL_LEAST_MS 150
#define POLL_MOST_MS  10000

/* --- starting ---------------------------------------------------------------------------- */

/* What has been made a moment ago may not be known yet where the job ran. */
static void forgive_new_table(const struct bigquery *bigquery, struct job *job)
{
    if (job->state == JOB_FAILED && job->failure.code == ERROR_NOT_FOUND &&
        bigquery->quota != NULL && quota_names_fresh(bigquery->quota, job->failure.message))
        job->failure.code = ERROR_TRANSIENT;
}

/* Keeps the end of a job that was told with its start. */
static void keep_finished(struct bigquery *bigquery, const char *job_id, const cJSON *resource)
{
    struct job job;

    free(bigquery->finished_id);
    bigquery->finished_id = NULL;
    if (resource == NULL)
        return;
    job_read(bigquery, resource, job_id, &job);
    if (job.state != JOB_SUCCEEDED && job.state != JOB_FAILED)
        return;
    forgive_new_table(bigquery, &job);
    bigquery->finished = job;
    bigquery->finished_script = job.state == JOB_SUCCEEDED && job_has_children(resource);
    bigquery->finished_id = strdup(job_id);
}

/* call has the job as its body or its source; all else is filled in. *out_existed: the id was there
 * before (409). */
static bool insert_job(
    struct bigquery *bigquery, const char *job_id, struct call *call, bool *out_existed,
    struct error *err)
{
    struct buffer path;
    cJSON *answer = NULL;

    call_path_in_project(bigquery, "/jobs", &path);
    buffer_append_text(&path, JOB_FIELDS);
    call->what = TRAFFIC_JOBS_INSERT;
    call->subject = job_id;
    call->permission = "bigquery.jobs.create";
    call->method = "POST";
    call->path = buffer_text(&path);
    bool ok = call_json(bigquery, call, &answer, err);
    buffer_clear(&path);
    *out_existed = !ok && err->code == ERROR_CONFLICT;
    keep_finished(bigquery, job_id, ok ? answer : NULL);
    cJSON_Delete(answer);
    return ok || *out_existed;
}

static bool no_memory_for_job(const char *job_id, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "out of memory for job %s", job_id);
}

/* A load is counted though it may fail, and though its answer may get lost. It is an update of the
 * table's metadata, too ("Quotas and limits", "Maximum rate of table metadata update operations").
 */
static bool pace_load(
    struct bigquery *bigquery, const struct load_request *request, struct error *err)
{
    const struct quota_load load = {
        .modifications = request->partitions > 0 ? request->partitions : 1,
        .limit = request->partitions > 0 ? QUOTA_PARTITIONS_LIMIT : QUOTA_DAILY_LIMIT,
    };

    return bigquery->quota == NULL ||
           (quota_modify(bigquery->quota, request->table, &load, err) &&
            quota_enter(bigquery->quota, request->table, QUOTA_METADATA, err));
}

bool bigquery_load(
    struct bigquery *bigquery, const struct load_request *request, uint64_t *out_sent_bytes,
    struct error *err)
{
    static const char *const decimals[] = {"NUMERIC", "BIGNUMERIC"};
    cJSON *configuration = NULL;
    cJSON *answer = NULL;

    *out_sent_bytes = 0;
    if (!pace_load(bigquery, request, err))
        return false;
    cJSON *job = job_new(
        bigquery, request->job_id, request->label_table, request->label_phase, &configuration);
    if (job == NULL)
        return no_memory_for_job(request->job_id, err);
    cJSON *load = cJSON_AddObjectToObject(configuration, "load");
    job_add_table(bigquery, load, "destinationTable", request->table);
    cJSON_AddStringToObject(load, "sourceFormat", "AVRO");
    cJSON_AddTrueToObject(load, "useAvroLogicalTypes");
    cJSON_AddItemToObject(load, "decimalTargetTypes", cJSON_CreateStringArray(decimals, 2));
    cJSON_AddItemToObject(load, "schema", cJSON_Duplicate(request->schema, true));
    cJSON_AddStringToObject(load, "createDisposition", "CREATE_NEVER");
    cJSON_AddStringToObject(
        load, "writeDisposition",
        request->disposition == LOAD_APPEND ? "WRITE_APPEND" : "WRITE_TRUNCATE_DATA");
    const struct upload upload = {.job_id = request->job_id, .job = job, .file = request->file};
    bool ok = upload_send(bigquery, &upload, &answer, out_sent_bytes, err);
    keep_finished(bigquery, request->job_id, answer);
    cJSON_Delete(answer);
    cJSON_Delete(job);
    return ok;
}

/* The slot of an earlier DML job of ours that is done, or that nobody waits for any more. */
static void release_dml(struct bigquery *bigquery)
{
    if (bigquery->dml_table != NULL)
        quota_dml_done(bigquery->quota, bigquery->dml_table);
    free(bigquery->dml_table);
    free(bigquery->dml_id);
    bigquery->dml_table = NULL;
    bigquery->dml_id = NULL;
}

/* A DML statement takes one of the few slots of its table, which job_get and job_wait give back
 * when they see the end of the job. */
static bool take_dml_slot(
    struct bigquery *bigquery, const struct query_request *request, struct error *err)
{
    release_dml(bigquery);
    if (!quota_enter(bigquery->quota, request->target, QUOTA_DML, err))
        return false;
    bigquery->dml_table = strdup(request->target);
    bigquery->dml_id = strdup(request->job_id);
    if (bigquery->dml_table != NULL && bigquery->dml_id != NULL)
        return true;
    quota_dml_done(bigquery->quota, request->target);
    free(bigquery->dml_table);
    bigquery->dml_table = NULL;
    release_dml(bigquery);
    return no_memory_for_job(request->job_id, err);
}

static bool pace_query(
    struct bigquery *bigquery, const struct query_request *request, struct error *err)
{
    if (bigquery->quota == NULL)
        return true;
    if (request->kind == QUERY_DDL)
        return quota_enter(bigquery->quota, request->target, QUOTA_METADATA, err);
    return take_dml_slot(bigquery, request, err);
}

static void add_rows_parameter(cJSON *parameters, const struct query_request *request)
{
    cJSON *parameter = cJSON_CreateObject();
    cJSON_AddItemToArray(parameters, parameter);
    cJSON_AddStringToObject(parameter, "name", "rows");
    cJSON *type = cJSON_AddObjectToObject(parameter, "parameterType");
    cJSON_AddStringToObject(type, "type", "ARRAY");
    cJSON_AddRawToObject(type, "arrayType", request->row_type);
    cJSON *value = cJSON_AddObjectToObject(parameter, "parameterValue");
    cJSON_AddArrayToObject(value, "arrayValues");
}

static void add_parameters(cJSON *query, const struct query_request *request)
{
    bool has_others = request->parameters != NULL && *request->parameters != '\0';

    if (!has_others && request->rows == NULL)
        return;
    cJSON *parameters = cJSON_AddArrayToObject(query, "queryParameters");
    // Raw text is printed as it is, so that this one item may be several.
    if (has_others)
        cJSON_AddItemToArray(parameters, cJSON_CreateRaw(request->parameters));
    if (request->rows != NULL)
        add_rows_parameter(parameters, request);
}

/* The parameter is the job's last member, so that its values go where the job's text ends with an
 * empty list. */
static bool insert_with_rows(
    struct bigquery *bigquery, const struct query_request *request, const cJSON *job,
    bool *out_existed, struct error *err)
{
    char *text = json_print(job);

    if (text == NULL)
        return no_memory_for_job(request->job_id, err);
    size_t length = strlen(text) - strlen(ROWS_END);
    assert(strcmp(text + length, ROWS_END) == 0);
    struct spool_body body = {
        .file = request->rows,
        .length = spool_size(request->rows),
        .before = {text, length},
        .after = slice_of(ROWS_END),
        .sent = request->sent,
    };
    const struct http_source source = spool_body_source(&body);
    struct call call = {.source = &source, .content_type = "application/json; charset=UTF-8"};
    bool ok = insert_job(bigquery, request->job_id, &call, out_existed, err);
    free(text);
    return ok;
}

/* *out_existed: the id was there before. Not paced: a claim changes no table. */
static bool insert_query(
    struct bigquery *bigquery, const struct query_request *request, bool *out_existed,
    struct error *err)
{
    cJSON *configuration = NULL;
    cJSON *job = job_new(
        bigquery, request->job_id, request->label_table, request->label_phase, &configuration);
    char cap[24];

    if (job == NULL)
        return no_memory_for_job(request->job_id, err);
    cJSON *query = cJSON_AddObjectToObject(configuration, "query");
    cJSON_AddStringToObject(query, "query", request->sql);
    cJSON_AddFalseToObject(query, "useLegacySql");
    if (call_cap(bigquery) > 0) {
        snprintf(cap, sizeof cap, "%lld", (long long)call_cap(bigquery));
        cJSON_AddStringToObject(query, "maximumBytesBilled", cap);
    }
    add_parameters(query, request);
    struct call plain = {.body = job};
    bool ok = request->rows != NULL
                  ? insert_with_rows(bigquery, request, job, out_existed, err)
                  : insert_job(bigquery, request->job_id, &plain, out_existed, err);
    cJSON_Delete(job);
    return ok;
}

bool bigquery_query(
    struct bigquery *bigquery, const struct query_request *request, struct error *err)
{
    bool existed = false;

    if (!pace_query(bigquery, request, err))
        return false;
    bool ok = insert_query(bigquery, request, &existed, err);
    if (!ok)
        release_dml(bigquery);
    free(bigquery->query_id);
    free(bigquery->query_target);
    bigquery->query_id = ok ? strdup(request->job_id) : NULL;
    bigquery->query_target = ok && request->target != NULL ? strdup(request->target) : NULL;
    return ok;
}

/* --- learning the end -------------------------------------------------------------------- */

static bool list_children(
    struct bigquery *bigquery, const char *job_id, const char *token, cJSON **out_page,
    struct error *err)
{
    struct buffer path;

    call_path_in_project(bigquery, "/jobs", &path);
    buffer_append_text(&path, "&projection=full&maxResults=1000&parentJobId=");
    http_escape(&path, job_id);
    if (token[0] != '\0') {
        buffer_append_text(&path, "&pageToken=");
        http_escape(&path, token);
    }
    const struct call call = {
        .what = TRAFFIC_JOBS_LIST,
        .subject = job_id,
        .permission = "bigquery.jobs.create",
        .method = "GET",
        .path = buffer_text(&path),
    };
    bool ok = call_json(bigquery, &call, out_page, err);
    buffer_clear(&path);
    return ok;
}

bool bigquery_job_children(
    struct bigquery *bigquery, const char *job_id, bigquery_child_visit *visit, void *context,
    struct error *err)
{
    struct pages pages = {0};
    cJSON *page = NULL;
    bool ok = true;

    do {
        const char *token = call_text(page, "nextPageToken");
        cJSON *next = NULL;
        const cJSON *item = NULL;
        ok = pages_follow(&pages, job_id, token, err) &&
             list_children(bigquery, job_id, token, &next, err);
        cJSON_Delete(page);
        page = next;
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(page, "jobs"))
        {
            struct job_child child;
            job_read_child(item, &child);
            visit(context, &child);
        }
    } while (ok && call_text(page, "nextPageToken")[0] != '\0');
    cJSON_Delete(page);
    return ok;
}

/* The rows of a script, and the table whose rows count; NULL: those of all tables do. */
struct counted {
    struct job *job;
    const char *table;
};

static void add_child(void *context, const struct job_child *child)
{
    const struct counted *counted = context;
    struct job *job = counted->job;

    if (counted->table != NULL && strcmp(counted->table, child->table) != 0)
        return;
    job->inserted += child->inserted;
    job->updated += child->updated;
    job->deleted += child->deleted;
}

/* A script's rows are counted by its statements, which are jobs of their own ("System variables",
 * "jobs.list"). Of the query that was started last only those of its target count: the same script
 * may write a log beside it. */
static bool add_children(
    struct bigquery *bigquery, const char *job_id, struct job *job, struct error *err)
{
    *job = (struct job){
        .state = job->state, .failure = job->failure, .bytes_billed = job->bytes_billed};
    snprintf(job->kind, sizeof job->kind, "query");
    bool last = bigquery->query_id != NULL && strcmp(bigquery->query_id, job_id) == 0;
    struct counted counted = {job, last ? bigquery->query_target : NULL};
    return bigquery_job_children(bigquery, job_id, add_child, &counted, err);
}

static bool ends(const struct job *job)
{
    return job->state == JOB_SUCCEEDED || job->state == JOB_FAILED;
}

bool bigquery_job_get(
    struct bigquery *bigquery, const char *job_id, struct job *out_job, struct error *err)
{
    struct buffer path;
    struct job job = {.state = JOB_MISSING};
    cJSON *answer = NULL;

    buffer_init(&path, CALL_PATH_CEILING);
    call_path_project(bigquery, &path);
    buffer_append_text(&path, "/jobs/");
    http_escape(&path, job_id);
    call_path_query_in_location(bigquery, &path);
    buffer_append_text(&path, JOB_FIELDS);
    const struct call call = {
        .what = TRAFFIC_JOBS_GET,
        .subject = job_id,
        .permission = "bigquery.jobs.create",
        .method = "GET",
        .path = buffer_text(&path),
    };
    bool ok = call_json(bigquery, &call, &answer, err);
    buffer_clear(&path);
    if (ok) {
        job_read(bigquery, answer, job_id, &job);
        forgive_new_table(bigquery, &job);
        if (job.state == JOB_SUCCEEDED && job_has_children(answer))
            ok = add_children(bigquery, job_id, &job, err);
    } else {
        ok = err->code == ERROR_NOT_FOUND;
    }
    cJSON_Delete(answer);
    if (!ok)
        return false;
    if (ends(&job) && bigquery->dml_id != NULL && strcmp(bigquery->dml_id, job_id) == 0)
        release_dml(bigquery);
    *out_job = job;
    return true;
}

/* The end of the job as its start told it; asked for once. */
static bool take_finished(struct bigquery *bigquery, const char *job_id, struct job *out_job)
{
    if (bigquery->finished_id == NULL || strcmp(bigquery->finished_id, job_id) != 0)
        return false;
    *out_job = bigquery->finished;
    free(bigquery->finished_id);
    bigquery->finished_id = NULL;
    if (bigquery->dml_id != NULL && strcmp(bigquery->dml_id, job_id) == 0)
        release_dml(bigquery);
    return true;
}

/* Has the server hold a request until the query is done (jobs.getQueryResults), so that its end is
 * known at once and not half a pause later. What became of the job is for jobs.get to say, so that
 * a failure of any kind only means that the end is polled for. */
static bool hold_for(struct bigquery *bigquery, const char *job_id)
{
    int64_t hold_ms = call_hold_ms(bigquery);
    struct http_answer answer;
    struct buffer url;
    struct error ignored;

    buffer_init(&url, CALL_PATH_CEILING);
    buffer_append_text(&url, bigquery->root);
    call_path_project(bigquery, &url);
    buffer_append_text(&url, "/queries/");
    http_escape(&url, job_id);
    call_path_query_in_location(bigquery, &url);
    buffer_printf(
        &url, "&maxResults=0&fields=jobComplete,jobReference&timeoutMs=%lld", (long long)hold_ms);
    const struct call call = {
        .what = TRAFFIC_JOBS_RESULTS,
        .subject = job_id,
        .permission = "bigquery.tables.getData",
        .method = "GET",
        .held_ms = hold_ms,
    };
    http_answer_init(&answer);
    struct call_try try = {
        .url = buffer_text(&url), .left_ms = bigquery->retry_budget_ms, .answer = &answer};
    cJSON *results = NULL;
    bool ok = call_once(bigquery, &call, &try, &ignored) &&
              call_believes(bigquery, &call, &answer, &results, &ignored);
    cJSON_Delete(results);
    http_answer_clear(&answer);
    buffer_clear(&url);
    return ok;
}

/* Somewhat less than it might be, so that many tables do not ask in step. */
static int64_t poll_pause(struct bigquery *bigquery, const struct job_patience *patience)
{
    int64_t now_ms = bigquery->clock->monotonic_ms(bigquery->clock->context);
    int64_t pause = (now_ms - patience->started_ms) / POLL_PART;

    pause = pause < POLL_LEAST_MS ? POLL_LEAST_MS : pause > POLL_MOST_MS ? POLL_MOST_MS : pause;
    return pause - retry_random(&bigquery->random, pause / 4 + 1);
}

/* Polls until the job is done or patience ends. */
static bool wait_for(
    struct bigquery *bigquery, const char *job_id, struct job_patience *patience,
    struct job *out_job, struct error *err)
{
    struct retry search;
    bool holds = bigquery->query_id != NULL && strcmp(bigquery->query_id, job_id) == 0;

    if (take_finished(bigquery, job_id, out_job))
        return !bigquery->finished_script || add_children(bigquery, job_id, out_job, err);
    retry_begin(&search, bigquery->clock, bigquery->retry_budget_ms, &bigquery->random);
    for (;;) {
        struct job job;
        holds = holds && hold_for(bigquery, job_id);
        if (!bigquery_job_get(bigquery, job_id, &job, err))
            return false;
        if (ends(&job)) {
            *out_job = job;
            return true;
        }
        if (job.state != JOB_MISSING)
            retry_progress(&search);
        else if (retry_left_ms(&search) <= 0)
            return error_set(
                err, ERROR_NOT_FOUND, "BigQuery: jobs.get %s: there is no such job", job_id);
        if (!job_patience_holds(patience, job_id, &job, err))
            return false;
        if (!retry_sleep(&search, poll_pause(bigquery, patience), err))
            return false;
    }
}

bool bigquery_job_wait(
    struct bigquery *bigquery, const char *job_id, struct job *out_job, struct error *err)
{
    struct job_patience patience = job_patience_of(bigquery);

    return wait_for(bigquery, job_id, &patience, out_job, err);
}

bool bigquery_job_wait_briefly(
    struct bigquery *bigquery, const char *job_id, struct job *out_job, struct error *err)
{
    struct job_patience patience = job_patience_of(bigquery);

    if (patience.limit_ms > bigquery->retry_budget_ms) {
        patience.limit_ms = bigquery->retry_budget_ms;
        patience.setting = "BQ_RETRY_BUDGET";
    }
    return wait_for(bigquery, job_id, &patience, out_job, err);
}

bool bigquery_job_claim(
    struct bigquery *bigquery, const char *job_id, bool *out_claimed, struct error *err)
{
    struct job job;
    bool existed = false;

    const struct query_request claim = {
        .job_id = job_id, .sql = JOB_CLAIM_SQL, .label_phase = "claim"};
    if (!insert_query(bigquery, &claim, &existed, err))
        return false;
    if (!existed) {
        *out_claimed = true;
        return true;
    }
    // The job that is there may be an earlier claim, or this one whose answer was lost.
    if (!bigquery_job_get(bigquery, job_id, &job, err))
        return false;
    *out_claimed = job.is_claim;
    return true;
}
