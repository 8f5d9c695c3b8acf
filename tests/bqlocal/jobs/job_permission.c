#include "bqlocal/jobs/job_permission.h"

#include "bqlocal/faults/permission.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>
#include <string.h>

static bool check(const struct jobs *jobs, const char *permission, struct error *err)
{
    return permission_check(jobs->faults, jobs->store->project, permission, err);
}

/* What writing into the table needs; it is made if it is not there. */
static bool check_destination(const struct jobs *jobs, const cJSON *reference, struct error *err)
{
    const char *dataset = json_text(reference, "datasetId");
    const char *table = json_text(reference, "tableId");
    cJSON *resource = NULL;
    struct error missing;

    if (dataset == NULL || table == NULL)
        return true;
    bool exists = store_table_get(jobs->store, dataset, table, &resource, &missing);
    cJSON_Delete(resource);
    return (exists || check(jobs, "bigquery.tables.create", err)) &&
           check(jobs, "bigquery.tables.updateData", err);
}

static bool is_scanned(const struct sql_result *analysis, size_t statement)
{
    const cJSON *scan;

    cJSON_ArrayForEach(scan, analysis->scans)
    {
        if (json_number(scan, "statement", -1) == (int64_t)statement)
            return true;
    }
    return false;
}

static bool check_statement(
    const struct jobs *jobs, const struct sql_part *part, bool reads, struct error *err)
{
    // The first whose words the type begins with; the last column: CREATE OR REPLACE needs it, too.
    static const char *const needed[][3] = {
        {"CREATE_TABLE_FUNCTION", "bigquery.routines.create", "bigquery.routines.update"},
        {"DROP_TABLE_FUNCTION", "bigquery.routines.delete"},
        {"CREATE_VIEW", "bigquery.tables.create", "bigquery.tables.update"},
        {"CREATE", "bigquery.tables.create"},
        {"ALTER", "bigquery.tables.update"},
        {"DROP", "bigquery.tables.delete"},
        {"INSERT", "bigquery.tables.updateData"},
        {"UPDATE", "bigquery.tables.updateData"},
        {"DELETE", "bigquery.tables.updateData"},
        {"MERGE", "bigquery.tables.updateData"},
        {"TRUNCATE", "bigquery.tables.updateData"},
    };
    const size_t count = sizeof needed / sizeof needed[0];
    size_t i = 0;

    while (i < count && strncmp(part->type, needed[i][0], strlen(needed[i][0])) != 0)
        i++;
    if (i < count && !check(jobs, needed[i][1], err))
        return false;
    if (i < count && part->replaces && needed[i][2] != NULL && !check(jobs, needed[i][2], err))
        return false;
    // A TRUNCATE looks at no row.
    return !reads || part->type[0] == 'T' || check(jobs, "bigquery.tables.getData", err);
}

/* A dry run ends behind DDL, whose table the next statements may need: of these only the kind is
 * known. */
static bool check_query(
    const struct jobs *jobs, const cJSON *query, const struct sql_result *analysis,
    struct error *err)
{
    struct sql_part *parts = NULL;
    size_t count = 0;
    bool ok = true;

    if (!sql_split(json_text(query, "query"), &parts, &count))
        count = 0; // its syntax is wrong
    for (size_t i = 0; ok && i < count; i++) {
        bool reads = analysis != NULL &&
                     (i < analysis->statement_count ? is_scanned(analysis, i) : parts[i].reads);
        ok = check_statement(jobs, &parts[i], reads, err);
    }
    free(parts);
    return ok;
}

bool job_check_permissions(
    const struct jobs *jobs, enum job_kind kind, const cJSON *part,
    const struct sql_result *analysis, struct error *err)
{
    return (kind != JOB_QUERY || check_query(jobs, part, analysis, err)) &&
           (kind != JOB_COPY || check(jobs, "bigquery.tables.getData", err)) &&
           check_destination(jobs, json_at(part, "destinationTable"), err);
}
