/* INSERT, UPDATE, DELETE and MERGE. */
#include "bqlocal/sql/parse/parse.h"

struct sql_node *sql_parse_insert(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list rows = {0};

    node->kind = SQL_INSERT;
    sql_accept(parser, "INTO");
    if (!sql_parse_table_path(parser, &node->path))
        return NULL;
    bool columns = sql_is(parser, "(") && !sql_is_at(parser, 1, "SELECT") &&
                   !sql_is_at(parser, 1, "WITH") && !sql_is_at(parser, 1, "(");
    if (columns && !sql_parse_name_list(parser, &node->columns))
        return NULL;
    if (!sql_accept(parser, "VALUES")) {
        node->query = sql_parse_query(parser);
        return node->query == NULL ? NULL : node;
    }
    do {
        struct sql_row *row = sql_alloc(parser->arena, sizeof *row);
        row->place = sql_peek(parser, 0)->place;
        if (!sql_expect(parser, "(") || !sql_parse_expr_list(parser, &row->values) ||
            !sql_expect(parser, ")"))
            return NULL;
        sql_push(parser->arena, &rows, row);
    } while (sql_accept(parser, ","));
    node->rows = sql_array_of(parser->arena, &rows, sizeof *node->rows);
    node->row_count = rows.count;
    return node;
}

/* a = 1, t.b = 2, ... */
static bool parse_sets(struct sql_parser *parser, struct sql_sets *out)
{
    struct sql_list list = {0};

    do {
        struct sql_set *set = sql_alloc(parser->arena, sizeof *set);
        set->place = sql_peek(parser, 0)->place;
        set->column = sql_parse_name(parser, false);
        if (set->column != NULL && sql_accept(parser, "."))
            set->column = sql_parse_name(parser, true);
        if (set->column == NULL || !sql_expect(parser, "="))
            return false;
        set->expr = sql_parse_expr(parser);
        if (set->expr == NULL)
            return false;
        sql_push(parser->arena, &list, set);
    } while (sql_accept(parser, ","));
    out->items = sql_array_of(parser->arena, &list, sizeof *out->items);
    out->count = list.count;
    return true;
}

static bool parse_where(struct sql_parser *parser, struct sql_node *node, const char *what)
{
    if (sql_accept(parser, "WHERE")) {
        node->where = sql_parse_expr(parser);
        return node->where != NULL;
    }
    return sql_error(parser->err, node->place, "%s must have a WHERE clause", what);
}

struct sql_node *sql_parse_update(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = SQL_UPDATE;
    if (!sql_parse_table_path(parser, &node->path) || !sql_parse_alias(parser, &node->alias) ||
        !sql_expect(parser, "SET") || !parse_sets(parser, &node->sets))
        return NULL;
    if (sql_is(parser, "FROM")) {
        sql_unsupported(parser, "UPDATE ... FROM");
        return NULL;
    }
    return parse_where(parser, node, "UPDATE") ? node : NULL;
}

struct sql_node *sql_parse_delete(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = SQL_DELETE;
    sql_accept(parser, "FROM");
    if (!sql_parse_table_path(parser, &node->path) || !sql_parse_alias(parser, &node->alias))
        return NULL;
    return parse_where(parser, node, "DELETE") ? node : NULL;
}

static bool parse_when_insert(struct sql_parser *parser, struct sql_when *when)
{
    when->action = SQL_ACTION_INSERT;
    if (sql_is(parser, "(") && !sql_parse_name_list(parser, &when->columns))
        return false;
    if (sql_is(parser, "ROW"))
        return sql_unsupported(parser, "INSERT ROW");
    return sql_expect(parser, "VALUES") && sql_expect(parser, "(") &&
           sql_parse_expr_list(parser, &when->values) && sql_expect(parser, ")");
}

static bool parse_when(struct sql_parser *parser, struct sql_when *when)
{
    when->place = sql_peek(parser, 0)->place;
    if (!sql_expect(parser, "WHEN"))
        return false;
    if (sql_accept(parser, "NOT")) {
        when->kind = SQL_WHEN_NOT_MATCHED;
        if (!sql_expect(parser, "MATCHED"))
            return false;
        if (sql_accept2(parser, "BY", "SOURCE"))
            when->kind = SQL_WHEN_NOT_MATCHED_BY_SOURCE;
        else if (sql_accept(parser, "BY") && !sql_expect(parser, "TARGET"))
            return false;
    } else if (!sql_expect(parser, "MATCHED")) {
        return false;
    }
    if (sql_accept(parser, "AND") && (when->condition = sql_parse_expr(parser)) == NULL)
        return false;
    if (!sql_expect(parser, "THEN"))
        return false;
    if (when->kind == SQL_WHEN_NOT_MATCHED)
        return sql_expect(parser, "INSERT") && parse_when_insert(parser, when);
    if (sql_accept(parser, "DELETE")) {
        when->action = SQL_ACTION_DELETE;
        return true;
    }
    when->action = SQL_ACTION_UPDATE;
    return sql_expect(parser, "UPDATE") && sql_expect(parser, "SET") &&
           parse_sets(parser, &when->sets);
}

struct sql_node *sql_parse_merge(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list whens = {0};

    node->kind = SQL_MERGE;
    sql_accept(parser, "INTO");
    if (!sql_parse_table_path(parser, &node->path) || !sql_parse_alias(parser, &node->alias) ||
        !sql_expect(parser, "USING"))
        return NULL;
    node->from = sql_parse_from_item(parser);
    if (node->from == NULL || !sql_expect(parser, "ON"))
        return NULL;
    node->on = sql_parse_expr(parser);
    if (node->on == NULL)
        return NULL;
    do {
        struct sql_when *when = sql_alloc(parser->arena, sizeof *when);
        if (!parse_when(parser, when))
            return NULL;
        sql_push(parser->arena, &whens, when);
    } while (sql_is(parser, "WHEN"));
    node->whens = sql_array_of(parser->arena, &whens, sizeof *node->whens);
    node->when_count = whens.count;
    return node;
}
