/* What the caller may do, found out without doing it ("BigQuery API reference": Job.dryRun,
 * tables.testIamPermissions, rowAccessPolicies.list). */
#include "warehouse/bigquery.h"

#include "warehouse/call.h"
#include "warehouse/call_path.h"

#include <string.h>

bool bigquery_dry_run(struct bigquery *bigquery, const char *sql, struct error *err)
{
    struct buffer path;
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "query", sql);
    cJSON_AddFalseToObject(body, "useLegacySql");
    cJSON_AddTrueToObject(body, "dryRun");
    if (bigquery->location[0] != '\0')
        cJSON_AddStringToObject(body, "location", bigquery->location);
    call_path_in_project(bigquery, "/queries", &path);
    const struct call call = {
        .what = TRAFFIC_JOBS_QUERY,
        .subject = "(dry run)",
        .method = "POST",
        .path = buffer_text(&path),
        .body = body,
    };
    bool ok = call_json(bigquery, &call, NULL, err);
    buffer_clear(&path);
    cJSON_Delete(body);
    return ok;
}

/* The answer lists the held permissions in any order; if there are none, the list is absent. */
static void mark_held(
    const cJSON *answer, const char *const *permissions, size_t count, bool *out_held)
{
    const cJSON *one;

    memset(out_held, 0, count * sizeof *out_held);
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(answer, "permissions"))
    {
        for (size_t i = 0; i < count; i++)
            if (cJSON_IsString(one) && strcmp(one->valuestring, permissions[i]) == 0)
                out_held[i] = true;
    }
}

bool bigquery_table_permissions(
    struct bigquery *bigquery, const char *table, const char *const *permissions, size_t count,
    bool *out_held, struct error *err)
{
    struct buffer path;
    cJSON *body = cJSON_CreateObject();
    cJSON *answer = NULL;

    cJSON_AddItemToObject(body, "permissions", cJSON_CreateStringArray(permissions, (int)count));
    call_path_in_table(bigquery, table, ":testIamPermissions", &path);
    const struct call call = {
        .what = TRAFFIC_TABLES_TEST_IAM,
        .subject = table,
        .method = "POST",
        .path = buffer_text(&path),
        .body = body,
    };
    bool ok = call_json(bigquery, &call, &answer, err);
    buffer_clear(&path);
    cJSON_Delete(body);
    if (ok)
        mark_held(answer, permissions, count, out_held);
    cJSON_Delete(answer);
    return ok;
}

bool bigquery_table_has_policies(
    struct bigquery *bigquery, const char *table, bool *out_has, struct error *err)
{
    struct buffer path;
    cJSON *answer = NULL;

    call_path_in_table(bigquery, table, "/rowAccessPolicies", &path);
    const struct call call = {
        .what = TRAFFIC_POLICIES_LIST,
        .subject = table,
        .method = "GET",
        .path = buffer_text(&path),
    };
    bool ok = call_json(bigquery, &call, &answer, err);
    buffer_clear(&path);
    if (ok)
        *out_has =
            cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "rowAccessPolicies")) > 0;
    cJSON_Delete(answer);
    return ok;
}
