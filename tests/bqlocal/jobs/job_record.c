#include "bqlocal/jobs/job_record.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *make_id(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char random[24];
    char id[5 + sizeof random] = "job_";

    sqlite3_randomness(sizeof random, random);
    for (size_t i = 0; i < sizeof random; i++)
        id[4 + i] = letters[random[i] % (sizeof letters - 1)];
    id[4 + sizeof random] = '\0';
    return strdup(id);
}

bool job_new(
    enum job_kind kind, const char *id, const char *location, const cJSON *configuration,
    struct job **out_job, struct error *err)
{
    static const char *const types[] = {"LOAD", "QUERY", "COPY"};
    struct job *job = calloc(1, sizeof *job);

    if (job != NULL)
        *job = (struct job){
            .id = id == NULL ? make_id() : strdup(id),
            .location = strdup(location),
            .kind = kind,
            .configuration = cJSON_Duplicate(configuration, true),
            .media.forgotten_rows = -1,
        };
    if (job == NULL || job->id == NULL || job->location == NULL || job->configuration == NULL) {
        job_free(NULL, job);
        return error_set(err, ERROR_MEMORY, "out of memory for a job");
    }
    json_set(job->configuration, "jobType", cJSON_CreateString(types[kind]));
    *out_job = job;
    return true;
}

void job_free(struct store *store, struct job *job)
{
    if (job == NULL)
        return;
    if (job->has_result)
        sql_result_clear(store, &job->result);
    media_clear(&job->media);
    cJSON_Delete(job->configuration);
    cJSON_Delete(job->statistics);
    cJSON_Delete(job->script_statistics);
    free(job->id);
    free(job->location);
    free(job->parent_id);
    free(job->transaction_id);
    free(job->request_id);
    free(job);
}

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

cJSON *job_table_reference(const struct store *store, const char *dataset, const char *table)
{
    cJSON *reference = cJSON_CreateObject();

    cJSON_AddStringToObject(reference, "projectId", store->project);
    cJSON_AddStringToObject(reference, "datasetId", dataset);
    cJSON_AddStringToObject(reference, "tableId", table);
    return reference;
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
    if (job->transaction_id != NULL)
        cJSON_AddStringToObject(
            cJSON_AddObjectToObject(statistics, "transactionInfo"), "transactionId",
            job->transaction_id);
    if (job->child_count > 0)
        json_add_number(statistics, "numChildJobs", job->child_count);
    if (job->kind == JOB_QUERY && job->state == JOB_DONE)
        json_add_number(statistics, "totalBytesProcessed", job->bytes_processed);
    if (job->script_statistics != NULL)
        cJSON_AddItemToObject(
            statistics, "scriptStatistics", cJSON_Duplicate(job->script_statistics, true));
    if (job->statistics != NULL)
        cJSON_AddItemToObject(
            statistics, job_kind_name(job->kind), cJSON_Duplicate(job->statistics, true));
}

cJSON *job_resource(const struct store *store, const struct job *job)
{
    cJSON *resource = cJSON_CreateObject();
    char text[64];

    cJSON_AddStringToObject(resource, "kind", "bigquery#job");
    snprintf(
        text, sizeof text, "\"%llx-%d\"", (unsigned long long)job->created_ms, (int)job->state);
    cJSON_AddStringToObject(resource, "etag", text);
    char *id = sqlite3_mprintf("%s:%s.%s", store->project, job->location, job->id);
    cJSON_AddStringToObject(resource, "id", id == NULL ? "" : id);
    sqlite3_free(id);
    cJSON *reference = cJSON_AddObjectToObject(resource, "jobReference");
    cJSON_AddStringToObject(reference, "projectId", store->project);
    cJSON_AddStringToObject(reference, "jobId", job->id);
    cJSON_AddStringToObject(reference, "location", job->location);
    cJSON_AddItemToObject(resource, "configuration", cJSON_Duplicate(job->configuration, true));
    cJSON_AddStringToObject(resource, "user_email", "bqlocal@localhost");
    add_status(resource, job);
    add_statistics(resource, job);
    return resource;
}

bool job_restore(const cJSON *resource, struct job **out_job, struct error *err)
{
    const cJSON *reference = json_at(resource, "jobReference");
    const cJSON *configuration = json_at(resource, "configuration");
    const cJSON *statistics = json_at(resource, "statistics");
    const cJSON *status = json_at(resource, "status");
    const cJSON *failure = json_at(status, "errorResult");
    const char *id = json_text(reference, "jobId");
    const char *location = json_text(reference, "location");
    const char *type = json_text(configuration, "jobType");
    const char *state = json_text(status, "state");
    struct job *job = NULL;

    if (id == NULL || location == NULL || type == NULL || state == NULL)
        return error_set(err, ERROR_SOURCE, "a job's record is damaged");
    enum job_kind kind = strcmp(type, "LOAD") == 0   ? JOB_LOAD
                         : strcmp(type, "COPY") == 0 ? JOB_COPY
                                                     : JOB_QUERY;
    if (!job_new(kind, id, location, configuration, &job, err))
        return false;
    const cJSON *part = json_at(statistics, job_kind_name(kind));
    job->state = JOB_DONE;
    job->parent_id = json_text_copy(statistics, "parentJobId");
    job->transaction_id = json_text_copy(json_at(statistics, "transactionInfo"), "transactionId");
    job->script_statistics = cJSON_Duplicate(json_at(statistics, "scriptStatistics"), true);
    job->child_count = (int)json_number(statistics, "numChildJobs", 0);
    job->created_ms = json_number(statistics, "creationTime", 0);
    job->started_ms = json_number(statistics, "startTime", 0);
    job->ended_ms = json_number(statistics, "endTime", 0);
    job->bytes_processed = json_number(statistics, "totalBytesProcessed", 0);
    job->statistics = part == NULL ? NULL : cJSON_Duplicate(part, true);
    job->failed = failure != NULL || strcmp(state, "DONE") != 0;
    if (strcmp(state, "DONE") != 0)
        failure_set(&job->failure, "backendError", "bqlocal was stopped before the job was done");
    else if (failure != NULL)
        failure_set(
            &job->failure, json_text(failure, "reason"), "%s", json_text(failure, "message"));
    *out_job = job;
    return true;
}
