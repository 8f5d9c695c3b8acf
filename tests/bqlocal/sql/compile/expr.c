/* Expressions to SQLite SQL. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *sql_join(
    struct sql_compiler *compiler, const char *separator, const char *const *items, size_t count)
{
    size_t length = 1;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        length += strlen(items[i]) + strlen(separator);
    char *out = sql_alloc(compiler->arena, length);
    for (size_t i = 0; i < count; i++) {
        const char *parts[2] = {i > 0 ? separator : "", items[i]};
        for (size_t part = 0; part < 2; part++) {
            size_t size = strlen(parts[part]);
            memcpy(out + at, parts[part], size);
            at += size;
        }
    }
    return out;
}

static bool same_list(const struct sql_exprs *a, const struct sql_exprs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!sql_same_expr(a->items[i], b->items[i]))
            return false;
    return true;
}

bool sql_same_expr(const struct sql_expr *a, const struct sql_expr *b)
{
    if (a->kind != b->kind || a->negated != b->negated || a->distinct != b->distinct ||
        a->type != b->type || a->safe != b->safe || a->path.count != b->path.count ||
        a->index != b->index || (a->text == NULL) != (b->text == NULL) || a->query != b->query ||
        a->window != b->window || a->length != b->length || a->has_else != b->has_else)
        return false;
    if (a->text != NULL && strcmp(a->text, b->text) != 0)
        return false;
    for (size_t i = 0; i < a->path.count; i++)
        if (strcasecmp(a->path.items[i], b->path.items[i]) != 0)
            return false;
    return same_list(&a->args, &b->args);
}

bool sql_has_aggregate(const struct sql_expr *expr)
{
    if (expr == NULL)
        return false;
    if (expr->kind == SQL_EXPR_CALL && expr->window == NULL && sql_is_aggregate(expr->text))
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (sql_has_aggregate(expr->args.items[i]))
            return true;
    for (size_t i = 0; expr->window != NULL && i < expr->window->partition.count; i++)
        if (sql_has_aggregate(expr->window->partition.items[i]))
            return true;
    for (size_t i = 0; expr->window != NULL && i < expr->window->order.count; i++)
        if (sql_has_aggregate(expr->window->order.items[i].expr))
            return true;
    return false;
}

bool sql_no_signature(
    struct sql_compiler *compiler, const struct sql_expr *at, const char *what,
    const struct sql_value *args, size_t count)
{
    const char **names = sql_alloc(compiler->arena, (count + 1) * sizeof *names);

    for (size_t i = 0; i < count; i++)
        names[i] = args[i].type == SQL_TYPE_NULL ? "NULL" : sql_type_name(args[i].type);
    return sql_mismatch(
        compiler, at, "No matching signature for %s for argument types: %s", what,
        sql_join(compiler, ", ", names, count));
}

bool sql_translate_bool(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *what,
    const char **out_sql)
{
    struct sql_value value = {0};

    if (!sql_translate(compiler, expr, &value))
        return false;
    if (value.type != STORE_BOOL && value.type != SQL_TYPE_NULL)
        return sql_error(
            compiler->err, expr->place, "%s should return type BOOL, but returns type %s", what,
            sql_type_name(value.type));
    *out_sql = value.sql;
    return true;
}

/* One column of a subquery in an expression. */
bool sql_translate_scalar_query(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_output *out)
{
    if (!sql_translate_query(compiler, expr->query, out))
        return false;
    return out->count == 1 || sql_error(
                                  compiler->err, expr->place,
                                  "Scalar subquery cannot have more than one column unless using "
                                  "SELECT AS STRUCT to build STRUCT values");
}

bool sql_unify(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *what,
    struct sql_value *values, size_t count, int *out_type)
{
    if (!sql_common_type_of(values, count, out_type))
        return sql_no_signature(compiler, expr, what, values, count);
    for (size_t i = 0; i < count; i++)
        if (!sql_coerce(compiler, &values[i], *out_type, &values[i]))
            return sql_no_signature(compiler, expr, what, values, count);
    return true;
}

static bool case_condition(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_expr *when,
    const char **out_sql)
{
    struct sql_value operand = {0};
    struct sql_value value = {0};
    struct sql_value equal = {0};

    if (!expr->has_operand)
        return sql_translate_bool(compiler, when, "CASE condition", out_sql);
    if (!sql_translate(compiler, expr->args.items[0], &operand) ||
        !sql_translate(compiler, when, &value) ||
        !sql_compare(compiler, expr, "=", &operand, &value, &equal))
        return false;
    *out_sql = equal.sql;
    return true;
}

static bool translate_case(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    size_t first = expr->has_operand ? 1 : 0;
    size_t pairs = (expr->args.count - first) / 2;
    size_t results = pairs + (expr->has_else ? 1 : 0);
    struct sql_value *values = sql_alloc(compiler->arena, results * sizeof *values);
    const char **conditions = sql_alloc(compiler->arena, pairs * sizeof *conditions);
    const char **items = sql_alloc(compiler->arena, (results + 1) * sizeof *items);

    for (size_t i = 0; i < pairs; i++)
        if (!case_condition(compiler, expr, expr->args.items[first + 2 * i], &conditions[i]) ||
            !sql_translate(compiler, expr->args.items[first + 2 * i + 1], &values[i]))
            return false;
    if (expr->has_else &&
        !sql_translate(compiler, expr->args.items[expr->args.count - 1], &values[pairs]))
        return false;
    if (!sql_unify(compiler, expr, "operator CASE", values, results, &out->type))
        return false;
    for (size_t i = 0; i < pairs; i++)
        items[i] = sql_printf(compiler->arena, "WHEN %s THEN %s", conditions[i], values[i].sql);
    if (expr->has_else)
        items[pairs] = sql_printf(compiler->arena, "ELSE %s", values[pairs].sql);
    out->sql =
        sql_printf(compiler->arena, "(CASE %s END)", sql_join(compiler, " ", items, results));
    return true;
}

static bool translate_cast(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};

    if (!sql_translate(compiler, expr->args.items[0], &value))
        return false;
    if (!sql_cast_allowed(value.type, (int)expr->type))
        return sql_error(
            compiler->err, expr->place, "Invalid cast from %s to %s", sql_type_name(value.type),
            sql_type_name((int)expr->type));
    out->type = (int)expr->type;
    out->sql = sql_cast(compiler, value.sql, value.type, out->type, expr->safe);
    return true;
}

static bool translate_extract(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};

    if (!sql_translate(compiler, expr->args.items[0], &value))
        return false;
    if (value.type < STORE_DATE || value.type > STORE_TIMESTAMP)
        return sql_no_signature(compiler, expr, "function EXTRACT", &value, 1);
    out->type = STORE_INT64;
    if (strcasecmp(expr->text, "DATE") == 0)
        out->type = STORE_DATE;
    else if (strcasecmp(expr->text, "TIME") == 0)
        out->type = STORE_TIME;
    out->sql = out->type != STORE_INT64
                   ? sql_cast(compiler, value.sql, value.type, out->type, false)
                   : sql_printf(
                         compiler->arena, "bq_extract(%d,%s,%s)", value.type, value.sql,
                         sql_quote_text(compiler->arena, expr->text, strlen(expr->text)));
    return true;
}

static bool translate_subquery(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_output query = {0};

    if (expr->kind == SQL_EXPR_EXISTS) {
        out->type = STORE_BOOL;
        if (!sql_translate_query(compiler, expr->query, &query) ||
            !sql_translate_exists(compiler, expr->query, &out->sql))
            return false;
        if (out->sql == NULL)
            out->sql = sql_printf(compiler->arena, "EXISTS (%s)", query.sql);
        return true;
    }
    if (!sql_translate_scalar_query(compiler, expr, &query))
        return false;
    out->type = query.fields[0].type;
    // A second row has to be an error; SQLite would take the first.
    out->sql = sql_printf(
        compiler->arena,
        "(SELECT CASE WHEN count(*) OVER () > 1 THEN bq_error('Scalar subquery produced more than "
        "one element') ELSE c0 END FROM (%s))",
        query.sql);
    return true;
}

static bool translate_literal(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    static const enum store_type types[] = {
        [SQL_EXPR_INT] = STORE_INT64,
        [SQL_EXPR_FLOAT] = STORE_FLOAT64,
        [SQL_EXPR_STRING] = STORE_STRING,
        [SQL_EXPR_BYTES] = STORE_BYTES,
    };
    enum store_type type = expr->kind == SQL_EXPR_TYPED ? expr->type : types[expr->kind];

    // The parser may have put a sign before the digits, which the length does not count.
    bool number = expr->kind == SQL_EXPR_INT || expr->kind == SQL_EXPR_FLOAT;
    size_t length = number ? strlen(expr->text) : expr->length;
    if (!sql_literal(compiler, type, expr->text, length, out))
        return sql_error(
            compiler->err, expr->place, "Invalid %s literal: %s",
            expr->kind == SQL_EXPR_INT     ? "integer"
            : expr->kind == SQL_EXPR_FLOAT ? "floating point"
                                           : store_type_sql(type),
            expr->text);
    if (expr->kind == SQL_EXPR_TYPED)
        out->literal = false;
    return true;
}

static bool translate_grouped(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const struct sql_scope *scope = compiler->scope;

    for (size_t i = 0; i < scope->grouping->count; i++)
        if (sql_same_expr(scope->grouping->exprs[i], expr)) {
            *out = scope->grouping->values[i];
            out->literal = false;
            return true;
        }
    return false;
}

static bool translate_null(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    (void)compiler;
    (void)expr;
    *out = (struct sql_value){.sql = "NULL", .type = SQL_TYPE_NULL, .literal = true};
    return true;
}

static bool translate_boolean(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    (void)compiler;
    *out = (struct sql_value){.sql = expr->negated ? "0" : "1", .type = STORE_BOOL};
    return true;
}

/* What is valid only inside certain constructs: the * of COUNT(*), an array, an interval. */
static bool translate_misplaced(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    (void)out;
    return sql_error(
        compiler->err, expr->place, "bqlocal does not have %s here",
        expr->kind == SQL_EXPR_ARRAY      ? "ARRAY"
        : expr->kind == SQL_EXPR_STRUCT   ? "STRUCT"
        : expr->kind == SQL_EXPR_INTERVAL ? "INTERVAL"
                                          : "*");
}

/* The function that translates each kind of expression. */
static bool (*const translators[])(
    struct sql_compiler *, const struct sql_expr *, struct sql_value *) = {
    [SQL_EXPR_NULL] = translate_null,
    [SQL_EXPR_INT] = translate_literal,
    [SQL_EXPR_FLOAT] = translate_literal,
    [SQL_EXPR_STRING] = translate_literal,
    [SQL_EXPR_BYTES] = translate_literal,
    [SQL_EXPR_BOOL] = translate_boolean,
    [SQL_EXPR_TYPED] = translate_literal,
    [SQL_EXPR_PARAMETER] = sql_parameter,
    [SQL_EXPR_PATH] = sql_resolve_path,
    [SQL_EXPR_STAR] = translate_misplaced,
    [SQL_EXPR_NEGATE] = sql_translate_negation,
    [SQL_EXPR_BINARY] = sql_translate_binary,
    [SQL_EXPR_AND] = sql_translate_chain,
    [SQL_EXPR_OR] = sql_translate_chain,
    [SQL_EXPR_NOT] = sql_translate_not,
    [SQL_EXPR_IS_NULL] = sql_translate_is,
    [SQL_EXPR_IS_TRUE] = sql_translate_is,
    [SQL_EXPR_IS_FALSE] = sql_translate_is,
    [SQL_EXPR_IS_DISTINCT] = sql_translate_distinct,
    [SQL_EXPR_IN] = sql_translate_in,
    [SQL_EXPR_BETWEEN] = sql_translate_between,
    [SQL_EXPR_LIKE] = sql_translate_like,
    [SQL_EXPR_CASE] = translate_case,
    [SQL_EXPR_CAST] = translate_cast,
    [SQL_EXPR_CALL] = sql_translate_call,
    [SQL_EXPR_EXTRACT] = translate_extract,
    [SQL_EXPR_SUBQUERY] = translate_subquery,
    [SQL_EXPR_EXISTS] = translate_subquery,
    [SQL_EXPR_ARRAY] = translate_misplaced,
    [SQL_EXPR_STRUCT] = translate_misplaced,
    [SQL_EXPR_INTERVAL] = translate_misplaced,
};

bool sql_translate(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const struct sql_scope *scope = compiler->scope;

    *out = (struct sql_value){.sql = "NULL", .type = SQL_TYPE_NULL};
    bool grouped =
        scope != NULL && scope->grouping != NULL && scope->distinct == NULL && !scope->in_aggregate;
    if (grouped && translate_grouped(compiler, expr, out))
        return true;
    return translators[expr->kind](compiler, expr, out);
}
