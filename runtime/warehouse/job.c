#include "warehouse/job.h"

#include "warehouse/foreign_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- reading ----------------------------------------------------------------------------- */

/* The line that helps: for a load it is mostly not errorResult but one of errors[] ("Batch loading
 * data"). */
static const char *useful_line(const cJSON *status, const char *main_message)
{
    const cJSON *entry = NULL;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(status, "errors"))
    {
        const char *message = call_text(entry, "message");
        if (message[0] != '\0' && strcmp(message, main_message) != 0)
            return message;
    }
    return "";
}

static void read_failure(
    const struct bigquery *bigquery, const cJSON *status, const char *job_id, struct error *failure)
{
    const char *const names[] = {
        bigquery->project, bigquery->dataset, job_id, bigquery->location, NULL};
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(status, "errorResult");
    const char *reason = call_text(result, "reason");
    const char *message = call_text(result, "message");
    const char *more = useful_line(status, message);
    char shown_reason[100];
    char shown[400];
    char shown_more[400];
    enum error_code code = ERROR_WAREHOUSE;
    const struct retry_event event = {.place = RETRY_JOB, .reason = reason, .message = message};

    retry_decide(&event, &code);
    foreign_text(shown_reason, sizeof shown_reason, reason);
    foreign_message(shown, sizeof shown, message, names);
    foreign_message(shown_more, sizeof shown_more, more, names);
    error_set(
        failure, code, "BigQuery: job %s failed: %s: %s%s%s%s", job_id, shown_reason, shown,
        more[0] == '\0' ? "" : " (", shown_more, more[0] == '\0' ? "" : ")");
    foreign_reason(failure->reason, sizeof failure->reason, reason);
    call_explain(failure);
}

static enum job_state state_of(const cJSON *status)
{
    const char *state = call_text(status, "state");

    if (strcmp(state, "DONE") != 0)
        return strcmp(state, "RUNNING") == 0 ? JOB_RUNNING : JOB_PENDING;
    // errors[] alone are warnings; only errorResult is a failure.
    return cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(status, "errorResult")) ? JOB_FAILED
                                                                                   : JOB_SUCCEEDED;
}

static void read_kind(const cJSON *configuration, struct job *job)
{
    static const char *const kinds[] = {"load", "query", "copy", "extract"};

    foreign_text(job->kind, sizeof job->kind, call_text(configuration, "jobType"));
    for (char *at = job->kind; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (cJSON_GetObjectItemCaseSensitive(configuration, kinds[i]) != NULL)
            snprintf(job->kind, sizeof job->kind, "%s", kinds[i]);
}

static void add_dml(const cJSON *resource, struct job *job)
{
    static const char *const path[] = {"statistics", "query", "dmlStats", NULL};
    const cJSON *stats = call_member(resource, path);

    job->inserted += call_int64(cJSON_GetObjectItemCaseSensitive(stats, "insertedRowCount"));
    job->updated += call_int64(cJSON_GetObjectItemCaseSensitive(stats, "updatedRowCount"));
    job->deleted += call_int64(cJSON_GetObjectItemCaseSensitive(stats, "deletedRowCount"));
}

/* A claimed id has done nothing and never will: for a caller that looks for its MERGE under it, the
 * job has failed in a way that a new one can fix. */
static void read_claim(const cJSON *configuration, const char *job_id, struct job *job)
{
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(configuration, "query");
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(configuration, "labels");

    job->is_claim = strcmp(call_text(query, "query"), JOB_CLAIM_SQL) == 0 ||
                    (strcmp(call_text(labels, "tool"), "bqsync") == 0 &&
                     strcmp(call_text(labels, "phase"), "claim") == 0);
    if (!job->is_claim)
        return;
    job->state = JOB_FAILED;
    error_set(
        &job->failure, ERROR_TRANSIENT,
        "BigQuery: job %s was given up before it was started; its id has been made unusable",
        job_id);
    snprintf(job->failure.reason, sizeof job->failure.reason, "claimed");
}

void job_read(
    const struct bigquery *bigquery, const cJSON *resource, const char *job_id, struct job *out_job)
{
    static const char *const output[] = {"statistics", "load", "outputRows", NULL};
    static const char *const billed[] = {"statistics", "query", "totalBytesBilled", NULL};
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(resource, "status");
    const cJSON *configuration = cJSON_GetObjectItemCaseSensitive(resource, "configuration");

    *out_job = (struct job){.state = state_of(status)};
    if (out_job->state == JOB_FAILED)
        read_failure(bigquery, status, job_id, &out_job->failure);
    read_kind(configuration, out_job);
    out_job->output_rows = call_int64(call_member(resource, output));
    out_job->bytes_billed = call_int64(call_member(resource, billed));
    add_dml(resource, out_job);
    read_claim(configuration, job_id, out_job);
}

void job_read_child(const cJSON *resource, struct job_child *out_child)
{
    static const char *const query[] = {"statistics", "query", NULL};
    static const char *const target[] = {"configuration", "query", "destinationTable", NULL};
    const cJSON *statistics = call_member(resource, query);
    const cJSON *table = call_member(resource, target);
    struct job counts = {.state = JOB_SUCCEEDED};

    add_dml(resource, &counts);
    *out_child = (struct job_child){
        .statement = call_text(statistics, "statementType"),
        .dataset = call_text(table, "datasetId"),
        .table = call_text(table, "tableId"),
        .inserted = counts.inserted,
        .updated = counts.updated,
        .deleted = counts.deleted,
        .bytes_billed =
            call_int64(cJSON_GetObjectItemCaseSensitive(statistics, "totalBytesBilled")),
    };
}

bool job_has_children(const cJSON *resource)
{
    static const char *const type[] = {"statistics", "query", "statementType", NULL};
    static const char *const children[] = {"statistics", "numChildJobs", NULL};
    const char *statement = cJSON_GetStringValue(call_member(resource, type));

    return (statement != NULL && strcmp(statement, "SCRIPT") == 0) ||
           call_int64(call_member(resource, children)) > 0;
}

/* --- building ---------------------------------------------------------------------------- */

/* "Labels": lower case letters, digits, _ and -, at most 63 characters. */
static void add_label(cJSON *labels, const char *key, const char *value)
{
    char clean[64];
    size_t length = 0;

    if (value == NULL || value[0] == '\0')
        return;
    for (; value[length] != '\0' && length < sizeof clean - 1; length++) {
        unsigned char c = (unsigned char)value[length];
        clean[length] = (char)(isalnum(c) ? tolower(c) : c == '-' ? '-' : '_');
    }
    clean[length] = '\0';
    cJSON_AddStringToObject(labels, key, clean);
}

cJSON *job_new(
    const struct bigquery *bigquery, const char *job_id, const char *label_table,
    const char *label_phase, cJSON **out_configuration)
{
    cJSON *job = cJSON_CreateObject();
    cJSON *reference = cJSON_AddObjectToObject(job, "jobReference");

    cJSON_AddStringToObject(reference, "projectId", bigquery->project);
    cJSON_AddStringToObject(reference, "jobId", job_id);
    if (bigquery->location[0] != '\0')
        cJSON_AddStringToObject(reference, "location", bigquery->location);
    *out_configuration = cJSON_AddObjectToObject(job, "configuration");
    cJSON *labels = cJSON_AddObjectToObject(*out_configuration, "labels");
    add_label(labels, "tool", "bqsync");
    add_label(labels, "table", label_table);
    add_label(labels, "phase", label_phase);
    add_label(labels, "run", bigquery->run_id);
    if (labels == NULL) {
        cJSON_Delete(job);
        return NULL;
    }
    return job;
}

void job_add_table(
    const struct bigquery *bigquery, cJSON *object, const char *name, const char *table)
{
    cJSON *reference = cJSON_AddObjectToObject(object, name);

    cJSON_AddStringToObject(reference, "projectId", bigquery->project);
    cJSON_AddStringToObject(reference, "datasetId", bigquery->dataset);
    cJSON_AddStringToObject(reference, "tableId", table);
}
