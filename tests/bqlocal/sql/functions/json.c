/* PARSE_JSON and TO_JSON_STRING. SQLite evaluates JSON paths. */
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bq_parse_json(text, wide_number_mode). */
static void bq_parse_json(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct slice inexact;
    struct buffer out;
    char message[256];

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    bool rounds = slice_equals(sql_arg_slice(args[1]), slice_of("round"));
    if (!rounds && !slice_equals(sql_arg_slice(args[1]), slice_of("exact"))) {
        sql_result_error(context, "Invalid `wide_number_mode` specified");
        return;
    }
    buffer_init(&out, text.length * 6 + 64);
    bool ok = value_json_normalise(text, &out, &inexact) && out.failure == BUFFER_OK;
    if (ok && (rounds || inexact.length == 0)) {
        sql_result_text(context, buffer_text(&out), out.length);
    } else if (ok) {
        snprintf(
            message, sizeof message,
            "Invalid input to PARSE_JSON: Input number: %.*s cannot round-trip through string "
            "representation",
            inexact.length > 100 ? 100 : (int)inexact.length, inexact.data);
        sql_result_error(context, message);
    } else
        sql_result_error(context, "Invalid input to PARSE_JSON: syntax error while parsing value");
    buffer_clear(&out);
}

static void append_quoted(struct slice text, struct buffer *out)
{
    static const char names[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";

    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        const char *known = c == '\0' ? NULL : strchr(names, c);
        // U+2028 and U+2029 end a line in JavaScript.
        bool separator = text.length - i >= 3 && (memcmp(text.data + i, "\xe2\x80\xa8", 3) == 0 ||
                                                  memcmp(text.data + i, "\xe2\x80\xa9", 3) == 0);
        if (separator) {
            buffer_printf(out, "\\u202%d", text.data[i + 2] == '\xa8' ? 8 : 9);
            i += 2;
        } else if (known != NULL)
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
    const int64_t most = INT64_C(1) << 53;
    int64_t number = sqlite3_value_int64(value);

    // What a double may not hold exactly is written as a string, a decimal with a fraction too.
    if (type == STORE_NUMERIC || type == STORE_BIGNUMERIC)
        return value_parse_int64(sql_arg_slice(value), &number) && number >= -most &&
               number <= most;
    if (type == STORE_INT64)
        return number >= -most && number <= most;
    if (type == STORE_FLOAT64)
        return isfinite(sql_arg_double(value));
    return type == STORE_BOOL || type == STORE_JSON;
}

static const char *not_finite(double number)
{
    return isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity";
}

/* bq_json_text(type, value): TO_JSON_STRING. */
static void bq_json_text(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    struct buffer text;
    struct buffer out;

    (void)count;
    if (sqlite3_value_type(args[1]) == SQLITE_NULL) {
        sqlite3_result_text(context, "null", -1, SQLITE_STATIC);
        return;
    }
    struct slice slice = sql_arg_slice(args[1]);
    buffer_init(&text, slice.length * 2 + VALUE_TEXT_SIZE);
    buffer_init(&out, slice.length * 12 + 4 * VALUE_TEXT_SIZE);
    if (type == STORE_BYTES) {
        value_base64_encode(slice, &text);
    } else if (type == STORE_TIMESTAMP || type == STORE_DATETIME) {
        char moment[VALUE_TEXT_SIZE];
        value_format_datetime(sqlite3_value_int64(args[1]), 'T', moment);
        sql_append_moment(moment, &text);
        buffer_append_text(&text, type == STORE_TIMESTAMP ? "Z" : "");
    } else if (type == STORE_FLOAT64 && !isfinite(sql_arg_double(args[1]))) {
        buffer_append_text(&text, not_finite(sql_arg_double(args[1])));
    } else {
        sql_append_as_text(args[1], type, &text);
    }
    if (is_plain_number(args[1], type))
        buffer_append_slice(&out, buffer_slice(&text));
    else
        append_quoted(buffer_slice(&text), &out);
    sql_result_text(context, buffer_text(&out), out.length);
    buffer_clear(&text);
    buffer_clear(&out);
}

bool sql_register_json(sqlite3 *handle)
{
    static const struct sql_function functions[] = {
        {"bq_parse_json", 2, bq_parse_json, NULL, false},
        {"bq_json_text", 2, bq_json_text, NULL, false},
    };

    return sql_add_functions(handle, functions, sizeof functions / sizeof *functions);
}
