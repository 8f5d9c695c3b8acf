/* The routes of projects. */
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/store.h"

bool rest_project_list(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    (void)err;

    cJSON_AddStringToObject(body, "kind", "bigquery#projectList");
    cJSON *project = cJSON_CreateObject();
    cJSON_AddStringToObject(project, "kind", "bigquery#project");
    cJSON_AddStringToObject(project, "id", in->store->project);
    cJSON_AddStringToObject(project, "numericId", "1");
    cJSON_AddStringToObject(project, "friendlyName", in->store->project);
    cJSON *reference = cJSON_AddObjectToObject(project, "projectReference");
    cJSON_AddStringToObject(reference, "projectId", in->store->project);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "projects"), project);
    cJSON_AddNumberToObject(body, "totalItems", 1);
    return answer_json(&request->answer, 200, body);
}

bool rest_service_account(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    (void)in;
    (void)err;

    cJSON_AddStringToObject(body, "kind", "bigquery#getServiceAccountResponse");
    cJSON_AddStringToObject(body, "email", "bqlocal@localhost");
    return answer_json(&request->answer, 200, body);
}
