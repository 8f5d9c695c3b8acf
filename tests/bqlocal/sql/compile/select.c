/* SELECT with its clauses. */
#include "bqlocal/sql/compile/compile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The translated clauses of a SELECT. */
struct parts {
    struct sql_scope scope;
    const char *from;
    const char *where;
    const char *group;
    const char *having;
    const char *qualify;
    struct sql_value *values;
    struct sql_field *fields;
    size_t count;
};

static void add_value(
    struct sql_compiler *compiler, struct parts *parts, const char *name,
    const struct sql_value *value)
{
    size_t count = parts->count;

    // The arrays double whenever the count is a power of two.
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : count * 2;
        struct sql_value *values = sql_alloc(compiler->arena, capacity * sizeof *values);
        struct sql_field *fields = sql_alloc(compiler->arena, capacity * sizeof *fields);
        for (size_t i = 0; i < count; i++) {
            values[i] = parts->values[i];
            fields[i] = parts->fields[i];
        }
        parts->values = values;
        parts->fields = fields;
    }
    parts->values[count] = *value;
    parts->fields[count] = (struct sql_field){.name = name, .type = value->type};
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
            compiler->err, item->place,
            "Star expansion expression references column %s which is neither grouped nor "
            "aggregated",
            field->name);
    add_value(compiler, parts, field->name, &value);
    return true;
}

static bool expand_star(
    struct sql_compiler *compiler, struct parts *parts, const struct sql_item *item)
{
    const struct sql_scope *scope = &parts->scope;
    bool found = item->star_of == NULL;
    size_t before = parts->count;

    if (scope->range_count == 0)
        return sql_error(compiler->err, item->place, "SELECT * must have a FROM clause");
    for (size_t i = 0; i < scope->range_count; i++) {
        const struct sql_range *range = &scope->ranges[i];
        if (item->star_of != NULL && strcasecmp(item->star_of, range->alias) != 0)
            continue;
        found = true;
        for (size_t j = 0; j < range->count; j++)
            if (!add_field(compiler, parts, item, &range->fields[j]))
                return false;
    }
    if (!found)
        return sql_error(compiler->err, item->place, "Unrecognized name: %s", item->star_of);
    return parts->count > before ||
           sql_error(compiler->err, item->place, "SELECT * expands to zero columns");
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
                compiler->err, item->place,
                "Column %s of type JSON cannot be used in SELECT DISTINCT", item_name(item));
        add_value(compiler, parts, item_name(item), &value);
    }
    return true;
}

static bool is_aggregated(const struct sql_query *query, const struct sql_select *select)
{
    if (select->group.count > 0 || select->having != NULL || sql_has_aggregate(select->qualify))
        return true;
    for (size_t i = 0; i < select->item_count; i++)
        if (sql_has_aggregate(select->items[i].expr))
            return true;
    for (size_t i = 0; i < query->order.count; i++)
        if (sql_has_aggregate(query->order.items[i].expr))
            return true;
    return false;
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
    size_t most = select->group.count;
    struct sql_grouping *grouping = sql_alloc(compiler->arena, sizeof *grouping);
    const char **items = sql_alloc(compiler->arena, (most + 1) * sizeof *items);

    grouping->exprs = sql_alloc(compiler->arena, (most + 1) * sizeof *grouping->exprs);
    grouping->values = sql_alloc(compiler->arena, (most + 1) * sizeof *grouping->values);
    parts->scope.no_aggregates = "GROUP BY clause";
    for (size_t i = 0; i < most; i++) {
        const struct sql_expr *written = select->group.items[i];
        const struct sql_expr *expr = group_expr(select, written);
        struct sql_value value = {0};
        if (expr == NULL)
            return sql_error(
                compiler->err, written->place, "GROUP BY is out of SELECT column number range: %s",
                written->text);
        if (!sql_translate(compiler, expr, &value))
            return false;
        if (!sql_compares(value.type))
            return sql_error(
                compiler->err, written->place,
                "Grouping by expressions of type JSON is not allowed");
        grouping->exprs[grouping->count] = expr;
        grouping->values[grouping->count] = value;
        // SQLite would take an integer as an ordinal.
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

static bool has_window(const struct sql_expr *expr)
{
    bool found = expr != NULL && expr->window != NULL;

    for (size_t i = 0; expr != NULL && !found && i < expr->args.count; i++)
        found = has_window(expr->args.items[i]);
    return found;
}

static bool check_qualify(struct sql_compiler *compiler, const struct sql_select *select)
{
    bool found = select->qualify == NULL || has_window(select->qualify);

    for (size_t i = 0; i < select->item_count; i++)
        found = found || has_window(select->items[i].expr);
    if (!found)
        return sql_error(
            compiler->err, select->qualify->place,
            "The QUALIFY clause requires analytic function to be present in the QUALIFY clause or "
            "the SELECT list");
    return select->qualify == NULL || !select->distinct ||
           sql_error(
               compiler->err, select->qualify->place,
               "bqlocal does not have SELECT DISTINCT with QUALIFY");
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
    sql_note_filters(compiler, select->where);
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
           check_qualify(compiler, select) &&
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
                compiler->err, expr->place,
                "ORDER BY column number item is out of range. Column numbers must be between 1 and "
                "%zu",
                count);
        *out = values[ordinal - 1];
    } else if (!sql_translate(compiler, expr, out)) {
        return false;
    }
    if (!sql_compares(out->type))
        return sql_error(
            compiler->err, expr->place, "ORDER BY does not support expressions of type JSON");
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

bool sql_translate_orders(
    struct sql_compiler *compiler, const struct sql_orders *orders, const struct sql_value *values,
    size_t count, const char **out_sql)
{
    const char **keys = sql_alloc(compiler->arena, (orders->count + 1) * sizeof *keys);

    for (size_t i = 0; i < orders->count; i++) {
        struct sql_value value = {0};
        if (!order_value(compiler, orders->items[i].expr, values, count, &value))
            return false;
        // SQLite would take an integer as an ordinal.
        if (value.literal)
            value.sql = sql_printf(compiler->arena, "(%s || '')", value.sql);
        keys[i] = sql_printf(
            compiler->arena, "%s%s", sql_sort_key(compiler, &value),
            order_suffix(compiler, &orders->items[i]));
    }
    *out_sql = orders->count == 0 ? ""
                                  : sql_printf(
                                        compiler->arena, " ORDER BY %s",
                                        sql_join(compiler, ", ", keys, orders->count));
    return true;
}

static const char *columns_sql(struct sql_compiler *compiler, const struct parts *parts)
{
    const char **items = sql_alloc(compiler->arena, (parts->count + 1) * sizeof *items);

    for (size_t i = 0; i < parts->count; i++)
        items[i] = sql_printf(compiler->arena, "%s AS c%zu", parts->values[i].sql, i);
    return sql_join(compiler, ", ", items, parts->count);
}

static const char *clause(struct sql_compiler *compiler, const char *word, const char *sql)
{
    return sql == NULL ? "" : sql_printf(compiler->arena, " %s %s", word, sql);
}

/* SELECT DISTINCT leaves what is selected for ORDER BY, and nothing that it could compute from. */
static bool translate_order(
    struct sql_compiler *compiler, const struct sql_query *query, const struct parts *parts,
    const char **out_sql)
{
    const struct sql_grouping selected = {.values = parts->values, .count = parts->count};

    if (query->select->distinct) {
        compiler->scope->distinct = &selected;
        compiler->scope->no_aggregates = "ORDER BY clause after SELECT DISTINCT";
        compiler->scope->no_windows = true;
    }
    bool ok = sql_translate_orders(compiler, &query->order, parts->values, parts->count, out_sql);
    compiler->scope->distinct = NULL;
    return ok;
}

/* SQLite has no QUALIFY: the condition is a column of a subquery, and so is the order of the rows,
 * which may be by what is not selected. */
static const char *qualified_sql(
    struct sql_compiler *compiler, const struct parts *parts, const char *columns, const char *rest,
    const char *order)
{
    const char **names = sql_alloc(compiler->arena, (parts->count + 1) * sizeof *names);

    for (size_t i = 0; i < parts->count; i++)
        names[i] = sql_printf(compiler->arena, "c%zu", i);
    return sql_printf(
        compiler->arena,
        "SELECT %s FROM (SELECT %s, %s AS qualifies, row_number() OVER (%s) AS place%s) WHERE "
        "qualifies%s",
        sql_join(compiler, ", ", names, parts->count), columns, parts->qualify, order, rest,
        order[0] == '\0' ? "" : " ORDER BY place");
}

static bool assemble(
    struct sql_compiler *compiler, const struct sql_query *query, const struct parts *parts,
    struct sql_output *out)
{
    const char *order = "";
    const char *limit = "";

    if (!translate_order(compiler, query, parts, &order) ||
        !sql_translate_limit(compiler, query, &limit))
        return false;
    const char *columns = columns_sql(compiler, parts);
    const char *rest = sql_printf(
        compiler->arena, "%s%s%s%s", clause(compiler, "FROM", parts->from),
        clause(compiler, "WHERE", parts->where), parts->group,
        clause(compiler, "HAVING", parts->having));
    out->sql = parts->qualify != NULL
                   ? qualified_sql(compiler, parts, columns, rest, order)
                   : sql_printf(
                         compiler->arena, "SELECT %s%s%s%s",
                         query->select->distinct ? "DISTINCT " : "", columns, rest, order);
    out->sql = sql_printf(compiler->arena, "%s%s", out->sql, limit);
    out->fields = parts->fields;
    out->count = parts->count;
    return true;
}

bool sql_translate_select(
    struct sql_compiler *compiler, const struct sql_query *query, struct sql_output *out)
{
    struct parts parts = {.scope = {.parent = compiler->scope}};
    struct sql_scope *outer = compiler->scope;

    if (query->select->from == NULL && query->select->where != NULL)
        return sql_error(
            compiler->err, query->select->where->place,
            "Query without FROM clause cannot have a WHERE clause");
    if (query->select->from != NULL &&
        !sql_translate_from(compiler, query->select->from, &parts.scope, &parts.from))
        return false;
    compiler->scope = &parts.scope;
    bool ok = translate_parts(compiler, query, &parts) && assemble(compiler, query, &parts, out);
    compiler->scope = outer;
    return ok;
}
