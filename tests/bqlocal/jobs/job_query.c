/* Query jobs. */
#include "bqlocal/auth/permission.h"
#include "bqlocal/http/http.h"
#include "bqlocal/http/server.h"
#include "bqlocal/jobs/estimate.h"
#include "bqlocal/jobs/job.h"
#include "bqlocal/jobs/job_check.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static cJSON *reference_of(const struct server *server, const char *dataset, const char *table)
{
    cJSON *reference = cJSON_CreateObject();

    cJSON_AddStringToObject(reference, "projectId", server->store.project);
    cJSON_AddStringToObject(reference, "datasetId", dataset);
    cJSON_AddStringToObject(reference, "tableId", table);
    return reference;
}

static const struct sql_statement *last_statement(const struct sql_result *result)
{
    return result->statement_count == 0 ? NULL : &result->statements[result->statement_count - 1];
}

static cJSON *statistics_of(
    const struct server *server, const struct sql_result *result, int64_t processed)
{
    const struct sql_statement *last = last_statement(result);
    cJSON *statistics = cJSON_CreateObject();

    cJSON_AddStringToObject(
        statistics, "statementType",
        result->is_script ? "SCRIPT"
        : last == NULL    ? "SELECT"
                          : last->type);
    json_add_number(statistics, "totalBytesProcessed", processed);
    json_add_number(statistics, "totalBytesBilled", estimate_billed_bytes(processed));
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
                reference_of(server, last->target_dataset, last->target_table));
    }
    return statistics;
}

static cJSON *result_schema(const struct sql_result *result)
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
    struct server *server, const cJSON *query, int64_t *out_processed, struct error *err)
{
    struct sql_request request = request_of(query, true);
    int64_t limit = json_number(query, "maximumBytesBilled", 0);

    if (!permission_check_query(server, request.text, err))
        return false;
    *out_processed = estimate_query_bytes(&server->store, request.text, request.default_dataset);
    int64_t billed = estimate_billed_bytes(*out_processed);
    if (limit > 0 && billed > limit)
        return failure_set(
            err, "bytesBilledLimitExceeded",
            "Query exceeded limit for bytes billed: %lld. %lld or higher required.",
            (long long)limit, (long long)billed);
    return true;
}

/* An overwritten table takes the result's schema and loses its constraints. */
static bool replace_schema(
    struct store *store, const char *dataset, const char *table, const cJSON *existing,
    const struct sql_result *result, struct error *err)
{
    cJSON *resource = cJSON_Duplicate(existing, true);

    cJSON_DeleteItemFromObjectCaseSensitive(resource, "tableConstraints");
    cJSON_DeleteItemFromObjectCaseSensitive(resource, "schema");
    cJSON_AddItemToObject(resource, "schema", result_schema(result));
    bool ok = store_table_alter(store, dataset, table, resource, err);
    cJSON_Delete(resource);
    return ok;
}

/* The rows of a SELECT into a table of the caller's. */
static bool store_result(
    struct server *server, const struct sql_result *result, const cJSON *query, struct error *err)
{
    struct store *store = &server->store;
    const cJSON *destination = json_at(query, "destinationTable");
    const char *dataset = json_text(destination, "datasetId");
    const char *table = json_text(destination, "tableId");
    const char *disposition = json_text(query, "writeDisposition");
    const char *create = json_text(query, "createDisposition");
    cJSON *existing = NULL;
    struct error missing;
    bool ok = true;

    cJSON *resource = cJSON_CreateObject();
    cJSON_AddItemToObject(resource, "schema", result_schema(result));
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
    struct server *server, struct job *job, const struct sql_result *result, struct error *err)
{
    for (size_t i = 0; i < result->statement_count; i++) {
        const struct sql_statement *statement = &result->statements[i];
        if (statement->is_dml && statement->target_table[0] != '\0')
            store_table_touch(
                &server->store, statement->target_dataset, statement->target_table, false);
        if (result->is_script && !job_add_child(server, job, statement, err))
            return false;
    }
    return true;
}

/* Clients read a query's rows from its destination table, whether they named one or not. */
static void add_destination(struct server *server, struct job *job, const char *result_name)
{
    cJSON *query = cJSON_GetObjectItemCaseSensitive(job->configuration, "query");
    const struct sql_statement *last = last_statement(&job->result);
    bool own = last != NULL && last->target_table[0] != '\0' && !job->result.is_script;

    if (json_at(query, "destinationTable") != NULL)
        return;
    cJSON_AddItemToObject(
        query, "destinationTable",
        own ? reference_of(server, last->target_dataset, last->target_table)
            : reference_of(server, JOB_RESULT_DATASET, result_name));
}

bool job_run_query(struct server *server, struct job *job, struct error *err)
{
    const cJSON *query = job_part(job);
    struct sql_request request = request_of(query, false);
    bool has_destination = json_at(query, "destinationTable") != NULL;

    if (!check_price(server, query, &job->bytes_processed, err) ||
        !sql_run(&server->store, &request, &job->result, err))
        return false;
    job->has_result = true;
    bool ok = true;
    if (has_destination) {
        if (job->result.result_table[0] == '\0')
            ok = failure_set(
                err, "invalid", "Cannot set destination table in jobs with DML statements or DDL");
        else if (store_begin(&server->store, err))
            ok = store_end(&server->store, store_result(server, &job->result, query, err), err);
        else
            ok = false;
    }
    ok = ok && note_statements(server, job, &job->result, err);
    if (!ok) {
        sql_result_clear(&server->store, &job->result);
        job->has_result = false;
        return false;
    }
    job->statistics = statistics_of(server, &job->result, job->bytes_processed);
    jobs_name_result(server->jobs, job);
    add_destination(server, job, job->result_name);
    return true;
}

bool job_dry_run(struct server *server, const cJSON *body, cJSON **out_resource, struct error *err)
{
    const cJSON *configuration = json_at(body, "configuration");
    const cJSON *query = json_at(configuration, "query");
    struct sql_request request = request_of(query, true);
    struct sql_result result = {0};
    enum job_kind kind;
    char *location = NULL;
    int64_t processed = 0;

    if (!job_check(server, body, false, &kind, &location, err))
        return false;
    free(location);
    if (!check_price(server, query, &processed, err) ||
        !sql_run(&server->store, &request, &result, err))
        return false;
    cJSON *resource = cJSON_CreateObject();
    cJSON_AddStringToObject(resource, "kind", "bigquery#job");
    // A dry run has no id: there is no job.
    cJSON *reference = cJSON_AddObjectToObject(resource, "jobReference");
    cJSON_AddStringToObject(reference, "projectId", server->store.project);
    cJSON_AddStringToObject(reference, "location", server->options.location);
    cJSON *copy = cJSON_Duplicate(configuration, true);
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "jobType");
    cJSON_AddStringToObject(copy, "jobType", "QUERY");
    cJSON_AddItemToObject(resource, "configuration", copy);
    cJSON *status = cJSON_AddObjectToObject(resource, "status");
    cJSON_AddStringToObject(status, "state", "DONE");
    cJSON *statistics = cJSON_AddObjectToObject(resource, "statistics");
    json_add_number(statistics, "creationTime", store_now_ms(&server->store));
    json_add_number(statistics, "totalBytesProcessed", processed);
    cJSON *part = statistics_of(server, &result, processed);
    if (result.schema.count > 0)
        cJSON_AddItemToObject(part, "schema", result_schema(&result));
    cJSON_AddItemToObject(statistics, "query", part);
    sql_result_clear(&server->store, &result);
    *out_resource = resource;
    return true;
}

bool job_result_source(
    const struct job *job, struct job_result_columns *out_columns, struct rows_source *out_source,
    struct error *err)
{
    const struct sql_result *result = &job->result;
    struct job_result_columns columns = {
        .names = calloc(result->schema.count + 1, sizeof *columns.names),
        .count = result->schema.count,
    };
    char *quoted = sqlite3_mprintf("\"%w\"", result->result_table);

    columns.quoted = quoted == NULL ? NULL : strdup(quoted);
    sqlite3_free(quoted);
    bool ok = columns.names != NULL && columns.quoted != NULL;
    for (size_t i = 0; ok && i < columns.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%zu", i);
        columns.names[i] = strdup(name);
        ok = columns.names[i] != NULL;
    }
    if (!ok) {
        job_result_columns_clear(&columns);
        return error_set(err, ERROR_MEMORY, "out of memory for a result");
    }
    *out_columns = columns;
    *out_source = (struct rows_source){
        .quoted = columns.quoted,
        .columns = (const char *const *)columns.names,
        .schema = &result->schema,
        .total = result->result_table[0] == '\0' ? 0 : result->result_rows,
    };
    return true;
}

void job_result_columns_clear(struct job_result_columns *columns)
{
    for (size_t i = 0; columns->names != NULL && i < columns->count; i++)
        free(columns->names[i]);
    free(columns->names);
    free(columns->quoted);
    *columns = (struct job_result_columns){0};
}

cJSON *job_result_table(const struct server *server, const struct job *job)
{
    cJSON *resource = cJSON_CreateObject();

    cJSON_AddStringToObject(resource, "kind", "bigquery#table");
    cJSON_AddItemToObject(
        resource, "tableReference", reference_of(server, JOB_RESULT_DATASET, job->result_name));
    cJSON_AddItemToObject(resource, "schema", result_schema(&job->result));
    json_add_number(resource, "numRows", job->result.result_rows);
    json_add_number(resource, "creationTime", job->ended_ms);
    cJSON_AddStringToObject(resource, "type", "TABLE");
    cJSON_AddStringToObject(resource, "location", job->location);
    return resource;
}
