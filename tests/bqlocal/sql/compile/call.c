/* Calls of functions whose types or arguments follow rules of their own. The regular ones are rows
 * of function.c. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool sql_translate_args(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value **out)
{
    struct sql_value *args = sql_alloc(compiler->arena, (expr->args.count + 1) * sizeof *args);

    for (size_t i = 0; i < expr->args.count; i++)
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
    *out = args;
    return true;
}

bool sql_no_match(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_value *args)
{
    char what[80];

    snprintf(
        what, sizeof what, "%s %.60s",
        sql_is_aggregate(expr->text) ? "aggregate function" : "function", expr->text);
    return sql_no_signature(compiler, expr, what, args, expr->args.count);
}

static bool call_if(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    if (expr->args.count != 3 || !sql_coerce(compiler, &args[0], STORE_BOOL, &args[0]))
        return sql_no_match(compiler, expr, args);
    if (!sql_unify(compiler, expr, "function IF", args + 1, 2, &out->type))
        return false;
    out->sql = sql_printf(
        compiler->arena, "(CASE WHEN %s THEN %s ELSE %s END)", args[0].sql, args[1].sql,
        args[2].sql);
    return true;
}

static bool call_coalesce(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    size_t count = expr->args.count;

    if (count == 0 || (strcmp(expr->text, "IFNULL") == 0 && count != 2))
        return sql_no_match(compiler, expr, args);
    if (!sql_unify(compiler, expr, "function COALESCE", args, count, &out->type))
        return false;
    out->sql = args[count - 1].sql;
    for (size_t i = count - 1; i > 0; i--)
        out->sql = sql_printf(compiler->arena, "coalesce(%s,%s)", args[i - 1].sql, out->sql);
    return true;
}

static const char *concat_tree(
    struct sql_compiler *compiler, const struct sql_value *args, size_t count)
{
    if (count == 1)
        return args[0].sql;
    return sql_printf(
        compiler->arena, "(%s || %s)", concat_tree(compiler, args, count / 2),
        concat_tree(compiler, args + count / 2, count - count / 2));
}

/* Whether it is CONCAT(CAST(BYTE_LENGTH(x) AS STRING), ':', x), as checksums of rows have it for
 * each column: computed at once, x is computed once. */
static bool is_counted(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_value *args)
{
    if (expr->args.count != 3 || !args[1].literal || args[1].length != 1 || args[1].text[0] != ':')
        return false;
    const char *length = sql_printf(compiler->arena, "bq_byte_length(%s)", args[2].sql);
    return strcmp(args[0].sql, sql_cast(compiler, length, STORE_INT64, STORE_STRING, false)) == 0;
}

static bool call_concat(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    if (expr->args.count == 0)
        return sql_no_match(compiler, expr, args);
    for (size_t i = 0; i < expr->args.count; i++)
        if (!sql_coerce(compiler, &args[i], STORE_STRING, &args[i])) {
            // CONCAT alone takes numbers and dates too, as their text.
            if (!sql_cast_allowed(args[i].type, STORE_STRING) || args[i].type == STORE_BYTES)
                return sql_no_match(compiler, expr, args);
            args[i].sql = sql_cast(compiler, args[i].sql, args[i].type, STORE_STRING, false);
        }
    out->type = STORE_STRING;
    if (is_counted(compiler, expr, args))
        out->sql = sql_printf(compiler->arena, "bq_counted(%s)", args[2].sql);
    else
        out->sql = concat_tree(compiler, args, expr->args.count);
    return true;
}

/* FORMAT of one FLOAT64: all that a checksum of rows needs. */
static bool call_format(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    if (expr->args.count != 2 || args[0].type != STORE_STRING || args[1].type != STORE_FLOAT64)
        return sql_error(
            compiler->err, expr->place, "bqlocal has FORMAT with one FLOAT64 argument only");
    out->type = STORE_STRING;
    out->sql = sql_printf(compiler->arena, "bq_format(%s,%s)", args[0].sql, args[1].sql);
    return true;
}

static bool call_to_json_string(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    if (expr->args.count != 1)
        return sql_no_match(compiler, expr, args);
    out->type = STORE_STRING;
    out->sql = sql_printf(compiler->arena, "bq_json_text(%d,%s)", args[0].type, args[0].sql);
    return true;
}

static bool call_clock(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    static const struct {
        const char *name;
        int type;
    } clocks[] = {
        {"CURRENT_TIMESTAMP", STORE_TIMESTAMP},
        {"CURRENT_DATETIME", STORE_DATETIME},
        {"CURRENT_DATE", STORE_DATE},
        {"CURRENT_TIME", STORE_TIME}};

    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
        if (strcmp(expr->text, clocks[i].name) == 0 && expr->args.count == 0) {
            char *now = sql_printf(compiler->arena, "%lld", (long long)compiler->now_us);
            out->type = clocks[i].type;
            out->sql = sql_cast(compiler, now, STORE_TIMESTAMP, out->type, false);
            return true;
        }
    return sql_no_match(compiler, expr, args);
}

static const struct {
    const char *name;
    bool (*call)(
        struct sql_compiler *, const struct sql_expr *, struct sql_value *, struct sql_value *);
} special[] = {
    {"IF", call_if},
    {"COALESCE", call_coalesce},
    {"IFNULL", call_coalesce},
    {"CONCAT", call_concat},
    {"FORMAT", call_format},
    {"TO_JSON_STRING", call_to_json_string},
    {"CURRENT_TIMESTAMP", call_clock},
    {"CURRENT_DATETIME", call_clock},
    {"CURRENT_DATE", call_clock},
    {"CURRENT_TIME", call_clock},
};

static bool translate_plain_call(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value *args = NULL;
    const char *name = expr->text;

    // A row of function.c for each name of an argument.
    if (expr->named != NULL)
        name = sql_printf(compiler->arena, "%s %s", expr->text, expr->named);
    if (!sql_translate_args(compiler, expr, &args))
        return false;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcmp(special[i].name, name) == 0)
            return special[i].call(compiler, expr, args, out);
    switch (sql_function_find(compiler, name, args, expr->args.count, out)) {
    case SQL_MATCHED:
        return true;
    case SQL_NO_SIGNATURE:
        return sql_no_match(compiler, expr, args);
    case SQL_NO_FUNCTION:
        break;
    }
    return sql_error(
        compiler->err, expr->place,
        "Function not found: bqlocal does not have %s; docs/bqlocal.md lists what it has", name);
}

/* The name of a date part given as an argument, as MONTH; NULL if it is none. */
static const char *part_name(const struct sql_expr *expr)
{
    return expr->kind == SQL_EXPR_PATH && expr->path.count == 1 ? expr->path.items[0] : NULL;
}

/* TIMESTAMP and TIME have no calendar, and nothing is added to the years of ISO weeks. */
static bool check_part(
    struct sql_compiler *compiler, const struct sql_expr *at, const char *operation, int type,
    const char *part)
{
    static const char *const calendar[] = {"WEEK", "MONTH",   "QUARTER",
                                           "YEAR", "ISOWEEK", "ISOYEAR"};
    bool adds = operation[0] == 'A' || operation[0] == 'S';
    size_t first = type == STORE_TIMESTAMP || type == STORE_TIME ? 0 : adds ? 4 : 6;

    for (size_t i = first; strcmp(operation, "TRUNC") != 0 && i < 6; i++)
        if (strcasecmp(part, calendar[i]) == 0)
            return sql_error(
                compiler->err, at->place, "%s does not support the %s date part",
                sql_printf(
                    compiler->arena, "%s_%s", store_type_sql((enum store_type)type), operation),
                calendar[i]);
    return true;
}

/* X_DIFF, X_TRUNC, X_ADD, X_SUB of the four types of time. */
static bool translate_time_call(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *operation, int type,
    struct sql_value *out)
{
    bool diff = strcmp(operation, "DIFF") == 0;
    bool interval = strcmp(operation, "ADD") == 0 || strcmp(operation, "SUB") == 0;
    size_t values = diff ? 2 : 1;
    struct sql_value args[2] = {0};

    if (expr->args.count != values + 1)
        return sql_error(compiler->err, expr->place, "Wrong number of arguments of %s", expr->text);
    for (size_t i = 0; i < values; i++) {
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
        if (!sql_coerce(compiler, &args[i], type, &args[i]))
            return sql_no_signature(compiler, expr, expr->text, args, i + 1);
    }
    const struct sql_expr *last = expr->args.items[values];
    if (interval && last->kind == SQL_EXPR_INTERVAL) {
        if (!check_part(compiler, last, operation, type, last->text))
            return false;
        if (!sql_translate(compiler, last->args.items[0], &args[1]))
            return false;
        if (!sql_coerce(compiler, &args[1], STORE_INT64, &args[1]))
            return sql_no_signature(compiler, expr, expr->text, args, 2);
        out->type = type;
        out->sql = sql_printf(
            compiler->arena, "bq_time_add(%d,%s,%s(%s),'%s')", type, args[0].sql,
            operation[0] == 'S' ? "-" : "", args[1].sql, last->text);
        return true;
    }
    const char *part = interval ? NULL : part_name(last);
    if (part == NULL)
        return sql_error(compiler->err, last->place, "A valid date part name is required");
    if (!check_part(compiler, last, operation, type, part))
        return false;
    part = sql_quote_text(compiler->arena, part, strlen(part));
    out->type = diff ? STORE_INT64 : type;
    out->sql =
        diff ? sql_printf(
                   compiler->arena, "bq_time_diff(%d,%s,%s,%s)", type, args[0].sql, args[1].sql,
                   part)
             : sql_printf(compiler->arena, "bq_time_trunc(%d,%s,%s)", type, args[0].sql, part);
    return true;
}

static bool find_time_call(const char *name, const char **out_operation, int *out_type)
{
    static const struct {
        const char *prefix;
        int type;
    } prefixes[] = {
        {"DATE_", STORE_DATE},
        {"TIME_", STORE_TIME},
        {"DATETIME_", STORE_DATETIME},
        {"TIMESTAMP_", STORE_TIMESTAMP}};
    static const char *const operations[] = {"DIFF", "TRUNC", "ADD", "SUB"};

    for (size_t i = 0; i < 4; i++) {
        size_t length = strlen(prefixes[i].prefix);
        for (size_t j = 0; j < 4; j++)
            if (strncmp(name, prefixes[i].prefix, length) == 0 &&
                strcmp(name + length, operations[j]) == 0) {
                *out_operation = operations[j];
                *out_type = prefixes[i].type;
                return true;
            }
    }
    return false;
}

bool sql_translate_call(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const char *operation = NULL;
    int type = 0;

    if (expr->named != NULL)
        return translate_plain_call(compiler, expr, out);
    if (sql_is_aggregate(expr->text))
        return sql_translate_aggregate(compiler, expr, out);
    if (sql_is_window_function(expr->text))
        return sql_translate_window_function(compiler, expr, out);
    if (expr->window != NULL)
        return sql_error(
            compiler->err, expr->place, "bqlocal does not have %s with an OVER clause", expr->text);
    if (find_time_call(expr->text, &operation, &type))
        return translate_time_call(compiler, expr, operation, type, out);
    return translate_plain_call(compiler, expr, out);
}
