/* FORMAT. */
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* %T: the value as a literal; %t: for people. */
static void append_value(struct buffer *out, int type, sqlite3_value *value, bool literal)
{
    bool null = sqlite3_value_type(value) == SQLITE_NULL;
    bool quoted = literal && (type == STORE_STRING || type == STORE_BYTES || type == STORE_JSON ||
                              (type >= STORE_NUMERIC && type <= STORE_TIMESTAMP));

    if (null) {
        buffer_append_text(out, "NULL");
        return;
    }
    if (literal && type != STORE_STRING && type != STORE_BYTES && quoted)
        buffer_printf(out, "%s ", store_type_sql((enum store_type)type));
    if (literal && type == STORE_BYTES)
        buffer_append_byte(out, 'b');
    if (quoted)
        buffer_append_byte(out, '"');
    if (type == STORE_FLOAT64 && isfinite(sql_udf_double(value))) {
        char text[VALUE_TEXT_SIZE];
        buffer_append_text(out, value_format_double(sql_udf_double(value), text));
    } else {
        sql_udf_text(value, type, out);
    }
    if (quoted)
        buffer_append_byte(out, '"');
}

/* One %... of FORMAT: flags, width and precision as in C, one letter of "diuxXosTtgGeEf". */
struct directive {
    char spec[40];
    char letter;
    size_t length;
};

static bool read_directive(struct slice format, struct directive *out)
{
    size_t length = 1;

    while (length < format.length && length < 20 &&
           strchr("-+ #0123456789.", format.data[length]) != NULL && format.data[length] != '\0')
        length++;
    if (length >= format.length)
        return false;
    // Widths of more than three digits have no use but to exhaust memory.
    size_t digits = 0;
    for (size_t i = 1; i < length; i++) {
        digits = format.data[i] >= '0' && format.data[i] <= '9' ? digits + 1 : 0;
        if (digits > 3)
            return false;
    }
    memcpy(out->spec, format.data, length);
    out->spec[length] = '\0';
    out->letter = format.data[length];
    out->length = length + 1;
    return true;
}

static void append_number(
    struct buffer *out, const struct directive *directive, int type, sqlite3_value *value)
{
    char spec[48];
    char text[1400];
    int length;

    bool integer = strchr("diuxXo", directive->letter) != NULL;
    snprintf(
        spec, sizeof spec, "%s%s%c", directive->spec, integer ? "ll" : "",
        directive->letter == 'i' ? 'd' : directive->letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (integer)
        length = snprintf(text, sizeof text, spec, (long long)sqlite3_value_int64(value));
    else
        length = snprintf(
            text, sizeof text, spec,
            type == STORE_NUMERIC || type == STORE_BIGNUMERIC
                ? strtod((const char *)sqlite3_value_text(value), NULL)
                : sql_udf_double(value));
#pragma GCC diagnostic pop
    if (length > 0)
        buffer_append(out, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

static void append_padded(struct buffer *out, const char *spec, struct slice text)
{
    bool left = strchr(spec, '-') != NULL;
    const char *digits = spec + strcspn(spec, "123456789");
    long width = strtol(digits, NULL, 10);
    const char *dot = strchr(spec, '.');

    if (dot != NULL && digits > dot)
        width = 0;
    if (dot != NULL)
        text.length = sql_character_offset(text, strtol(dot + 1, NULL, 10));
    long missing = width - (long)sql_count_characters(text);
    for (long i = 0; !left && i < missing; i++)
        buffer_append_byte(out, ' ');
    buffer_append_slice(out, text);
    for (long i = 0; left && i < missing; i++)
        buffer_append_byte(out, ' ');
}

/* One directive with its argument; false if they do not fit. *out_null: the result is NULL. */
static bool append_directive(
    struct buffer *out, const struct directive *directive, int type, sqlite3_value *value,
    bool *out_null)
{
    bool real = strchr("eEfFgG", directive->letter) != NULL;
    bool integer = strchr("diuxXo", directive->letter) != NULL;
    struct buffer text;

    if (directive->letter == 't' || directive->letter == 'T') {
        buffer_init(&text, SQL_TEXT_BYTES_MAX);
        append_value(&text, type, value, directive->letter == 'T');
        append_padded(out, directive->spec, buffer_slice(&text));
        buffer_clear(&text);
        return true;
    }
    if (sqlite3_value_type(value) == SQLITE_NULL) {
        *out_null = true;
        return true;
    }
    if (directive->letter == 's' && (type == STORE_STRING || type == STORE_JSON)) {
        append_padded(out, directive->spec, sql_udf_slice(value));
        return true;
    }
    if ((integer && type != STORE_INT64) ||
        (real && type != STORE_FLOAT64 && type != STORE_NUMERIC && type != STORE_BIGNUMERIC) ||
        (!integer && !real))
        return false;
    append_number(out, directive, type, value);
    return true;
}

/* bq_format(format, type, value, type, value, ...) */
static void udf_format(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct slice format = sql_udf_slice(args[0]);
    struct buffer out;
    bool null = false;
    int next = 1;

    if (sql_udf_null(context, 1, args))
        return;
    buffer_init(&out, SQL_TEXT_BYTES_MAX);
    while (format.length > 0) {
        struct directive directive;
        size_t plain = 0;
        while (plain < format.length && format.data[plain] != '%')
            plain++;
        buffer_append(&out, format.data, plain);
        format = (struct slice){format.data + plain, format.length - plain};
        if (format.length == 0)
            break;
        bool ok = read_directive(format, &directive);
        if (ok && directive.letter == '%')
            buffer_append_byte(&out, '%');
        else if (ok)
            ok = next + 1 < count &&
                 append_directive(
                     &out, &directive, sqlite3_value_int(args[next]), args[next + 1], &null);
        if (!ok) {
            sql_udf_error(context, "Invalid FORMAT string or argument of the wrong type");
            buffer_clear(&out);
            return;
        }
        next += directive.letter == '%' ? 0 : 2;
        format = (struct slice){format.data + directive.length, format.length - directive.length};
    }
    if (null) {
        sqlite3_result_null(context);
        buffer_clear(&out);
    } else {
        sql_udf_finish_text(context, &out);
    }
}

bool sql_udf_register_format(sqlite3 *handle)
{
    static const struct sql_udf functions[] = {{"bq_format", -1, udf_format, NULL, false}};

    return sql_udf_add(handle, functions, 1);
}
