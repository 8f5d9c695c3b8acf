/* The routes of tables. */
#include "bqlocal/faults/permission.h"
#include "bqlocal/jobs/estimate.h"
#include "bqlocal/jobs/job_query.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/rest/resources.h"
#include "bqlocal/sql/run/sql.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <string.h>

/* A list has of a view only which SQL it is in. */
static void shorten_views(cJSON *resources)
{
    cJSON *resource;

    cJSON_ArrayForEach(resource, resources)
    {
        cJSON *view = cJSON_GetObjectItemCaseSensitive(resource, "view");
        cJSON_DeleteItemFromObjectCaseSensitive(view, "query");
        cJSON_DeleteItemFromObjectCaseSensitive(view, "useExplicitColumnNames");
    }
}

bool rest_table_list(const struct parts *in, struct request *request, struct error *err)
{
    static const char *const keys[] = {
        "id",
        "tableReference",
        "type",
        "friendlyName",
        "labels",
        "creationTime",
        "expirationTime",
        "timePartitioning",
        "rangePartitioning",
        "clustering",
        "requirePartitionFilter",
        "view",
        NULL,
    };
    static const struct resource_list list = {
        "bigquery#tableList", "bigquery#table", "tables", 50, keys,
    };
    cJSON *resources = NULL;
    cJSON *body = NULL;
    int64_t total;

    if (!store_table_list(in->store, request->parameters.dataset, &resources, err))
        return false;
    shorten_views(resources);
    if (!resource_list_page(request, &list, resources, &body, &total, err))
        return false;
    cJSON_AddNumberToObject(body, "totalItems", (double)total);
    return answer_json(&request->answer, 200, body);
}

static bool answer_table(
    const struct parts *in, struct request *request, const char *dataset, const char *table,
    struct error *err)
{
    cJSON *resource = NULL;

    if (!store_table_get(in->store, dataset, table, &resource, err))
        return false;
    int64_t bytes =
        estimate_table_bytes(in->store, dataset, table, json_number(resource, "numRows", 0));
    json_add_number(resource, "numBytes", bytes);
    json_add_number(resource, "numTotalLogicalBytes", bytes);
    json_add_number(resource, "numLongTermBytes", 0);
    resource_add_link(in, request, resource, "datasets/%s/tables/%s", dataset, table);
    return answer_json(&request->answer, 200, resource);
}

/* A view has the columns of its query. */
static bool complete_view(const struct parts *in, cJSON *body, struct error *err)
{
    return json_at(body, "view") == NULL || sql_complete_view(in->store, body, err);
}

bool rest_table_insert(const struct parts *in, struct request *request, struct error *err)
{
    const char *dataset = request->parameters.dataset;
    cJSON *body = NULL;
    bool ok = false;

    if (!request_json(request, &body, err))
        return false;
    const char *table = json_text(json_at(body, "tableReference"), "tableId");
    if (table == NULL)
        failure_set(err, "required", "Required parameter is missing: tableReference.tableId");
    else
        ok = complete_view(in, body, err) &&
             store_table_insert(in->store, dataset, table, body, err) &&
             answer_table(in, request, dataset, table, err);
    cJSON_Delete(body);
    return ok;
}

bool rest_table_get(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    struct job *job = jobs_find_result(in->jobs, at->dataset, at->table);

    if (job != NULL)
        return answer_json(&request->answer, 200, job_result_table(in->jobs, job));
    return answer_table(in, request, at->dataset, at->table, err);
}

static bool check_etag(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    cJSON *resource = NULL;

    return store_table_get(in->store, at->dataset, at->table, &resource, err) &&
           resource_check_etag(request, resource, err);
}

/* Only a view gets another query, and only a table other columns. */
static bool check_view(
    const struct parts *in, const struct request *request, const cJSON *changes, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    cJSON *resource = NULL;

    if (json_at(changes, "view") == NULL)
        return true;
    bool ok = store_table_get(in->store, at->dataset, at->table, &resource, err) &&
              store_table_check_type(resource, "VIEW", err);
    cJSON_Delete(resource);
    return ok;
}

static bool patch(
    const struct parts *in, struct request *request, cJSON *changes, struct error *err)
{
    const struct path_parameters *at = &request->parameters;

    return check_etag(in, request, err) && check_view(in, request, changes, err) &&
           complete_view(in, changes, err) &&
           store_table_patch(in->store, at->dataset, at->table, changes, err) &&
           answer_table(in, request, at->dataset, at->table, err);
}

bool rest_table_patch(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *body = NULL;

    if (!request_json(request, &body, err))
        return false;
    bool ok = patch(in, request, body, err);
    cJSON_Delete(body);
    return ok;
}

/* An update is a patch that also removes what it does not name. */
bool rest_table_update(const struct parts *in, struct request *request, struct error *err)
{
    static const char *const replaced[] = {
        "description", "friendlyName", "labels", "expirationTime", "clustering", "tableConstraints",
    };
    const struct path_parameters *at = &request->parameters;
    cJSON *body = NULL;
    cJSON *labels = NULL;
    bool ok = false;

    if (!request_json(request, &body, err))
        return false;
    for (size_t i = 0; i < sizeof replaced / sizeof replaced[0]; i++)
        if (json_at(body, replaced[i]) == NULL)
            cJSON_AddNullToObject(body, replaced[i]);
    // A patch merges labels: remove the old ones first.
    labels = cJSON_DetachItemFromObjectCaseSensitive(body, "labels");
    cJSON_AddNullToObject(body, "labels");
    ok = patch(in, request, body, err);
    if (ok && cJSON_IsObject(labels)) {
        cJSON *second = cJSON_CreateObject();
        cJSON_AddItemToObject(second, "labels", labels);
        labels = NULL;
        ok = store_table_patch(in->store, at->dataset, at->table, second, err) &&
             answer_table(in, request, at->dataset, at->table, err);
        cJSON_Delete(second);
    }
    cJSON_Delete(labels);
    cJSON_Delete(body);
    return ok;
}

bool rest_table_delete(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;

    return check_etag(in, request, err) &&
           store_table_delete(in->store, at->dataset, at->table, err) &&
           answer_empty(&request->answer, 204);
}

bool rest_table_permissions(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    cJSON *resource = NULL;
    cJSON *body = NULL;

    if (!request_json(request, &body, err))
        return false;
    bool ok = store_table_get(in->store, at->dataset, at->table, &resource, err);
    if (ok) {
        cJSON *answer = cJSON_CreateObject();
        cJSON *held = permission_held(in->faults, json_at(body, "permissions"));
        // Like Google: no member at all where nothing is held.
        if (cJSON_GetArraySize(held) > 0)
            cJSON_AddItemToObject(answer, "permissions", held);
        else
            cJSON_Delete(held);
        answer_json(&request->answer, 200, answer);
    }
    cJSON_Delete(resource);
    cJSON_Delete(body);
    return ok;
}
