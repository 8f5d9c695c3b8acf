/* JSON: parsing, paths of the form $.a.b[0]."c d", and values as JSON text. */
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void udf_parse_json(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct buffer out;

    if (sql_udf_null(context, count, args))
        return;
    struct slice text = sql_udf_slice(args[0]);
    buffer_init(&out, text.length * 6 + 64);
    if (value_json_normalise(text, &out) && out.failure == BUFFER_OK)
        sql_udf_result_text(context, buffer_text(&out), out.length);
    else
        sql_udf_error(context, "Invalid input to PARSE_JSON: syntax error while parsing value");
    buffer_clear(&out);
}

/* The end of the JSON string that starts at `at`, behind its closing quote. */
static size_t skip_string(struct slice json, size_t at)
{
    for (at++; at < json.length && json.data[at] != '"'; at++)
        at += json.data[at] == '\\';
    return at + 1 < json.length ? at + 1 : json.length;
}

/* The end of the value that starts at `at` in normalised JSON, which has no white space. */
static size_t skip_value(struct slice json, size_t at)
{
    int depth = 0;

    while (at < json.length) {
        char c = json.data[at];
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        if (c == '"')
            at = skip_string(json, at);
        else
            at++;
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth == 0 && (c == '"' || c == '}' || c == ']'))
            return at;
    }
    return at;
}

/* Whether a JSON string, quotes included, is the plain name. */
static bool key_is(struct slice key, struct slice name)
{
    struct buffer quoted;
    struct buffer normal;

    if (key.length == name.length + 2 && memcmp(key.data + 1, name.data, name.length) == 0)
        return true;
    // A name that JSON writes with escapes: compare in the normal form.
    buffer_init(&quoted, name.length * 2 + 8);
    buffer_init(&normal, name.length * 12 + 64);
    buffer_append_byte(&quoted, '"');
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] == '"' || name.data[i] == '\\')
            buffer_append_byte(&quoted, '\\');
        buffer_append_byte(&quoted, (uint8_t)name.data[i]);
    }
    buffer_append_byte(&quoted, '"');
    bool same = value_json_normalise(buffer_slice(&quoted), &normal) &&
                slice_equals(buffer_slice(&normal), key);
    buffer_clear(&quoted);
    buffer_clear(&normal);
    return same;
}

/* The member (name) or element (index, if name.data is NULL) of a container; a NULL slice if there
 * is none. */
static struct slice child(struct slice json, struct slice name, int64_t index)
{
    char open = name.data != NULL ? '{' : '[';
    size_t at = 1;

    if (json.length < 2 || json.data[0] != open || json.length == 2)
        return (struct slice){NULL, 0};
    while (at < json.length) {
        bool found = name.data == NULL && index-- == 0;
        if (name.data != NULL) {
            size_t end = skip_string(json, at);
            found = key_is((struct slice){json.data + at, end - at}, name);
            at = end + 1;
        }
        size_t end = skip_value(json, at);
        if (found)
            return (struct slice){json.data + at, end - at};
        at = end + 1;
    }
    return (struct slice){NULL, 0};
}

/* One step of a path; false if it is malformed. */
static bool next_step(struct slice *path, struct slice *out_name, int64_t *out_index)
{
    const char *at = path->data;
    const char *end = at + path->length;
    const char *start;
    char quote = '\0';

    *out_name = (struct slice){NULL, 0};
    bool bracket = *at == '[';
    if (*at != '.' && !bracket)
        return false;
    at++;
    if (at < end && (*at == '"' || (bracket && *at == '\'')))
        quote = *at++;
    start = at;
    while (at < end && (quote != '\0' ? *at != quote : *at != '.' && *at != '[' && *at != ']'))
        at++;
    struct slice text = {start, (size_t)(at - start)};
    if (quote != '\0' && (at >= end || *at++ != quote))
        return false;
    if (bracket && (at >= end || *at++ != ']'))
        return false;
    if (bracket && quote == '\0') {
        if (!value_parse_int64(text, out_index) || *out_index < 0)
            return false;
    } else {
        if (text.length == 0 && quote == '\0')
            return false;
        *out_name = text;
    }
    *path = (struct slice){at, (size_t)(end - at)};
    return true;
}

/* A JSON string without its quotes and escapes. */
static void append_unquoted(struct slice json, struct buffer *out)
{
    for (size_t i = 1; i + 1 < json.length; i++) {
        static const char names[] = "bfnrt";
        static const char values[] = "\b\f\n\r\t";
        char c = json.data[i];
        if (c != '\\') {
            buffer_append_byte(out, (uint8_t)c);
            continue;
        }
        c = json.data[++i];
        const char *known = c == '\0' ? NULL : strchr(names, c);
        if (c == 'u' && i + 4 < json.length) {
            // Only control characters are escaped like this in the normal form.
            char digits[5] = {0};
            memcpy(digits, json.data + i + 1, 4);
            buffer_append_byte(out, (uint8_t)strtol(digits, NULL, 16));
            i += 4;
        } else {
            buffer_append_byte(out, (uint8_t)(known != NULL ? values[known - names] : c));
        }
    }
}

static void result_scalar(sqlite3_context *context, struct slice found)
{
    struct buffer out;

    if (found.data[0] == '{' || found.data[0] == '[' || found.data[0] == 'n') {
        sqlite3_result_null(context);
        return;
    }
    buffer_init(&out, found.length + 8);
    if (found.data[0] == '"')
        append_unquoted(found, &out);
    else
        buffer_append_slice(&out, found);
    sql_udf_result_text(context, buffer_text(&out), out.length);
    buffer_clear(&out);
}

/* bq_json_path(as_json, json, path or NULL) */
static void udf_json_path(sqlite3_context *context, int count, sqlite3_value **args)
{
    bool as_json = sqlite3_value_int(args[0]) != 0;
    struct slice path = slice_of("$");
    struct buffer json;

    (void)count;
    if (sql_udf_null(context, 2, args))
        return;
    if (sqlite3_value_type(args[2]) != SQLITE_NULL)
        path = sql_udf_slice(args[2]);
    struct slice text = sql_udf_slice(args[1]);
    buffer_init(&json, text.length * 6 + 64);
    bool valid = value_json_normalise(text, &json) && json.length > 0;
    struct slice found = buffer_slice(&json);
    bool ok = path.length > 0 && path.data[0] == '$';
    path = (struct slice){path.data + 1, path.length - 1};
    while (ok && path.length > 0) {
        struct slice name;
        int64_t index = 0;
        ok = next_step(&path, &name, &index);
        if (ok && found.data != NULL)
            found = child(found, name, index);
    }
    if (!ok)
        sql_udf_error(
            context, "Unsupported or invalid JSONPath: %.200s",
            (const char *)sqlite3_value_text(args[2]));
    else if (!valid || found.data == NULL)
        sqlite3_result_null(context);
    else if (as_json)
        sql_udf_result_text(context, found.data, found.length);
    else
        result_scalar(context, found);
    buffer_clear(&json);
}

static void udf_json_type(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (sql_udf_null(context, count, args))
        return;
    struct slice json = sql_udf_slice(args[0]);
    char c = json.length > 0 ? json.data[0] : 'n';
    const char *name = c == '{'               ? "object"
                       : c == '['             ? "array"
                       : c == '"'             ? "string"
                       : c == 't' || c == 'f' ? "boolean"
                       : c == 'n'             ? "null"
                                              : "number";
    sqlite3_result_text(context, name, -1, SQLITE_STATIC);
}

/* bq_json_as(type, json): STRING(json), INT64(json) ... refuse other kinds. */
static void udf_json_as(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *type = (const char *)sqlite3_value_text(args[0]);
    int64_t number = 0;
    double real = 0;

    if (sql_udf_null(context, count, args))
        return;
    struct slice json = sql_udf_slice(args[1]);
    char c = json.length > 0 ? json.data[0] : 'n';
    if (strcmp(type, "string") == 0 && c == '"')
        result_scalar(context, json);
    else if (strcmp(type, "bool") == 0 && (c == 't' || c == 'f'))
        sqlite3_result_int(context, c == 't');
    else if (strcmp(type, "int64") == 0 && value_parse_int64(json, &number))
        sqlite3_result_int64(context, number);
    else if (strcmp(type, "float64") == 0 && value_parse_double(json, &real))
        sqlite3_result_double(context, real);
    else
        sql_udf_error(context, "The provided JSON input is not a %s", type);
}

static void append_quoted(struct slice text, struct buffer *out)
{
    static const char names[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";

    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        const char *known = c == '\0' ? NULL : strchr(names, c);
        if (known != NULL)
            buffer_printf(out, "\\%c", letters[known - names]);
        else if ((unsigned char)c < 0x20)
            buffer_printf(out, "\\u%04x", (unsigned)c);
        else
            buffer_append_byte(out, (uint8_t)c);
    }
    buffer_append_byte(out, '"');
}

static bool is_plain_number(sqlite3_value *value, int type)
{
    // Integers that a double cannot hold exactly are written as strings.
    if (type == STORE_INT64)
        return llabs(sqlite3_value_int64(value)) <= INT64_C(1) << 53;
    if (type == STORE_FLOAT64)
        return isfinite(sql_udf_double(value));
    return type == STORE_BOOL || type == STORE_JSON || type == STORE_NUMERIC ||
           type == STORE_BIGNUMERIC;
}

/* bq_json_text(type, value): TO_JSON_STRING. */
static void udf_json_text(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    struct buffer text;
    struct buffer out;

    (void)count;
    if (sqlite3_value_type(args[1]) == SQLITE_NULL) {
        sqlite3_result_text(context, "null", -1, SQLITE_STATIC);
        return;
    }
    struct slice slice = sql_udf_slice(args[1]);
    buffer_init(&text, slice.length * 2 + VALUE_TEXT_SIZE);
    buffer_init(&out, slice.length * 12 + 4 * VALUE_TEXT_SIZE);
    if (type == STORE_BYTES) {
        value_base64_encode(slice, &text);
    } else if (type == STORE_TIMESTAMP || type == STORE_DATETIME) {
        char moment[VALUE_TEXT_SIZE];
        buffer_append_text(&text, value_format_datetime(sqlite3_value_int64(args[1]), 'T', moment));
        buffer_append_text(&text, type == STORE_TIMESTAMP ? "Z" : "");
    } else {
        sql_udf_text(args[1], type, &text);
    }
    if (is_plain_number(args[1], type))
        buffer_append_slice(&out, buffer_slice(&text));
    else
        append_quoted(buffer_slice(&text), &out);
    sql_udf_result_text(context, buffer_text(&out), out.length);
    buffer_clear(&text);
    buffer_clear(&out);
}

bool sql_udf_register_json(sqlite3 *handle)
{
    static const struct sql_udf functions[] = {
        {"bq_parse_json", 1, udf_parse_json, NULL, false},
        {"bq_json_path", 3, udf_json_path, NULL, false},
        {"bq_json_type", 1, udf_json_type, NULL, false},
        {"bq_json_as", 2, udf_json_as, NULL, false},
        {"bq_json_text", 2, udf_json_text, NULL, false},
    };

    return sql_udf_add(handle, functions, sizeof functions / sizeof *functions);
}
