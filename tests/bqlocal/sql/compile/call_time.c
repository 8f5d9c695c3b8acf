/* Calls that name a part of a date: DATE_DIFF, TIMESTAMP_TRUNC, DATETIME_ADD and so on. */
#include "bqlocal/sql/compile/compile.h"

#include <string.h>

/* The name of a date part given as an argument, as MONTH; NULL if it is none. */
static const char *part_name(const struct sql_expr *expr)
{
    return expr->kind == SQL_EXPR_PATH && expr->path.count == 1 ? expr->path.items[0] : NULL;
}

/* X_DIFF, X_TRUNC, X_ADD, X_SUB of the four types of time. */
bool sql_translate_time_call(
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
    part = sql_quote_text(compiler->arena, part, strlen(part));
    out->type = diff ? STORE_INT64 : type;
    out->sql =
        diff ? sql_printf(
                   compiler->arena, "bq_time_diff(%d,%s,%s,%s)", type, args[0].sql, args[1].sql,
                   part)
             : sql_printf(compiler->arena, "bq_time_trunc(%d,%s,%s)", type, args[0].sql, part);
    return true;
}

bool sql_find_time_call(const char *name, const char **out_operation, int *out_type)
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
