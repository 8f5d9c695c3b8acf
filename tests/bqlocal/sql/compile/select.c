/* Queries: SELECT with its clauses, set operations, WITH. */
#include "bqlocal/sql/compile/compile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a SELECT is translated into before its parts are put together. */
struct parts {
    struct sql_scope scope;
    const char *from;
    const char *where;
    const char *group;
    const char *having;
    const char *qualify;
    struct sql_value *values;
    struct sql_field *fields;
    const struct sql_expr **exprs; /* NULL where a star gave the column */
    size_t count;
};

static void add_value(
    struct sql_compiler *compiler, struct parts *parts, const char *name,
    const struct sql_value *value, const struct sql_expr *expr)
{
    size_t count = parts->count;

    // Doubled whenever the count is a power of two.
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : count * 2;
        struct sql_value *values = sql_alloc(compiler->arena, capacity * sizeof *values);
        struct sql_field *fields = sql_alloc(compiler->arena, capacity * sizeof *fields);
        const struct sql_expr **exprs = sql_alloc(compiler->arena, capacity * sizeof *exprs);
        for (size_t i = 0; i < count; i++) {
            values[i] = parts->values[i];
            fields[i] = parts->fields[i];
            exprs[i] = parts->exprs[i];
        }
        parts->values = values;
        parts->fields = fields;
        parts->exprs = exprs;
    }
    parts->values[count] = *value;
    parts->fields[count] = (struct sql_field){.name = name, .type = value->type};
    parts->exprs[count] = expr;
    parts->count++;
}

static bool is_excepted(const struct sql_item *item, const char *name)
{
    for (size_t i = 0; i < item->except.count; i++)
        if (strcasecmp(item->except.items[i], name) == 0)
            return true;
    return false;
}

static bool add_field(
    struct sql_compiler *compiler, struct parts *parts, const struct sql_item *item,
    const struct sql_field *field)
{
    struct sql_value value = {.sql = field->sql, .type = field->type};
    const struct sql_grouping *grouping = parts->scope.grouping;
    bool grouped = grouping == NULL;

    if (is_excepted(item, field->name))
        return true;
    for (size_t i = 0; !grouped && i < grouping->count; i++)
        grouped = strcmp(grouping->values[i].sql, field->sql) == 0;
    if (!grouped)
        return sql_error(
            compiler->err, item->line, item->column,
            "Star expansion expression references column %s which is neither grouped nor "
            "aggregated",
            field->name);
    add_value(compiler, parts, field->name, &value, NULL);
    return true;
}

static bool expand_star(
    struct sql_compiler *compiler, struct parts *parts, const struct sql_item *item)
{
    const struct sql_scope *scope = &parts->scope;
    bool found = item->star_of == NULL;
    size_t before = parts->count;

    if (scope->range_count == 0)
        return sql_error(
            compiler->err, item->line, item->column, "SELECT * must have a FROM clause");
    for (size_t i = 0; item->star_of == NULL && i < scope->common_count; i++)
        if (!add_field(compiler, parts, item, &scope->common[i]))
            return false;
    for (size_t i = 0; i < scope->range_count; i++) {
        const struct sql_range *range = &scope->ranges[i];
        if (item->star_of != NULL && strcasecmp(item->star_of, range->alias) != 0)
            continue;
        found = true;
        for (size_t j = 0; j < range->count; j++)
            if ((item->star_of != NULL || !range->fields[j].merged) &&
                !add_field(compiler, parts, item, &range->fields[j]))
                return false;
    }
    if (!found)
        return sql_error(
            compiler->err, item->line, item->column, "Unrecognized name: %s", item->star_of);
    return parts->count > before ||
           sql_error(compiler->err, item->line, item->column, "SELECT * expands to zero columns");
}

/* The name a column gets: its alias, or the last part of a path. */
static const char *item_name(const struct sql_item *item)
{
    if (item->alias != NULL)
        return item->alias;
    if (item->expr->kind == SQL_EXPR_PATH)
        return item->expr->path.items[item->expr->path.count - 1];
    return "";
}

static bool translate_items(
    struct sql_compiler *compiler, struct parts *parts, const struct sql_select *select)
{
    for (size_t i = 0; i < select->item_count; i++) {
        const struct sql_item *item = &select->items[i];
        struct sql_value value = {0};
        if (item->expr == NULL) {
            if (!expand_star(compiler, parts, item))
                return false;
            continue;
        }
        if (!sql_translate(compiler, item->expr, &value))
            return false;
        if (select->distinct && !sql_compares(value.type))
            return sql_error(
                compiler->err, item->line, item->column,
                "Column %s of type %s cannot be used in SELECT DISTINCT", item_name(item),
                sql_type_name(value.type));
        add_value(compiler, parts, item_name(item), &value, item->expr);
    }
    return true;
}

static bool is_aggregated(const struct sql_query *query, const struct sql_select *select)
{
    if (select->group.count > 0 || select->group_all || select->having != NULL)
        return true;
    for (size_t i = 0; i < select->item_count; i++)
        if (sql_has_aggregate(select->items[i].expr))
            return true;
    for (size_t i = 0; i < query->order.count; i++)
        if (sql_has_aggregate(query->order.items[i].expr))
            return true;
    return sql_has_aggregate(select->qualify);
}

/* The expression that an item of GROUP BY means: by ordinal, by alias, or itself. */
static const struct sql_expr *group_expr(
    const struct sql_select *select, const struct sql_expr *expr)
{
    if (expr->kind == SQL_EXPR_INT) {
        char *end = NULL;
        unsigned long ordinal = strtoul(expr->text, &end, 10);
        bool fits = *end == '\0' && ordinal >= 1 && ordinal <= select->item_count;
        return fits ? select->items[ordinal - 1].expr : NULL;
    }
    for (size_t i = 0;
         expr->kind == SQL_EXPR_PATH && expr->path.count == 1 && i < select->item_count; i++)
        if (select->items[i].alias != NULL && select->items[i].expr != NULL &&
            strcasecmp(select->items[i].alias, expr->path.items[0]) == 0)
            return select->items[i].expr;
    return expr;
}

static bool translate_group(
    struct sql_compiler *compiler, struct parts *parts, const struct sql_select *select)
{
    size_t most = select->group_all ? select->item_count : select->group.count;
    struct sql_grouping *grouping = sql_alloc(compiler->arena, sizeof *grouping);
    const char **items = sql_alloc(compiler->arena, (most + 1) * sizeof *items);

    grouping->exprs = sql_alloc(compiler->arena, (most + 1) * sizeof *grouping->exprs);
    grouping->values = sql_alloc(compiler->arena, (most + 1) * sizeof *grouping->values);
    parts->scope.no_aggregates = "GROUP BY clause";
    for (size_t i = 0; i < most; i++) {
        const struct sql_expr *written =
            select->group_all ? select->items[i].expr : select->group.items[i];
        if (select->group_all && (written == NULL || sql_has_aggregate(written)))
            continue;
        const struct sql_expr *expr = group_expr(select, written);
        struct sql_value value = {0};
        if (expr == NULL)
            return sql_error(
                compiler->err, written->line, written->column,
                "GROUP BY is out of SELECT column number range: %s", written->text);
        if (!sql_translate(compiler, expr, &value))
            return false;
        if (!sql_compares(value.type))
            return sql_error(
                compiler->err, written->line, written->column,
                "Grouping by expressions of type %s is not allowed", sql_type_name(value.type));
        grouping->exprs[grouping->count] = expr;
        grouping->values[grouping->count] = value;
        // An integer would be taken as an ordinal.
        items[grouping->count++] =
            value.literal ? sql_printf(compiler->arena, "(%s || '')", value.sql) : value.sql;
    }
    parts->scope.no_aggregates = NULL;
    parts->scope.grouping = grouping;
    parts->group = grouping->count == 0 ? ""
                                        : sql_printf(
                                              compiler->arena, " GROUP BY %s",
                                              sql_join(compiler, ", ", items, grouping->count));
    return true;
}

static bool translate_clause(
    struct sql_compiler *compiler, const struct sql_expr *expr, const char *what,
    const char **out_sql)
{
    *out_sql = NULL;
    return expr == NULL || sql_translate_bool(compiler, expr, what, out_sql);
}

static bool translate_parts(
    struct sql_compiler *compiler, const struct sql_query *query, struct parts *parts)
{
    const struct sql_select *select = query->select;
    struct sql_scope *scope = &parts->scope;

    scope->no_aggregates = "WHERE clause";
    scope->no_windows = true;
    if (!translate_clause(compiler, select->where, "WHERE clause", &parts->where))
        return false;
    bool aggregated = is_aggregated(query, select);
    scope->no_windows = false;
    parts->group = "";
    scope->no_aggregates = NULL;
    if (aggregated && !translate_group(compiler, parts, select))
        return false;
    if (!translate_items(compiler, parts, select))
        return false;
    scope->aliases = select;
    return translate_clause(compiler, select->having, "HAVING clause", &parts->having) &&
           translate_clause(compiler, select->qualify, "QUALIFY clause", &parts->qualify);
}

/* One item of ORDER BY: a position in the SELECT list, or an expression. */
static bool order_value(
    struct sql_compiler *compiler, const struct sql_expr *expr, const struct sql_value *values,
    size_t count, struct sql_value *out)
{
    if (expr->kind == SQL_EXPR_INT) {
        char *end = NULL;
        unsigned long ordinal = strtoul(expr->text, &end, 10);
        if (*end != '\0' || ordinal < 1 || ordinal > count)
            return sql_error(
                compiler->err, expr->line, expr->column,
                "ORDER BY column number item is out of range. Column numbers must be between 1 and "
                "%zu",
                count);
        *out = values[ordinal - 1];
    } else if (!sql_translate(compiler, expr, out)) {
        return false;
    }
    if (!sql_compares(out->type))
        return sql_error(
            compiler->err, expr->line, expr->column,
            "ORDER BY does not support expressions of type %s", sql_type_name(out->type));
    return true;
}

static const char *order_suffix(struct sql_compiler *compiler, const struct sql_order *order)
{
    return sql_printf(
        compiler->arena, "%s%s", order->descending ? " DESC" : "",
        !order->nulls_given  ? ""
        : order->nulls_first ? " NULLS FIRST"
                             : " NULLS LAST");
}

/* " ORDER BY ..."; with hidden, keys become columns k0, k1, ... of an inner query. */
static bool translate_order(
    struct sql_compiler *compiler, const struct sql_orders *orders, const struct sql_value *values,
    size_t count, const char **out_hidden, const char **out_order)
{
    const char **keys = sql_alloc(compiler->arena, (orders->count + 1) * sizeof *keys);
    const char **hidden = sql_alloc(compiler->arena, (orders->count + 1) * sizeof *hidden);

    for (size_t i = 0; i < orders->count; i++) {
        struct sql_value value = {0};
        if (!order_value(compiler, orders->items[i].expr, values, count, &value))
            return false;
        hidden[i] = sql_printf(compiler->arena, ", %s AS k%zu", value.sql, i);
        if (out_hidden != NULL)
            value.sql = sql_printf(compiler->arena, "k%zu", i);
        else if (value.literal)
            value.sql = sql_printf(compiler->arena, "(%s || '')", value.sql);
        keys[i] = sql_printf(
            compiler->arena, "%s%s", sql_sort_key(compiler, &value),
            order_suffix(compiler, &orders->items[i]));
    }
    if (out_hidden != NULL)
        *out_hidden = sql_join(compiler, "", hidden, orders->count);
    *out_order = orders->count == 0 ? ""
                                    : sql_printf(
                                          compiler->arena, " ORDER BY %s",
                                          sql_join(compiler, ", ", keys, orders->count));
    return true;
}

static bool translate_limit(
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
                compiler->err, exprs[i]->line, exprs[i]->column,
                "LIMIT and OFFSET expect a non-negative integer literal or parameter");
        sql[i] = value.sql;
    }
    if (query->limit != NULL || query->offset != NULL)
        *out_sql = sql_printf(compiler->arena, " LIMIT %s OFFSET %s", sql[0], sql[1]);
    return true;
}

static const char *columns_sql(struct sql_compiler *compiler, const struct parts *parts)
{
    const char **items = sql_alloc(compiler->arena, (parts->count + 1) * sizeof *items);

    for (size_t i = 0; i < parts->count; i++)
        items[i] = sql_printf(compiler->arena, "%s AS c%zu", parts->values[i].sql, i);
    return sql_join(compiler, ", ", items, parts->count);
}

static const char *column_names(struct sql_compiler *compiler, size_t count)
{
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);

    for (size_t i = 0; i < count; i++)
        items[i] = sql_printf(compiler->arena, "c%zu", i);
    return sql_join(compiler, ", ", items, count);
}

static const char *clause(struct sql_compiler *compiler, const char *word, const char *sql)
{
    return sql == NULL ? "" : sql_printf(compiler->arena, " %s %s", word, sql);
}

static bool assemble(
    struct sql_compiler *compiler, const struct sql_query *query, const struct parts *parts,
    struct sql_output *out)
{
    const char *distinct = query->select->distinct ? "DISTINCT " : "";
    const char *hidden = "";
    const char *order = "";
    const char *limit = "";
    bool qualified = parts->qualify != NULL;

    if (!translate_order(
            compiler, &query->order, parts->values, parts->count, qualified ? &hidden : NULL,
            &order) ||
        !translate_limit(compiler, query, &limit))
        return false;
    const char *extra =
        qualified ? sql_printf(compiler->arena, "%s, %s AS q", hidden, parts->qualify) : "";
    const char *core = sql_printf(
        compiler->arena, "SELECT %s%s%s%s%s%s%s", qualified ? "" : distinct,
        columns_sql(compiler, parts), extra, clause(compiler, "FROM", parts->from),
        clause(compiler, "WHERE", parts->where), parts->group,
        clause(compiler, "HAVING", parts->having));
    out->sql = qualified ? sql_printf(
                               compiler->arena, "SELECT %s%s FROM (%s) WHERE q%s%s", distinct,
                               column_names(compiler, parts->count), core, order, limit)
                         : sql_printf(compiler->arena, "%s%s%s", core, order, limit);
    out->fields = parts->fields;
    out->count = parts->count;
    return true;
}

static bool translate_select(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out)
{
    struct parts parts = {.scope = {.parent = compiler->scope}};
    struct sql_scope *outer = compiler->scope;

    if (query->select->from != NULL &&
        !sql_translate_from(compiler, query->select->from, &parts.scope, &parts.from))
        return false;
    compiler->scope = &parts.scope;
    bool ok = translate_parts(compiler, query, &parts) && assemble(compiler, query, &parts, out);
    compiler->scope = outer;
    return ok;
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
            compiler->err, query->line, query->column,
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
                compiler->err, query->line, query->column,
                "Column %zu in %s has incompatible types: %s, %s", i + 1, query->set_operation,
                sql_type_name(values[0].type), sql_type_name(values[1].type));
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
    bool ok = translate_order(compiler, &query->order, values, out->count, NULL, &order) &&
              translate_limit(compiler, query, &limit);
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
        return translate_select(compiler, query, out);
    if (!sql_translate_query(compiler, query->left, &sides[0]))
        return false;
    if (query->right == NULL) {
        *out = sides[0];
        return wrap(compiler, query, out);
    }
    return sql_translate_query(compiler, query->right, &sides[1]) &&
           unify_sides(compiler, query, sides, out) && wrap(compiler, query, out);
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
