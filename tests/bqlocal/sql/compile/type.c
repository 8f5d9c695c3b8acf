/* Types, their literals, and implicit conversions ("Conversion rules" of the GoogleSQL reference).
 */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *sql_type_name(int type)
{
    // An untyped NULL counts as INT64 where a type has to be named.
    return type == SQL_TYPE_NULL ? "INT64" : store_type_sql((enum store_type)type);
}

const char *sql_quote_bytes(struct sql_arena *arena, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *out = sql_alloc(arena, length * 2 + 4);
    size_t at = 0;

    out[at++] = 'x';
    out[at++] = '\'';
    for (size_t i = 0; i < length; i++) {
        out[at++] = digits[(unsigned char)bytes[i] >> 4];
        out[at++] = digits[(unsigned char)bytes[i] & 15];
    }
    out[at] = '\'';
    return out;
}

const char *sql_quote_text(struct sql_arena *arena, const char *text, size_t length)
{
    char *out = sql_alloc(arena, length * 2 + 3);
    size_t at = 0;

    if (memchr(text, '\0', length) != NULL)
        return sql_printf(arena, "CAST(%s AS TEXT)", sql_quote_bytes(arena, text, length));
    out[at++] = '\'';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            out[at++] = '\'';
        out[at++] = text[i];
    }
    out[at] = '\'';
    return out;
}

const char *sql_quote_name(struct sql_arena *arena, const char *name)
{
    size_t length = strlen(name);
    char *out = sql_alloc(arena, length * 2 + 3);
    size_t at = 0;

    out[at++] = '"';
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '"')
            out[at++] = '"';
        out[at++] = name[i];
    }
    out[at] = '"';
    return out;
}

static const char *float_sql(struct sql_arena *arena, double number)
{
    if (isnan(number))
        return "'NaN'";
    if (isinf(number))
        return number > 0 ? "9e999" : "-9e999";
    char *text = sql_printf(arena, "%.17g", number);
    return strpbrk(text, ".e") != NULL ? text : sql_printf(arena, "%s.0", text);
}

/* INT64 and the four types of time, all stored as integers. */
static bool literal_int(
    struct sql_arena *arena, enum store_type type, struct slice text, const char **out)
{
    int64_t number = 0;
    bool ok = type == STORE_INT64      ? value_parse_int64(text, &number)
              : type == STORE_DATE     ? value_parse_date(text, &number)
              : type == STORE_TIME     ? value_parse_time(text, &number)
              : type == STORE_DATETIME ? value_parse_datetime(text, &number)
                                       : value_parse_timestamp(text, &number);

    *out = sql_printf(arena, "%lld", (long long)number);
    return ok;
}

static bool json_sql(struct sql_arena *arena, struct slice slice, const char **out)
{
    struct slice inexact;
    struct buffer json;

    buffer_init(&json, slice.length * 6 + 64);
    bool ok = value_json_normalise(slice, &json, &inexact) && json.failure == BUFFER_OK;
    if (ok)
        *out = sql_quote_text(arena, buffer_text(&json), json.length);
    buffer_clear(&json);
    return ok;
}

bool sql_literal(
    struct sql_compiler *compiler, enum store_type type, const char *text, size_t length,
    struct sql_value *out)
{
    struct sql_arena *arena = compiler->arena;
    struct slice slice = {text, length};
    char decimal[VALUE_TEXT_SIZE];
    double real = 0;
    bool ok = true;

    *out = (struct sql_value){.type = (int)type, .literal = true, .text = text, .length = length};
    switch (type) {
    case STORE_INT64:
    case STORE_DATE:
    case STORE_TIME:
    case STORE_DATETIME:
    case STORE_TIMESTAMP:
        return literal_int(arena, type, slice, &out->sql);
    case STORE_FLOAT64:
        ok = value_parse_double(slice, &real);
        out->sql = float_sql(arena, real);
        return ok;
    case STORE_BOOL:
        ok = strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
        out->sql = strcasecmp(text, "true") == 0 ? "1" : "0";
        return ok;
    case STORE_STRING:
        out->sql = sql_quote_text(arena, text, length);
        return true;
    case STORE_BYTES:
        out->sql = sql_quote_bytes(arena, text, length);
        return true;
    case STORE_NUMERIC:
    case STORE_BIGNUMERIC:
        ok = value_parse_decimal(slice, type == STORE_BIGNUMERIC, decimal);
        out->sql = ok ? sql_quote_text(arena, decimal, strlen(decimal)) : "";
        return ok;
    case STORE_JSON:
        return json_sql(arena, slice, &out->sql);
    case STORE_GEOGRAPHY: // has no literals
        return false;
    }
    return false;
}

/* INT64 < NUMERIC < BIGNUMERIC < FLOAT64; 0 if it is not a number. */
static int rank(int type)
{
    return type == STORE_INT64        ? 1
           : type == STORE_NUMERIC    ? 2
           : type == STORE_BIGNUMERIC ? 3
           : type == STORE_FLOAT64    ? 4
                                      : 0;
}

static bool is_time(int type)
{
    return type == STORE_DATE || type == STORE_TIME || type == STORE_DATETIME ||
           type == STORE_TIMESTAMP;
}

static bool coercible(const struct sql_value *value, int type)
{
    if (value->type == type || value->type == SQL_TYPE_NULL)
        return true;
    if (rank(value->type) > 0 && rank(type) > rank(value->type))
        return true;
    if (value->type == STORE_DATE && type == STORE_DATETIME)
        return true;
    if (!value->literal || value->text == NULL)
        return false;
    return (value->type == STORE_STRING && is_time(type)) ||
           (value->type == STORE_FLOAT64 && (type == STORE_NUMERIC || type == STORE_BIGNUMERIC));
}

bool sql_coerce(
    struct sql_compiler *compiler, const struct sql_value *value, int type, struct sql_value *out)
{
    struct sql_value result = *value;

    if (!coercible(value, type))
        return false;
    result.type = type;
    if (value->type == type || value->type == SQL_TYPE_NULL) {
        *out = result;
        return true;
    }
    if (value->literal && value->text != NULL && value->type != STORE_DATE) {
        const char *text = value->text;
        size_t length = value->length;
        if (!sql_literal(compiler, (enum store_type)type, text, length, &result)) {
            compiler->bad_literal = sql_printf(
                compiler->arena, "Could not cast literal \"%s\" to type %s", text,
                sql_type_name(type));
            return false;
        }
        *out = result;
        return true;
    }
    result.sql = sql_cast(compiler, value->sql, value->type, type, false);
    result.text = NULL;
    *out = result;
    return true;
}

bool sql_mismatch(struct sql_compiler *compiler, const struct sql_expr *at, const char *format, ...)
{
    char text[800];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *message = compiler->bad_literal != NULL ? compiler->bad_literal : text;
    compiler->bad_literal = NULL;
    return sql_error(compiler->err, at->place, "%s", message);
}

bool sql_common_type(const struct sql_value *a, const struct sql_value *b, int *out_type)
{
    if (a->type == SQL_TYPE_NULL || coercible(a, b->type)) {
        // A literal adapts to the other side; of two numbers the wider one wins.
        *out_type = b->type;
        return true;
    }
    *out_type = a->type;
    return coercible(b, a->type);
}

bool sql_common_type_of(const struct sql_value *values, size_t count, int *out_type)
{
    struct sql_value common = {.type = SQL_TYPE_NULL};

    for (size_t i = 0; i < count; i++) {
        int type = 0;
        if (!sql_common_type(&common, &values[i], &type))
            return false;
        // The common type still adapts while every value so far was a literal.
        bool literal = values[i].literal && (common.type == SQL_TYPE_NULL || common.literal);
        if (common.type != type)
            common = values[i];
        common.type = type;
        common.literal = literal;
    }
    *out_type = common.type;
    return true;
}

bool sql_compares(int type)
{
    return type != STORE_JSON && type != STORE_GEOGRAPHY;
}

bool sql_cast_allowed(int from, int to)
{
    if (from == to || from == SQL_TYPE_NULL)
        return from != STORE_JSON || to == STORE_JSON;
    if (!sql_compares(from) || !sql_compares(to))
        return false;
    if (to == STORE_STRING || from == STORE_STRING)
        return true;
    if (rank(from) > 0 && rank(to) > 0)
        return true;
    if ((from == STORE_BOOL && to == STORE_INT64) || (from == STORE_INT64 && to == STORE_BOOL))
        return true;
    if (is_time(from) && is_time(to))
        return !(from == STORE_TIME || (from == STORE_DATE && to == STORE_TIME));
    return false;
}

const char *sql_cast(struct sql_compiler *compiler, const char *sql, int from, int to, bool safe)
{
    if (from == to || from == SQL_TYPE_NULL)
        return sql;
    // Their stored form is their text, and SQLite is faster at this.
    bool is_text = from == STORE_INT64 || from == STORE_NUMERIC || from == STORE_BIGNUMERIC;
    if (is_text && to == STORE_STRING)
        return sql_printf(compiler->arena, "CAST(%s AS TEXT)", sql);
    return sql_printf(compiler->arena, "bq_cast(%s,%d,%d,%d)", sql, from, to, safe);
}

const char *sql_sort_key(struct sql_compiler *compiler, const struct sql_value *value)
{
    if (value->type == STORE_NUMERIC || value->type == STORE_BIGNUMERIC)
        return sql_printf(compiler->arena, "(%s) COLLATE bq_decimal", value->sql);
    // NaN is kept as text and would sort last; it belongs in front of all numbers.
    if (value->type == STORE_FLOAT64)
        return sql_printf(compiler->arena, "bq_float_key(%s)", value->sql);
    return value->sql;
}
