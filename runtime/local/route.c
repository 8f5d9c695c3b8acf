#include "local/route.h"

#include <stdlib.h>
#include <string.h>

#define DATASETS "/projects/{p}/datasets"
#define TABLES   "/projects/{p}/datasets/{d}/tables"
#define JOBS     "/projects/{p}/jobs"

static const struct route routes[] = {
    {"GET", "/projects", ROUTE_API, rest_project_list},
    {"GET", "/projects/{p}/serviceAccount", ROUTE_API, rest_service_account},
    {"GET", DATASETS, ROUTE_API, rest_dataset_list},
    {"POST", DATASETS, ROUTE_API, rest_dataset_insert},
    {"GET", DATASETS "/{d}", ROUTE_API, rest_dataset_get},
    {"PATCH", DATASETS "/{d}", ROUTE_API, rest_dataset_patch},
    {"PUT", DATASETS "/{d}", ROUTE_API, rest_dataset_patch},
    {"DELETE", DATASETS "/{d}", ROUTE_API, rest_dataset_delete},
    {"GET", TABLES, ROUTE_API, rest_table_list},
    {"POST", TABLES, ROUTE_API, rest_table_insert},
    {"GET", TABLES "/{t}", ROUTE_API, rest_table_get},
    {"PATCH", TABLES "/{t}", ROUTE_API, rest_table_patch},
    {"PUT", TABLES "/{t}", ROUTE_API, rest_table_update},
    {"DELETE", TABLES "/{t}", ROUTE_API, rest_table_delete},
    {"POST", TABLES "/{t}:testIamPermissions", ROUTE_API, rest_table_permissions},
    {"GET", TABLES "/{t}/data", ROUTE_API, rest_rows_list},
    {"POST", TABLES "/{t}/insertAll", ROUTE_API, rest_rows_insert},
    {"GET", JOBS, ROUTE_API, rest_job_list},
    {"POST", JOBS, ROUTE_API, rest_job_insert},
    {"GET", JOBS "/{j}", ROUTE_API, rest_job_get},
    {"POST", JOBS "/{j}/cancel", ROUTE_API, rest_job_cancel},
    {"DELETE", JOBS "/{j}/delete", ROUTE_API, rest_job_delete},
    {"POST", "/projects/{p}/queries", ROUTE_API, rest_query},
    {"GET", "/projects/{p}/queries/{j}", ROUTE_API, rest_query_results},
    {"POST", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, upload_handle},
    {"PUT", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, upload_handle},
    {"DELETE", "/upload/projects/{p}/jobs", ROUTE_API, upload_cancel},
    {"GET", "/$discovery/rest", ROUTE_API, rest_discovery},
    {"GET", "/discovery/v1/apis/bigquery/v2/rest", ROUTE_API, rest_discovery},
    {"POST", "/token", ROUTE_TOKEN, strict_token},
    {"GET", "/", ROUTE_OWN, page_index},
    {"GET", "/bqlocal/tables/{d}/{t}", ROUTE_OWN, page_table},
    {"GET", "/bqlocal/tables", ROUTE_OWN, own_tables_get},
    {"GET", "/bqlocal/requests", ROUTE_OWN, own_requests_get},
    {"DELETE", "/bqlocal/requests", ROUTE_OWN, own_requests_delete},
    {"GET", "/bqlocal/faults", ROUTE_OWN, own_faults_get},
    {"PUT", "/bqlocal/faults", ROUTE_OWN, own_faults_put},
    {"DELETE", "/bqlocal/faults", ROUTE_OWN, own_faults_delete},
    {"GET", "/bqlocal/tokens", ROUTE_OWN, strict_describe},
    {"DELETE", "/bqlocal/tokens", ROUTE_OWN, strict_revoke},
};

void path_parameters_clear(struct path_parameters *parameters)
{
    free(parameters->project);
    free(parameters->dataset);
    free(parameters->table);
    free(parameters->job);
    *parameters = (struct path_parameters){0};
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
    const char *below;
    bool upload = rest != NULL;
    char *out = NULL;

    if (!upload) {
        rest = skip_prefix(path, "/upload");
        upload = rest != NULL;
    }
    if (!upload)
        rest = path;
    below = skip_prefix(rest, "/bigquery/v2");
    if (below != NULL)
        rest = below;
    size_t length = strlen(rest) + sizeof "/upload";
    out = malloc(length);
    if (out != NULL) {
        strcpy(out, upload ? "/upload" : "");
        strcat(out, rest);
        // A slash at the end means nothing.
        size_t used = strlen(out);
        if (used > 1 && out[used - 1] == '/')
            out[used - 1] = '\0';
    }
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
    default:
        return &parameters->job;
    }
}

/* Matches one path with one pattern. */
static bool match(const char *pattern, const char *path, struct path_parameters *parameters)
{
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        char **to = parameter_of(parameters, pattern[1]);
        pattern += 3;
        // A segment ends at the next slash; a table's also at the verb behind a colon.
        size_t length = *pattern == ':' ? strcspn(path, "/:") : strcspn(path, "/");
        if (length == 0)
            return false;
        free(*to);
        *to = strndup(path, length);
        path += length;
    }
    return *path == '\0';
}

void route_find(struct request *request)
{
    char *path = normalise(request->path);

    for (size_t i = 0; path != NULL && i < sizeof routes / sizeof routes[0]; i++) {
        struct path_parameters parameters = {0};
        bool fits = match(routes[i].pattern, path, &parameters);
        bool verb = fits && parameters.table != NULL && strchr(parameters.table, ':') != NULL;
        request->path_known = request->path_known || (fits && !verb);
        if (fits && !verb && strcmp(routes[i].method, request->method) == 0) {
            request->route = &routes[i];
            request->parameters = parameters;
            break;
        }
        path_parameters_clear(&parameters);
    }
    free(path);
}
