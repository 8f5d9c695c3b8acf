#include "bqlocal/jobs/job_query.h"

#include "bqlocal/faults/permission.h"
#include "bqlocal/jobs/estimate.h"
#include "bqlocal/jobs/job_check.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct sql_statement *last_statement(const struct sql_result *result)
{
    return result->statement_count == 0 ? NULL : &result->statements[result->statement_count - 1];
}

static cJSON *statistics_of(
    const struct jobs *jobs, const struct sql_result *result, struct estimate price)
{
    const struct sql_statement *last = last_statement(result);
    cJSON *statistics = cJSON_CreateObject();

    cJSON_AddStringToObject(
        statistics, "statementType",
        result->is_script ? "SCRIPT"
        : last == NULL    ? "SELECT"
                          : last->type);
    json_add_number(statistics, "totalBytesProcessed", price.processed);
    json_add_number(statistics, "totalBytesBilled", price.billed);
    json_add_number(statistics, "totalSlotMs", 0);
    cJSON_AddFalseToObject(statistics, "cacheHit");
    if (result->is_script || last == NULL)
        return statistics;
    if (last->is_dml) {
        json_add_number(
            statistics, "numDmlAffectedRows", last->inserted + last->updated + last->deleted);
        cJSON_AddItemToObject(statistics, "dmlStats", job_dml_statistics(last));
    }
    if (last->ddl[0] != '\0') {
        cJSON_AddStringToObject(statistics, "ddlOperationPerformed", last->ddl);
        if (last->target_table[0] != '\0')
            cJSON_AddItemToObject(
                statistics, "ddlTargetTable",
                job_table_reference(jobs->store, last->target_dataset, last->target_table));
    }
    return statistics;
}

cJSON *job_result_schema(const struct sql_result *result)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddItemToObject(schema, "fields", store_schema_json(&result->schema));
    return schema;
}

/* What a query asks, from its configuration. */
static struct sql_request request_of(const cJSON *query, bool dry_run)
{
    return (struct sql_request){
        .text = json_text(query, "query"),
        .default_dataset = json_text(json_at(query, "defaultDataset"), "datasetId"),
        .parameters = json_at(query, "queryParameters"),
        .dry_run = dry_run,
    };
}

static bool check_price(
    const struct jobs *jobs, const cJSON *query, struct estimate *out_price, struct error *err)
{
    struct sql_request request = request_of(query, true);
    int64_t limit = json_number(query, "maximumBytesBilled", 0);

    if (!permission_check_query(jobs->faults, jobs->store->project, request.text, err))
        return false;
    *out_price = estimate_query(jobs->store, request.text, request.default_dataset);
    if (limit > 0 && out_price->billed > limit)
        return failure_set(
            err, "bytesBilledLimitExceeded",
            "Query exceeded limit for bytes billed: %lld. %lld or higher required.",
            (long long)limit, (long long)out_price->billed);
    return true;
}

/* An overwritten table takes the result's schema and loses its constraints. */
static bool replace_schema(
    struct store *store, const char *dataset, const char *table, const cJSON *existing,
    const struct sql_result *result, struct error *err)
{
    cJSON *resource = cJSON_Duplicate(existing, true);

    cJSON_DeleteItemFromObjectCaseSensitive(resource, "tableConstraints");
    json_set(resource, "schema", job_result_schema(result));
    bool ok = store_table_alter(store, dataset, table, resource, err);
    cJSON_Delete(resource);
    return ok;
}

/* The rows of a SELECT into a table of the caller's. */
static bool store_result(
    struct jobs *jobs, const struct sql_result *result, const cJSON *query, struct error *err)
{
    struct store *store = jobs->store;
    const cJSON *destination = json_at(query, "destinationTable");
    const char *dataset = json_text(destination, "datasetId");
    const char *table = json_text(destination, "tableId");
    const char *disposition = json_text(query, "writeDisposition");
    const char *create = json_text(query, "createDisposition");
    cJSON *existing = NULL;
    struct error missing;
    bool ok = true;

    cJSON *resource = cJSON_CreateObject();
    cJSON_AddItemToObject(resource, "schema", job_result_schema(result));
    bool append = disposition != NULL && strcmp(disposition, "WRITE_APPEND") == 0;
    bool truncate = disposition != NULL && strncmp(disposition, "WRITE_TRUNCATE", 14) == 0;
    bool keeps_schema =
        append || (disposition != NULL && strcmp(disposition, "WRITE_TRUNCATE_DATA") == 0);
    if (!store_table_get(store, dataset, table, &existing, &missing)) {
        if (missing.code != ERROR_NOT_FOUND ||
            (create != NULL && strcmp(create, "CREATE_NEVER") == 0)) {
            *err = missing;
            ok = false;
        }
        ok = ok && store_table_insert(store, dataset, table, resource, err);
    } else {
        if (!append && !truncate && json_number(existing, "numRows", 0) > 0)
            ok = failure_set(
                err, "duplicate", "Already Exists: Table %s:%s.%s", store->project, dataset, table);
        if (ok && truncate)
            ok = store_executef(store, err, "delete from \"%w.%w\"", dataset, table);
        if (ok && !keeps_schema)
            ok = replace_schema(store, dataset, table, existing, result, err);
    }
    ok = ok && store_executef(
                   store, err, "insert into \"%w.%w\" select * from \"%w\"", dataset, table,
                   result->result_table);
    if (ok)
        store_table_touch(store, dataset, table, true);
    cJSON_Delete(existing);
    cJSON_Delete(resource);
    return ok;
}

/* What a statement changed, noted with the table; and its job where it is one of several. */
static bool note_statements(
    struct jobs *jobs, struct job *job, const struct sql_result *result, struct error *err)
{
    for (size_t i = 0; i < result->statement_count; i++) {
        const struct sql_statement *statement = &result->statements[i];
        if (statement->is_dml && statement->target_table[0] != '\0')
            store_table_touch(
                jobs->store, statement->target_dataset, statement->target_table, false);
        if (result->is_script && !jobs_add_child(jobs, job, statement, err))
            return false;
    }
    return true;
}

/* Clients read a query's rows from its destination table, whether they named one or not. */
static void add_destination(struct jobs *jobs, struct job *job, const char *result_name)
{
    cJSON *query = cJSON_GetObjectItemCaseSensitive(job->configuration, "query");
    const struct sql_statement *last = last_statement(&job->result);
    bool own = last != NULL && last->target_table[0] != '\0' && !job->result.is_script;

    if (json_at(query, "destinationTable") != NULL)
        return;
    cJSON_AddItemToObject(
        query, "destinationTable",
        own ? job_table_reference(jobs->store, last->target_dataset, last->target_table)
            : job_table_reference(jobs->store, JOB_RESULT_DATASET, result_name));
}

bool job_run_query(struct jobs *jobs, struct job *job, struct error *err)
{
    const cJSON *query = job_part(job);
    struct sql_request request = request_of(query, false);
    request.monitor = job->computing ? jobs->monitor : NULL;
    request.cancelled = &job->cancelled;
    bool has_destination = json_at(query, "destinationTable") != NULL;
    struct estimate price;

    if (!check_price(jobs, query, &price, err) ||
        !sql_run(jobs->store, &request, &job->result, err))
        return false;
    job->has_result = true;
    bool ok = true;
    if (has_destination) {
        if (job->result.result_table[0] == '\0')
            ok = failure_set(
                err, "invalid", "Cannot set destination table in jobs with DML statements or DDL");
        else if (store_begin(jobs->store, err))
            ok = store_end(jobs->store, store_result(jobs, &job->result, query, err), err);
        else
            ok = false;
    }
    ok = ok && note_statements(jobs, job, &job->result, err);
    if (!ok) {
        sql_result_clear(jobs->store, &job->result);
        job->has_result = false;
        return false;
    }
    job->bytes_processed = price.processed;
    job->statistics = statistics_of(jobs, &job->result, price);
    snprintf(
        job->result_name, sizeof job->result_name, "anon%llu",
        (unsigned long long)++jobs->result_number);
    add_destination(jobs, job, job->result_name);
    return true;
}

bool job_dry_run(
    const struct jobs *jobs, const cJSON *body, cJSON **out_resource, struct error *err)
{
    const cJSON *configuration = json_at(body, "configuration");
    const cJSON *query = json_at(configuration, "query");
    struct sql_request request = request_of(query, true);
    struct sql_result result = {0};
    enum job_kind kind;
    char *location = NULL;
    struct estimate price;

    if (!job_check(jobs, body, false, &kind, &location, err))
        return false;
    free(location);
    if (!check_price(jobs, query, &price, err) || !sql_run(jobs->store, &request, &result, err))
        return false;
    cJSON *resource = cJSON_CreateObject();
    cJSON_AddStringToObject(resource, "kind", "bigquery#job");
    // A dry run has no id: there is no job.
    cJSON *reference = cJSON_AddObjectToObject(resource, "jobReference");
    cJSON_AddStringToObject(reference, "projectId", jobs->store->project);
    cJSON_AddStringToObject(reference, "location", jobs->settings.location);
    cJSON *copy = cJSON_Duplicate(configuration, true);
    json_set(copy, "jobType", cJSON_CreateString("QUERY"));
    cJSON_AddItemToObject(resource, "configuration", copy);
    cJSON *status = cJSON_AddObjectToObject(resource, "status");
    cJSON_AddStringToObject(status, "state", "DONE");
    cJSON *statistics = cJSON_AddObjectToObject(resource, "statistics");
    json_add_number(statistics, "creationTime", store_now_ms(jobs->store));
    json_add_number(statistics, "totalBytesProcessed", price.processed);
    cJSON *part = statistics_of(jobs, &result, price);
    if (result.schema.count > 0)
        cJSON_AddItemToObject(part, "schema", job_result_schema(&result));
    cJSON_AddItemToObject(statistics, "query", part);
    sql_result_clear(jobs->store, &result);
    *out_resource = resource;
    return true;
}

struct rows_source job_result_source(const struct job *job)
{
    const struct sql_result *result = &job->result;

    return (struct rows_source){
        .table = result->result_table,
        .schema = &result->schema,
        .total = result->result_table[0] == '\0' ? 0 : result->result_rows,
        .numbered = true,
    };
}

cJSON *job_result_table(const struct jobs *jobs, const struct job *job)
{
    cJSON *resource = cJSON_CreateObject();

    cJSON_AddStringToObject(resource, "kind", "bigquery#table");
    cJSON_AddItemToObject(
        resource, "tableReference",
        job_table_reference(jobs->store, JOB_RESULT_DATASET, job->result_name));
    cJSON_AddItemToObject(resource, "schema", job_result_schema(&job->result));
    json_add_number(resource, "numRows", job->result.result_rows);
    json_add_number(resource, "creationTime", job->ended_ms);
    cJSON_AddStringToObject(resource, "type", "TABLE");
    cJSON_AddStringToObject(resource, "location", job->location);
    return resource;
}
