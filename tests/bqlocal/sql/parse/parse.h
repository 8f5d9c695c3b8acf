/* sql_parse: tokens to a syntax tree, by recursive descent. Inside, functions return NULL (or
 * false) once parser->err is filled. parse.c holds scripts, names and types, parse_dml.c,
 * parse_ddl.c and parse_view.c statements, parse_query.c queries, parse_expr.c and parse_primary.c
 * expressions. */
#ifndef BQLOCAL_SQL_PARSE_PARSE_H
#define BQLOCAL_SQL_PARSE_PARSE_H

#include "bqlocal/sql/parse/ast.h"
#include "bqlocal/sql/parse/lex.h"

struct sql_parser {
    struct sql_arena *arena;
    const char *text;
    const struct sql_token *tokens;
    size_t at;
    int depth;         /* of nested expressions and queries */
    size_t positional; /* ? seen so far */
    struct error *err;
};

/* A whole script: a list of struct sql_node. Empty text is an error. */
MUST_CHECK bool sql_parse_script(
    struct sql_arena *arena, const char *text, struct sql_list *out_nodes, struct error *err);
/* One query, as a view keeps it; NULL with an error if it is anything else. */
struct sql_query *sql_parse_query_text(
    struct sql_arena *arena, const char *text, struct error *err);
/* One expression, as in a column's default. */
struct sql_expr *sql_parse_expression(struct sql_arena *arena, const char *text, struct error *err);

/* Between the parser's files. */
const struct sql_token *sql_peek(const struct sql_parser *parser, size_t ahead);
bool sql_is(const struct sql_parser *parser, const char *word);
bool sql_is_at(const struct sql_parser *parser, size_t ahead, const char *word);
/* Consumes the keyword or symbol if it is next. */
bool sql_accept(struct sql_parser *parser, const char *word);
bool sql_accept2(struct sql_parser *parser, const char *first, const char *second);
/* Syntax error unless it is next. */
bool sql_expect(struct sql_parser *parser, const char *word);
/* "Syntax error: Unexpected ..." about the next token; false. */
bool sql_unexpected(struct sql_parser *parser);
bool sql_syntax(struct sql_parser *parser, const char *expected);
/* "bqlocal does not have ..." at the next token: for what BigQuery has. False. */
bool sql_unsupported(struct sql_parser *parser, const char *what);
/* Enters a nested construct; false when too deep. Leave with parser->depth--. */
bool sql_enter(struct sql_parser *parser);
/* An identifier; NULL with an error if there is none. after_dot: keywords are allowed. */
const char *sql_parse_name(struct sql_parser *parser, bool after_dot);
/* project.dataset.table in any way of quoting. */
bool sql_parse_table_path(struct sql_parser *parser, struct sql_names *out);
/* (a, b, ...) */
bool sql_parse_name_list(struct sql_parser *parser, struct sql_names *out);
/* GoogleSQL's name of a type, aliases included. */
bool sql_find_type(const char *name, enum store_type *out_type);
bool sql_parse_type(
    struct sql_parser *parser, enum store_type *out_type, int64_t *out_length, int64_t *out_scale);
struct sql_expr *sql_parse_expr(struct sql_parser *parser);
/* Without AND, OR, NOT and comparisons. */
struct sql_expr *sql_parse_operand(struct sql_parser *parser);
struct sql_expr *sql_parse_primary(struct sql_parser *parser);
/* A node placed at the next token; the same that takes the token's text and consumes it. */
struct sql_expr *sql_expr_new(struct sql_parser *parser, enum sql_expr_kind kind);
struct sql_expr *sql_expr_literal(struct sql_parser *parser, enum sql_expr_kind kind);
/* Appends to a short list of arguments. */
void sql_expr_add(struct sql_parser *parser, struct sql_exprs *list, struct sql_expr *expr);
/* Expressions separated by commas; the caller reads what closes the list. */
bool sql_parse_expr_list(struct sql_parser *parser, struct sql_exprs *out);
bool sql_parse_orders(struct sql_parser *parser, struct sql_orders *out);
struct sql_query *sql_parse_query(struct sql_parser *parser);
struct sql_from *sql_parse_from_item(struct sql_parser *parser);
struct sql_from *sql_parse_from(struct sql_parser *parser);
/* [AS] alias, if one is there; false on error. */
bool sql_parse_alias(struct sql_parser *parser, const char **out_alias);
struct sql_node *sql_parse_insert(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_update(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_delete(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_merge(struct sql_parser *parser, struct sql_node *node);
/* OPTIONS(name = value, ...), if it is there. */
bool sql_parse_options(struct sql_parser *parser, struct sql_options *out);
/* [IF NOT EXISTS] and the name of what a CREATE makes. */
bool sql_parse_create_head(struct sql_parser *parser, struct sql_node *node, const char *kind);
/* Behind CREATE [OR REPLACE] VIEW, and behind CREATE [OR REPLACE] TABLE FUNCTION. */
struct sql_node *sql_parse_create_view(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_create_table_function(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_create(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_alter(struct sql_parser *parser, struct sql_node *node);
struct sql_node *sql_parse_drop(struct sql_parser *parser, struct sql_node *node);

#endif
