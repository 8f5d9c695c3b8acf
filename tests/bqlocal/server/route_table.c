#include "bqlocal/server/route_table.h"

#include "bqlocal/auth/strict.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/rest/uploads.h"

#include <stdio.h>
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
    {"POST", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, rest_upload, "bigquery.jobs.create"},
    {"PUT", "/upload/projects/{p}/jobs", ROUTE_UPLOAD, rest_upload, "bigquery.jobs.create"},
    {"DELETE", "/upload/projects/{p}/jobs", ROUTE_API, rest_upload_cancel, NULL},
    {"GET", "/$discovery/rest", ROUTE_API, rest_discovery, NULL},
    {"GET", "/discovery/v1/apis/bigquery/v2/rest", ROUTE_API, rest_discovery, NULL},
    {"POST", "/token", ROUTE_TOKEN, strict_token, NULL},
    {"GET", "/", ROUTE_OWN, rest_browse, NULL},
    {"GET", "/bqlocal/tables/{d}/{t}", ROUTE_OWN, rest_browse_table, NULL},
    {"GET", "/bqlocal/tables", ROUTE_OWN, rest_own_tables_get, NULL},
    {"GET", "/bqlocal/requests", ROUTE_OWN, rest_own_requests_get, NULL},
    {"DELETE", "/bqlocal/requests", ROUTE_OWN, rest_own_requests_delete, NULL},
    {"GET", "/bqlocal/faults", ROUTE_OWN, rest_own_faults_get, NULL},
    {"PUT", "/bqlocal/faults", ROUTE_OWN, rest_own_faults_put, NULL},
    {"DELETE", "/bqlocal/faults", ROUTE_OWN, rest_own_faults_delete, NULL},
    {"GET", "/bqlocal/tokens", ROUTE_OWN, strict_describe, NULL},
    {"DELETE", "/bqlocal/tokens", ROUTE_OWN, strict_revoke, NULL},
};

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
    default:
        return &parameters->job;
    }
}

/* Behind one segment of a path: it ends at the next slash, a table's also at the verb behind a
 * colon. NULL if it is empty or has a verb that the pattern does not have. */
static const char *segment_end(const char *pattern, const char *path)
{
    size_t length = strcspn(path, pattern[1] == 't' ? "/:" : "/");
    bool verb = path[length] == ':';

    return length == 0 || verb != (pattern[3] == ':') ? NULL : path + length;
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
            *parameter_of(parameters, pattern[1]) = strndup(path, (size_t)(end - path));
        pattern += strlen("{p}");
        path = end;
    }
    return *path == '\0';
}

const struct route *route_find(struct request *request, bool *out_path_known)
{
    const struct route *found = NULL;
    char *path = normalise(request->path);

    *out_path_known = false;
    for (size_t i = 0; path != NULL && found == NULL && i < sizeof routes / sizeof routes[0]; i++) {
        if (!match(routes[i].pattern, path, NULL))
            continue;
        *out_path_known = true;
        if (strcmp(routes[i].method, request->method) == 0)
            found = &routes[i];
    }
    if (found != NULL)
        (void)match(found->pattern, path, &request->parameters);
    free(path);
    return found;
}
