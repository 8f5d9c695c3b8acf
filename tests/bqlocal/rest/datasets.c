/* The routes of datasets, and the few of projects. */
#include "bqlocal/http/paging.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/store/failure.h"

#include <stdlib.h>
#include <string.h>

static void add_copy(cJSON *to, const cJSON *from, const char *key)
{
    const cJSON *item = json_at(from, key);

    if (item != NULL)
        cJSON_AddItemToObject(to, key, cJSON_Duplicate(item, true));
}

static void add_self_link(const struct request *request, cJSON *resource, const char *dataset)
{
    char *origin = request_origin(request);
    struct buffer link;

    buffer_init(&link, 8192);
    buffer_printf(
        &link, "%s/bigquery/v2/projects/%s/datasets/%s", origin == NULL ? "" : origin,
        request->server->store.project, dataset);
    cJSON_AddStringToObject(resource, "selfLink", buffer_text(&link));
    buffer_clear(&link);
    free(origin);
}

bool rest_project_list(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    (void)err;

    cJSON_AddStringToObject(body, "kind", "bigquery#projectList");
    cJSON *project = cJSON_CreateObject();
    cJSON_AddStringToObject(project, "kind", "bigquery#project");
    cJSON_AddStringToObject(project, "id", server->store.project);
    cJSON_AddStringToObject(project, "friendlyName", server->store.project);
    cJSON *reference = cJSON_AddObjectToObject(project, "projectReference");
    cJSON_AddStringToObject(reference, "projectId", server->store.project);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "projects"), project);
    cJSON_AddNumberToObject(body, "totalItems", 1);
    return answer_json(&request->answer, 200, body);
}

bool rest_service_account(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    (void)server;
    (void)err;

    cJSON_AddStringToObject(body, "kind", "bigquery#getServiceAccountResponse");
    cJSON_AddStringToObject(body, "email", "bqlocal@localhost");
    return answer_json(&request->answer, 200, body);
}

bool rest_dataset_list(struct server *server, struct request *request, struct error *err)
{
    cJSON *resources = NULL;
    int64_t first, count;

    if (!store_dataset_list(&server->store, &resources, err))
        return false;
    int64_t total = cJSON_GetArraySize(resources);
    if (!paging_window(request, total, 1000, &first, &count, err)) {
        cJSON_Delete(resources);
        return false;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "kind", "bigquery#datasetList");
    cJSON *list = total > 0 ? cJSON_AddArrayToObject(body, "datasets") : NULL;
    const cJSON *resource;
    int64_t index = 0;
    cJSON_ArrayForEach(resource, resources)
    {
        if (index++ < first || index > first + count)
            continue;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", "bigquery#dataset");
        add_copy(item, resource, "id");
        add_copy(item, resource, "datasetReference");
        add_copy(item, resource, "labels");
        add_copy(item, resource, "friendlyName");
        add_copy(item, resource, "location");
        cJSON_AddItemToArray(list, item);
    }
    paging_add_token(body, "nextPageToken", first + count, total);
    cJSON_Delete(resources);
    return answer_json(&request->answer, 200, body);
}

static bool answer_dataset(
    struct server *server, struct request *request, const char *dataset, struct error *err)
{
    cJSON *resource = NULL;

    if (!store_dataset_get(&server->store, dataset, &resource, err))
        return false;
    add_self_link(request, resource, dataset);
    return answer_json(&request->answer, 200, resource);
}

bool rest_dataset_insert(struct server *server, struct request *request, struct error *err)
{
    cJSON *body = NULL;
    bool ok = false;

    if (!request_json(request, &body, err))
        return false;
    const char *dataset = json_text(json_at(body, "datasetReference"), "datasetId");
    if (json_text(body, "location") == NULL)
        cJSON_AddStringToObject(body, "location", server->options.location);
    if (dataset == NULL)
        failure_set(err, "required", "Required parameter is missing: datasetReference.datasetId");
    else
        ok = store_dataset_insert(&server->store, dataset, body, err) &&
             answer_dataset(server, request, dataset, err);
    cJSON_Delete(body);
    return ok;
}

bool rest_dataset_get(struct server *server, struct request *request, struct error *err)
{
    return answer_dataset(server, request, request->parameters.dataset, err);
}

bool rest_dataset_patch(struct server *server, struct request *request, struct error *err)
{
    const char *dataset = request->parameters.dataset;
    cJSON *body = NULL;

    if (!request_json(request, &body, err))
        return false;
    bool ok = store_dataset_patch(&server->store, dataset, body, err) &&
              answer_dataset(server, request, dataset, err);
    cJSON_Delete(body);
    return ok;
}

bool rest_dataset_delete(struct server *server, struct request *request, struct error *err)
{
    return store_dataset_delete(
               &server->store, request->parameters.dataset,
               request_query_bool(request, "deleteContents"), err) &&
           answer_empty(&request->answer, 204);
}
