/* Calls of aggregates and window functions. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <string.h>

static const char *const window_functions[] = {"ROW_NUMBER", "LAG", "LEAD"};
static const char *const aggregates[] = {"COUNT", "SUM",     "AVG",     "MIN",
                                         "MAX",   "COUNTIF", "BIT_XOR", "ANY_VALUE"};

bool sql_is_aggregate(const char *name)
{
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
        if (strcmp(name, aggregates[i]) == 0)
            return true;
    return false;
}

static bool translate_window(
    struct sql_compiler *compiler, const struct sql_window *window, const char **out_sql)
{
    const char **items = sql_alloc(compiler->arena, (window->partition.count + 1) * sizeof *items);
    const char *order = "";
    struct sql_value value = {0};

    for (size_t i = 0; i < window->partition.count; i++) {
        if (!sql_translate(compiler, window->partition.items[i], &value))
            return false;
        if (!sql_compares(value.type) || value.type == STORE_FLOAT64)
            return sql_error(
                compiler->err, window->partition.items[i]->place,
                "Partitioning by expressions of type %s is not allowed", sql_type_name(value.type));
        items[i] = value.sql;
    }
    if (!sql_translate_orders(compiler, &window->order, NULL, 0, &order))
        return false;
    *out_sql = sql_printf(
        compiler->arena, " OVER (%s%s%s)", window->partition.count > 0 ? "PARTITION BY " : "",
        sql_join(compiler, ", ", items, window->partition.count), order);
    return true;
}

static bool is_number(int type)
{
    return type == STORE_INT64 || type == STORE_FLOAT64 || type == STORE_NUMERIC ||
           type == STORE_BIGNUMERIC || type == SQL_TYPE_NULL;
}

/* SUM, AVG, MIN, MAX by the type of their argument. */
static bool number_aggregate(
    struct sql_compiler *compiler, const char *name, const struct sql_value *arg,
    const char *distinct, struct sql_value *out)
{
    bool extreme = strcmp(name, "MIN") == 0 || strcmp(name, "MAX") == 0;
    bool decimal = arg->type == STORE_NUMERIC || arg->type == STORE_BIGNUMERIC;
    bool average = strcmp(name, "AVG") == 0;
    char lower[8];

    if ((!extreme && !is_number(arg->type)) || !sql_compares(arg->type))
        return false;
    snprintf(lower, sizeof lower, "%s", name);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)(*c - 'A' + 'a');
    out->type = arg->type == SQL_TYPE_NULL ? STORE_INT64 : arg->type;
    if (average && out->type == STORE_INT64)
        out->type = STORE_FLOAT64;
    if (arg->type == STORE_FLOAT64)
        out->sql = sql_printf(compiler->arena, "bq_%s_float(%s%s)", lower, distinct, arg->sql);
    else if (decimal && extreme)
        out->sql =
            sql_printf(compiler->arena, "%s(%s%s COLLATE bq_decimal)", lower, distinct, arg->sql);
    else if (decimal)
        out->sql = sql_printf(
            compiler->arena, "bq_%s_%s(%s%s)", lower,
            arg->type == STORE_NUMERIC ? "numeric" : "bignumeric", distinct, arg->sql);
    else
        out->sql = sql_printf(compiler->arena, "%s(%s%s)", lower, distinct, arg->sql);
    return true;
}

static bool aggregate_sql(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    const char *name = expr->text;
    const char *distinct = expr->distinct ? "DISTINCT " : "";
    bool countif = strcmp(name, "COUNTIF") == 0;
    bool xor = strcmp(name, "BIT_XOR") == 0;

    if (expr->args.count != 1)
        return sql_no_match(compiler, expr, args);
    if ((countif || xor) &&
        !sql_coerce(compiler, &args[0], countif ? STORE_BOOL : STORE_INT64, &args[0]))
        return sql_no_match(compiler, expr, args);
    out->type = STORE_INT64;
    if (strcmp(name, "COUNT") == 0) {
        out->sql = sql_printf(compiler->arena, "count(%s%s)", distinct, args[0].sql);
    } else if (strcmp(name, "ANY_VALUE") == 0) {
        out->type = args[0].type;
        out->sql = sql_printf(compiler->arena, "max(%s)", args[0].sql);
    } else if (countif) {
        out->sql = sql_printf(compiler->arena, "count(CASE WHEN %s THEN 1 END)", args[0].sql);
    } else if (xor) {
        out->sql = sql_printf(compiler->arena, "bq_bit_xor(%s%s)", distinct, args[0].sql);
    } else {
        return number_aggregate(compiler, name, &args[0], distinct, out) ||
               sql_no_match(compiler, expr, args);
    }
    return true;
}

bool sql_is_window_function(const char *name)
{
    for (size_t i = 0; i < sizeof window_functions / sizeof *window_functions; i++)
        if (strcmp(name, window_functions[i]) == 0)
            return true;
    return false;
}

bool sql_translate_aggregate(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_scope *scope = compiler->scope;
    struct sql_value *args = NULL;

    if (expr->window != NULL)
        return sql_error(
            compiler->err, expr->place,
            "bqlocal does not have aggregate functions with an OVER clause");
    if (scope == NULL || scope->no_aggregates != NULL)
        return sql_error(
            compiler->err, expr->place, "Aggregate function %s not allowed in %s", expr->text,
            scope == NULL ? "this context" : scope->no_aggregates);
    if (scope->in_aggregate)
        return sql_error(
            compiler->err, expr->place, "Aggregations of aggregations are not allowed");
    bool star = expr->args.count == 1 && expr->args.items[0]->kind == SQL_EXPR_STAR;
    scope->in_aggregate = true;
    bool ok = star || sql_translate_args(compiler, expr, &args);
    scope->in_aggregate = false;
    if (!ok)
        return false;
    if (star && strcmp(expr->text, "COUNT") != 0)
        return sql_error(compiler->err, expr->place, "Argument * can only be used in COUNT(*)");
    if (star)
        *out = (struct sql_value){.sql = "count(*)", .type = STORE_INT64};
    return star || aggregate_sql(compiler, expr, args, out);
}

bool sql_translate_window_function(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value *args = NULL;
    const char *window = NULL;
    const char **items = sql_alloc(compiler->arena, (expr->args.count + 1) * sizeof *items);

    if (expr->window == NULL)
        return sql_error(
            compiler->err, expr->place,
            "Analytic function %s cannot be called without an OVER clause", expr->text);
    if (compiler->scope == NULL || compiler->scope->no_windows)
        return sql_error(
            compiler->err, expr->place, "Analytic function not allowed in %s",
            compiler->scope == NULL || compiler->scope->no_aggregates == NULL
                ? "this clause"
                : compiler->scope->no_aggregates);
    if (!sql_translate_args(compiler, expr, &args) ||
        !translate_window(compiler, expr->window, &window))
        return false;
    bool number = strcmp(expr->text, "ROW_NUMBER") == 0;
    if (number != (expr->args.count == 0))
        return sql_no_match(compiler, expr, args);
    for (size_t i = 0; i < expr->args.count; i++)
        items[i] = args[i].sql;
    out->type = number ? STORE_INT64 : args[0].type;
    out->sql = sql_printf(
        compiler->arena, "%s(%s)%s", expr->text, sql_join(compiler, ",", items, expr->args.count),
        window);
    return true;
}
