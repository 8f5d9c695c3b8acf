/* Queries as a whole: WITH, set operations, and ORDER BY and LIMIT of their results. */
#include "bqlocal/sql/compile/compile.h"

bool sql_translate_limit(
    struct sql_compiler *compiler, const struct sql_query *query, const char **out_sql)
{
    const struct sql_expr *exprs[2] = {query->limit, query->offset};
    const char *sql[2] = {"-1", "0"};

    *out_sql = "";
    for (size_t i = 0; i < 2; i++) {
        struct sql_value value = {0};
        if (exprs[i] == NULL)
            continue;
        bool constant = exprs[i]->kind == SQL_EXPR_INT || exprs[i]->kind == SQL_EXPR_PARAMETER;
        if (!constant || !sql_translate(compiler, exprs[i], &value) || value.type != STORE_INT64 ||
            value.sql[0] == '-')
            return sql_error(
                compiler->err, exprs[i]->place,
                "LIMIT and OFFSET expect a non-negative integer literal or parameter");
        sql[i] = value.sql;
    }
    if (query->limit != NULL || query->offset != NULL)
        *out_sql = sql_printf(compiler->arena, " LIMIT %s OFFSET %s", sql[0], sql[1]);
    return true;
}

static const char *column_names(struct sql_compiler *compiler, size_t count)
{
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);

    for (size_t i = 0; i < count; i++)
        items[i] = sql_printf(compiler->arena, "c%zu", i);
    return sql_join(compiler, ", ", items, count);
}

/* Brings both sides of a set operation to common types. */
static bool unify_sides(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *sides,
    struct sql_output *out)
{
    size_t count = sides[0].count;
    const char **items[2];

    if (count != sides[1].count)
        return sql_error(
            compiler->err, query->place,
            "Queries in %s have mismatched column count; query 1 has %zu columns, query 2 has %zu "
            "columns",
            query->set_operation, count, sides[1].count);
    items[0] = sql_alloc(compiler->arena, (count + 1) * sizeof **items);
    items[1] = sql_alloc(compiler->arena, (count + 1) * sizeof **items);
    out->fields = sql_alloc(compiler->arena, (count + 1) * sizeof *out->fields);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        const char *name = sql_printf(compiler->arena, "c%zu", i);
        struct sql_value values[2];
        int type = 0;
        for (size_t side = 0; side < 2; side++)
            values[side] = (struct sql_value){.sql = name, .type = sides[side].fields[i].type};
        bool ok = sql_common_type(&values[0], &values[1], &type);
        for (size_t side = 0; ok && side < 2; side++) {
            ok = sql_coerce(compiler, &values[side], type, &values[side]);
            items[side][i] = sql_printf(compiler->arena, "%s AS %s", values[side].sql, name);
        }
        if (!ok)
            return sql_error(
                compiler->err, query->place, "Column %zu in %s has incompatible types: %s, %s",
                i + 1, query->set_operation, sql_type_name(values[0].type),
                sql_type_name(values[1].type));
        out->fields[i] = (struct sql_field){.name = sides[0].fields[i].name, .type = type};
    }
    out->sql = sql_printf(
        compiler->arena, "SELECT %s FROM (%s) %s SELECT %s FROM (%s)",
        sql_join(compiler, ", ", items[0], count), sides[0].sql, query->set_operation,
        sql_join(compiler, ", ", items[1], count), sides[1].sql);
    return true;
}

/* ORDER BY and LIMIT behind a set operation or a parenthesis see the result's columns only. */
static bool wrap(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out)
{
    struct sql_scope *outer = compiler->scope;
    struct sql_value *values = sql_alloc(compiler->arena, (out->count + 1) * sizeof *values);
    struct sql_range range = {.alias = "", .fields = out->fields, .count = out->count};
    struct sql_scope scope = {
        .parent = outer, .ranges = &range, .range_count = 1, .no_aggregates = "ORDER BY clause"};
    const char *order = "";
    const char *limit = "";

    for (size_t i = 0; i < out->count; i++) {
        out->fields[i].sql = sql_printf(compiler->arena, "c%zu", i);
        values[i] = (struct sql_value){.sql = out->fields[i].sql, .type = out->fields[i].type};
    }
    compiler->scope = &scope;
    bool ok = sql_translate_orders(compiler, &query->order, values, out->count, &order) &&
              sql_translate_limit(compiler, query, &limit);
    compiler->scope = outer;
    if (ok)
        out->sql = sql_printf(
            compiler->arena, "SELECT %s FROM (%s)%s%s", column_names(compiler, out->count),
            out->sql, order, limit);
    return ok;
}

static bool translate_body(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out)
{
    struct sql_output sides[2] = {0};

    if (query->select != NULL)
        return sql_translate_select(compiler, query, out);
    if (!sql_translate_query(compiler, query->left, &sides[0]))
        return false;
    if (query->right == NULL) {
        *out = sides[0];
        return wrap(compiler, query, out);
    }
    return sql_translate_query(compiler, query->right, &sides[1]) &&
           unify_sides(compiler, query, sides, out) && wrap(compiler, query, out);
}

/* With a LIMIT, SQLite does so, and not wherever an aggregation above names them ("The SQLite Query
 * Optimizer Overview", "Subquery Flattening"). */
void sql_compute_once(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *output)
{
    if (query->select != NULL && query->limit == NULL && query->order.count == 0)
        output->sql = sql_printf(compiler->arena, "%s LIMIT -1", output->sql);
}

bool sql_translate_query(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out)
{
    const struct sql_cte *outer = compiler->ctes;
    bool ok = true;

    for (size_t i = 0; ok && i < query->with_count; i++) {
        struct sql_output output = {0};
        ok = sql_translate_query(compiler, query->with[i].query, &output);
        struct sql_cte *cte = sql_alloc(compiler->arena, sizeof *cte);
        *cte = (struct sql_cte){
            .next = compiler->ctes,
            .name = query->with[i].name,
            .fields = output.fields,
            .count = output.count,
            .sql = output.sql};
        compiler->ctes = cte;
    }
    ok = ok && translate_body(compiler, query, out);
    compiler->ctes = outer;
    return ok;
}
