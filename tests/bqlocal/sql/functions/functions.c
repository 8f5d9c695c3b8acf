/* Registration, conversions between types, and the small checks. */
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/limit.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct slice sql_arg_slice(sqlite3_value *value)
{
    bool blob = sqlite3_value_type(value) == SQLITE_BLOB;
    const char *data = blob ? sqlite3_value_blob(value) : (const char *)sqlite3_value_text(value);

    return (struct slice){data == NULL ? "" : data, (size_t)sqlite3_value_bytes(value)};
}

bool sql_result_null_if_any(sqlite3_context *context, int count, sqlite3_value **args)
{
    for (int i = 0; i < count; i++)
        if (sqlite3_value_type(args[i]) == SQLITE_NULL) {
            sqlite3_result_null(context);
            return true;
        }
    return false;
}

void sql_result_error(sqlite3_context *context, const char *format, ...)
{
    char text[700];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sqlite3_result_error(context, text, -1);
}

double sql_arg_double(sqlite3_value *value)
{
    return sqlite3_value_type(value) == SQLITE_TEXT ? (double)NAN : sqlite3_value_double(value);
}

void sql_result_double(sqlite3_context *context, double number)
{
    if (isnan(number))
        sqlite3_result_text(context, "NaN", -1, SQLITE_STATIC);
    else
        sqlite3_result_double(context, number);
}

void sql_result_text(sqlite3_context *context, const char *text, size_t length)
{
    sqlite3_result_text64(context, text, length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void sql_result_bytes(sqlite3_context *context, const char *bytes, size_t length)
{
    if (length == 0)
        sqlite3_result_zeroblob(context, 0);
    else
        sqlite3_result_blob64(context, bytes, length, SQLITE_TRANSIENT);
}

/* CAST(FLOAT64 AS STRING) as ZetaSQL's RoundTripDoubleToString: 15 digits, or 17 where those are
 * another number; no ".0", lower-case words, no sign of zero. */
static void append_double(double number, struct buffer *out)
{
    char text[VALUE_TEXT_SIZE];

    if (!isfinite(number)) {
        buffer_append_text(out, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
        return;
    }
    number = number == 0 ? 0.0 : number;
    snprintf(text, sizeof text, "%.15g", number);
    if (strtod(text, NULL) != number)
        snprintf(text, sizeof text, "%.17g", number);
    buffer_append_text(out, text);
}

void sql_append_moment(char *text, struct buffer *out)
{
    size_t length = strlen(text);

    if (length > 7 && text[length - 7] == '.' && strcmp(text + length - 3, "000") == 0)
        text[length - 3] = '\0';
    buffer_append_text(out, text);
}

bool sql_append_as_text(sqlite3_value *value, int type, struct buffer *out)
{
    char text[VALUE_TEXT_SIZE];
    int64_t number = sqlite3_value_int64(value);
    struct slice slice;

    switch ((enum store_type)type) {
    case STORE_INT64:
        buffer_printf(out, "%lld", (long long)number);
        return true;
    case STORE_FLOAT64:
        append_double(sql_arg_double(value), out);
        return true;
    case STORE_BOOL:
        buffer_append_text(out, number != 0 ? "true" : "false");
        return true;
    case STORE_DATE:
        buffer_append_text(out, value_format_date(number, text));
        return true;
    case STORE_TIME:
        sql_append_moment(value_format_time(number, text), out);
        return true;
    case STORE_DATETIME:
        sql_append_moment(value_format_datetime(number, ' ', text), out);
        return true;
    case STORE_TIMESTAMP:
        sql_append_moment(value_format_datetime(number, ' ', text), out);
        buffer_append_text(out, "+00");
        return true;
    case STORE_BYTES:
        slice = sql_arg_slice(value);
        buffer_append_slice(out, slice);
        return value_utf8_is_valid(slice);
    case STORE_STRING:
    case STORE_NUMERIC:
    case STORE_BIGNUMERIC:
    case STORE_JSON:
    case STORE_GEOGRAPHY:
        break;
    }
    buffer_append_slice(out, sql_arg_slice(value));
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.length > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0') {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && strchr(" \t\r\n", text.data[text.length - 1]) != NULL &&
           text.data[text.length - 1] != '\0')
        text.length--;
    return text;
}

/* Digits, or 0x and hexadecimal digits, with a sign. */
static bool parse_int(struct slice text, int64_t *out)
{
    char copy[32];

    text = trim(text);
    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    const char *digits = copy + (copy[0] == '-' || copy[0] == '+');
    if (strncasecmp(digits, "0x", 2) != 0)
        return value_parse_int64(
            (struct slice){copy + (copy[0] == '+'), text.length - (copy[0] == '+')}, out);
    size_t length = strspn(digits + 2, "0123456789abcdefABCDEF");
    if (length == 0 || length > 16 || digits[2 + length] != '\0')
        return false;
    uint64_t number = strtoull(digits + 2, NULL, 16);
    if (number > (uint64_t)INT64_MAX + (copy[0] == '-'))
        return false;
    *out = (int64_t)(copy[0] == '-' ? 0 - number : number);
    return true;
}

static bool result_int(sqlite3_context *context, bool ok, int64_t number)
{
    if (ok)
        sqlite3_result_int64(context, number);
    return ok;
}

static bool result_decimal(sqlite3_context *context, struct slice text, int type)
{
    char out[VALUE_TEXT_SIZE];

    if (!value_parse_decimal(trim(text), type == STORE_BIGNUMERIC, out))
        return false;
    sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    return true;
}

static bool cast_from_text(sqlite3_context *context, struct slice text, int type)
{
    int64_t number = 0;
    double real = 0;
    bool ok = false;

    switch ((enum store_type)type) {
    case STORE_INT64:
        ok = parse_int(text, &number);
        return result_int(context, ok, number);
    case STORE_FLOAT64:
        if (!value_parse_double(trim(text), &real))
            return false;
        sql_result_double(context, real);
        return true;
    case STORE_BOOL:
        number = text.length == 4 && strncasecmp(text.data, "true", 4) == 0;
        return result_int(
            context, number || (text.length == 5 && strncasecmp(text.data, "false", 5) == 0),
            number);
    case STORE_BYTES:
        sql_result_bytes(context, text.data, text.length);
        return true;
    case STORE_NUMERIC:
    case STORE_BIGNUMERIC:
        return result_decimal(context, text, type);
    case STORE_DATE:
        ok = value_parse_date(text, &number);
        return result_int(context, ok, number);
    case STORE_TIME:
        ok = value_parse_time(text, &number);
        return result_int(context, ok, number);
    case STORE_DATETIME:
        ok = value_parse_datetime(text, &number);
        return result_int(context, ok, number);
    case STORE_TIMESTAMP:
        ok = value_parse_timestamp(text, &number);
        return result_int(context, ok, number);
    case STORE_STRING:
    case STORE_JSON:
    case STORE_GEOGRAPHY:
        break;
    }
    return false;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Rounds half away from zero: the decimal's integer part, plus one if the fraction is a half. */
static bool decimal_to_int(struct slice text, int64_t *out)
{
    const char *dot = memchr(text.data, '.', text.length);
    size_t length = dot == NULL ? text.length : (size_t)(dot - text.data);
    bool negative = text.length > 0 && text.data[0] == '-';

    if (!value_parse_int64((struct slice){text.data, length}, out)) {
        if (length != 2 || memcmp(text.data, "-0", 2) != 0)
            return false;
        *out = 0;
    }
    if (dot == NULL || dot[1] < '5')
        return true;
    return !__builtin_add_overflow(*out, negative ? -1 : 1, out);
}

static bool cast_number(sqlite3_context *context, sqlite3_value *value, int from, int to)
{
    char text[VALUE_TEXT_SIZE];
    int64_t number = 0;

    if (to == STORE_BOOL)
        return result_int(context, true, sqlite3_value_int64(value) != 0);
    if (to == STORE_FLOAT64) {
        sqlite3_result_double(
            context, from == STORE_INT64 ? (double)sqlite3_value_int64(value)
                                         : strtod((const char *)sqlite3_value_text(value), NULL));
        return true;
    }
    if (to == STORE_INT64 && from != STORE_FLOAT64) {
        bool ok = true;
        if (from == STORE_BOOL)
            number = sqlite3_value_int64(value);
        else
            ok = decimal_to_int(sql_arg_slice(value), &number);
        return result_int(context, ok, number);
    }
    if (to == STORE_INT64) {
        double real = round(sql_arg_double(value));
        bool fits = real >= -9223372036854775808.0 && real < 9223372036854775808.0;
        return result_int(context, fits, fits ? (int64_t)real : 0);
    }
    if (from == STORE_FLOAT64) {
        double real = sql_arg_double(value);
        if (!isfinite(real))
            return false;
        snprintf(text, sizeof text, to == STORE_NUMERIC ? "%.9f" : "%.38f", real);
        return fabs(real) < 1e39 && result_decimal(context, slice_of(text), to);
    }
    return result_decimal(context, sql_arg_slice(value), to);
}

static bool cast_time(sqlite3_context *context, int64_t number, int from, int to)
{
    if (to == STORE_DATE)
        return result_int(context, true, floor_divide(number, VALUE_DAY_US));
    if (to == STORE_TIME)
        return result_int(
            context, true, number - floor_divide(number, VALUE_DAY_US) * VALUE_DAY_US);
    return result_int(context, true, from == STORE_DATE ? number * VALUE_DAY_US : number);
}

static bool is_time(int type)
{
    return type >= STORE_DATE && type <= STORE_TIMESTAMP;
}

/* bq_cast(value, from, to, safe) */
static void bq_cast(sqlite3_context *context, int count, sqlite3_value **args)
{
    int from = sqlite3_value_int(args[1]);
    int to = sqlite3_value_int(args[2]);
    struct buffer text;
    bool ok;

    (void)count;
    if (sql_result_null_if_any(context, 1, args))
        return;
    buffer_init(&text, (size_t)sqlite3_value_bytes(args[0]) + VALUE_TEXT_SIZE);
    if (to == STORE_STRING) {
        ok = sql_append_as_text(args[0], from, &text);
        if (ok)
            sql_result_text(context, buffer_text(&text), text.length);
    } else if (from == STORE_STRING) {
        ok = cast_from_text(context, sql_arg_slice(args[0]), to);
    } else if (is_time(from)) {
        ok = cast_time(context, sqlite3_value_int64(args[0]), from, to);
    } else {
        ok = cast_number(context, args[0], from, to);
    }
    if (!ok && sqlite3_value_int(args[3]) != 0) {
        sqlite3_result_null(context);
    } else if (!ok && from == STORE_BYTES) {
        // The value is no text: an answer could not show it.
        sql_result_error(context, "Invalid cast of bytes to UTF8 string");
    } else if (!ok) {
        buffer_reset(&text);
        sql_append_as_text(args[0], from, &text);
        bool number = to <= STORE_BIGNUMERIC && to != STORE_BYTES;
        sql_result_error(
            context, from == STORE_STRING && number ? "Bad %s value: %.200s" : "Invalid %s: %.200s",
            to == STORE_FLOAT64 ? "double"
            : to == STORE_BOOL  ? "bool"
                                : store_type_sql((enum store_type)to),
            buffer_text(&text));
    }
    buffer_clear(&text);
}

static void bq_required(sqlite3_context *context, int count, sqlite3_value **args)
{
    (void)count;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        sql_result_error(
            context, "Required field %s cannot be null", (const char *)sqlite3_value_text(args[1]));
    else
        sqlite3_result_value(context, args[0]);
}

/* The value as a column with these limits keeps it: value, name, type, length, precision, scale. */
static void bq_limit(sqlite3_context *context, int count, sqlite3_value **args)
{
    const struct store_field field = {
        .name = (char *)(uintptr_t)sqlite3_value_text(args[1]),
        .type = (enum store_type)sqlite3_value_int(args[2]),
        .length = sqlite3_value_int64(args[3]),
        .precision = sqlite3_value_int(args[4]),
        .scale = sqlite3_value_int(args[5]),
    };
    struct slice value = sql_arg_slice(args[0]);
    char rounded[VALUE_TEXT_SIZE];
    struct error err;

    (void)count;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    if (field.precision > 0 ? !limit_round(&field, value, rounded, &err)
                            : !limit_check(&field, value, &err))
        sql_result_error(context, "%s", err.message);
    else if (field.precision > 0)
        sql_result_text(context, rounded, strlen(rounded));
    else
        sqlite3_result_value(context, args[0]);
}

static void bq_error(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *text = (const char *)sqlite3_value_text(args[0]);

    (void)count;
    sql_result_error(context, "%s", text == NULL ? "" : text);
}

bool sql_add_functions(sqlite3 *handle, const struct sql_function *functions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sql_function *one = &functions[i];
        int flags = SQLITE_UTF8 | (one->changes ? 0 : SQLITE_DETERMINISTIC);
        if (sqlite3_create_function_v2(
                handle, one->name, one->args, flags, (void *)(uintptr_t)one->data, one->call, NULL,
                NULL, NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

bool sql_register_functions(sqlite3 *handle)
{
    static const struct sql_function functions[] = {
        {"bq_cast", 4, bq_cast, NULL, false},
        {"bq_required", 2, bq_required, NULL, false},
        {"bq_limit", 6, bq_limit, NULL, false},
        {"bq_error", 1, bq_error, NULL, true},
    };

    return sql_add_functions(handle, functions, sizeof functions / sizeof *functions) &&
           sql_register_numbers(handle) && sql_register_texts(handle) &&
           sql_register_times(handle) && sql_register_json(handle) &&
           sql_register_aggregates(handle);
}
