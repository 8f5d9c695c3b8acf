/* tabledata.list, of tables and of query results. */
#include "bqlocal/server/route_table.h"
#include "bqlocal/server/local_server.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/rows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_ROWS_MAX 100000

bool rest_rows_insert(struct server *server, struct request *request, struct error *err)
{
    (void)server;
    (void)request;
    return failure_set(err, "notImplemented", "bqlocal takes no streamed rows: load them by a job");
}

/* Whether a comma-separated list names the column. */
static bool is_selected(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (list != NULL) {
        const char *comma = strchr(list, ',');
        size_t span = comma == NULL ? strlen(list) : (size_t)(comma - list);
        if (span == length && strncasecmp(list, name, length) == 0)
            return true;
        list = comma == NULL ? NULL : comma + 1;
    }
    return false;
}

/* Drops the fields that are not selected; the fields keep their order. */
static void select_fields(struct store_schema *schema, const char **columns, const char *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < schema->count; i++) {
        if (!is_selected(list, schema->fields[i].name)) {
            free(schema->fields[i].name);
            free(schema->fields[i].default_sql);
            continue;
        }
        columns[kept] = columns[i];
        schema->fields[kept++] = schema->fields[i];
    }
    schema->count = kept;
}

static bool answer_page(
    struct server *server, struct request *request, const struct rows_source *source,
    struct error *err)
{
    struct buffer out;
    bool ok;

    buffer_init(&out, (size_t)1 << 30);
    buffer_append_text(&out, "{\"kind\":\"bigquery#tableDataList\",\"etag\":\"\",");
    ok = rows_append_page(&server->store, request, source, PAGE_ROWS_MAX, &out, err);
    buffer_append_byte(&out, '}');
    if (ok)
        answer_text(&request->answer, 200, "application/json; charset=UTF-8", &out);
    buffer_clear(&out);
    return ok;
}

static bool list_result(
    struct server *server, struct request *request, struct job *job, struct error *err)
{
    struct rows_source source;
    struct job_result_columns columns;

    if (!job_result_source(job, &columns, &source, err))
        return false;
    bool ok = answer_page(server, request, &source, err);
    job_result_columns_clear(&columns);
    return ok;
}

bool rest_rows_list(struct server *server, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    const char *selected = request_query(request, "selectedFields");
    struct job *job = jobs_find_result(server->jobs, at->dataset, at->table);
    struct store_schema schema = {0};
    const char **columns = NULL;
    cJSON *resource = NULL;
    char *quoted = NULL;
    bool ok = false;

    if (job != NULL)
        return list_result(server, request, job, err);
    if (!store_table_get(&server->store, at->dataset, at->table, &resource, err) ||
        !store_schema(&server->store, at->dataset, at->table, &schema, err))
        goto cleanup;
    quoted = store_table_quoted(at->dataset, at->table);
    columns = calloc(schema.count + 1, sizeof *columns);
    if (quoted == NULL || columns == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory for a page");
        goto cleanup;
    }
    for (size_t i = 0; i < schema.count; i++)
        columns[i] = schema.fields[i].name;
    if (selected != NULL && selected[0] != '\0')
        select_fields(&schema, columns, selected);
    ok = answer_page(
        server, request,
        &(struct rows_source){quoted, columns, &schema, json_number(resource, "numRows", 0)}, err);

cleanup:
    cJSON_Delete(resource);
    store_schema_clear(&schema);
    free(columns);
    free(quoted);
    return ok;
}
