#include "bqlocal/rest/browse_page.h"

#include "bqlocal/store/rows.h"

#include <string.h>

#define PAGE_BYTES_MAX ((size_t)64 << 20)
#define TEXT_SHOWN     200

/* A page loads nothing, not even an icon. */
static const char head[] =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<meta name=\"color-scheme\" content=\"light dark\">"
    "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' "
    "viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%230b6b75'/%3E%3Cpath "
    "d='M9 10c0-4 14-4 14 0v12c0 4-14 4-14 0zM9 10c0 4 14 4 14 0M9 16c0 4 14 4 14 0' fill='none' "
    "stroke='white' stroke-width='2'/%3E%3C/svg%3E\"><style>"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1b1f24;background:#fff;overflow-wrap:anywhere}h1{line-height:1.2}"
    ".scroll{overflow-x:auto;margin:.5rem 0 1.5rem}table{border-collapse:collapse}"
    "th,td{border:1px solid #d5dae0;padding:.35rem .6rem;text-align:left;vertical-align:top;"
    "overflow-wrap:normal}th{background:#f3f5f8}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}code,pre{background:#f3f5f8;"
    "padding:.1rem .3rem}pre{padding:.8rem;white-space:pre-wrap;tab-size:2}.null{color:#5c6670}"
    ".bad{color:#b3261e}a{color:#0b57d0}textarea{width:100%;box-sizing:border-box;"
    "font:14px/1.5 ui-monospace,monospace;padding:.6rem;color:inherit;background:transparent;"
    "border:1px solid #79828c;border-radius:6px}button{font:inherit;padding:.5rem 1.2rem;"
    "min-height:44px;border-radius:6px;border:1px solid #79828c;background:#f3f5f8;color:inherit}"
    "@media(max-width:40rem){body{margin-top:1rem}h1{font-size:1.5rem}td,th{padding:.45rem}}"
    "@media(prefers-color-scheme:dark){body{background:#14171b;color:#e3e6ea}"
    "th,code,pre,button{background:#20252b}th,td{border-color:#3a4149}a{color:#8ab4f8}"
    ".null{color:#9aa3ad}.bad{color:#ff8f86}}</style><title>";

void browse_text(struct buffer *out, struct slice text)
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

void browse_segment(struct buffer *out, const char *name)
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

void browse_begin(struct buffer *out, const char *title)
{
    bool first = strcmp(title, "bqlocal") == 0;

    buffer_init(out, PAGE_BYTES_MAX);
    buffer_append_text(out, head);
    browse_text(out, slice_of(title));
    buffer_append_text(out, first ? "" : " · bqlocal");
    buffer_append_text(out, "</title></head><body><main>");
    buffer_append_text(out, first ? "" : "<p><a href=\"/\">bqlocal</a></p>");
    buffer_append_text(out, "<h1>");
    browse_text(out, slice_of(title));
    buffer_append_text(out, "</h1>");
}

bool browse_send(struct request *request, int status, struct buffer *out, struct error *err)
{
    buffer_append_text(out, "</main></body></html>\n");
    bool ok = buffer_check(out, "the page", err);
    if (ok)
        answer_text(&request->answer, status, "text/html; charset=UTF-8", out);
    buffer_clear(out);
    return ok;
}

void browse_query_box(struct buffer *out, const char *query)
{
    buffer_append_text(
        out, "<form action=\"/bqlocal/query\"><p><label for=\"query\">A read-only "
             "query</label></p><textarea id=\"query\" name=\"query\" rows=\"3\" "
             "spellcheck=\"false\" required>");
    browse_text(out, slice_of(query));
    buffer_append_text(out, "</textarea><p><button>Run</button></p></form>");
}

void browse_table_begin(struct buffer *out, const char *heading)
{
    buffer_append_text(out, "<h2>");
    browse_text(out, slice_of(heading));
    buffer_append_text(
        out, "</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    browse_text(out, slice_of(heading));
    buffer_append_text(out, " table\"><table>");
}

void browse_table_end(struct buffer *out)
{
    buffer_append_text(out, "</table></div>");
}

static void append_cell(struct buffer *out, sqlite3_value *value, enum store_type type)
{
    cJSON *cell = store_cell_json(value, type, ROWS_ISO);
    const char *text = cJSON_GetStringValue(cell);

    if (text == NULL) {
        buffer_append_text(out, "<td class=\"null\">NULL");
    } else {
        // The text may end within a character; browsers show a replacement for it.
        size_t length = strnlen(text, TEXT_SHOWN);
        buffer_append_text(
            out, type == STORE_INT64 || type == STORE_TIMESTAMP ? "<td class=\"n\">" : "<td>");
        browse_text(out, (struct slice){text, length});
        buffer_append_text(out, text[length] == '\0' ? "" : "…");
    }
    cJSON_Delete(cell);
}

void browse_rows(struct buffer *out, sqlite3_stmt *row, const struct store_schema *schema)
{
    buffer_append_text(out, "<tr>");
    for (size_t i = 0; i < schema->count; i++) {
        buffer_append_text(out, "<th>");
        browse_text(out, slice_of(schema->fields[i].name));
    }
    while (sqlite3_step(row) == SQLITE_ROW) {
        buffer_append_text(out, "<tr>");
        for (size_t i = 0; i < schema->count; i++)
            append_cell(out, sqlite3_column_value(row, (int)i), schema->fields[i].type);
    }
}
