/* What jobs.get tells of a job, and its record in the store. */
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/http/exchange.h"
#include "bqlocal/jobs/job_check.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *job_kind_name(enum job_kind kind)
{
    static const char *const names[] = {"load", "query", "copy"};

    return names[kind];
}

const char *job_state_name(enum job_state state)
{
    static const char *const names[] = {"PENDING", "RUNNING", "DONE"};

    return names[state];
}

const cJSON *job_part(const struct job *job)
{
    return json_at(job->configuration, job_kind_name(job->kind));
}

cJSON *job_dml_statistics(const struct sql_statement *statement)
{
    cJSON *counts = cJSON_CreateObject();

    json_add_number(counts, "insertedRowCount", statement->inserted);
    json_add_number(counts, "updatedRowCount", statement->updated);
    json_add_number(counts, "deletedRowCount", statement->deleted);
    return counts;
}

static cJSON *error_proto(const struct error *err)
{
    cJSON *proto = cJSON_CreateObject();

    cJSON_AddStringToObject(proto, "reason", err->reason);
    cJSON_AddStringToObject(proto, "message", err->message);
    return proto;
}

static void add_status(cJSON *resource, const struct job *job)
{
    cJSON *status = cJSON_AddObjectToObject(resource, "status");

    cJSON_AddStringToObject(status, "state", job_state_name(job->state));
    if (job->state != JOB_DONE || !job->failed)
        return;
    cJSON_AddItemToObject(status, "errorResult", error_proto(&job->failure));
    cJSON_AddItemToArray(cJSON_AddArrayToObject(status, "errors"), error_proto(&job->failure));
}

static void add_statistics(cJSON *resource, const struct job *job)
{
    cJSON *statistics = cJSON_AddObjectToObject(resource, "statistics");

    json_add_number(statistics, "creationTime", job->created_ms);
    if (job->state != JOB_PENDING)
        json_add_number(statistics, "startTime", job->started_ms);
    if (job->state == JOB_DONE)
        json_add_number(statistics, "endTime", job->ended_ms);
    if (job->parent_id != NULL)
        cJSON_AddStringToObject(statistics, "parentJobId", job->parent_id);
    if (job->child_count > 0)
        json_add_number(statistics, "numChildJobs", job->child_count);
    if (job->kind == JOB_QUERY && job->state == JOB_DONE)
        json_add_number(statistics, "totalBytesProcessed", job->bytes_processed);
    if (job->statistics != NULL)
        cJSON_AddItemToObject(
            statistics, job_kind_name(job->kind), cJSON_Duplicate(job->statistics, true));
}

cJSON *job_resource(const struct server *server, const struct job *job)
{
    cJSON *resource = cJSON_CreateObject();
    char text[64];

    cJSON_AddStringToObject(resource, "kind", "bigquery#job");
    snprintf(
        text, sizeof text, "\"%llx-%d\"", (unsigned long long)job->created_ms, (int)job->state);
    cJSON_AddStringToObject(resource, "etag", text);
    char *id = sqlite3_mprintf("%s:%s.%s", server->store.project, job->location, job->id);
    cJSON_AddStringToObject(resource, "id", id == NULL ? "" : id);
    sqlite3_free(id);
    char *link = sqlite3_mprintf(
        "http://%s/bigquery/v2/projects/%s/jobs/%s?location=%s", server->address,
        server->store.project, job->id, job->location);
    cJSON_AddStringToObject(resource, "selfLink", link == NULL ? "" : link);
    sqlite3_free(link);
    cJSON *reference = cJSON_AddObjectToObject(resource, "jobReference");
    cJSON_AddStringToObject(reference, "projectId", server->store.project);
    cJSON_AddStringToObject(reference, "jobId", job->id);
    cJSON_AddStringToObject(reference, "location", job->location);
    cJSON_AddItemToObject(resource, "configuration", cJSON_Duplicate(job->configuration, true));
    cJSON_AddStringToObject(resource, "user_email", "bqlocal@localhost");
    add_status(resource, job);
    add_statistics(resource, job);
    return resource;
}

void job_unsave(struct server *server, const struct job *job)
{
    sqlite3_stmt *statement = NULL;
    struct error ignored;

    if (server->options.data == NULL ||
        !store_prepare(
            &server->store, "delete from bqlocal_jobs where id = ?1", &statement, &ignored, job->id,
            NULL))
        return;
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

void job_save(struct server *server, const struct job *job)
{
    sqlite3_stmt *statement = NULL;
    struct error ignored;

    if (server->options.data == NULL)
        return;
    cJSON *resource = job_resource(server, job);
    char *text = cJSON_PrintUnformatted(resource);
    cJSON_Delete(resource);
    // A record that cannot be written costs the memory of a job beyond a restart, nothing else.
    if (text != NULL && store_prepare(
                            &server->store,
                            "insert into bqlocal_jobs(id, resource) values(?1, ?2)"
                            " on conflict(id) do update set resource = excluded.resource",
                            &statement, &ignored, job->id, text, NULL)) {
        sqlite3_step(statement);
        sqlite3_finalize(statement);
    }
    free(text);
}

static char *copy_text(const cJSON *object, const char *key)
{
    const char *text = json_text(object, key);

    return text == NULL ? NULL : strdup(text);
}

static struct job *restore(const cJSON *resource)
{
    const cJSON *reference = json_at(resource, "jobReference");
    const cJSON *statistics = json_at(resource, "statistics");
    const cJSON *status = json_at(resource, "status");
    const cJSON *failure = json_at(status, "errorResult");
    const char *type = json_text(json_at(resource, "configuration"), "jobType");
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return NULL;
    *job = (struct job){
        .id = copy_text(reference, "jobId"),
        .location = copy_text(reference, "location"),
        .kind = strcmp(type, "LOAD") == 0   ? JOB_LOAD
                : strcmp(type, "COPY") == 0 ? JOB_COPY
                                            : JOB_QUERY,
        .configuration = cJSON_Duplicate(json_at(resource, "configuration"), true),
        .parent_id = copy_text(statistics, "parentJobId"),
        .child_count = (int)json_number(statistics, "numChildJobs", 0),
        .created_ms = json_number(statistics, "creationTime", 0),
        .started_ms = json_number(statistics, "startTime", 0),
        .ended_ms = json_number(statistics, "endTime", 0),
        .bytes_processed = json_number(statistics, "totalBytesProcessed", 0),
        .failed = failure != NULL,
        .media.forgotten_rows = -1,
    };
    const cJSON *part = json_at(statistics, job_kind_name(job->kind));
    job->statistics = part == NULL ? NULL : cJSON_Duplicate(part, true);
    if (failure != NULL)
        failure_set(
            &job->failure, json_text(failure, "reason"), "%s", json_text(failure, "message"));
    if (strcmp(json_text(status, "state"), "DONE") != 0) {
        job->failed = true;
        failure_set(&job->failure, "backendError", "bqlocal was stopped before the job was done");
    }
    return job;
}

bool jobs_restore(struct server *server, struct jobs *jobs, struct error *err)
{
    sqlite3_stmt *row = NULL;
    bool ok = true;

    if (server->options.data == NULL)
        return true;
    if (!store_execute(
            &server->store,
            "create table if not exists bqlocal_jobs(number integer primary key,"
            " id text not null unique, resource text not null)",
            err) ||
        !store_prepare(
            &server->store, "select resource from bqlocal_jobs order by number", &row, err, NULL))
        return false;
    while (ok && sqlite3_step(row) == SQLITE_ROW) {
        cJSON *resource = cJSON_Parse((const char *)sqlite3_column_text(row, 0));
        struct job *job = resource == NULL ? NULL : restore(resource);
        ok = job != NULL ? jobs_add_done(server, jobs, job, err)
                         : error_set(err, ERROR_SOURCE, "a job's record is damaged");
        cJSON_Delete(resource);
    }
    sqlite3_finalize(row);
    return ok;
}
