#include "bqlocal/server/route_table.h"

#include <stdlib.h>
#include <string.h>

#define DATASETS "/projects/{p}/datasets"
#define TABLES   "/projects/{p}/datasets/{d}/tables"
#define JOBS     "/projects/{p}/jobs"

static const struct route routes[] = {
    {"GET", "/projects", ROUTE_API, rest_project_list, NULL},
    {"GET", "/projects/{p}/serviceAccount", ROUTE_API, rest_service_account, NULL},
    {"GET", DATASETS, ROUTE_API, rest_dataset_list, NULL},
    {"POST", DATASETS, ROUTE_API, rest_dataset_insert, "bigquery.datasets.create"},
    {"GET", DATASETS "/{d}", ROUTE_API, rest_dataset_get, "bigquery.datasets.get"},
    {"PATCH", DATASETS "/{d}", ROUTE_API, rest_dataset_patch, NULL},
    {"PUT", DATASETS "/{d}", ROUTE_API, rest_dataset_patch, NULL},
    {"DELETE", DATASETS "/{d}", ROUTE_API, rest_dataset_delete, NULL},
    {"GET", TABLES, ROUTE_API, rest_table_list, "bigquery.tables.list"},
    {"POST", TABLES, ROUTE_API, rest_table_insert, "bigquery.tables.create"},
    {"GET", TABLES "/{t}", ROUTE_API, rest_table_get, "bigquery.tables.get"},
    {"PATCH", TABLES "/{t}", ROUTE_API, rest_table_patch, "bigquery.tables.update"},
    {"PUT", TABLES "/{t}", ROUTE_API, rest_table_update, "bigquery.tables.update"},
    {"DELETE", TABLES "/{t}", ROUTE_API, rest_table_delete, "bigquery.tables.delete"},
    {"POST", TABLES "/{t}:testIamPermissions", ROUTE_API, rest_table_permissions, NULL},
    {"GET", TABLES "/{t}/data", ROUTE_API, rest_rows_list, "bigquery.tables.getData"},
    {"POST", TABLES "/{t}/insertAll", ROUTE_API, rest_rows_insert, NULL},
    {"GET", JOBS, ROUTE_API, rest_job_list, NULL},
    {"POST", JOBS, ROUTE_API, rest_job_insert, "bigquery.jobs.create"},
    {"GET", JOBS "/{j}", ROUTE_API, rest_job_get, NULL},
    {"POST", JOBS "/{j}/cancel", ROUTE_API, rest_job_cancel, NULL},
    {"DELETE", JOBS "/{j}/delete", ROUTE_API, rest_job_delete, NULL},
    {"POST", "/projects/{p}/queries", ROUTE_API, rest_query, "bigquery.jobs.create"},
    {"GET", "/projects/{p}/queries/{j}", ROUTE_API, rest_query_results, NULL},
    {"POST", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, upload_handle, "bigquery.jobs.create"},
    {"PUT", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, upload_handle, "bigquery.jobs.create"},
    {"DELETE", "/upload/projects/{p}/jobs", ROUTE_API, upload_cancel, NULL},
    {"GET", "/$discovery/rest", ROUTE_API, rest_discovery, NULL},
    {"GET", "/discovery/v1/apis/bigquery/v2/rest", ROUTE_API, rest_discovery, NULL},
    {"POST", "/token", ROUTE_TOKEN, strict_token, NULL},
    {"GET", "/", ROUTE_OWN, page_index, NULL},
    {"GET", "/bqlocal/tables/{d}/{t}", ROUTE_OWN, page_table, NULL},
    {"GET", "/bqlocal/tables", ROUTE_OWN, own_tables_get, NULL},
    {"GET", "/bqlocal/requests", ROUTE_OWN, own_requests_get, NULL},
    {"DELETE", "/bqlocal/requests", ROUTE_OWN, own_requests_delete, NULL},
    {"GET", "/bqlocal/faults", ROUTE_OWN, own_faults_get, NULL},
    {"PUT", "/bqlocal/faults", ROUTE_OWN, own_faults_put, NULL},
    {"DELETE", "/bqlocal/faults", ROUTE_OWN, own_faults_delete, NULL},
    {"GET", "/bqlocal/tokens", ROUTE_OWN, strict_describe, NULL},
    {"DELETE", "/bqlocal/tokens", ROUTE_OWN, strict_revoke, NULL},
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
