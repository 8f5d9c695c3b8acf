/* tabledata.list, of tables and of query results. */
#include "bqlocal/http/paging.h"
#include "bqlocal/jobs/job_query.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_ROWS_MAX 100000

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
static void select_fields(struct store_schema *schema, const char *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < schema->count; i++) {
        if (is_selected(list, schema->fields[i].name)) {
            schema->fields[kept++] = schema->fields[i];
            continue;
        }
        free(schema->fields[i].name);
        free(schema->fields[i].default_sql);
    }
    schema->count = kept;
}

static bool answer_page(
    const struct parts *in, struct request *request, const struct rows_source *source,
    struct error *err)
{
    struct rows_window window;
    struct buffer out;

    if (!paging_rows(request, PAGE_ROWS_MAX, &window, err))
        return false;
    buffer_init(&out, (size_t)1 << 30);
    buffer_append_text(&out, "{\"kind\":\"bigquery#tableDataList\",\"etag\":\"\",");
    bool ok = rows_append_window(in->store, source, &window, &out, err);
    buffer_append_byte(&out, '}');
    ok = ok && answer_json_text(&request->answer, &out, err);
    buffer_clear(&out);
    return ok;
}

bool rest_rows_list(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    const char *selected = request_query(request, "selectedFields");
    const struct job *job = jobs_find_result(in->jobs, at->dataset, at->table);
    struct store_schema schema = {0};
    cJSON *resource = NULL;
    char *name = NULL;
    bool ok = false;

    if (job != NULL) {
        struct rows_source result = job_result_source(job);
        return answer_page(in, request, &result, err);
    }
    if (!store_table_get(in->store, at->dataset, at->table, &resource, err))
        goto cleanup;
    if (strcmp(json_text(resource, "type"), "VIEW") == 0) {
        failure_set(err, "invalid", "Cannot list a table of type VIEW.");
        goto cleanup;
    }
    if (!store_schema(in->store, at->dataset, at->table, &schema, err))
        goto cleanup;
    if (selected != NULL && selected[0] != '\0')
        select_fields(&schema, selected);
    name = sqlite3_mprintf("%s.%s", at->dataset, at->table);
    if (name == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory for a page");
        goto cleanup;
    }
    struct rows_source source = {
        .table = name,
        .schema = &schema,
        .total = json_number(resource, "numRows", 0),
    };
    ok = answer_page(in, request, &source, err);

cleanup:
    sqlite3_free(name);
    cJSON_Delete(resource);
    store_schema_clear(&schema);
    return ok;
}
