/* EXISTS with a query that is tied to the query around it by equalities alone. SQLite would run
 * such a query for each row; as IN it is run once, into a table with an index ("The SQLite Query
 * Optimizer Overview"). */
#include "bqlocal/sql/compile/compile.h"

#include <string.h>

struct lookup {
    struct sql_list outer; /* texts of values of the row around */
    struct sql_list inner; /* of the query's rows, in the same order */
    struct sql_list filters;
    struct sql_probe probe;
    struct sql_scope scope;
};

/* Types whose values SQLite compares as GoogleSQL does, without help. */
static bool is_plain(int type)
{
    return type == STORE_INT64 || type == STORE_BOOL || type == STORE_STRING ||
           type == STORE_BYTES || (type >= STORE_DATE && type <= STORE_TIMESTAMP);
}

/* Only what cannot aggregate; which rows there are then depends on WHERE alone. */
static bool has_form(const struct sql_query *query)
{
    const struct sql_select *select = query->select;

    if (select == NULL || query->with_count > 0 || query->limit != NULL || query->offset != NULL ||
        select->from == NULL || select->where == NULL || select->group.count > 0 ||
        select->having != NULL || select->qualify != NULL)
        return false;
    for (size_t i = 0; i < select->item_count; i++) {
        const struct sql_expr *item = select->items[i].expr;
        if (item != NULL && item->kind != SQL_EXPR_INT && item->kind != SQL_EXPR_PATH)
            return false;
    }
    return true;
}

/* One side of an equality: whether its names are all of the row around, or none of them. */
static bool read_side(
    struct sql_compiler *compiler, struct lookup *lookup, const struct sql_expr *expr,
    struct sql_value *out, bool *out_outer, bool *out_mixed)
{
    struct sql_probe before = lookup->probe;

    if (!sql_translate(compiler, expr, out))
        return false;
    size_t inner = lookup->probe.inner - before.inner;
    size_t outer = lookup->probe.outer - before.outer;
    *out_outer = outer > 0;
    *out_mixed = outer > 0 && inner > 0;
    return true;
}

/* *out_done: it ties the query's row to the row around, and has been noted. */
static bool take_equality(
    struct sql_compiler *compiler, struct lookup *lookup, const struct sql_expr *expr,
    bool *out_done)
{
    struct sql_value sides[2] = {0};
    bool outer[2] = {0};
    bool mixed[2] = {0};
    int type = 0;

    *out_done = false;
    if (expr->kind != SQL_EXPR_BINARY || strcmp(expr->text, "=") != 0)
        return true;
    for (size_t i = 0; i < 2; i++)
        if (!read_side(compiler, lookup, expr->args.items[i], &sides[i], &outer[i], &mixed[i]))
            return false;
    if (mixed[0] || mixed[1] || outer[0] == outer[1] ||
        !sql_common_type(&sides[0], &sides[1], &type) || !is_plain(type) ||
        !sql_coerce(compiler, &sides[0], type, &sides[0]) ||
        !sql_coerce(compiler, &sides[1], type, &sides[1]))
        return true;
    sql_push(compiler->arena, &lookup->outer, (void *)(uintptr_t)sides[outer[0] ? 0 : 1].sql);
    sql_push(compiler->arena, &lookup->inner, (void *)(uintptr_t)sides[outer[0] ? 1 : 0].sql);
    *out_done = true;
    return true;
}

/* *out_fits false: it looks at the row around in another way. */
static bool take_condition(
    struct sql_compiler *compiler, struct lookup *lookup, const struct sql_expr *expr,
    bool *out_fits)
{
    const char *sql = NULL;
    bool done = false;

    if (!take_equality(compiler, lookup, expr, &done))
        return false;
    *out_fits = true;
    if (done)
        return true;
    size_t before = lookup->probe.outer;
    if (!sql_translate_bool(compiler, expr, "WHERE clause", &sql))
        return false;
    *out_fits = lookup->probe.outer == before;
    sql_push(compiler->arena, &lookup->filters, (void *)(uintptr_t)sql);
    return true;
}

static bool take_where(
    struct sql_compiler *compiler, struct lookup *lookup, const struct sql_expr *where,
    bool *out_fits)
{
    *out_fits = true;
    if (where->kind != SQL_EXPR_AND)
        return take_condition(compiler, lookup, where, out_fits);
    for (size_t i = 0; *out_fits && i < where->args.count; i++)
        if (!take_condition(compiler, lookup, where->args.items[i], out_fits))
            return false;
    return true;
}

static const char *join(
    struct sql_compiler *compiler, const char *with, const struct sql_list *list)
{
    return sql_join(compiler, with, (const char *const *)list->items, list->count);
}

bool sql_translate_exists(
    struct sql_compiler *compiler, const struct sql_query *query, const char **out)
{
    struct lookup lookup = {.scope = {.parent = compiler->scope}};
    struct sql_scope *around = compiler->scope;
    struct sql_probe *counting = compiler->probe;
    const char *from = NULL;
    bool fits = false;

    *out = NULL;
    // An outer EXISTS that is being looked at counts names of its own.
    if (!has_form(query) || counting != NULL)
        return true;
    lookup.probe.scope = &lookup.scope;
    compiler->probe = &lookup.probe;
    bool ok = sql_translate_from(compiler, query->select->from, &lookup.scope, &from);
    compiler->scope = &lookup.scope;
    if (ok && lookup.probe.outer == 0)
        ok = take_where(compiler, &lookup, query->select->where, &fits);
    compiler->scope = around;
    compiler->probe = NULL;
    if (ok && fits && lookup.outer.count > 0)
        *out = sql_printf(
            compiler->arena, "coalesce((%s) IN (SELECT %s FROM %s%s%s),0)",
            join(compiler, ",", &lookup.outer), join(compiler, ",", &lookup.inner), from,
            lookup.filters.count > 0 ? " WHERE " : "", join(compiler, " AND ", &lookup.filters));
    return ok;
}
