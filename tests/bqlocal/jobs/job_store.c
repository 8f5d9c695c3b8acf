#include "bqlocal/jobs/job_store.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Older jobs have lost their results, as BigQuery's have after a day. */
#define RESULTS_MAX 256

static size_t bucket_of(const char *id)
{
    uint32_t hash = 2166136261U; // FNV-1a

    for (; *id != '\0'; id++)
        hash = (hash ^ (uint8_t)*id) * 16777619U;
    return hash % JOB_BUCKETS;
}

/* Reads the records of an earlier run; jobs that were not done have failed. */
static bool restore(struct jobs *jobs, struct error *err)
{
    sqlite3_stmt *row = NULL;
    bool ok = true;

    if (!store_execute(
            jobs->store,
            "create table if not exists bqlocal_jobs(number integer primary key,"
            " id text not null unique, resource text not null)",
            err) ||
        !store_prepare(
            jobs->store, "select resource from bqlocal_jobs order by number", &row, err, NULL))
        return false;
    while (ok && sqlite3_step(row) == SQLITE_ROW) {
        cJSON *resource = cJSON_Parse((const char *)sqlite3_column_text(row, 0));
        struct job *job = NULL;
        ok = job_restore(resource, &job, err);
        if (ok && !jobs_add(jobs, job, err)) {
            job_free(jobs->store, job);
            ok = false;
        }
        cJSON_Delete(resource);
    }
    sqlite3_finalize(row);
    return ok;
}

bool jobs_new(
    struct monitor *monitor, struct store *store, struct faults *faults,
    const struct job_settings *settings, struct jobs **out_jobs, struct error *err)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);

    if (jobs == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for jobs");
    jobs->monitor = monitor;
    jobs->store = store;
    jobs->faults = faults;
    jobs->settings = *settings;
    if (settings->kept && !restore(jobs, err)) {
        jobs_free(jobs);
        return false;
    }
    *out_jobs = jobs;
    return true;
}

void jobs_free(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    for (size_t i = 0; i < jobs->count; i++)
        job_free(jobs->store, jobs->list[i]);
    free(jobs->list);
    free(jobs);
}

bool jobs_add(struct jobs *jobs, struct job *job, struct error *err)
{
    if (jobs->count == jobs->capacity) {
        size_t capacity = jobs->capacity == 0 ? 64 : jobs->capacity * 2;
        struct job **list = realloc(jobs->list, capacity * sizeof *list);
        if (list == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for a job");
        jobs->list = list;
        jobs->capacity = capacity;
    }
    size_t bucket = bucket_of(job->id);
    job->next = jobs->buckets[bucket];
    jobs->buckets[bucket] = job;
    jobs->list[jobs->count++] = job;
    return true;
}

/* Adds where a text's offset is: lines and columns from 1, columns in characters. */
static void add_place(
    cJSON *frame, const char *text, size_t offset, const char *line_key, const char *column_key)
{
    int line = 1;
    int column = 1;

    for (size_t i = 0; i < offset; i++) {
        bool ends = text[i] == '\n';
        line += ends;
        column = ends ? 1 : column + ((text[i] & 0xC0) != 0x80);
    }
    cJSON_AddNumberToObject(frame, line_key, line);
    cJSON_AddNumberToObject(frame, column_key, column);
}

/* scriptStatistics: where the statement stands in the script. */
static cJSON *script_statistics(
    const char *text, const char *part, const struct sql_statement *statement)
{
    cJSON *statistics = cJSON_CreateObject();
    cJSON *frame = cJSON_CreateObject();

    cJSON_AddStringToObject(statistics, "evaluationKind", "STATEMENT");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(statistics, "stackFrames"), frame);
    add_place(frame, text, statement->start, "startLine", "startColumn");
    add_place(frame, text, statement->end, "endLine", "endColumn");
    cJSON_AddStringToObject(frame, "text", part);
    return statistics;
}

static cJSON *child_statistics(const struct sql_statement *statement, struct estimate price)
{
    cJSON *statistics = cJSON_CreateObject();

    cJSON_AddStringToObject(statistics, "statementType", statement->type);
    json_add_number(statistics, "totalBytesProcessed", price.processed);
    json_add_number(statistics, "totalBytesBilled", price.billed);
    if (statement->ddl[0] != '\0')
        cJSON_AddStringToObject(statistics, "ddlOperationPerformed", statement->ddl);
    if (statement->is_dml) {
        json_add_number(
            statistics, "numDmlAffectedRows",
            statement->inserted + statement->updated + statement->deleted);
        cJSON_AddItemToObject(statistics, "dmlStats", job_dml_statistics(statement));
    }
    return statistics;
}

bool jobs_add_child(
    struct jobs *jobs, struct job *parent, const struct sql_statement *statement,
    struct estimate price, struct error *err)
{
    cJSON *configuration = cJSON_CreateObject();
    cJSON *query = cJSON_AddObjectToObject(configuration, "query");
    const char *text = json_text(job_part(parent), "query");
    char *part = strndup(text + statement->start, statement->end - statement->start);
    struct job *child = NULL;

    cJSON_AddStringToObject(query, "query", part == NULL ? "" : part);
    free(part);
    cJSON_AddFalseToObject(query, "useLegacySql");
    if (statement->target_table[0] != '\0')
        cJSON_AddItemToObject(
            query, "destinationTable",
            job_table_reference(jobs->store, statement->target_dataset, statement->target_table));
    bool ok = job_new(JOB_QUERY, NULL, parent->location, configuration, &child, err);
    cJSON_Delete(configuration);
    if (!ok)
        return false;
    child->state = JOB_DONE;
    child->parent_id = strdup(parent->id);
    if (statement->transaction > 0 &&
        asprintf(&child->transaction_id, "%s-%d", parent->id, statement->transaction) < 0)
        child->transaction_id = NULL;
    child->created_ms = child->started_ms = parent->started_ms;
    child->ended_ms = store_now_ms(jobs->store);
    child->bytes_processed = price.processed;
    child->statistics = child_statistics(statement, price);
    child->script_statistics =
        script_statistics(text, json_text(job_part(child), "query"), statement);
    if (!jobs_add(jobs, child, err)) {
        job_free(jobs->store, child);
        return false;
    }
    parent->child_count++;
    jobs_save(jobs, child);
    return true;
}

static void write_record(struct jobs *jobs, struct job *job)
{
    sqlite3_stmt *statement = NULL;
    struct error ignored;

    job->unsaved = false;
    cJSON *resource = job_resource(jobs->store, job);
    char *text = cJSON_PrintUnformatted(resource);
    cJSON_Delete(resource);
    // A record that cannot be written costs the memory of a job beyond a restart, nothing else.
    if (text != NULL && store_prepare(
                            jobs->store,
                            "insert into bqlocal_jobs(id, resource) values(?1, ?2)"
                            " on conflict(id) do update set resource = excluded.resource",
                            &statement, &ignored, job->id, text, NULL)) {
        sqlite3_step(statement);
        sqlite3_finalize(statement);
    }
    free(text);
}

void jobs_save(struct jobs *jobs, struct job *job)
{
    if (!jobs->settings.kept)
        return;
    job->unsaved = true;
    jobs->has_unsaved = jobs->has_unsaved || jobs->store->writing;
    if (jobs->store->writing)
        return;
    for (size_t i = 0; jobs->has_unsaved && i < jobs->count; i++)
        if (jobs->list[i]->unsaved)
            write_record(jobs, jobs->list[i]);
    jobs->has_unsaved = false;
    if (job->unsaved)
        write_record(jobs, job);
}

void jobs_delete(struct jobs *jobs, struct job *job)
{
    struct job **link = &jobs->buckets[bucket_of(job->id)];
    struct error ignored;
    size_t index = 0;

    job->deleted = true;
    if (job->computing)
        return;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    while (jobs->list[index] != job)
        index++;
    memmove(&jobs->list[index], &jobs->list[index + 1], (--jobs->count - index) * sizeof job);
    jobs->result_count -= job->has_result;
    if (jobs->settings.kept)
        (void)!store_executef(
            jobs->store, &ignored, "delete from bqlocal_jobs where id = %Q", job->id);
    job_free(jobs->store, job);
}

struct job *jobs_get(const struct jobs *jobs, const char *id)
{
    struct job *job = jobs->buckets[bucket_of(id)];

    while (job != NULL && strcmp(job->id, id) != 0)
        job = job->next;
    return job;
}

bool jobs_find(
    const struct jobs *jobs, const char *id, const char *location, struct job **out_job,
    struct error *err)
{
    struct job *job = jobs_get(jobs, id);
    const char *where = location == NULL || location[0] == '\0' ? NULL : location;

    if (job != NULL && (where != NULL ? strcasecmp(where, job->location) == 0
                                      : strcasecmp(job->location, "US") == 0 ||
                                            strcasecmp(job->location, "EU") == 0)) {
        *out_job = job;
        return true;
    }
    return failure_set(
        err, "notFound", "Not found: Job %s:%s%s%s", jobs->store->project,
        where == NULL ? "" : where, where == NULL ? "" : ".", id);
}

bool jobs_check_id_free(const struct jobs *jobs, const cJSON *body, struct error *err)
{
    const char *id = json_text(json_at(body, "jobReference"), "jobId");
    const struct job *job = id == NULL ? NULL : jobs_get(jobs, id);

    return job == NULL || failure_set(
                              err, "duplicate", "Already Exists: Job %s:%s.%s",
                              jobs->store->project, job->location, id);
}

struct job *jobs_at(const struct jobs *jobs, size_t index)
{
    return index < jobs->count ? jobs->list[index] : NULL;
}

void jobs_keep_result(struct jobs *jobs)
{
    jobs->result_count++;
    for (size_t i = 0; jobs->result_count > RESULTS_MAX && i < jobs->count; i++) {
        struct job *job = jobs->list[i];
        if (!job->has_result)
            continue;
        sql_result_clear(jobs->store, &job->result);
        job->has_result = false;
        jobs->result_count--;
    }
}

struct job *jobs_find_result(const struct jobs *jobs, const char *dataset, const char *table)
{
    if (strcmp(dataset, JOB_RESULT_DATASET) != 0)
        return NULL;
    for (size_t i = jobs->count; i-- > 0;)
        if (jobs->list[i]->has_result && strcmp(jobs->list[i]->result_name, table) == 0)
            return jobs->list[i];
    return NULL;
}
