/* CREATE VIEW and CREATE TABLE FUNCTION. */
#include "bqlocal/sql/parse/parse.h"

/* AS and the query, of which the text is kept too. */
static bool parse_body(struct sql_parser *parser, struct sql_node *node)
{
    if (!sql_expect(parser, "AS"))
        return false;
    size_t start = sql_peek(parser, 0)->start;
    node->query = sql_parse_query(parser);
    if (node->query == NULL)
        return false;
    size_t end = parser->tokens[parser->at - 1].end;
    node->query_text = sql_copy(parser->arena, parser->text + start, end - start);
    return true;
}

/* A column of a view has a name and options; its type is the query's. */
static bool parse_view_columns(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list columns = {0};

    if (!sql_accept(parser, "("))
        return true;
    do {
        struct sql_column *column = sql_alloc(parser->arena, sizeof *column);
        column->place = sql_peek(parser, 0)->place;
        column->name = sql_parse_name(parser, false);
        if (column->name == NULL || !sql_parse_options(parser, &column->options))
            return false;
        sql_push(parser->arena, &columns, column);
    } while (sql_accept(parser, ","));
    node->defined = sql_array_of(parser->arena, &columns, sizeof *node->defined);
    node->defined_count = columns.count;
    return sql_expect(parser, ")");
}

struct sql_node *sql_parse_create_view(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = SQL_CREATE_VIEW;
    bool ok = sql_parse_create_head(parser, node, "VIEW") && parse_view_columns(parser, node) &&
              sql_parse_options(parser, &node->options) && parse_body(parser, node);
    return ok ? node : NULL;
}

static bool parse_parameters(struct sql_parser *parser, struct sql_node *node)
{
    struct sql_list parameters = {0};

    if (!sql_expect(parser, "("))
        return false;
    while (!sql_is(parser, ")")) {
        struct sql_column *one = sql_alloc(parser->arena, sizeof *one);
        one->place = sql_peek(parser, 0)->place;
        one->name = sql_parse_name(parser, false);
        if (one->name == NULL)
            return false;
        if (sql_is(parser, "ANY") || sql_is(parser, "TABLE"))
            return sql_unsupported(parser, "table functions with parameters of ANY or TABLE type");
        if (!sql_parse_type(parser, &one->type, &one->length, &one->scale))
            return false;
        if (one->length > 0)
            return sql_error(
                parser->err, one->place,
                "Parameterized types are not allowed in function arguments");
        sql_push(parser->arena, &parameters, one);
        if (!sql_accept(parser, ","))
            break;
    }
    node->defined = sql_array_of(parser->arena, &parameters, sizeof *node->defined);
    node->defined_count = parameters.count;
    return sql_expect(parser, ")");
}

struct sql_node *sql_parse_create_table_function(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = SQL_CREATE_TABLE_FUNCTION;
    if (!sql_parse_create_head(parser, node, "TABLE FUNCTION") || !parse_parameters(parser, node))
        return NULL;
    if (sql_is(parser, "RETURNS")) {
        sql_unsupported(parser, "RETURNS of a table function");
        return NULL;
    }
    return sql_parse_options(parser, &node->options) && parse_body(parser, node) ? node : NULL;
}
