#include "bqlocal/sql/parse/parse.h"

#include <string.h>
#include <strings.h>

/* OPTIONS(name = value, ...) */
static bool parse_options(struct sql_parser *parser, struct sql_options *out)
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
    out->items = sql_alloc(parser->arena, (list.count + 1) * sizeof *out->items);
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        out->items[i] = *(struct sql_option *)list.items[i];
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
        parser->err, token->line, token->column,
        "Enforced primary keys are not supported. Please use NOT ENFORCED");
}

static bool parse_column(struct sql_parser *parser, struct sql_column *column)
{
    column->line = sql_peek(parser, 0)->line;
    column->place = sql_peek(parser, 0)->column;
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
            if (!parse_options(parser, &column->options))
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
    node->defined = sql_alloc(parser->arena, (columns.count + 1) * sizeof *node->defined);
    node->defined_count = columns.count;
    for (size_t i = 0; i < columns.count; i++)
        node->defined[i] = *(struct sql_column *)columns.items[i];
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
    if (!parse_options(parser, &node->options))
        return false;
    if (!sql_accept(parser, "AS"))
        return true;
    node->query = sql_parse_query(parser);
    return node->query != NULL;
}

static struct sql_node *parse_create_schema(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = SQL_CREATE_SCHEMA;
    if (sql_accept(parser, "IF")) {
        if (!sql_expect(parser, "NOT") || !sql_expect(parser, "EXISTS"))
            return NULL;
        node->if_exists = true;
    }
    if (!sql_parse_table_path(parser, &node->path) || !parse_options(parser, &node->options))
        return NULL;
    return node;
}

struct sql_node *sql_parse_create(struct sql_parser *parser, struct sql_node *node)
{
    node->or_replace = sql_accept2(parser, "OR", "REPLACE");
    if (!node->or_replace && sql_accept(parser, "SCHEMA"))
        return parse_create_schema(parser, node);
    node->kind = SQL_CREATE_TABLE;
    if (!sql_expect(parser, "TABLE"))
        return NULL;
    if (sql_accept(parser, "IF")) {
        if (!sql_expect(parser, "NOT") || !sql_expect(parser, "EXISTS"))
            return NULL;
        node->if_exists = true;
    }
    if (node->if_exists && node->or_replace) {
        sql_error(
            parser->err, node->line, node->column,
            "CREATE TABLE cannot have both OR REPLACE and IF NOT EXISTS");
        return NULL;
    }
    if (!sql_parse_table_path(parser, &node->path))
        return NULL;
    if (sql_is(parser, "LIKE") || sql_is(parser, "COPY") || sql_is(parser, "CLONE")) {
        node->like_copies_rows = !sql_is(parser, "LIKE");
        parser->at++;
        if (!sql_parse_table_path(parser, &node->like))
            return NULL;
    } else if (!parse_table_elements(parser, node)) {
        return NULL;
    }
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
    if (sql_accept2(parser, "DROP", "DEFAULT")) {
        alter->kind = SQL_COLUMN_DROP_DEFAULT;
        return true;
    }
    if (!sql_expect(parser, "SET"))
        return false;
    if (sql_accept(parser, "DATA")) {
        alter->kind = SQL_COLUMN_SET_TYPE;
        return sql_expect(parser, "TYPE") &&
               sql_parse_type(parser, &column->type, &column->length, &column->scale);
    }
    if (sql_accept(parser, "DEFAULT")) {
        alter->kind = SQL_COLUMN_SET_DEFAULT;
        return parse_default(parser, column);
    }
    alter->kind = SQL_COLUMN_SET_OPTIONS;
    return sql_is(parser, "OPTIONS") ? parse_options(parser, &alter->options)
                                     : sql_unexpected(parser);
}

static bool parse_alter_add(struct sql_parser *parser, struct sql_alter *alter)
{
    if (sql_accept2(parser, "PRIMARY", "KEY")) {
        alter->kind = SQL_ADD_PRIMARY_KEY;
        return sql_parse_name_list(parser, &alter->key) && parse_not_enforced(parser);
    }
    alter->kind = SQL_ADD_COLUMN;
    if (!sql_expect(parser, "COLUMN"))
        return false;
    bool conditional = sql_accept(parser, "IF");
    if (conditional && (!sql_expect(parser, "NOT") || !sql_expect(parser, "EXISTS")))
        return false;
    if (!parse_column(parser, &alter->column))
        return false;
    alter->column.if_not_exists = conditional;
    return true;
}

static bool parse_alter_drop(struct sql_parser *parser, struct sql_alter *alter)
{
    if (sql_accept2(parser, "PRIMARY", "KEY")) {
        alter->kind = SQL_DROP_PRIMARY_KEY;
        alter->if_exists = sql_accept2(parser, "IF", "EXISTS");
        return true;
    }
    alter->kind = SQL_DROP_COLUMN;
    if (!sql_expect(parser, "COLUMN"))
        return false;
    alter->if_exists = sql_accept2(parser, "IF", "EXISTS");
    alter->column.name = sql_parse_name(parser, false);
    return alter->column.name != NULL;
}

static bool parse_alter_rename(struct sql_parser *parser, struct sql_alter *alter)
{
    if (sql_accept(parser, "TO")) {
        alter->kind = SQL_RENAME_TO;
        alter->new_name = sql_parse_name(parser, false);
        return alter->new_name != NULL;
    }
    alter->kind = SQL_RENAME_COLUMN;
    if (!sql_expect(parser, "COLUMN"))
        return false;
    alter->if_exists = sql_accept2(parser, "IF", "EXISTS");
    alter->column.name = sql_parse_name(parser, false);
    if (alter->column.name == NULL || !sql_expect(parser, "TO"))
        return false;
    alter->new_name = sql_parse_name(parser, false);
    return alter->new_name != NULL;
}

static bool parse_alter_action(struct sql_parser *parser, struct sql_alter *alter)
{
    alter->line = sql_peek(parser, 0)->line;
    alter->place = sql_peek(parser, 0)->column;
    if (sql_accept(parser, "ADD"))
        return parse_alter_add(parser, alter);
    if (sql_accept(parser, "DROP"))
        return parse_alter_drop(parser, alter);
    if (sql_accept(parser, "RENAME"))
        return parse_alter_rename(parser, alter);
    if (sql_accept2(parser, "ALTER", "COLUMN"))
        return parse_alter_column(parser, alter);
    if (!sql_expect(parser, "SET"))
        return false;
    alter->kind = SQL_SET_OPTIONS;
    return sql_is(parser, "OPTIONS") ? parse_options(parser, &alter->options)
                                     : sql_unexpected(parser);
}

struct sql_node *sql_parse_alter(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list list = {0};

    node->kind = SQL_ALTER_TABLE;
    if (!sql_expect(parser, "TABLE"))
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
    node->alters = sql_alloc(parser->arena, list.count * sizeof *node->alters);
    node->alter_count = list.count;
    for (size_t i = 0; i < list.count; i++)
        node->alters[i] = *(struct sql_alter *)list.items[i];
    return node;
}

struct sql_node *sql_parse_drop(struct sql_parser *parser, struct sql_node *node)
{
    bool schema = sql_accept(parser, "SCHEMA");

    node->kind = schema ? SQL_DROP_SCHEMA : SQL_DROP_TABLE;
    if (!schema && !sql_expect(parser, "TABLE"))
        return NULL;
    node->if_exists = sql_accept2(parser, "IF", "EXISTS");
    if (!sql_parse_table_path(parser, &node->path))
        return NULL;
    node->cascade = schema && sql_accept(parser, "CASCADE");
    if (schema && !node->cascade)
        sql_accept(parser, "RESTRICT");
    return node;
}
