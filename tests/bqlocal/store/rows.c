#include "bqlocal/store/rows.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* BigQuery ends a page at 10 MB or so. */
#define PAGE_BYTES_MAX ((size_t)10 << 20)

static void append_string(struct buffer *out, struct slice text)
{
    buffer_append_byte(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char letter = (unsigned char)text.data[i];
        if (letter >= 0x20 && letter != '"' && letter != '\\')
            continue;
        buffer_append(out, text.data + start, i - start);
        if (letter == '"' || letter == '\\') {
            buffer_append_byte(out, '\\');
            buffer_append_byte(out, letter);
        } else {
            buffer_printf(out, "\\u%04x", letter);
        }
        start = i + 1;
    }
    if (text.length > start)
        buffer_append(out, text.data + start, text.length - start);
    buffer_append_byte(out, '"');
}

static void append_timestamp(struct buffer *out, int64_t us, enum rows_timestamps format)
{
    char text[VALUE_TEXT_SIZE];
    uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;

    if (format == ROWS_ISO)
        buffer_printf(out, "\"%sZ\"", value_format_datetime(us, 'T', text));
    else if (format == ROWS_MICROSECONDS)
        buffer_printf(out, "\"%lld\"", (long long)us);
    else
        buffer_printf(
            out, "\"%s%llu.%06llu\"", us < 0 ? "-" : "", (unsigned long long)(size / 1000000),
            (unsigned long long)(size % 1000000));
}

/* The value's text as SQLite has it. */
static struct slice text_of(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);

    return (struct slice){text == NULL ? "" : text, (size_t)sqlite3_value_bytes(value)};
}

static void append_bytes(struct buffer *out, sqlite3_value *value)
{
    const char *bytes = sqlite3_value_blob(value);

    buffer_append_byte(out, '"');
    value_base64_encode((struct slice){bytes, (size_t)sqlite3_value_bytes(value)}, out);
    buffer_append_byte(out, '"');
}

static void append_cell(
    struct buffer *out, sqlite3_value *value, enum store_type type, enum rows_timestamps timestamps)
{
    char text[VALUE_TEXT_SIZE];

    if (sqlite3_value_type(value) == SQLITE_NULL) {
        buffer_append_text(out, "null");
        return;
    }
    switch (type) {
    case STORE_TIMESTAMP:
        append_timestamp(out, sqlite3_value_int64(value), timestamps);
        return;
    case STORE_BYTES:
        append_bytes(out, value);
        return;
    case STORE_BOOL:
        buffer_append_text(out, sqlite3_value_int(value) != 0 ? "\"true\"" : "\"false\"");
        return;
    case STORE_INT64:
        buffer_printf(out, "\"%lld\"", (long long)sqlite3_value_int64(value));
        return;
    case STORE_FLOAT64:
        if (sqlite3_value_type(value) == SQLITE_TEXT)
            break;
        buffer_printf(out, "\"%s\"", value_format_double(sqlite3_value_double(value), text));
        return;
    case STORE_DATE:
        buffer_printf(out, "\"%s\"", value_format_date(sqlite3_value_int64(value), text));
        return;
    case STORE_TIME:
        buffer_printf(out, "\"%s\"", value_format_time(sqlite3_value_int64(value), text));
        return;
    case STORE_DATETIME:
        buffer_printf(out, "\"%s\"", value_format_datetime(sqlite3_value_int64(value), 'T', text));
        return;
    default:
        break;
    }
    append_string(out, text_of(value));
}

cJSON *store_cell_json(sqlite3_value *value, enum store_type type, enum rows_timestamps timestamps)
{
    struct buffer text;

    buffer_init(&text, SIZE_MAX / 4);
    append_cell(&text, value, type, timestamps);
    cJSON *cell = cJSON_ParseWithLength(buffer_text(&text), text.length);
    buffer_clear(&text);
    return cell;
}

static void append_row(
    struct buffer *out, sqlite3_stmt *row, const struct store_schema *schema,
    enum rows_timestamps timestamps)
{
    buffer_append_text(out, "{\"f\":[");
    for (size_t i = 0; i < schema->count; i++) {
        buffer_append_text(out, i > 0 ? ",{\"v\":" : "{\"v\":");
        append_cell(out, sqlite3_column_value(row, (int)i + 1), schema->fields[i].type, timestamps);
        buffer_append_byte(out, '}');
    }
    buffer_append_text(out, "]}");
}

/* The name by which the row's id is reached: not the name of a column. */
static const char *rowid_name(const struct rows_source *source)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};

    for (size_t i = 0; !source->numbered && i < sizeof names / sizeof names[0]; i++) {
        bool taken = false;
        for (size_t j = 0; j < source->schema->count; j++)
            taken = taken || strcasecmp(source->schema->fields[j].name, names[i]) == 0;
        if (!taken)
            return names[i];
    }
    return names[0];
}

static bool prepare(
    struct store *store, const struct rows_source *source, const struct rows_window *window,
    sqlite3_stmt **out_row, struct error *err)
{
    const char *rowid = rowid_name(source);
    sqlite3_str *sql = sqlite3_str_new(store->handle);

    sqlite3_str_appendf(sql, "select %s", rowid);
    for (size_t i = 0; i < source->schema->count; i++)
        if (source->numbered)
            sqlite3_str_appendf(sql, ",c%d", (int)i);
        else
            sqlite3_str_appendf(sql, ",\"%w\"", source->schema->fields[i].name);
    sqlite3_str_appendf(sql, " from \"%w\"", source->table);
    if (window->rowid >= 0)
        sqlite3_str_appendf(sql, " where %s > %lld", rowid, (long long)window->rowid);
    sqlite3_str_appendf(sql, " order by %s limit %lld", rowid, (long long)window->size);
    if (window->rowid < 0)
        sqlite3_str_appendf(sql, " offset %lld", (long long)window->first);
    char *text = sqlite3_str_finish(sql);
    bool ok = text != NULL ? store_prepare(store, text, out_row, err, NULL)
                           : error_set(err, ERROR_MEMORY, "out of memory for a page of rows");
    sqlite3_free(text);
    return ok;
}

bool rows_append_window(
    struct store *store, const struct rows_source *source, const struct rows_window *window,
    struct buffer *out, struct error *err)
{
    sqlite3_stmt *row = NULL;
    int64_t count = 0;
    int64_t last = window->rowid;
    size_t start = out->length;
    int step = SQLITE_DONE;

    buffer_printf(out, "\"totalRows\":\"%lld\"", (long long)source->total);
    if (window->size == 0 || window->first >= source->total)
        return true;
    if (!prepare(store, source, window, &row, err))
        return false;
    while (out->length - start < PAGE_BYTES_MAX && (step = sqlite3_step(row)) == SQLITE_ROW) {
        buffer_append_text(out, count == 0 ? ",\"rows\":[" : ",");
        append_row(out, row, source->schema, window->timestamps);
        last = sqlite3_column_int64(row, 0);
        count++;
    }
    bool ok = step == SQLITE_ROW || step == SQLITE_DONE || store_sqlite_failed(store, err);
    sqlite3_finalize(row);
    if (count > 0)
        buffer_append_byte(out, ']');
    if (count > 0 && window->first + count < source->total)
        buffer_printf(
            out, ",\"pageToken\":\"r%lld.%lld\"", (long long)last,
            (long long)(window->first + count));
    return ok && buffer_check(out, "a page of rows", err);
}

/* Tokens are r<rowid of the last row>.<rows before the next>: a page is found without counting. */
bool rows_token_parse(const char *token, struct rows_window *window, struct error *err)
{
    const char *dot = strchr(token, '.');

    if (token[0] == 'r' && dot != NULL &&
        value_parse_int64((struct slice){token + 1, (size_t)(dot - token - 1)}, &window->rowid) &&
        value_parse_int64(slice_of(dot + 1), &window->first) && window->rowid >= 0 &&
        window->first >= 0)
        return true;
    return failure_set(err, "invalid", "Invalid page token: %.100s", token);
}

enum rows_timestamps rows_timestamps(const char *output_format, bool use_int64)
{
    if (output_format != NULL && strcmp(output_format, "ISO8601_STRING") == 0)
        return ROWS_ISO;
    return use_int64 || (output_format != NULL && strcmp(output_format, "INT64") == 0)
               ? ROWS_MICROSECONDS
               : ROWS_SECONDS;
}
