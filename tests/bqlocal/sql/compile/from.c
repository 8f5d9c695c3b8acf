/* FROM clauses: tables, subqueries, WITH names, arrays and joins. */
#include "bqlocal/sql/compile/compile.h"

#include <string.h>
#include <strings.h>

enum { QUERY_BYTES_MAX = 4 * 1024 * 1024 };

static char *next_alias(struct sql_compiler *compiler)
{
    return sql_printf(compiler->arena, "t%d", ++compiler->next_alias);
}

static bool add_range(
    struct sql_compiler *compiler, struct sql_scope *scope, const struct sql_from *from,
    const struct sql_range *range)
{
    for (size_t i = 0; i < scope->range_count && range->alias[0] != '\0'; i++)
        if (strcasecmp(scope->ranges[i].alias, range->alias) == 0)
            return sql_error(
                compiler->err, from->place, "Duplicate table alias %s in the same FROM clause",
                range->alias);
    struct sql_range *ranges =
        sql_alloc(compiler->arena, (scope->range_count + 1) * sizeof *ranges);
    if (scope->range_count > 0)
        memcpy(ranges, scope->ranges, scope->range_count * sizeof *ranges);
    ranges[scope->range_count++] = *range;
    scope->ranges = ranges;
    return true;
}

/* A query's columns c0, c1, ... as a range under a new alias. */
static bool add_output(
    struct sql_compiler *compiler, struct sql_scope *scope, const struct sql_from *from,
    const char *alias, const struct sql_output *output, const char **out_sql)
{
    // Each use of a WITH name repeats its text: a chain of names used twice grows exponentially.
    if (strlen(output->sql) > QUERY_BYTES_MAX)
        return sql_error(
            compiler->err, from->place,
            "Resources exceeded during query execution: the query is too complex");
    const char *sqlite_alias = next_alias(compiler);
    struct sql_range range = {.alias = alias == NULL ? "" : alias, .count = output->count};

    range.fields = sql_alloc(compiler->arena, (output->count + 1) * sizeof *range.fields);
    for (size_t i = 0; i < output->count; i++) {
        range.fields[i] = output->fields[i];
        range.fields[i].sql = sql_printf(compiler->arena, "%s.c%zu", sqlite_alias, i);
    }
    *out_sql = sql_printf(compiler->arena, "(%s) AS %s", output->sql, sqlite_alias);
    return add_range(compiler, scope, from, &range);
}

static const struct sql_cte *find_cte(const struct sql_compiler *compiler, const char *name)
{
    for (const struct sql_cte *cte = compiler->ctes; cte != NULL; cte = cte->next)
        if (strcasecmp(cte->name, name) == 0)
            return cte;
    return NULL;
}

/* What a name means that is no table: a WITH name or INFORMATION_SCHEMA. */
static bool find_output(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_output *out,
    bool *out_found)
{
    const struct sql_cte *cte =
        from->path.count == 1 ? find_cte(compiler, from->path.items[0]) : NULL;

    if (cte == NULL)
        return sql_information_schema(compiler, from, out, out_found);
    *out = (struct sql_output){.sql = cte->sql, .fields = cte->fields, .count = cte->count};
    *out_found = true;
    return true;
}

static bool from_function(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    struct sql_output output = {0};

    return sql_translate_table_function(compiler, from, &output) &&
           add_output(compiler, scope, from, from->alias, &output, out_sql);
}

static bool from_table(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const char *alias = from->alias != NULL ? from->alias : from->path.items[from->path.count - 1];
    struct sql_output output = {0};
    struct sql_range range = {0};
    const char *dataset = NULL;
    const char *table = NULL;
    bool found = false;

    if (!find_output(compiler, from, &output, &found))
        return false;
    if (!found && (!sql_resolve_table(compiler, &from->path, from->place, &dataset, &table) ||
                   !sql_translate_view(compiler, dataset, table, &output, &found)))
        return false;
    if (found)
        return add_output(compiler, scope, from, alias, &output, out_sql);
    const char *sqlite_alias = next_alias(compiler);
    if (!sql_table_range(compiler, dataset, table, alias, sqlite_alias, &range))
        return false;
    *out_sql = sql_printf(
        compiler->arena, "%s AS %s",
        sql_quote_name(compiler->arena, sql_printf(compiler->arena, "%s.%s", dataset, table)),
        sqlite_alias);
    return add_range(compiler, scope, from, &range);
}

/* Rows "(value,...)" of count values as a table with columns column1, column2, ... */
static const char *rows_sql(
    struct sql_compiler *compiler, const char *const *rows, size_t row_count, size_t count,
    const char *alias)
{
    if (row_count > 0)
        return sql_printf(
            compiler->arena, "(VALUES %s) AS %s", sql_join(compiler, ",", rows, row_count), alias);
    const char **nulls = sql_alloc(compiler->arena, count * sizeof *nulls);
    for (size_t i = 0; i < count; i++)
        nulls[i] = sql_printf(compiler->arena, "NULL AS column%zu", i + 1);
    return sql_printf(
        compiler->arena, "(SELECT %s WHERE 0) AS %s", sql_join(compiler, ",", nulls, count), alias);
}

/* An array of structs is a table of their fields, under the alias of the UNNEST. */
static bool from_structs(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const char *alias = next_alias(compiler);
    struct sql_structs structs;

    if (!sql_struct_array(compiler, from->expr, &structs))
        return false;
    *out_sql = rows_sql(compiler, structs.rows, structs.row_count, structs.count, alias);
    for (size_t i = 0; i < structs.count; i++)
        structs.fields[i].sql = sql_printf(compiler->arena, "%s.column%zu", alias, i + 1);
    const struct sql_range range = {
        .alias = from->alias == NULL ? "" : from->alias,
        .fields = structs.fields,
        .count = structs.count};
    return add_range(compiler, scope, from, &range);
}

static bool from_unnest(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const char *alias = next_alias(compiler);
    struct sql_value *values = NULL;
    struct sql_range range = {.alias = ""};
    size_t count = 0;
    int type = 0;

    if (sql_is_struct_array(compiler, from->expr))
        return from_structs(compiler, from, scope, out_sql);
    if (!sql_array(compiler, from->expr, &values, &count, &type))
        return false;
    const char **rows = sql_alloc(compiler->arena, (count + 1) * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = sql_printf(compiler->arena, "(%s)", values[i].sql);
    *out_sql = rows_sql(compiler, rows, count, 1, alias);
    range.count = 1;
    range.fields = sql_alloc(compiler->arena, sizeof *range.fields);
    range.fields[0] = (struct sql_field){
        .name = from->alias == NULL ? "" : from->alias,
        .type = type,
        .sql = sql_printf(compiler->arena, "%s.column1", alias)};
    return add_range(compiler, scope, from, &range);
}

static bool translate_on(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    struct sql_scope *outer = compiler->scope;

    compiler->scope = scope;
    scope->no_aggregates = "JOIN ON clause";
    bool ok = sql_translate_bool(compiler, from->on, "JOIN ON clause", out_sql);
    scope->no_aggregates = NULL;
    compiler->scope = outer;
    return ok;
}

/* Makes the ranges of a scope from the first on refer to columns c<number>... of the alias. Gives
 * back what they were, as the items of a SELECT; *number moves on. */
static const char *move_ranges(
    struct sql_compiler *compiler, struct sql_scope *scope, size_t first, const char *alias,
    size_t *number)
{
    struct sql_list items = {0};

    for (size_t i = first; i < scope->range_count; i++) {
        struct sql_range *range = &scope->ranges[i];
        // What is left out of a FULL JOIN's rows is not left out of its tables.
        range->scan = NULL;
        for (size_t j = 0; j < range->count; j++, ++*number) {
            const char *sql = range->fields[j].sql;
            sql_push(
                compiler->arena, &items, sql_printf(compiler->arena, "%s AS c%zu", sql, *number));
            range->fields[j].sql = sql_printf(compiler->arena, "%s.c%zu", alias, *number);
        }
    }
    return sql_join(compiler, ", ", (const char *const *)items.items, items.count);
}

/* "NULL, " for each column. */
static const char *nulls_sql(struct sql_compiler *compiler, size_t count)
{
    struct sql_list items = {0};

    for (size_t i = 0; i < count; i++)
        sql_push(compiler->arena, &items, sql_printf(compiler->arena, "NULL, "));
    return sql_join(compiler, "", (const char *const *)items.items, items.count);
}

/* "b.c2, b.c3" */
static const char *columns_of(
    struct sql_compiler *compiler, const char *alias, size_t from, size_t to)
{
    struct sql_list items = {0};

    for (size_t i = from; i < to; i++)
        sql_push(compiler->arena, &items, sql_printf(compiler->arena, "%s.c%zu", alias, i));
    return sql_join(compiler, ", ", (const char *const *)items.items, items.count);
}

/* SQLite makes no index of its own for a FULL JOIN, which takes the product of both sides then. It
 * is a LEFT JOIN and the rows of the other side that it leaves out. */
static bool from_full_join(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const char *aliases[2] = {next_alias(compiler), next_alias(compiler)};
    const struct sql_from *const sides[2] = {from->left, from->right};
    const char *tables[2] = {NULL, NULL};
    const size_t first = scope->range_count;
    const char *on = NULL;
    size_t count = 0;
    size_t left_count = 0;

    for (size_t side = 0; side < 2; side++) {
        const size_t start = scope->range_count;
        left_count = count;
        if (!sql_translate_from(compiler, sides[side], scope, &tables[side]))
            return false;
        const char *columns = move_ranges(compiler, scope, start, aliases[side], &count);
        tables[side] = sql_printf(
            compiler->arena, "(SELECT %s, 1 AS hit FROM %s) AS %s", columns, tables[side],
            aliases[side]);
    }
    if (!translate_on(compiler, from, scope, &on))
        return false;
    const char *alias = next_alias(compiler);
    count = 0;
    const char *all = move_ranges(compiler, scope, first, alias, &count);
    *out_sql = sql_printf(
        compiler->arena,
        "(SELECT %s FROM %s LEFT JOIN %s ON %s UNION ALL SELECT %s%s FROM %s LEFT JOIN %s ON %s "
        "WHERE %s.hit IS NULL) AS %s",
        all, tables[0], tables[1], on, nulls_sql(compiler, left_count),
        columns_of(compiler, aliases[1], left_count, count), tables[1], tables[0], on, aliases[0],
        alias);
    return true;
}

static bool from_join(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const char *left = NULL;
    const char *right = NULL;
    const char *on = NULL;

    if (from->join == SQL_JOIN_FULL)
        return from_full_join(compiler, from, scope, out_sql);
    if (!sql_translate_from(compiler, from->left, scope, &left) ||
        !sql_translate_from(compiler, from->right, scope, &right))
        return false;
    if (from->join == SQL_JOIN_CROSS) {
        // SQLite never reorders a CROSS JOIN; a plain JOIN lets it choose the order.
        *out_sql = sql_printf(compiler->arena, "%s JOIN %s", left, right);
        return true;
    }
    if (!translate_on(compiler, from, scope, &on))
        return false;
    // SQLite makes no index of its own for a RIGHT JOIN.
    bool swapped = from->join == SQL_JOIN_RIGHT;
    const struct sql_from *inner = swapped ? from->left : from->right;
    const char *group = inner->kind == SQL_FROM_JOIN ? "(" : "";
    *out_sql = sql_printf(
        compiler->arena, "%s %s %s%s%s ON %s", swapped ? right : left,
        from->join == SQL_JOIN_INNER ? "JOIN" : "LEFT JOIN", group, swapped ? left : right,
        group[0] != '\0' ? ")" : "", on);
    return true;
}

static bool from_query(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    struct sql_output output = {0};

    if (!sql_translate_query(compiler, from->query, &output))
        return false;
    sql_compute_once(compiler, from->query, &output);
    return add_output(compiler, scope, from, from->alias, &output, out_sql);
}

bool sql_translate_from(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    switch (from->kind) {
    case SQL_FROM_TABLE:
        return from_table(compiler, from, scope, out_sql);
    case SQL_FROM_FUNCTION:
        return from_function(compiler, from, scope, out_sql);
    case SQL_FROM_UNNEST:
        return from_unnest(compiler, from, scope, out_sql);
    case SQL_FROM_JOIN:
        return from_join(compiler, from, scope, out_sql);
    case SQL_FROM_QUERY:
        break;
    }
    return from_query(compiler, from, scope, out_sql);
}
