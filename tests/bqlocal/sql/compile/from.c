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

static bool from_table(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const struct sql_cte *cte =
        from->path.count == 1 ? find_cte(compiler, from->path.items[0]) : NULL;
    const char *alias = from->alias;
    struct sql_output output = {0};
    struct sql_range range = {0};
    const char *dataset = NULL;
    const char *table = NULL;
    bool found = false;

    if (cte != NULL) {
        output = (struct sql_output){.sql = cte->sql, .fields = cte->fields, .count = cte->count};
        return add_output(
            compiler, scope, from, alias != NULL ? alias : cte->name, &output, out_sql);
    }
    if (!sql_information_schema(compiler, from, &output, &found))
        return false;
    if (found)
        return add_output(
            compiler, scope, from, alias != NULL ? alias : from->path.items[from->path.count - 1],
            &output, out_sql);
    if (!sql_resolve_table(compiler, &from->path, from->place, &dataset, &table))
        return false;
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

static bool from_join(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    static const char *const words[] = {
        [SQL_JOIN_CROSS] = "CROSS JOIN",
        [SQL_JOIN_INNER] = "JOIN",
        [SQL_JOIN_LEFT] = "LEFT JOIN",
        [SQL_JOIN_RIGHT] = "RIGHT JOIN",
        [SQL_JOIN_FULL] = "FULL JOIN"};
    const char *left = NULL;
    const char *right = NULL;
    const char *on = NULL;

    if (!sql_translate_from(compiler, from->left, scope, &left))
        return false;
    if (!sql_translate_from(compiler, from->right, scope, &right))
        return false;
    if (from->join == SQL_JOIN_CROSS) {
        // SQLite never reorders a CROSS JOIN; a plain JOIN lets it choose the order.
        *out_sql = sql_printf(compiler->arena, "%s JOIN %s", left, right);
        return true;
    }
    struct sql_scope *outer = compiler->scope;
    compiler->scope = scope;
    scope->no_aggregates = "JOIN ON clause";
    bool ok = sql_translate_bool(compiler, from->on, "JOIN ON clause", &on);
    scope->no_aggregates = NULL;
    compiler->scope = outer;
    const char *group = from->right->kind == SQL_FROM_JOIN ? "(" : "";
    *out_sql = ok ? sql_printf(
                        compiler->arena, "%s %s %s%s%s ON %s", left, words[from->join], group,
                        right, group[0] != '\0' ? ")" : "", on)
                  : NULL;
    return ok;
}

/* With a LIMIT, SQLite computes a subquery's columns once for each row and not wherever an
 * aggregation above names them ("The SQLite Query Optimizer Overview", "Subquery Flattening"). */
static bool from_query(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    const struct sql_query *query = from->query;
    struct sql_output output = {0};

    if (!sql_translate_query(compiler, query, &output))
        return false;
    if (query->select != NULL && query->limit == NULL && query->order.count == 0)
        output.sql = sql_printf(compiler->arena, "%s LIMIT -1", output.sql);
    return add_output(compiler, scope, from, from->alias, &output, out_sql);
}

bool sql_translate_from(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_scope *scope,
    const char **out_sql)
{
    switch (from->kind) {
    case SQL_FROM_TABLE:
        return from_table(compiler, from, scope, out_sql);
    case SQL_FROM_UNNEST:
        return from_unnest(compiler, from, scope, out_sql);
    case SQL_FROM_JOIN:
        return from_join(compiler, from, scope, out_sql);
    case SQL_FROM_QUERY:
        break;
    }
    return from_query(compiler, from, scope, out_sql);
}
