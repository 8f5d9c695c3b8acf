/* The routes of routines: table functions, which CREATE TABLE FUNCTION makes. */
#include "bqlocal/rest/handlers.h"
#include "bqlocal/rest/resources.h"
#include "bqlocal/store/store_routine.h"

bool rest_routine_list(const struct parts *in, struct request *request, struct error *err)
{
    static const char *const keys[] = {
        "etag",     "routineReference", "routineType",    "creationTime", "lastModifiedTime",
        "language", "arguments",        "definitionBody", "description",  NULL,
    };
    static const struct resource_list list = {
        "bigquery#listRoutinesResponse", "bigquery#routine", "routines", 50, keys,
    };
    cJSON *resources = NULL;
    cJSON *body = NULL;
    int64_t total;

    if (!store_routine_list(in->store, request->parameters.dataset, &resources, err) ||
        !resource_list_page(request, &list, resources, &body, &total, err))
        return false;
    return answer_json(&request->answer, 200, body);
}

bool rest_routine_get(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    cJSON *resource = NULL;

    return store_routine_get(in->store, at->dataset, at->other, &resource, err) &&
           answer_json(&request->answer, 200, resource);
}

bool rest_routine_delete(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;

    return store_routine_delete(in->store, at->dataset, at->other, err) &&
           answer_empty(&request->answer, 204);
}
