/* Expressions to SQLite SQL. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>
#include <stdlib.h>
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
            compiler->err, expr->line, expr->column,
            "%s should return type BOOL, but returns type %s", what, sql_type_name(value.type));
    *out_sql = value.sql;
    return true;
}

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

static bool translate_chain(
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

static bool translate_not(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value value = {0};

    if (!sql_translate(compiler, expr->args.items[0], &value))
        return false;
    if (!sql_coerce(compiler, &value, STORE_BOOL, &value))
        return sql_no_signature(compiler, expr, "operator NOT", &value, 1);
    out->type = STORE_BOOL;
    out->sql = sql_printf(compiler->arena, "(NOT %s)", value.sql);
    return true;
}

static bool translate_is(
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

static bool translate_distinct(
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
    // NaN is one and the same text, so that here, as in BigQuery, it equals itself.
    out->sql = sql_printf(
        compiler->arena, "(%s IS %s%s)", args[0].sql, expr->negated ? "" : "NOT ", args[1].sql);
    return true;
}

/* One column of a subquery in an expression. */
static bool translate_scalar_query(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_output *out)
{
    if (!sql_translate_query(compiler, expr->query, out))
        return false;
    return out->count == 1 || sql_error(
                                  compiler->err, expr->line, expr->column,
                                  "Scalar subquery cannot have more than one column unless using "
                                  "SELECT AS STRUCT to build STRUCT values");
}

static bool translate_in_query(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *left,
    struct sql_value *out)
{
    struct sql_output query = {0};
    int type = 0;

    if (!translate_scalar_query(compiler, expr, &query))
        return false;
    struct sql_value right = {.sql = "c0", .type = query.fields[0].type};
    struct sql_value args[2] = {*left, right};
    if (!sql_common_type(left, &right, &type) || !sql_coerce(compiler, left, type, left) ||
        !sql_coerce(compiler, &right, type, &right))
        return sql_no_signature(compiler, expr, "operator IN", args, 2);
    out->type = STORE_BOOL;
    out->sql = sql_printf(
        compiler->arena, "(%s %sIN (SELECT %s FROM (%s)))", left->sql, expr->negated ? "NOT " : "",
        right.sql, query.sql);
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
        compiler->arena, "(%s %sIN (%s))", values[0].sql, expr->negated ? "NOT " : "",
        sql_join(compiler, ",", items, count - 1));
    return true;
}

static bool translate_in(
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

static bool translate_between(
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

static bool translate_like(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    struct sql_value args[2] = {0};

    for (size_t i = 0; i < 2; i++) {
        if (!sql_translate(compiler, expr->args.items[i], &args[i]))
            return false;
    }
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

/* The results of CASE, IF, COALESCE ... brought to their common type. */
static bool unify(
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
    if (!unify(compiler, expr, "operator CASE", values, results, &out->type))
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
            compiler->err, expr->line, expr->column, "Invalid cast from %s to %s",
            sql_type_name(value.type), sql_type_name((int)expr->type));
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
        if (!sql_translate_query(compiler, expr->query, &query))
            return false;
        out->sql = sql_printf(compiler->arena, "EXISTS (%s)", query.sql);
        return true;
    }
    if (!translate_scalar_query(compiler, expr, &query))
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

    // A sign put in front of the digits is no part of the token's length.
    bool number = expr->kind == SQL_EXPR_INT || expr->kind == SQL_EXPR_FLOAT;
    size_t length = number ? strlen(expr->text) : expr->length;
    if (!sql_literal(compiler, type, expr->text, length, out))
        return sql_error(
            compiler->err, expr->line, expr->column, "Invalid %s literal: %s",
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

static bool translate_kind(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    switch (expr->kind) {
    case SQL_EXPR_NULL:
        *out = (struct sql_value){.sql = "NULL", .type = SQL_TYPE_NULL, .literal = true};
        return true;
    case SQL_EXPR_INT:
    case SQL_EXPR_FLOAT:
    case SQL_EXPR_STRING:
    case SQL_EXPR_BYTES:
    case SQL_EXPR_TYPED:
        return translate_literal(compiler, expr, out);
    case SQL_EXPR_BOOL:
        *out = (struct sql_value){.sql = expr->negated ? "0" : "1", .type = STORE_BOOL};
        return true;
    case SQL_EXPR_PARAMETER:
        return sql_parameter(compiler, expr, out);
    case SQL_EXPR_PATH:
        return sql_resolve_path(compiler, expr, out);
    case SQL_EXPR_UNARY:
        return sql_translate_unary(compiler, expr, out);
    case SQL_EXPR_BINARY:
        return sql_translate_binary(compiler, expr, out);
    case SQL_EXPR_AND:
    case SQL_EXPR_OR:
        return translate_chain(compiler, expr, out);
    case SQL_EXPR_NOT:
        return translate_not(compiler, expr, out);
    case SQL_EXPR_IS_NULL:
    case SQL_EXPR_IS_TRUE:
    case SQL_EXPR_IS_FALSE:
        return translate_is(compiler, expr, out);
    case SQL_EXPR_IS_DISTINCT:
        return translate_distinct(compiler, expr, out);
    case SQL_EXPR_IN:
        return translate_in(compiler, expr, out);
    case SQL_EXPR_BETWEEN:
        return translate_between(compiler, expr, out);
    case SQL_EXPR_LIKE:
        return translate_like(compiler, expr, out);
    case SQL_EXPR_CASE:
        return translate_case(compiler, expr, out);
    case SQL_EXPR_CAST:
        return translate_cast(compiler, expr, out);
    case SQL_EXPR_CALL:
        return sql_translate_call(compiler, expr, out);
    case SQL_EXPR_EXTRACT:
        return translate_extract(compiler, expr, out);
    case SQL_EXPR_SUBQUERY:
    case SQL_EXPR_EXISTS:
        return translate_subquery(compiler, expr, out);
    case SQL_EXPR_STAR:
    case SQL_EXPR_ARRAY:
    case SQL_EXPR_STRUCT:
    case SQL_EXPR_INTERVAL:
    case SQL_EXPR_DEFAULT:
        break;
    }
    return sql_error(
        compiler->err, expr->line, expr->column, "%s is not allowed here",
        expr->kind == SQL_EXPR_ARRAY      ? "ARRAY"
        : expr->kind == SQL_EXPR_STRUCT   ? "STRUCT"
        : expr->kind == SQL_EXPR_INTERVAL ? "INTERVAL"
        : expr->kind == SQL_EXPR_DEFAULT  ? "DEFAULT"
                                          : "*");
}

bool sql_translate(
    struct sql_compiler *compiler, const struct sql_expr *expr, struct sql_value *out)
{
    const struct sql_scope *scope = compiler->scope;

    *out = (struct sql_value){.sql = "NULL", .type = SQL_TYPE_NULL};
    bool grouped = scope != NULL && scope->grouping != NULL && !scope->in_aggregate;
    if (grouped && translate_grouped(compiler, expr, out))
        return true;
    return translate_kind(compiler, expr, out);
}
