#include "bqlocal/jobs/job_query.h"

#include "bqlocal/jobs/estimate.h"
#include "bqlocal/jobs/job_check.h"
#include "bqlocal/jobs/job_destination.h"
#include "bqlocal/jobs/job_permission.h"
#include "bqlocal/jobs/partition_filter.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sql_statement *last_statement(const struct sql_result *result)
{
    return result->statement_count == 0 ? NULL : &result->statements[result->statement_count - 1];
}

static cJSON *routine_reference(const struct jobs *jobs, const struct sql_statement *statement)
{
    cJSON *reference = cJSON_CreateObject();

    cJSON_AddStringToObject(reference, "projectId", jobs->store->project);
    cJSON_AddStringToObject(reference, "datasetId", statement->target_dataset);
    cJSON_AddStringToObject(reference, "routineId", statement->target_routine);
    return reference;
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
    if (cJSON_GetArraySize(result->references) > 0)
        cJSON_AddItemToObject(
            statistics, "referencedTables", cJSON_Duplicate(result->references, true));
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
        if (last->target_routine[0] != '\0')
            cJSON_AddItemToObject(statistics, "ddlTargetRoutine", routine_reference(jobs, last));
    }
    return statistics;
}

/* What a query asks, from its configuration. */
static struct sql_request request_of(const cJSON *query, const char *location, bool dry_run)
{
    return (struct sql_request){
        .location = location,
        .text = json_text(query, "query"),
        .default_dataset = json_text(json_at(query, "defaultDataset"), "datasetId"),
        .parameters = json_at(query, "queryParameters"),
        .dry_run = dry_run,
    };
}

/* Before it runs, a query is known to read at most so much: blocks that its conditions leave out
 * are found on the way ("Estimate and control costs"). dry_run: that is all. */
static bool check_price(
    const struct jobs *jobs, const cJSON *query, bool dry_run, struct estimates *out_price,
    struct error *err)
{
    struct sql_request request = request_of(query, NULL, true);
    int64_t limit = json_number(query, "maximumBytesBilled", 0);
    struct sql_result analysis = {0};
    struct error ignored;

    // What is wrong with a query is found when it runs.
    bool known = sql_run(jobs->store, &request, &analysis, &ignored);
    const cJSON *scans = known ? analysis.scans : NULL;
    struct estimates price =
        estimate_script(jobs->store, request.text, request.default_dataset, scans, false);
    bool ok = job_check_permissions(jobs, JOB_QUERY, query, known ? &analysis : NULL, err);
    ok = ok && (limit == 0 || price.sum.billed <= limit ||
                failure_set(
                    err, "bytesBilledLimitExceeded",
                    "Query exceeded limit for bytes billed: %lld. %lld or higher required.",
                    (long long)limit, (long long)price.sum.billed));
    if (ok && !dry_run) {
        estimates_clear(&price);
        price = estimate_script(jobs->store, request.text, request.default_dataset, scans, true);
    }
    if (known)
        sql_result_clear(jobs->store, &analysis);
    if (ok)
        *out_price = price;
    else
        estimates_clear(&price);
    return ok;
}

/* What a statement changed, noted with the table; and its job where it is one of several. */
static bool note_statements(
    struct jobs *jobs, struct job *job, const struct estimates *price, struct error *err)
{
    const struct sql_result *result = &job->result;

    for (size_t i = 0; i < result->statement_count; i++) {
        const struct sql_statement *statement = &result->statements[i];
        const struct estimate nothing = {0};
        if (statement->is_dml && statement->target_table[0] != '\0')
            store_table_touch(
                jobs->store, statement->target_dataset, statement->target_table, false);
        if (result->is_script &&
            !jobs_add_child(jobs, job, statement, i < price->count ? price->each[i] : nothing, err))
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

/* DML on a table with row access policies needs one that grants all rows ("Using row-level security
 * with other BigQuery features"). */
static bool check_policies(
    const struct jobs *jobs, const struct sql_result *analysis, struct error *err)
{
    for (size_t i = 0; i < analysis->statement_count; i++) {
        const struct sql_statement *one = &analysis->statements[i];
        if (one->is_dml && faults_guard_rows(jobs->faults, one->target_dataset, one->target_table))
            return failure_set(
                err, "accessDenied",
                "Access Denied: Table %s:%s.%s: User does not have full access for table "
                "%s:%s.%s due to row access policies.",
                jobs->store->project, one->target_dataset, one->target_table, jobs->store->project,
                one->target_dataset, one->target_table);
    }
    return true;
}

/* What is found out before anything is changed: a query with a destination is one SELECT, and
 * tables that require a filter have one. */
static bool check_statements(
    const struct jobs *jobs, const struct sql_request *request, bool has_destination,
    struct error *err)
{
    bool filters = partition_filter_is_used(jobs->store);
    bool policies = faults_guard_any(jobs->faults);
    struct sql_request analysis = *request;
    struct sql_result result;

    if (!has_destination && !filters && !policies)
        return true;
    analysis.dry_run = true;
    analysis.monitor = NULL;
    if (!sql_run(jobs->store, &analysis, &result, err))
        return false;
    bool is_select = !result.is_script && result.statement_count > 0 &&
                     strcmp(result.statements[result.statement_count - 1].type, "SELECT") == 0;
    bool ok = is_select || !has_destination ||
              failure_set(
                  err, "invalid",
                  "Cannot set destination table in jobs with DML, DDL or several statements");
    ok = ok && (!filters || partition_filter_check(jobs->store, request->text, &result, err));
    ok = ok && check_policies(jobs, &result, err);
    sql_result_clear(jobs->store, &result);
    return ok;
}

/* A SELECT was computed beside what changes tables, until its rows go into one. */
static bool wait_for_writer(struct jobs *jobs, const struct job *job, struct error *err)
{
    while (jobs->store->writing && !job->cancelled)
        monitor_wait(jobs->monitor, INT64_MAX);
    return !job->cancelled || failure_set(err, "stopped", "Job execution was cancelled");
}

/* The query of a job whose price is known. */
static bool run_priced(
    struct jobs *jobs, struct job *job, const struct estimates *price, struct error *err)
{
    const cJSON *query = job_part(job);
    struct sql_request request = request_of(query, job->location, false);
    request.monitor = job->computing ? jobs->monitor : NULL;
    request.cancelled = &job->cancelled;
    bool has_destination = json_at(query, "destinationTable") != NULL;

    if (!check_statements(jobs, &request, has_destination, err) ||
        !sql_run(jobs->store, &request, &job->result, err))
        return false;
    job->has_result = true;
    // What has changed tables can no longer be cancelled.
    if (job->computing && !job->has_reader)
        job->cancelled = false;
    bool ok = true;
    if (has_destination)
        ok = wait_for_writer(jobs, job, err) && store_begin(jobs->store, err) &&
             store_end(jobs->store, job_destination_write(jobs, &job->result, query, err), err);
    ok = ok && note_statements(jobs, job, price, err);
    if (!ok) {
        sql_result_clear(jobs->store, &job->result);
        job->has_result = false;
        return false;
    }
    job->bytes_processed = price->sum.processed;
    job->statistics = statistics_of(jobs, &job->result, price->sum);
    snprintf(
        job->result_name, sizeof job->result_name, "anon%llu",
        (unsigned long long)++jobs->result_number);
    add_destination(jobs, job, job->result_name);
    return true;
}

bool job_run_query(struct jobs *jobs, struct job *job, struct error *err)
{
    struct estimates price;

    if (!check_price(jobs, job_part(job), false, &price, err))
        return false;
    bool ok = run_priced(jobs, job, &price, err);
    estimates_clear(&price);
    return ok;
}

bool job_dry_run(
    const struct jobs *jobs, const cJSON *body, cJSON **out_resource, struct error *err)
{
    const cJSON *configuration = json_at(body, "configuration");
    const cJSON *query = json_at(configuration, "query");
    struct sql_result result = {0};
    enum job_kind kind;
    char *location = NULL;
    struct estimates price = {0};

    if (!job_check(jobs, body, false, &kind, &location, err))
        return false;
    struct sql_request request = request_of(query, location, true);
    bool ok = check_statements(jobs, &request, json_at(query, "destinationTable") != NULL, err) &&
              check_price(jobs, query, true, &price, err) &&
              sql_run(jobs->store, &request, &result, err);
    free(location);
    const struct estimate sum = price.sum;
    estimates_clear(&price);
    if (!ok)
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
    json_add_number(statistics, "totalBytesProcessed", sum.processed);
    cJSON *part = statistics_of(jobs, &result, sum);
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
