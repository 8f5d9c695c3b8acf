/* What a person sees in a browser: tables with their counts, and the first rows of each. */
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES_MAX ((size_t)64 << 20)
#define ROWS_SHOWN     50
#define TEXT_SHOWN     200

static const char head[] =
    "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>bqlocal</title><style>"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1b1f24;background:#fff}table{border-collapse:collapse;margin:.5rem 0 1.5rem;"
    "display:block;overflow-x:auto}th,td{border:1px solid #d5dae0;padding:.25rem .6rem;"
    "text-align:left;vertical-align:top}th{background:#f3f5f8}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums}code,pre{background:#f3f5f8;padding:.1rem .3rem}"
    "pre{padding:.8rem;overflow-x:auto}.null{color:#8a929c}a{color:#0b57d0}"
    "@media(prefers-color-scheme:dark){body{background:#14171b;color:#e3e6ea}"
    "th,code,pre{background:#20252b}th,td{border-color:#3a4149}a{color:#8ab4f8}}</style>";

static void append_html(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        switch (text.data[i]) {
        case '<':
            buffer_append_text(out, "&lt;");
            break;
        case '>':
            buffer_append_text(out, "&gt;");
            break;
        case '&':
            buffer_append_text(out, "&amp;");
            break;
        case '"':
            buffer_append_text(out, "&quot;");
            break;
        default:
            buffer_append_byte(out, (uint8_t)text.data[i]);
        }
    }
}

/* A name as one segment of a path. */
static void append_segment(struct buffer *out, const char *name)
{
    for (; *name != '\0'; name++) {
        bool plain = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
                     (*name >= 'A' && *name <= 'Z') || strchr("-_.~", *name) != NULL;
        if (plain)
            buffer_append_byte(out, (uint8_t)*name);
        else
            buffer_printf(out, "%%%02X", (unsigned char)*name);
    }
}

static bool send_page(struct request *request, struct buffer *out, struct error *err)
{
    bool ok = buffer_check(out, "the page", err);

    if (ok)
        answer_text(&request->answer, 200, "text/html; charset=UTF-8", out);
    buffer_clear(out);
    return ok;
}

static void append_table_line(
    const struct parts *in, const char *dataset, const char *table, struct buffer *out)
{
    cJSON *resource = NULL;
    struct error ignored;

    if (!store_table_get(in->store, dataset, table, &resource, &ignored))
        return;
    buffer_append_text(out, "<tr><td><a href=\"/bqlocal/tables/");
    append_segment(out, dataset);
    buffer_append_byte(out, '/');
    append_segment(out, table);
    buffer_append_text(out, "\">");
    append_html(out, slice_of(table));
    buffer_printf(
        out, "</a><td class=\"n\">%lld<td class=\"n\">%d<td>",
        (long long)json_number(resource, "numRows", 0),
        cJSON_GetArraySize(json_at(json_at(resource, "schema"), "fields")));
    const char *description = json_text(resource, "description");
    append_html(out, slice_of(description == NULL ? "" : description));
    cJSON_Delete(resource);
}

static void append_dataset(const struct parts *in, const char *dataset, struct buffer *out)
{
    cJSON *tables = NULL;
    const cJSON *table;
    struct error ignored;

    buffer_append_text(out, "<h2>");
    append_html(out, slice_of(dataset));
    buffer_append_text(out, "</h2>");
    if (!store_table_list(in->store, dataset, &tables, &ignored))
        return;
    if (cJSON_GetArraySize(tables) == 0) {
        buffer_append_text(out, "<p>No tables.</p>");
    } else {
        buffer_append_text(out, "<table><tr><th>table<th>rows<th>columns<th>description");
        cJSON_ArrayForEach(table, tables)
        {
            append_table_line(
                in, dataset, json_text(json_at(table, "tableReference"), "tableId"), out);
        }
        buffer_append_text(out, "</table>");
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
    buffer_init(&out, PAGE_BYTES_MAX);
    buffer_append_text(&out, head);
    buffer_append_text(&out, "<h1>bqlocal</h1><p>A local stand-in for BigQuery. Project <code>");
    append_html(&out, slice_of(in->store->project));
    buffer_append_text(&out, "</code>.</p>");
    cJSON_ArrayForEach(dataset, datasets)
    {
        append_dataset(in, json_text(json_at(dataset, "datasetReference"), "datasetId"), &out);
    }
    if (cJSON_GetArraySize(datasets) == 0)
        buffer_append_text(&out, "<p>No datasets.</p>");
    cJSON_Delete(datasets);
    buffer_append_text(&out, "<h2>Query it</h2><pre>curl -s ");
    append_html(&out, slice_of(request->origin));
    buffer_append_text(&out, "/bigquery/v2/projects/");
    append_html(&out, slice_of(in->store->project));
    buffer_append_text(
        &out, "/queries \\\n  -d '{\"useLegacySql\": false, \"query\": \"select count(*) from "
              "dataset.table\"}'</pre>"
              "<p><a href=\"/bqlocal/requests\">requests</a> · "
              "<a href=\"/bqlocal/faults\">faults</a> · "
              "<a href=\"/bqlocal/tables\">tables as JSON</a></p></html>\n");
    return send_page(request, &out, err);
}

static void append_cell(struct buffer *out, sqlite3_value *value, enum store_type type)
{
    cJSON *cell = store_cell_json(value, type, false);
    const char *text = cJSON_GetStringValue(cell);

    if (text == NULL) {
        buffer_append_text(out, "<td class=\"null\">NULL");
    } else {
        // The text may end within a character; browsers show a replacement for it.
        size_t length = strnlen(text, TEXT_SHOWN);
        buffer_append_text(out, "<td>");
        append_html(out, (struct slice){text, length});
        buffer_append_text(out, text[length] == '\0' ? "" : "…");
    }
    cJSON_Delete(cell);
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
    buffer_append_text(out, "<h2>First rows</h2><table><tr>");
    for (size_t i = 0; i < schema->count; i++) {
        buffer_append_text(out, "<th>");
        append_html(out, slice_of(schema->fields[i].name));
    }
    while (sqlite3_step(row) == SQLITE_ROW) {
        buffer_append_text(out, "<tr>");
        for (size_t i = 0; i < schema->count; i++)
            append_cell(out, sqlite3_column_value(row, (int)i), schema->fields[i].type);
    }
    buffer_append_text(out, "</table>");
    sqlite3_finalize(row);
    return true;
}

static void append_schema(const cJSON *resource, struct buffer *out)
{
    const cJSON *field;

    buffer_append_text(out, "<h2>Schema</h2><table><tr><th>column<th>type<th>mode<th>description");
    cJSON_ArrayForEach(field, json_at(json_at(resource, "schema"), "fields"))
    {
        static const char *const keys[] = {"name", "type", "mode", "description"};
        buffer_append_text(out, "<tr>");
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            const char *text = json_text(field, keys[i]);
            buffer_append_text(out, "<td>");
            append_html(out, slice_of(text == NULL ? "" : text));
        }
    }
    buffer_append_text(out, "</table>");
}

bool rest_browse_table(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    struct store_schema schema = {0};
    cJSON *resource = NULL;
    struct buffer out;
    bool ok = false;

    buffer_init(&out, PAGE_BYTES_MAX);
    if (!store_table_get(in->store, at->dataset, at->table, &resource, err) ||
        !store_schema(in->store, at->dataset, at->table, &schema, err))
        goto cleanup;
    buffer_append_text(&out, head);
    buffer_append_text(&out, "<p><a href=\"/\">bqlocal</a></p><h1>");
    append_html(&out, slice_of(at->dataset));
    buffer_append_byte(&out, '.');
    append_html(&out, slice_of(at->table));
    buffer_printf(&out, "</h1><p>%lld rows</p>", (long long)json_number(resource, "numRows", 0));
    append_schema(resource, &out);
    if (!append_rows(in, at->dataset, at->table, &schema, &out, err))
        goto cleanup;
    buffer_append_text(&out, "<h2>Resource</h2><pre>");
    char *text = cJSON_Print(resource);
    append_html(&out, slice_of(text == NULL ? "" : text));
    free(text);
    buffer_append_text(&out, "</pre></html>\n");
    ok = send_page(request, &out, err);

cleanup:
    buffer_clear(&out);
    cJSON_Delete(resource);
    store_schema_clear(&schema);
    return ok;
}
