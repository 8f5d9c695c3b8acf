/* The routes of projects, and the discovery document that some clients ask for. */
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

/* Enough for a client to find its roots; clients that build their methods from the document bring
 * their own. */
bool rest_discovery(const struct parts *in, struct request *request, struct error *err)
{
    static const char *const texts[][2] = {
        {"kind", "discovery#restDescription"},
        {"id", "bigquery:v2"},
        {"name", "bigquery"},
        {"version", "v2"},
        {"protocol", "rest"},
        {"servicePath", "bigquery/v2/"},
        {"basePath", "/bigquery/v2/"},
        {"batchPath", "batch/bigquery/v2"},
    };
    cJSON *body = cJSON_CreateObject();
    struct buffer url;
    (void)in;
    (void)err;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cJSON_AddStringToObject(body, texts[i][0], texts[i][1]);
    buffer_init(&url, 8192);
    buffer_printf(&url, "%s/", request->origin);
    cJSON_AddStringToObject(body, "rootUrl", buffer_text(&url));
    buffer_append_text(&url, "bigquery/v2/");
    cJSON_AddStringToObject(body, "baseUrl", buffer_text(&url));
    buffer_clear(&url);
    cJSON_AddObjectToObject(body, "schemas");
    cJSON_AddObjectToObject(body, "resources");
    return answer_json(&request->answer, 200, body);
}
