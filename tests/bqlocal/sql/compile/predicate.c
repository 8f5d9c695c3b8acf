/* Expressions that are true or false: AND, OR, NOT, IS, IN, BETWEEN, LIKE. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <string.h>

/* Joins by halves: the tree stays shallow however long the chain is. */
static const char *balanced(
    struct sql_compiler *compiler, const char *word, const char *const *items, size_t count)
{
    if (count == 1)
        return items[0];
    return sql_printf(
        compiler->arena, "(%s %s %s)", balanced(compiler, word, items, count / 2), word,
        balanced(compiler, word, items + count / 2, count - count / 2));
}

bool sql_translate_chain(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const char **items = sql_alloc(compiler->arena, expr->args.count * sizeof *items);
    struct sql_value value = {0};
    char what[32];

    snprintf(what, sizeof what, "operator %s", expr->text);
    for (size_t i = 0; i < expr->args.count; i++) {
        if (!sql_translate(compiler, expr->args.items[i], &value))
            return false;
        if (!sql_coerce(compiler, &value, STORE_BOOL, &value))
            return sql_no_signature(compiler, expr->args.items[i], what, &value, 1);
        items[i] = value.sql;
    }
    out->type = STORE_BOOL;
    out->sql = balanced(compiler, expr->text, items, expr->args.count);
    return true;
}

bool sql_translate_not(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};

    if (!sql_translate_operands(compiler, expr, "NOT", &value))
        return false;
    if (!sql_coerce(compiler, &value, STORE_BOOL, &value))
        return sql_no_signature(compiler, expr, "operator NOT", &value, 1);
    out->type = STORE_BOOL;
    out->sql = sql_printf(compiler->arena, "(NOT %s)", value.sql);
    return true;
}

bool sql_translate_is(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};
    const char *sql = NULL;

    out->type = STORE_BOOL;
    if (expr->kind == SQL_EXPR_IS_NULL) {
        if (!sql_translate(compiler, expr->args.items[0], &value))
            return false;
        out->sql =
            sql_printf(compiler->arena, "(%s IS %sNULL)", value.sql, expr->negated ? "NOT " : "");
        return true;
    }
    if (!sql_translate_bool(compiler, expr->args.items[0], "Operand of IS", &sql))
        return false;
    out->sql = sql_printf(
        compiler->arena, "(%s IS %s%s)", sql, expr->negated ? "NOT " : "",
        expr->kind == SQL_EXPR_IS_TRUE ? "1" : "0");
    return true;
}

bool sql_translate_distinct(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value args[2] = {0};
    int type = 0;

    for (size_t i = 0; i < 2; i++)
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
    if (!sql_common_type(&args[0], &args[1], &type) || !sql_compares(type) ||
        !sql_coerce(compiler, &args[0], type, &args[0]) ||
        !sql_coerce(compiler, &args[1], type, &args[1]))
        return sql_no_signature(compiler, expr, "operator IS DISTINCT FROM", args, 2);
    out->type = STORE_BOOL;
    // NaN is stored as text, so it equals itself here as it does in BigQuery.
    out->sql = sql_printf(
        compiler->arena, "(%s IS %s%s)", args[0].sql, expr->negated ? "" : "NOT ", args[1].sql);
    return true;
}

/* What IN looks for. NaN is stored as text, which would find itself: bq_float_needle makes of it
 * what equals nothing. */
static const char *needle(struct sql_compiler *compiler, const struct sql_value *value)
{
    return value->type == STORE_FLOAT64
               ? sql_printf(compiler->arena, "bq_float_needle(%s)", value->sql)
               : value->sql;
}

static bool translate_in_query(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *left,
    struct sql_value *out)
{
    struct sql_output query = {0};
    int type = 0;

    if (!sql_translate_scalar_query(compiler, expr, &query))
        return false;
    struct sql_value right = {.sql = "c0", .type = query.fields[0].type};
    struct sql_value args[2] = {*left, right};
    if (!sql_common_type(left, &right, &type) || !sql_coerce(compiler, left, type, left) ||
        !sql_coerce(compiler, &right, type, &right))
        return sql_no_signature(compiler, expr, "operator IN", args, 2);
    out->type = STORE_BOOL;
    out->sql = sql_printf(
        compiler->arena, "(%s %sIN (SELECT %s FROM (%s)))", needle(compiler, left),
        expr->negated ? "NOT " : "", right.sql, query.sql);
    return true;
}

static bool in_list(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *values,
    size_t count, struct sql_value *out)
{
    const char **items = sql_alloc(compiler->arena, count * sizeof *items);
    int type = 0;

    for (size_t i = 1; i < count; i++) {
        struct sql_value pair[2] = {values[0], values[i]};
        if (!sql_common_type(&pair[0], &pair[1], &type) || !sql_compares(type))
            return sql_no_signature(compiler, expr, "operator IN", pair, 2);
        if (!sql_coerce(compiler, &values[0], type, &values[0]))
            return sql_no_signature(compiler, expr, "operator IN", pair, 2);
    }
    for (size_t i = 1; i < count; i++) {
        if (!sql_coerce(compiler, &values[i], values[0].type, &values[i]))
            return sql_no_signature(compiler, expr, "operator IN", values, count);
        items[i - 1] = values[i].sql;
    }
    out->type = STORE_BOOL;
    out->sql = sql_printf(
        compiler->arena, "(%s %sIN (%s))", needle(compiler, &values[0]),
        expr->negated ? "NOT " : "", sql_join(compiler, ",", items, count - 1));
    return true;
}

bool sql_translate_in(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    size_t count = expr->args.count;
    struct sql_value *values = sql_alloc(compiler->arena, (count + 1) * sizeof *values);

    if (!sql_translate(compiler, expr->args.items[0], &values[0]))
        return false;
    if (expr->query != NULL)
        return translate_in_query(compiler, expr, &values[0], out);
    if (expr->has_operand) {
        struct sql_value *items = NULL;
        int type = 0;
        if (!sql_array(compiler, expr->args.items[1], &items, &count, &type))
            return false;
        struct sql_value *all = sql_alloc(compiler->arena, (count + 1) * sizeof *all);
        all[0] = values[0];
        if (count > 0)
            memcpy(all + 1, items, count * sizeof *all);
        return in_list(compiler, expr, all, count + 1, out);
    }
    for (size_t i = 1; i < count; i++)
        if (!sql_translate(compiler, expr->args.items[i], &values[i]))
            return false;
    return in_list(compiler, expr, values, count, out);
}

bool sql_translate_between(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value args[3] = {0};
    struct sql_value low = {0};
    struct sql_value high = {0};

    for (size_t i = 0; i < 3; i++)
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
    if (!sql_compare(compiler, expr, ">=", &args[0], &args[1], &low) ||
        !sql_compare(compiler, expr, "<=", &args[0], &args[2], &high))
        return false;
    out->type = STORE_BOOL;
    out->sql = sql_printf(
        compiler->arena, "(%s(%s AND %s))", expr->negated ? "NOT " : "", low.sql, high.sql);
    return true;
}

bool sql_translate_like(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value args[2] = {0};

    if (!sql_translate_operands(compiler, expr, "LIKE", args))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (args[i].type != STORE_STRING && args[i].type != STORE_BYTES &&
            args[i].type != SQL_TYPE_NULL)
            return sql_no_signature(compiler, expr, "operator LIKE", args, 2);
    out->type = STORE_BOOL;
    out->sql = sql_printf(
        compiler->arena, "(%sbq_like(%s,%s))", expr->negated ? "NOT " : "", args[0].sql,
        args[1].sql);
    return true;
}
