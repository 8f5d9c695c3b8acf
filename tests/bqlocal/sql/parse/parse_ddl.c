#include "bqlocal/sql/parse/parse.h"

#include <string.h>
#include <strings.h>

bool sql_parse_options(struct sql_parser *parser, struct sql_options *out)
{
    struct sql_list list = {0};

    if (!sql_accept(parser, "OPTIONS"))
        return true;
    if (!sql_expect(parser, "("))
        return false;
    while (!sql_is(parser, ")")) {
        struct sql_option *option = sql_alloc(parser->arena, sizeof *option);
        option->name = sql_parse_name(parser, false);
        if (option->name == NULL || !sql_expect(parser, "="))
            return false;
        option->value = sql_parse_expr(parser);
        if (option->value == NULL)
            return false;
        sql_push(parser->arena, &list, option);
        if (!sql_accept(parser, ","))
            break;
    }
    out->items = sql_array_of(parser->arena, &list, sizeof *out->items);
    out->count = list.count;
    return sql_expect(parser, ")");
}

/* Keeps a default both as the expression and as it was written. */
static bool parse_default(struct sql_parser *parser, struct sql_column *column)
{
    size_t start = sql_peek(parser, 0)->start;

    column->default_expr = sql_parse_expr(parser);
    if (column->default_expr == NULL)
        return false;
    size_t end = parser->tokens[parser->at - 1].end;
    column->default_sql = sql_copy(parser->arena, parser->text + start, end - start);
    return true;
}

static bool parse_not_enforced(struct sql_parser *parser)
{
    if (sql_accept2(parser, "NOT", "ENFORCED"))
        return true;
    const struct sql_token *token = sql_peek(parser, 0);
    return sql_error(
        parser->err, token->place,
        "Enforced primary keys are not supported. Please use NOT ENFORCED");
}

static bool parse_column(struct sql_parser *parser, struct sql_column *column)
{
    column->place = sql_peek(parser, 0)->place;
    column->name = sql_parse_name(parser, false);
    if (column->name == NULL ||
        !sql_parse_type(parser, &column->type, &column->length, &column->scale))
        return false;
    for (;;) {
        if (sql_accept2(parser, "NOT", "NULL")) {
            column->required = true;
        } else if (sql_accept(parser, "DEFAULT")) {
            if (!parse_default(parser, column))
                return false;
        } else if (sql_accept2(parser, "PRIMARY", "KEY")) {
            column->has_primary_key = true;
            if (!parse_not_enforced(parser))
                return false;
        } else if (sql_is(parser, "OPTIONS")) {
            if (!sql_parse_options(parser, &column->options))
                return false;
        } else {
            return true;
        }
    }
}

static bool parse_table_element(
    struct sql_parser *parser, struct sql_node *node, struct sql_list *columns)
{
    if (sql_accept(parser, "CONSTRAINT") && sql_parse_name(parser, false) == NULL)
        return false;
    if (sql_accept2(parser, "PRIMARY", "KEY")) {
        node->has_primary_key = true;
        return sql_parse_name_list(parser, &node->primary_key) && parse_not_enforced(parser);
    }
    struct sql_column *column = sql_alloc(parser->arena, sizeof *column);
    if (!parse_column(parser, column))
        return false;
    if (column->has_primary_key) {
        node->has_primary_key = true;
        node->primary_key.items = sql_alloc(parser->arena, sizeof *node->primary_key.items);
        node->primary_key.items[0] = column->name;
        node->primary_key.count = 1;
    }
    sql_push(parser->arena, columns, column);
    return true;
}

static bool parse_table_elements(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list columns = {0};

    if (!sql_accept(parser, "("))
        return true;
    while (!sql_is(parser, ")")) {
        if (!parse_table_element(parser, node, &columns))
            return false;
        if (!sql_accept(parser, ","))
            break;
    }
    node->defined = sql_array_of(parser->arena, &columns, sizeof *node->defined);
    node->defined_count = columns.count;
    return sql_expect(parser, ")");
}

static bool parse_cluster(struct sql_parser *parser, struct sql_names *out)
{
    struct sql_list list = {0};

    do {
        const char *name = sql_parse_name(parser, false);
        if (name == NULL)
            return false;
        sql_push(parser->arena, &list, (void *)(uintptr_t)name);
    } while (sql_accept(parser, ","));
    out->items = (const char **)list.items;
    out->count = list.count;
    return true;
}

static bool parse_create_tail(struct sql_parser *parser, struct sql_node *node)
{
    if (sql_accept2(parser, "PARTITION", "BY")) {
        node->partition = sql_parse_expr(parser);
        if (node->partition == NULL)
            return false;
    }
    if (sql_accept2(parser, "CLUSTER", "BY")) {
        node->has_cluster = true;
        if (!parse_cluster(parser, &node->cluster))
            return false;
    }
    if (!sql_parse_options(parser, &node->options))
        return false;
    if (!sql_accept(parser, "AS"))
        return true;
    node->query = sql_parse_query(parser);
    return node->query != NULL;
}

/* TABLE; other kinds are refused by name. */
static bool expect_table(struct sql_parser *parser, const char *verb)
{
    static const char *const others[] = {
        "VIEW",   "MATERIALIZED", "FUNCTION", "AGGREGATE", "PROCEDURE", "TEMP", "TEMPORARY",
        "SCHEMA", "EXTERNAL",     "SNAPSHOT", "MODEL",     "INDEX",     "ROW",  "SEARCH"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (sql_is(parser, others[i]))
            return sql_unsupported(parser, sql_printf(parser->arena, "%s %s", verb, others[i]));
    return sql_expect(parser, "TABLE");
}

static bool accept_if_not_exists(struct sql_parser *parser, bool *out_given)
{
    *out_given = sql_accept(parser, "IF");
    return !*out_given || (sql_expect(parser, "NOT") && sql_expect(parser, "EXISTS"));
}

bool sql_parse_create_head(struct sql_parser *parser, struct sql_node *node, const char *kind)
{
    if (!accept_if_not_exists(parser, &node->if_exists))
        return false;
    if (node->if_exists && node->or_replace)
        return sql_error(
            parser->err, node->place, "CREATE %s cannot have both OR REPLACE and IF NOT EXISTS",
            kind);
    return sql_parse_table_path(parser, &node->path);
}

struct sql_node *sql_parse_create(struct sql_parser *parser, struct sql_node *node)
{
    node->or_replace = sql_accept2(parser, "OR", "REPLACE");
    if (sql_accept(parser, "VIEW"))
        return sql_parse_create_view(parser, node);
    if (sql_accept2(parser, "TABLE", "FUNCTION"))
        return sql_parse_create_table_function(parser, node);
    node->kind = SQL_CREATE_TABLE;
    if (!expect_table(parser, "CREATE") || !sql_parse_create_head(parser, node, "TABLE"))
        return NULL;
    if (sql_is(parser, "LIKE") || sql_is(parser, "COPY") || sql_is(parser, "CLONE")) {
        sql_unsupported(parser, "CREATE TABLE LIKE, COPY and CLONE");
        return NULL;
    }
    if (!parse_table_elements(parser, node))
        return NULL;
    return parse_create_tail(parser, node) ? node : NULL;
}

static bool parse_alter_column(struct sql_parser *parser, struct sql_alter *alter)
{
    struct sql_column *column = &alter->column;

    if (sql_accept2(parser, "IF", "EXISTS"))
        alter->if_exists = true;
    column->name = sql_parse_name(parser, false);
    if (column->name == NULL)
        return false;
    if (sql_accept2(parser, "DROP", "NOT")) {
        alter->kind = SQL_COLUMN_DROP_NOT_NULL;
        return sql_expect(parser, "NULL");
    }
    if (!sql_expect(parser, "SET"))
        return false;
    if (sql_is(parser, "DEFAULT"))
        return sql_unsupported(parser, "ALTER COLUMN SET DEFAULT");
    if (sql_accept(parser, "DATA")) {
        alter->kind = SQL_COLUMN_SET_TYPE;
        return sql_expect(parser, "TYPE") &&
               sql_parse_type(parser, &column->type, &column->length, &column->scale);
    }
    alter->kind = SQL_COLUMN_SET_OPTIONS;
    return sql_is(parser, "OPTIONS") ? sql_parse_options(parser, &alter->options)
                                     : sql_unexpected(parser);
}

/* COLUMN; PRIMARY KEY and other constraints are refused. */
static bool expect_column(struct sql_parser *parser)
{
    if (sql_is(parser, "PRIMARY") || sql_is(parser, "CONSTRAINT"))
        return sql_unsupported(parser, "ALTER TABLE ADD or DROP of a key");
    return sql_expect(parser, "COLUMN");
}

static bool parse_alter_add(struct sql_parser *parser, struct sql_alter *alter)
{
    bool conditional = false;

    alter->kind = SQL_ADD_COLUMN;
    if (!expect_column(parser) || !accept_if_not_exists(parser, &conditional) ||
        !parse_column(parser, &alter->column))
        return false;
    alter->column.if_not_exists = conditional;
    return true;
}

static bool parse_alter_drop(struct sql_parser *parser, struct sql_alter *alter)
{
    alter->kind = SQL_DROP_COLUMN;
    if (!expect_column(parser))
        return false;
    alter->if_exists = sql_accept2(parser, "IF", "EXISTS");
    alter->column.name = sql_parse_name(parser, false);
    return alter->column.name != NULL;
}

static bool parse_alter_action(struct sql_parser *parser, struct sql_alter *alter)
{
    alter->place = sql_peek(parser, 0)->place;
    if (sql_accept(parser, "ADD"))
        return parse_alter_add(parser, alter);
    if (sql_accept(parser, "DROP"))
        return parse_alter_drop(parser, alter);
    if (sql_is(parser, "RENAME"))
        return sql_unsupported(parser, "ALTER TABLE RENAME");
    if (sql_accept2(parser, "ALTER", "COLUMN"))
        return parse_alter_column(parser, alter);
    if (!sql_expect(parser, "SET"))
        return false;
    alter->kind = SQL_SET_OPTIONS;
    return sql_is(parser, "OPTIONS") ? sql_parse_options(parser, &alter->options)
                                     : sql_unexpected(parser);
}

struct sql_node *sql_parse_alter(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list list = {0};

    node->kind = SQL_ALTER_TABLE;
    if (!expect_table(parser, "ALTER"))
        return NULL;
    node->if_exists = sql_accept2(parser, "IF", "EXISTS");
    if (!sql_parse_table_path(parser, &node->path))
        return NULL;
    do {
        struct sql_alter *alter = sql_alloc(parser->arena, sizeof *alter);
        if (!parse_alter_action(parser, alter))
            return NULL;
        sql_push(parser->arena, &list, alter);
    } while (sql_accept(parser, ","));
    node->alters = sql_array_of(parser->arena, &list, sizeof *node->alters);
    node->alter_count = list.count;
    return node;
}

struct sql_node *sql_parse_drop(struct sql_parser *parser, struct sql_node *node)
{
    if (sql_accept(parser, "VIEW"))
        node->kind = SQL_DROP_VIEW;
    else if (sql_accept2(parser, "TABLE", "FUNCTION"))
        node->kind = SQL_DROP_TABLE_FUNCTION;
    else if (expect_table(parser, "DROP"))
        node->kind = SQL_DROP_TABLE;
    else
        return NULL;
    node->if_exists = sql_accept2(parser, "IF", "EXISTS");
    return sql_parse_table_path(parser, &node->path) ? node : NULL;
}
