/* What a person sees in a browser: tables with their counts, and the first rows of each. */
#include "bqlocal/rest/browse_page.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 50

static void append_table_line(
    const struct parts *in, const char *dataset, const char *table, struct buffer *out)
{
    cJSON *resource = NULL;
    struct error ignored;

    if (!store_table_get(in->store, dataset, table, &resource, &ignored))
        return;
    buffer_append_text(out, "<tr><td><a href=\"/bqlocal/tables/");
    browse_segment(out, dataset);
    buffer_append_byte(out, '/');
    browse_segment(out, table);
    buffer_append_text(out, "\">");
    browse_text(out, slice_of(table));
    buffer_printf(
        out, "</a><td class=\"n\">%lld<td class=\"n\">%d<td>",
        (long long)json_number(resource, "numRows", 0),
        cJSON_GetArraySize(json_at(json_at(resource, "schema"), "fields")));
    const char *description = json_text(resource, "description");
    browse_text(out, slice_of(description == NULL ? "" : description));
    cJSON_Delete(resource);
}

static void append_dataset(const struct parts *in, const char *dataset, struct buffer *out)
{
    cJSON *tables = NULL;
    const cJSON *table;
    struct error ignored;

    if (!store_table_list(in->store, dataset, &tables, &ignored))
        return;
    if (cJSON_GetArraySize(tables) == 0) {
        buffer_append_text(out, "<h2>");
        browse_text(out, slice_of(dataset));
        buffer_append_text(out, "</h2><p>No tables.</p>");
    } else {
        browse_table_begin(out, dataset);
        buffer_append_text(out, "<tr><th>table<th>rows<th>columns<th>description");
        cJSON_ArrayForEach(table, tables)
        {
            append_table_line(
                in, dataset, json_text(json_at(table, "tableReference"), "tableId"), out);
        }
        browse_table_end(out);
    }
    cJSON_Delete(tables);
}

bool rest_browse(const struct parts *in, struct request *request, struct error *err)
{
    cJSON *datasets = NULL;
    const cJSON *dataset;
    struct buffer out;

    if (!store_dataset_list(in->store, &datasets, err))
        return false;
    browse_begin(&out, "bqlocal");
    buffer_append_text(&out, "<p>A local stand-in for BigQuery. Project <code>");
    browse_text(&out, slice_of(in->store->project));
    buffer_append_text(&out, "</code>.</p>");
    cJSON_ArrayForEach(dataset, datasets)
    {
        append_dataset(in, json_text(json_at(dataset, "datasetReference"), "datasetId"), &out);
    }
    if (cJSON_GetArraySize(datasets) == 0)
        buffer_append_text(&out, "<p>No datasets.</p>");
    cJSON_Delete(datasets);
    buffer_append_text(&out, "<h2>Query it</h2>");
    browse_query_box(&out, "select 1");
    buffer_append_text(
        &out, "<p>The same, and all that may write, from a terminal:</p><pre>curl -s ");
    browse_text(&out, slice_of(request->origin));
    buffer_append_text(&out, "/bigquery/v2/projects/");
    browse_text(&out, slice_of(in->store->project));
    buffer_append_text(
        &out, "/queries \\\n  -d '{\"useLegacySql\": false, \"query\": \"select count(*) from "
              "dataset.table\"}'</pre>"
              "<p><a href=\"/bqlocal/requests\">requests</a> · "
              "<a href=\"/bqlocal/faults\">faults</a> · "
              "<a href=\"/bqlocal/tables\">tables as JSON</a></p>");
    return browse_send(request, 200, &out, err);
}

static bool append_rows(
    const struct parts *in, const char *dataset, const char *table,
    const struct store_schema *schema, struct buffer *out, struct error *err)
{
    char *sql = sqlite3_mprintf("select * from \"%w.%w\" limit %d", dataset, table, ROWS_SHOWN);
    sqlite3_stmt *row = NULL;

    bool ok = store_prepare(in->store, sql == NULL ? "" : sql, &row, err, NULL);
    sqlite3_free(sql);
    if (!ok)
        return false;
    browse_table_begin(out, "First rows");
    browse_rows(out, row, schema);
    browse_table_end(out);
    sqlite3_finalize(row);
    return true;
}

static void append_schema(const cJSON *resource, struct buffer *out)
{
    const cJSON *field;

    browse_table_begin(out, "Schema");
    buffer_append_text(out, "<tr><th>column<th>type<th>mode<th>description");
    cJSON_ArrayForEach(field, json_at(json_at(resource, "schema"), "fields"))
    {
        static const char *const keys[] = {"name", "type", "mode", "description"};
        buffer_append_text(out, "<tr>");
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            const char *text = json_text(field, keys[i]);
            buffer_append_text(out, "<td>");
            browse_text(out, slice_of(text == NULL ? "" : text));
        }
    }
    browse_table_end(out);
}

/* The box with a query of this table. */
static void append_query(
    const struct parts *in, const struct path_parameters *at, struct buffer *out)
{
    char *query = NULL;

    if (asprintf(
            &query, "select * from `%s.%s.%s` limit 20", in->store->project, at->dataset,
            at->table) < 0)
        return;
    browse_query_box(out, query);
    free(query);
}

bool rest_browse_table(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    struct store_schema schema = {0};
    cJSON *resource = NULL;
    char *title = NULL;
    struct buffer out;
    bool ok = false;

    if (asprintf(&title, "%s.%s", at->dataset, at->table) < 0)
        return error_set(err, ERROR_MEMORY, "out of memory");
    browse_begin(&out, title);
    if (!store_table_get(in->store, at->dataset, at->table, &resource, err))
        goto cleanup;
    bool view = strcmp(json_text(resource, "type"), "VIEW") == 0;
    if (!view && !store_schema(in->store, at->dataset, at->table, &schema, err))
        goto cleanup;
    int64_t rows = json_number(resource, "numRows", 0);
    if (view)
        buffer_append_text(&out, "<p>a view: run the query to see its rows</p>");
    else
        buffer_printf(&out, "<p>%lld row%s</p>", (long long)rows, rows == 1 ? "" : "s");
    append_query(in, at, &out);
    append_schema(resource, &out);
    if (!view && !append_rows(in, at->dataset, at->table, &schema, &out, err))
        goto cleanup;
    buffer_append_text(&out, "<h2>Resource</h2><pre>");
    char *text = cJSON_Print(resource);
    browse_text(&out, slice_of(text == NULL ? "" : text));
    free(text);
    buffer_append_text(&out, "</pre>");
    ok = browse_send(request, 200, &out, err);

cleanup:
    free(title);
    buffer_clear(&out);
    cJSON_Delete(resource);
    store_schema_clear(&schema);
    return ok;
}
