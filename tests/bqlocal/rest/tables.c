/* The routes of tables. */
#include "bqlocal/faults/permission.h"
#include "bqlocal/http/paging.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/jobs/estimate.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/store/failure.h"

#include <stdlib.h>
#include <string.h>

/* What tables.list tells of each table. */
static const char *const listed_keys[] = {
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
};

bool rest_table_list(struct server *server, struct request *request, struct error *err)
{
    cJSON *resources = NULL;
    int64_t first, count;

    if (!store_table_list(&server->store, request->parameters.dataset, &resources, err))
        return false;
    int64_t total = cJSON_GetArraySize(resources);
    if (!paging_window(request, total, 50, &first, &count, err)) {
        cJSON_Delete(resources);
        return false;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#tableList");
    cJSON *list = count > 0 ? cJSON_AddArrayToObject(body, "tables") : NULL;
    const cJSON *resource;
    int64_t index = 0;
    cJSON_ArrayForEach(resource, resources)
    {
        if (index++ < first || index > first + count)
            continue;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", "bigquery#table");
        for (size_t i = 0; i < sizeof listed_keys / sizeof listed_keys[0]; i++) {
            const cJSON *value = json_at(resource, listed_keys[i]);
            if (value != NULL)
                cJSON_AddItemToObject(item, listed_keys[i], cJSON_Duplicate(value, true));
        }
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddNumberToObject(body, "totalItems", (double)total);
    paging_add_token(body, "nextPageToken", first + count, total);
    cJSON_Delete(resources);
    return answer_json(&request->answer, 200, body);
}

static bool answer_table(
    struct server *server, struct request *request, const char *dataset, const char *table,
    struct error *err)
{
    cJSON *resource = NULL;
    struct buffer link;

    if (!store_table_get(&server->store, dataset, table, &resource, err))
        return false;
    int64_t bytes =
        estimate_table_bytes(&server->store, dataset, table, json_number(resource, "numRows", 0));
    json_add_number(resource, "numBytes", bytes);
    json_add_number(resource, "numTotalLogicalBytes", bytes);
    json_add_number(resource, "numLongTermBytes", 0);
    char *origin = request_origin(request);
    buffer_init(&link, 8192);
    buffer_printf(
        &link, "%s/bigquery/v2/projects/%s/datasets/%s/tables/%s", origin == NULL ? "" : origin,
        server->store.project, dataset, table);
    cJSON_AddStringToObject(resource, "selfLink", buffer_text(&link));
    buffer_clear(&link);
    free(origin);
    return answer_json(&request->answer, 200, resource);
}

bool rest_table_insert(struct server *server, struct request *request, struct error *err)
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
        ok = store_table_insert(&server->store, dataset, table, body, err) &&
             answer_table(server, request, dataset, table, err);
    cJSON_Delete(body);
    return ok;
}

bool rest_table_get(struct server *server, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    struct job *job = jobs_find_result(server->jobs, at->dataset, at->table);

    if (job != NULL)
        return answer_json(&request->answer, 200, job_result_table(server, job));
    return answer_table(server, request, at->dataset, at->table, err);
}

/* conditionNotMet unless the caller's If-Match (if any) names the table as it is. */
static bool check_etag(struct server *server, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    const char *wanted = request_header(request, "If-Match");
    cJSON *resource = NULL;

    if (wanted == NULL || strcmp(wanted, "*") == 0)
        return true;
    if (!store_table_get(&server->store, at->dataset, at->table, &resource, err))
        return false;
    const char *etag = json_text(resource, "etag");
    bool same = etag != NULL && strcmp(etag, wanted) == 0;
    cJSON_Delete(resource);
    return same || failure_set(err, "conditionNotMet", "Precondition check failed.");
}

static bool patch(
    struct server *server, struct request *request, const cJSON *changes, struct error *err)
{
    const struct path_parameters *at = &request->parameters;

    return check_etag(server, request, err) &&
           store_table_patch(&server->store, at->dataset, at->table, changes, err) &&
           answer_table(server, request, at->dataset, at->table, err);
}

bool rest_table_patch(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = NULL;

    if (!request_json(request, &body, err))
        return false;
    bool ok = patch(server, request, body, err);
    cJSON_Delete(body);
    return ok;
}

/* An update is a patch that also takes away what it does not name. */
bool rest_table_update(struct server *server, struct request *request, struct error *err)
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
    // Labels would be merged: take them away first.
    labels = cJSON_DetachItemFromObjectCaseSensitive(body, "labels");
    cJSON_AddNullToObject(body, "labels");
    ok = patch(server, request, body, err);
    if (ok && cJSON_IsObject(labels)) {
        cJSON *second = cJSON_CreateObject();
        cJSON_AddItemToObject(second, "labels", labels);
        labels = NULL;
        ok = store_table_patch(&server->store, at->dataset, at->table, second, err) &&
             answer_table(server, request, at->dataset, at->table, err);
        cJSON_Delete(second);
    }
    cJSON_Delete(labels);
    cJSON_Delete(body);
    return ok;
}

bool rest_table_delete(struct server *server, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;

    return store_table_delete(&server->store, at->dataset, at->table, err) &&
           answer_empty(&request->answer, 204);
}

bool rest_table_permissions(struct server *server, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    cJSON *resource = NULL;
    cJSON *body = NULL;

    if (!request_json(request, &body, err))
        return false;
    bool ok = store_table_get(&server->store, at->dataset, at->table, &resource, err);
    if (ok) {
        cJSON *answer = cJSON_CreateObject();
        cJSON *held = permission_held(server, json_at(body, "permissions"));
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
