#include "bqlocal/server/route_table.h"

#include "bqlocal/auth/strict.h"
#include "bqlocal/http/property.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/rest/uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATASETS "/projects/{p}/datasets"
#define TABLES   "/projects/{p}/datasets/{d}/tables"
#define JOBS     "/projects/{p}/jobs"
#define POLICIES TABLES "/{t}/rowAccessPolicies"

static request_handler discover;

static const struct route routes[] = {
    {"GET", "/projects", ROUTE_API, rest_project_list, NULL, "projects.list", NULL},
    {"GET", "/projects/{p}/serviceAccount", ROUTE_API, rest_service_account, NULL,
     "projects.getServiceAccount", NULL},
    {"GET", DATASETS, ROUTE_API, rest_dataset_list, NULL, "datasets.list", NULL},
    {"POST", DATASETS, ROUTE_API, rest_dataset_insert, "bigquery.datasets.create",
     "datasets.insert", "Dataset"},
    {"GET", DATASETS "/{d}", ROUTE_API, rest_dataset_get, "bigquery.datasets.get", "datasets.get",
     NULL},
    {"PATCH", DATASETS "/{d}", ROUTE_API, rest_dataset_patch, "bigquery.datasets.update",
     "datasets.patch", "Dataset"},
    {"PUT", DATASETS "/{d}", ROUTE_API, rest_dataset_patch, "bigquery.datasets.update",
     "datasets.update", "Dataset"},
    {"DELETE", DATASETS "/{d}", ROUTE_API, rest_dataset_delete, "bigquery.datasets.delete",
     "datasets.delete", NULL},
    {"GET", TABLES, ROUTE_API, rest_table_list, "bigquery.tables.list", "tables.list", NULL},
    {"POST", TABLES, ROUTE_API, rest_table_insert, "bigquery.tables.create", "tables.insert",
     "Table"},
    {"GET", TABLES "/{t}", ROUTE_API, rest_table_get, "bigquery.tables.get", "tables.get", NULL},
    {"PATCH", TABLES "/{t}", ROUTE_API, rest_table_patch, "bigquery.tables.update", "tables.patch",
     "Table"},
    {"PUT", TABLES "/{t}", ROUTE_API, rest_table_update, "bigquery.tables.update", "tables.update",
     "Table"},
    {"DELETE", TABLES "/{t}", ROUTE_API, rest_table_delete, "bigquery.tables.delete",
     "tables.delete", NULL},
    {"POST", TABLES "/{t}:testIamPermissions", ROUTE_API, rest_table_permissions, NULL,
     "tables.testIamPermissions", NULL},
    {"GET", TABLES "/{t}/data", ROUTE_API, rest_rows_list, "bigquery.tables.getData",
     "tabledata.list", NULL},
    {"POST", TABLES "/{t}/insertAll", ROUTE_API, rest_absent, NULL, "tabledata.insertAll", NULL},
    {"GET", JOBS, ROUTE_API, rest_job_list, NULL, "jobs.list", NULL},
    {"POST", JOBS, ROUTE_API, rest_job_insert, "bigquery.jobs.create", "jobs.insert", "Job"},
    {"GET", JOBS "/{j}", ROUTE_API, rest_job_get, NULL, "jobs.get", NULL},
    {"POST", JOBS "/{j}/cancel", ROUTE_API, rest_job_cancel, NULL, "jobs.cancel", NULL},
    {"DELETE", JOBS "/{j}/delete", ROUTE_API, rest_job_delete, NULL, "jobs.delete", NULL},
    {"POST", "/projects/{p}/queries", ROUTE_API, rest_query, "bigquery.jobs.create", "jobs.query",
     "QueryRequest"},
    {"GET", "/projects/{p}/queries/{j}", ROUTE_API, rest_query_results, NULL,
     "jobs.getQueryResults", NULL},
    {"POST", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, rest_upload, "bigquery.jobs.create",
     "uploads", "Job"},
    {"PUT", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, rest_upload, "bigquery.jobs.create",
     "uploads", "Job"},
    {"DELETE", "/upload/projects/{p}/jobs", ROUTE_API, rest_upload_cancel, NULL, "uploads", NULL},
    {"GET", DATASETS "/{d}/models", ROUTE_API, rest_absent_list, NULL, "models.list", NULL},
    {"GET", DATASETS "/{d}/routines", ROUTE_API, rest_routine_list, "bigquery.routines.list",
     "routines.list", NULL},
    {"GET", DATASETS "/{d}/routines/{x}", ROUTE_API, rest_routine_get, "bigquery.routines.get",
     "routines.get", NULL},
    {"DELETE", DATASETS "/{d}/routines/{x}", ROUTE_API, rest_routine_delete,
     "bigquery.routines.delete", "routines.delete", NULL},
    {"GET", POLICIES, ROUTE_API, rest_policy_list, "bigquery.rowAccessPolicies.list",
     "rowAccessPolicies.list", NULL},
    {"*", DATASETS "/{d}/models", ROUTE_API, rest_absent, NULL, "models", NULL},
    {"*", DATASETS "/{d}/models/{x}", ROUTE_API, rest_absent, NULL, "models", NULL},
    {"*", DATASETS "/{d}/routines", ROUTE_API, rest_absent, NULL, "routines", NULL},
    {"*", DATASETS "/{d}/routines/{x}", ROUTE_API, rest_absent, NULL, "routines", NULL},
    {"*", POLICIES, ROUTE_API, rest_absent, NULL, "rowAccessPolicies", NULL},
    {"*", POLICIES "/{x}", ROUTE_API, rest_absent, NULL, "rowAccessPolicies", NULL},
    {"*", POLICIES ":batchDelete", ROUTE_API, rest_absent, NULL, "rowAccessPolicies", NULL},
    {"*", TABLES "/{t}:getIamPolicy", ROUTE_API, rest_absent, NULL, "tables.getIamPolicy", NULL},
    {"*", TABLES "/{t}:setIamPolicy", ROUTE_API, rest_absent, NULL, "tables.setIamPolicy", NULL},
    {"*", DATASETS "/{d}:undelete", ROUTE_API, rest_absent, NULL, "datasets.undelete", NULL},
    {"GET", "/$discovery/rest", ROUTE_API, discover, NULL, NULL, NULL},
    {"GET", "/discovery/v1/apis/bigquery/v2/rest", ROUTE_API, discover, NULL, NULL, NULL},
    {"POST", "/token", ROUTE_TOKEN, strict_token, NULL, NULL, NULL},
    {"GET", "/", ROUTE_OWN, rest_browse, NULL, NULL, NULL},
    {"GET", "/bqlocal/tables/{d}/{t}", ROUTE_OWN, rest_browse_table, NULL, NULL, NULL},
    {"GET", "/bqlocal/query", ROUTE_OWN, rest_browse_query, NULL, NULL, NULL},
    {"GET", "/bqlocal/tables", ROUTE_OWN, rest_own_tables_get, NULL, NULL, NULL},
    {"GET", "/bqlocal/requests", ROUTE_OWN, rest_own_requests_get, NULL, NULL, NULL},
    {"DELETE", "/bqlocal/requests", ROUTE_OWN, rest_own_requests_delete, NULL, NULL, NULL},
    {"GET", "/bqlocal/faults", ROUTE_OWN, rest_own_faults_get, NULL, NULL, NULL},
    {"PUT", "/bqlocal/faults", ROUTE_OWN, rest_own_faults_put, NULL, NULL, NULL},
    {"GET", "/bqlocal/properties", ROUTE_OWN, rest_own_properties_get, NULL, NULL, NULL},
    {"DELETE", "/bqlocal/faults", ROUTE_OWN, rest_own_faults_delete, NULL, NULL, NULL},
    {"GET", "/bqlocal/tokens", ROUTE_OWN, strict_describe, NULL, NULL, NULL},
    {"DELETE", "/bqlocal/tokens", ROUTE_OWN, strict_revoke, NULL, NULL, NULL},
};

/* Stands for %2F in a decoded path: a slash that ends no segment. */
#define QUOTED_SLASH '\x01'

/* The path of a target without its query, decoded; owned. */
static char *decode(const char *target)
{
    char *path = strndup(target, strcspn(target, "?"));
    char *to = path;

    for (const char *at = path; at != NULL && *at != '\0'; at++, to++) {
        unsigned code;
        *to = *at;
        if (*at != '%' || sscanf(at + 1, "%2x", &code) != 1 || at[1] == '\0' || at[2] == '\0')
            continue;
        *to = code == '/' ? QUOTED_SLASH : (char)code;
        at += 2;
    }
    if (to != NULL)
        *to = '\0';
    return path;
}

static const char *skip_prefix(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

/* The path without the API's prefixes: /bigquery/v2/projects and /projects are one, and so are
 * /upload/bigquery/v2, /resumable/upload/bigquery/v2 and /upload. */
static char *normalise(const char *path)
{
    const char *rest = skip_prefix(path, "/resumable/upload");
    char *out = NULL;

    if (rest == NULL)
        rest = skip_prefix(path, "/upload");
    const char *upload = rest != NULL ? "/upload" : "";
    if (rest == NULL)
        rest = path;
    const char *below = skip_prefix(rest, "/bigquery/v2");
    int length = asprintf(&out, "%s%s", upload, below == NULL ? rest : below);
    if (length < 0)
        return NULL;
    // A slash at the end means nothing.
    if (length > 1 && out[length - 1] == '/')
        out[length - 1] = '\0';
    return out;
}

static char **parameter_of(struct path_parameters *parameters, char name)
{
    switch (name) {
    case 'p':
        return &parameters->project;
    case 'd':
        return &parameters->dataset;
    case 't':
        return &parameters->table;
    case 'x':
        return &parameters->other;
    default:
        return &parameters->job;
    }
}

/* Behind one segment of a path: it ends at the next slash, a table's and a dataset's also at the
 * verb behind a colon. NULL if it is empty or has a verb that the pattern does not have. */
static const char *segment_end(const char *pattern, const char *path)
{
    size_t length = strcspn(path, pattern[1] == 't' || pattern[1] == 'd' ? "/:" : "/");
    bool verb = path[length] == ':';

    return length == 0 || verb != (pattern[3] == ':') ? NULL : path + length;
}

/* The text of a segment, owned. */
static char *copy_segment(const char *path, size_t length)
{
    char *copy = strndup(path, length);

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        *at = *at == QUOTED_SLASH ? '/' : *at;
    return copy;
}

/* Matches one path with one pattern; with parameters (NULL: only looks) their texts are copied. */
static bool match(const char *pattern, const char *path, struct path_parameters *parameters)
{
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const char *end = segment_end(pattern, path);
        if (end == NULL)
            return false;
        if (parameters != NULL)
            *parameter_of(parameters, pattern[1]) = copy_segment(path, (size_t)(end - path));
        pattern += strlen("{p}");
        path = end;
    }
    return *path == '\0';
}

const struct route *route_find(struct request *request, bool *out_path_known)
{
    const struct route *found = NULL;
    char *decoded = decode(request->target);
    char *path = decoded == NULL ? NULL : normalise(decoded);

    *out_path_known = false;
    for (size_t i = 0; path != NULL && found == NULL && i < sizeof routes / sizeof routes[0]; i++) {
        if (!match(routes[i].pattern, path, NULL))
            continue;
        *out_path_known = true;
        if (strcmp(routes[i].method, request->method) == 0 || routes[i].method[0] == '*')
            found = &routes[i];
    }
    if (found != NULL)
        (void)match(found->pattern, path, &request->parameters);
    free(path);
    free(decoded);
    return found;
}

bool route_changes_store(const struct route *route)
{
    const char *id = route->id == NULL ? "" : route->id;

    return strcmp(id, "jobs.delete") == 0 ||
           (strcmp(route->method, "GET") != 0 &&
            (strncmp(id, "datasets.", 9) == 0 || strncmp(id, "tables.", 7) == 0 ||
             strncmp(id, "routines.", 9) == 0));
}

/* --- the discovery document --------------------------------------------------------------------
 */

static cJSON *member(cJSON *object, const char *name)
{
    cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);

    return found != NULL ? found : cJSON_AddObjectToObject(object, name);
}

static void add_parameter(cJSON *method, const char *name, const char *location)
{
    cJSON *parameter = member(member(method, "parameters"), name);

    cJSON_AddStringToObject(parameter, "type", "string");
    cJSON_AddStringToObject(parameter, "location", location);
    cJSON_AddBoolToObject(parameter, "required", location[0] == 'p');
}

/* The pattern as Google writes it, "projects/{+projectId}/jobs", and its parameters. */
static void add_path(cJSON *method, const char *pattern)
{
    static const char *const names[] = {"projectId", "datasetId", "tableId", "jobId", "routineId"};
    struct buffer path;

    buffer_init(&path, 4096);
    for (const char *at = pattern + 1; *at != '\0'; at++) {
        const char *found = at[0] == '{' ? strchr("pdtjx", at[1]) : NULL;
        if (found == NULL) {
            buffer_append_byte(&path, (uint8_t)*at);
            continue;
        }
        const char *name = names[found - strchr("pdtjx", 'p')];
        buffer_printf(&path, "{+%s}", name);
        add_parameter(method, name, "path");
        at += 2;
    }
    cJSON_AddStringToObject(method, "path", buffer_text(&path));
    buffer_clear(&path);
}

/* Adds the method of a route: what a client needs to call it. */
static void add_method(cJSON *document, const cJSON *properties, const struct route *route)
{
    char *resource = strndup(route->id, strcspn(route->id, "."));
    const char *name = route->id + strlen(resource) + 1;
    cJSON *method =
        member(member(member(member(document, "resources"), resource), "methods"), name);
    const cJSON *parameter;

    free(resource);
    cJSON_AddStringToObject(method, "id", route->id);
    cJSON_AddStringToObject(method, "httpMethod", route->method);
    add_path(method, route->pattern);
    cJSON_ArrayForEach(parameter, cJSON_GetObjectItemCaseSensitive(properties, route->id))
    {
        add_parameter(method, parameter->string, "query");
    }
    cJSON_AddStringToObject(member(method, "response"), "$ref", "Object");
    if (strcmp(route->method, "GET") != 0 && strcmp(route->method, "DELETE") != 0)
        cJSON_AddStringToObject(member(method, "request"), "$ref", "Object");
    if (strcmp(route->id, "jobs.insert") == 0) {
        cJSON_AddTrueToObject(method, "supportsMediaUpload");
        cJSON_AddItemToArray(
            cJSON_AddArrayToObject(member(method, "mediaUpload"), "accept"),
            cJSON_CreateString("*/*"));
    }
}

/* Enough for clients that build their methods from the document. */
static bool discover(const struct parts *in, struct request *request, struct error *err)
{
    static const char *const texts[][2] = {
        {"name", "bigquery"},
        {"version", "v2"},
        {"servicePath", "bigquery/v2/"},
        {"basePath", "/bigquery/v2/"},
    };
    cJSON *body = cJSON_CreateObject();
    cJSON *properties = property_describe();
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
    cJSON *object = member(member(body, "schemas"), "Object");
    cJSON_AddStringToObject(object, "id", "Object");
    cJSON_AddStringToObject(object, "type", "object");
    cJSON_AddObjectToObject(object, "properties");
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (routes[i].id != NULL && routes[i].kind == ROUTE_API && routes[i].method[0] != '*' &&
            strchr(routes[i].id, '.') != NULL)
            add_method(body, properties, &routes[i]);
    cJSON_Delete(properties);
    return answer_json(&request->answer, 200, body);
}
