/* Calls: aggregates, window functions and those functions whose types or arguments follow rules of
 * their own. Everything regular is a row of sql_function.c. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A window function that is no aggregate. type: of the result, -1 for the first argument's. */
static const struct {
    const char *name;
    const char *sqlite;
    int type;
} window_functions[] = {
    {"ROW_NUMBER", "row_number", STORE_INT64},
    {"RANK", "rank", STORE_INT64},
    {"DENSE_RANK", "dense_rank", STORE_INT64},
    {"NTILE", "ntile", STORE_INT64},
    {"PERCENT_RANK", "percent_rank", STORE_FLOAT64},
    {"CUME_DIST", "cume_dist", STORE_FLOAT64},
    {"LAG", "lag", -1},
    {"LEAD", "lead", -1},
    {"FIRST_VALUE", "first_value", -1},
    {"LAST_VALUE", "last_value", -1},
};

static const char *const aggregates[] = {
    "COUNT",       "SUM",
    "AVG",         "MIN",
    "MAX",         "COUNTIF",
    "LOGICAL_AND", "LOGICAL_OR",
    "BIT_XOR",     "BIT_AND",
    "BIT_OR",      "ANY_VALUE",
    "STRING_AGG",  "APPROX_COUNT_DISTINCT",
};

bool sql_is_aggregate(const char *name)
{
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
        if (strcmp(name, aggregates[i]) == 0)
            return true;
    return false;
}

bool sql_translate_orders(
    struct sql_compiler *compiler, const struct sql_orders *orders, const char **out_sql)
{
    const char **items = sql_alloc(compiler->arena, (orders->count + 1) * sizeof *items);

    for (size_t i = 0; i < orders->count; i++) {
        const struct sql_order *order = &orders->items[i];
        struct sql_value value = {0};
        if (!sql_translate(compiler, order->expr, &value))
            return false;
        if (!sql_compares(value.type))
            return sql_error(
                compiler->err, order->expr->line, order->expr->column,
                "ORDER BY does not support expressions of type %s", sql_type_name(value.type));
        items[i] = sql_printf(
            compiler->arena, "%s%s%s", sql_sort_key(compiler, &value),
            order->descending ? " DESC" : "",
            !order->nulls_given  ? ""
            : order->nulls_first ? " NULLS FIRST"
                                 : " NULLS LAST");
    }
    *out_sql = sql_join(compiler, ", ", items, orders->count);
    return true;
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
                compiler->err, window->partition.items[i]->line, window->partition.items[i]->column,
                "Partitioning by expressions of type %s is not allowed", sql_type_name(value.type));
        items[i] = value.sql;
    }
    if (!sql_translate_orders(compiler, &window->order, &order))
        return false;
    *out_sql = sql_printf(
        compiler->arena, " OVER (%s%s%s%s%s)", window->partition.count > 0 ? "PARTITION BY " : "",
        sql_join(compiler, ", ", items, window->partition.count),
        window->order.count > 0 ? " ORDER BY " : "", order, window->frame);
    return true;
}

static bool translate_args(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value **out)
{
    struct sql_value *args = sql_alloc(compiler->arena, (expr->args.count + 1) * sizeof *args);

    for (size_t i = 0; i < expr->args.count; i++)
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
    *out = args;
    return true;
}

static bool no_match(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_value *args)
{
    char what[80];

    snprintf(
        what, sizeof what, "%s %.60s",
        sql_is_aggregate(expr->text) ? "aggregate function" : "function", expr->text);
    return sql_no_signature(compiler, expr, what, args, expr->args.count);
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

static bool string_aggregate(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_value *args,
    struct sql_value *out)
{
    out->type = STORE_STRING;
    if (expr->order.count > 0 || (expr->distinct && expr->args.count > 1))
        return sql_error(
            compiler->err, expr->line, expr->column,
            "bqlocal does not support ORDER BY, or DISTINCT with a delimiter, in STRING_AGG");
    if (args[0].type != STORE_STRING || (expr->args.count > 1 && args[1].type != STORE_STRING))
        return no_match(compiler, expr, args);
    out->sql = expr->args.count > 1
                   ? sql_printf(compiler->arena, "group_concat(%s,%s)", args[0].sql, args[1].sql)
                   : sql_printf(
                         compiler->arena, "group_concat(%s%s)", expr->distinct ? "DISTINCT " : "",
                         args[0].sql);
    return true;
}

static bool aggregate_sql(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    const char *name = expr->text;
    const char *distinct = expr->distinct ? "DISTINCT " : "";
    size_t count = expr->args.count;

    if (strcmp(name, "STRING_AGG") == 0 && (count == 1 || count == 2))
        return string_aggregate(compiler, expr, args, out);
    if (count != 1)
        return no_match(compiler, expr, args);
    out->type = STORE_INT64;
    if (strcmp(name, "COUNT") == 0) {
        out->sql = sql_printf(compiler->arena, "count(%s%s)", distinct, args[0].sql);
    } else if (strcmp(name, "APPROX_COUNT_DISTINCT") == 0) {
        out->sql = sql_printf(compiler->arena, "count(DISTINCT %s)", args[0].sql);
    } else if (strcmp(name, "ANY_VALUE") == 0) {
        out->type = args[0].type;
        out->sql = sql_printf(compiler->arena, "max(%s)", args[0].sql);
    } else if (strncmp(name, "BIT_", 4) == 0) {
        if (!sql_coerce(compiler, &args[0], STORE_INT64, &args[0]))
            return no_match(compiler, expr, args);
        const char *bit = name[4] == 'X' ? "xor" : name[4] == 'A' ? "and" : "or";
        out->sql = sql_printf(compiler->arena, "bq_bit_%s(%s%s)", bit, distinct, args[0].sql);
    } else if (strcmp(name, "COUNTIF") == 0 || strncmp(name, "LOGICAL_", 8) == 0) {
        if (!sql_coerce(compiler, &args[0], STORE_BOOL, &args[0]))
            return no_match(compiler, expr, args);
        out->type = name[0] == 'C' ? STORE_INT64 : STORE_BOOL;
        if (name[0] == 'C')
            out->sql = sql_printf(compiler->arena, "count(CASE WHEN %s THEN 1 END)", args[0].sql);
        else
            out->sql = sql_printf(
                compiler->arena, "%s(%s)", strcmp(name, "LOGICAL_OR") == 0 ? "max" : "min",
                args[0].sql);
    } else {
        return number_aggregate(compiler, name, &args[0], distinct, out) ||
               no_match(compiler, expr, args);
    }
    return true;
}

static bool translate_aggregate(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_scope *scope = compiler->scope;
    struct sql_value *args = NULL;
    const char *window = "";

    if (scope == NULL || (expr->window == NULL && scope->no_aggregates != NULL))
        return sql_error(
            compiler->err, expr->line, expr->column, "Aggregate function %s not allowed in %s",
            expr->text, scope == NULL ? "this context" : scope->no_aggregates);
    if (scope->in_aggregate)
        return sql_error(
            compiler->err, expr->line, expr->column,
            "Aggregations of aggregations are not allowed");
    bool star = expr->args.count == 1 && expr->args.items[0]->kind == SQL_EXPR_STAR;
    scope->in_aggregate = expr->window == NULL;
    bool ok = star || translate_args(compiler, expr, &args);
    scope->in_aggregate = false;
    if (!ok)
        return false;
    if (star && strcmp(expr->text, "COUNT") != 0)
        return sql_error(
            compiler->err, expr->line, expr->column, "Argument * can only be used in COUNT(*)");
    if (star)
        *out = (struct sql_value){.sql = "count(*)", .type = STORE_INT64};
    else if (!aggregate_sql(compiler, expr, args, out))
        return false;
    if (expr->window != NULL && strncmp(out->sql, "bq_", 3) == 0)
        return sql_error(
            compiler->err, expr->line, expr->column,
            "bqlocal does not support %s of this type with an OVER clause", expr->text);
    if (expr->window != NULL && !translate_window(compiler, expr->window, &window))
        return false;
    out->sql = sql_printf(compiler->arena, "%s%s", out->sql, window);
    return true;
}

static bool translate_window_function(
    struct sql_compiler *compiler, const struct sql_expr *expr, size_t index, struct sql_value *out)
{
    struct sql_value *args = NULL;
    const char *window = NULL;
    const char **items = sql_alloc(compiler->arena, (expr->args.count + 1) * sizeof *items);

    if (expr->window == NULL)
        return sql_error(
            compiler->err, expr->line, expr->column,
            "Analytic function %s cannot be called without an OVER clause", expr->text);
    if (compiler->scope == NULL || compiler->scope->no_windows)
        return sql_error(
            compiler->err, expr->line, expr->column, "Analytic function not allowed in %s",
            compiler->scope == NULL || compiler->scope->no_aggregates == NULL
                ? "this clause"
                : compiler->scope->no_aggregates);
    if (!translate_args(compiler, expr, &args) ||
        !translate_window(compiler, expr->window, &window))
        return false;
    if (window_functions[index].type < 0 && expr->args.count == 0)
        return no_match(compiler, expr, args);
    for (size_t i = 0; i < expr->args.count; i++)
        items[i] = args[i].sql;
    out->type = window_functions[index].type < 0 ? args[0].type : window_functions[index].type;
    out->sql = sql_printf(
        compiler->arena, "%s(%s)%s", window_functions[index].sqlite,
        sql_join(compiler, ",", items, expr->args.count), window);
    return true;
}

/* COALESCE, IF and others whose results have one common type. */
static bool unify(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    size_t first, int *out_type)
{
    size_t count = expr->args.count - first;

    if (!sql_common_type_of(args + first, count, out_type))
        return no_match(compiler, expr, args);
    for (size_t i = first; i < expr->args.count; i++)
        if (!sql_coerce(compiler, &args[i], *out_type, &args[i]))
            return no_match(compiler, expr, args);
    return true;
}

static bool call_if(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    if (expr->args.count != 3 || !sql_coerce(compiler, &args[0], STORE_BOOL, &args[0]))
        return no_match(compiler, expr, args);
    if (!unify(compiler, expr, args, 1, &out->type))
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
        return no_match(compiler, expr, args);
    if (!unify(compiler, expr, args, 0, &out->type))
        return false;
    out->sql = args[count - 1].sql;
    for (size_t i = count - 1; i > 0; i--)
        out->sql = sql_printf(compiler->arena, "coalesce(%s,%s)", args[i - 1].sql, out->sql);
    return true;
}

static bool call_nullif(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    struct sql_value equal = {0};

    if (expr->args.count != 2)
        return no_match(compiler, expr, args);
    if (!sql_compare(compiler, expr, "=", &args[0], &args[1], &equal) ||
        !unify(compiler, expr, args, 0, &out->type))
        return false;
    out->sql =
        sql_printf(compiler->arena, "(CASE WHEN %s THEN NULL ELSE %s END)", equal.sql, args[0].sql);
    return true;
}

static const char *concat_tree(
    struct sql_compiler *compiler, const char *format, const struct sql_value *args, size_t count)
{
    if (count == 1)
        return args[0].sql;
    const char *left = concat_tree(compiler, format, args, count / 2);
    const char *right = concat_tree(compiler, format, args + count / 2, count - count / 2);
    return format[0] == 'b' ? sql_printf(compiler->arena, "bq_concat(%s,%s)", left, right)
                            : sql_printf(compiler->arena, "(%s || %s)", left, right);
}

static bool call_concat(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    bool bytes = expr->args.count > 0 && args[0].type == STORE_BYTES;

    if (expr->args.count == 0)
        return no_match(compiler, expr, args);
    for (size_t i = 0; i < expr->args.count; i++)
        if (!sql_coerce(compiler, &args[i], bytes ? STORE_BYTES : STORE_STRING, &args[i])) {
            // CONCAT alone takes numbers and dates too, as their text.
            if (bytes || !sql_cast_allowed(args[i].type, STORE_STRING) ||
                args[i].type == STORE_BYTES)
                return no_match(compiler, expr, args);
            args[i].sql = sql_cast(compiler, args[i].sql, args[i].type, STORE_STRING, false);
        }
    out->type = bytes ? STORE_BYTES : STORE_STRING;
    out->sql = concat_tree(compiler, bytes ? "b" : "s", args, expr->args.count);
    return true;
}

static bool call_extreme(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    bool greatest = expr->text[0] == 'G';

    if (expr->args.count == 0)
        return no_match(compiler, expr, args);
    if (!unify(compiler, expr, args, 0, &out->type))
        return false;
    if (out->type == STORE_JSON)
        return no_match(compiler, expr, args);
    out->sql = args[0].sql;
    for (size_t i = 1; i < expr->args.count; i++)
        out->sql = sql_printf(
            compiler->arena, "bq_%s(%d,%s,%s)", greatest ? "greatest" : "least", out->type,
            out->sql, args[i].sql);
    return true;
}

static bool call_format(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    struct sql_list items = {0};

    if (expr->args.count == 0 || expr->args.count > 60 || args[0].type != STORE_STRING)
        return no_match(compiler, expr, args);
    sql_push(compiler->arena, &items, (void *)(uintptr_t)args[0].sql);
    for (size_t i = 1; i < expr->args.count; i++)
        sql_push(
            compiler->arena, &items,
            sql_printf(compiler->arena, "%d,%s", args[i].type, args[i].sql));
    out->type = STORE_STRING;
    out->sql = sql_printf(
        compiler->arena, "bq_format(%s)",
        sql_join(compiler, ",", (const char *const *)items.items, items.count));
    return true;
}

static bool call_to_json_string(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *args,
    struct sql_value *out)
{
    if (expr->args.count < 1 || expr->args.count > 2)
        return no_match(compiler, expr, args);
    out->type = STORE_STRING;
    out->sql = sql_printf(compiler->arena, "bq_json_text(%d,%s)", args[0].type, args[0].sql);
    return true;
}

static bool call_nullary(
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
    return no_match(compiler, expr, args);
}

static const struct {
    const char *name;
    bool (*call)(
        struct sql_compiler *, const struct sql_expr *, struct sql_value *, struct sql_value *);
} special[] = {
    {"IF", call_if},
    {"COALESCE", call_coalesce},
    {"IFNULL", call_coalesce},
    {"NULLIF", call_nullif},
    {"CONCAT", call_concat},
    {"GREATEST", call_extreme},
    {"LEAST", call_extreme},
    {"FORMAT", call_format},
    {"TO_JSON_STRING", call_to_json_string},
    {"CURRENT_TIMESTAMP", call_nullary},
    {"CURRENT_DATETIME", call_nullary},
    {"CURRENT_DATE", call_nullary},
    {"CURRENT_TIME", call_nullary},
};

static bool translate_plain_call(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value *args = NULL;
    struct sql_list names = {0};

    if (!translate_args(compiler, expr, &args))
        return false;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcmp(special[i].name, expr->text) == 0)
            return special[i].call(compiler, expr, args, out);
    switch (sql_function_find(compiler, expr->text, args, expr->args.count, out)) {
    case SQL_MATCHED:
        return true;
    case SQL_NO_SIGNATURE:
        return no_match(compiler, expr, args);
    case SQL_NO_FUNCTION:
        break;
    }
    sql_function_names(compiler->arena, &names);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        sql_push(compiler->arena, &names, (void *)(uintptr_t)special[i].name);
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++)
        sql_push(compiler->arena, &names, (void *)(uintptr_t)aggregates[i]);
    return sql_error(
        compiler->err, expr->line, expr->column, "Function not found: %s%s", expr->text,
        sql_suggest(compiler, expr->text, &names));
}

bool sql_translate_call(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const char *operation = NULL;
    int type = 0;

    if (expr->safe)
        return sql_error(
            compiler->err, expr->line, expr->column, "bqlocal does not support the SAFE. prefix");
    if (sql_is_aggregate(expr->text))
        return translate_aggregate(compiler, expr, out);
    for (size_t i = 0; i < sizeof window_functions / sizeof *window_functions; i++)
        if (strcmp(window_functions[i].name, expr->text) == 0)
            return translate_window_function(compiler, expr, i, out);
    if (expr->window != NULL)
        return sql_error(
            compiler->err, expr->line, expr->column, "Function %s does not support an OVER clause",
            expr->text);
    if (sql_find_time_call(expr->text, &operation, &type))
        return sql_translate_time_call(compiler, expr, operation, type, out);
    return translate_plain_call(compiler, expr, out);
}
