/* The routes of datasets. */
#include "bqlocal/rest/handlers.h"
#include "bqlocal/rest/resources.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

bool rest_dataset_list(const struct parts *in, struct request *request, struct error *err)
{
    static const char *const keys[] = {
        "id", "datasetReference", "labels", "friendlyName", "location", NULL,
    };
    static const struct resource_list list = {
        "bigquery#datasetList", "bigquery#dataset", "datasets", 1000, keys,
    };
    cJSON *resources = NULL;
    cJSON *body = NULL;
    int64_t total;

    return store_dataset_list(in->store, &resources, err) &&
           resource_list_page(request, &list, resources, &body, &total, err) &&
           answer_json(&request->answer, 200, body);
}

static bool answer_dataset(
    const struct parts *in, struct request *request, const char *dataset, struct error *err)
{
    cJSON *resource = NULL;

    if (!store_dataset_get(in->store, dataset, &resource, err))
        return false;
    resource_add_link(in, request, resource, "datasets/%s", dataset);
    return answer_json(&request->answer, 200, resource);
}

bool rest_dataset_insert(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *body = NULL;
    bool ok = false;

    if (!request_json(request, &body, err))
        return false;
    const char *dataset = json_text(json_at(body, "datasetReference"), "datasetId");
    if (json_text(body, "location") == NULL)
        cJSON_AddStringToObject(body, "location", in->location);
    if (dataset == NULL)
        failure_set(err, "required", "Required parameter is missing: datasetReference.datasetId");
    else
        ok = store_dataset_insert(in->store, dataset, body, err) &&
             answer_dataset(in, request, dataset, err);
    cJSON_Delete(body);
    return ok;
}

bool rest_dataset_get(const struct parts *in, struct request *request, struct error *err)
{
    return answer_dataset(in, request, request->parameters.dataset, err);
}

static bool check_etag(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *resource = NULL;

    return store_dataset_get(in->store, request->parameters.dataset, &resource, err) &&
           resource_check_etag(request, resource, err);
}

bool rest_dataset_patch(const struct parts *in, struct request *request, struct error *err)
{
    const char *dataset = request->parameters.dataset;
    cJSON *body = NULL;

    if (!request_json(request, &body, err))
        return false;
    bool ok = check_etag(in, request, err) && store_dataset_patch(in->store, dataset, body, err) &&
              answer_dataset(in, request, dataset, err);
    cJSON_Delete(body);
    return ok;
}

bool rest_dataset_delete(const struct parts *in, struct request *request, struct error *err)
{
    return check_etag(in, request, err) &&
           store_dataset_delete(
               in->store, request->parameters.dataset,
               request_query_bool(request, "deleteContents"), err) &&
           answer_empty(&request->answer, 204);
}
