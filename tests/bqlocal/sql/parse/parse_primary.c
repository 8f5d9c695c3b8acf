/* Expressions without operators around them: literals, names, calls, CASE, CAST, subqueries. */
#include "bqlocal/sql/parse/parse.h"

#include <string.h>
#include <strings.h>

static struct sql_expr *parse_case(struct sql_parser *parser)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_CASE);
    struct sql_list list = {0};

    if (!sql_expect(parser, "CASE"))
        return NULL;
    if (!sql_is(parser, "WHEN")) {
        struct sql_expr *operand = sql_parse_expr(parser);
        if (operand == NULL)
            return NULL;
        expr->has_operand = true;
        sql_push(parser->arena, &list, operand);
    }
    do {
        if (!sql_expect(parser, "WHEN"))
            return NULL;
        struct sql_expr *when = sql_parse_expr(parser);
        if (when == NULL || !sql_expect(parser, "THEN"))
            return NULL;
        struct sql_expr *then = sql_parse_expr(parser);
        if (then == NULL)
            return NULL;
        sql_push(parser->arena, &list, when);
        sql_push(parser->arena, &list, then);
    } while (sql_is(parser, "WHEN"));
    if (sql_accept(parser, "ELSE")) {
        struct sql_expr *other = sql_parse_expr(parser);
        if (other == NULL)
            return NULL;
        expr->has_else = true;
        sql_push(parser->arena, &list, other);
    }
    expr->args = (struct sql_exprs){(struct sql_expr **)list.items, list.count};
    return sql_expect(parser, "END") ? expr : NULL;
}

static struct sql_expr *parse_cast(struct sql_parser *parser)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_CAST);
    int64_t length = 0;
    int64_t scale = 0;

    expr->safe = sql_is(parser, "SAFE_CAST");
    parser->at++;
    if (!sql_expect(parser, "("))
        return NULL;
    struct sql_expr *value = sql_parse_expr(parser);
    if (value == NULL || !sql_expect(parser, "AS") ||
        !sql_parse_type(parser, &expr->type, &length, &scale))
        return NULL;
    if (length != 0 || scale != 0) {
        sql_unsupported(parser, "CAST to a type with parameters");
        return NULL;
    }
    sql_expr_add(parser, &expr->args, value);
    return sql_expect(parser, ")") ? expr : NULL;
}

static struct sql_expr *parse_extract(struct sql_parser *parser)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_EXTRACT);

    parser->at++;
    if (!sql_expect(parser, "("))
        return NULL;
    expr->text = sql_parse_name(parser, true);
    if (expr->text == NULL || !sql_expect(parser, "FROM"))
        return NULL;
    struct sql_expr *value = sql_parse_expr(parser);
    if (value == NULL)
        return NULL;
    sql_expr_add(parser, &expr->args, value);
    return sql_expect(parser, ")") ? expr : NULL;
}

static struct sql_expr *parse_interval(struct sql_parser *parser)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_INTERVAL);

    parser->at++;
    struct sql_expr *value = sql_parse_operand(parser);
    if (value == NULL)
        return NULL;
    sql_expr_add(parser, &expr->args, value);
    expr->text = sql_parse_name(parser, false);
    return expr->text == NULL ? NULL : expr;
}

/* ( SELECT ... ) or ( expression ). */
static struct sql_expr *parse_parenthesis(struct sql_parser *parser)
{
    const struct sql_token *inside = sql_peek(parser, 1);
    size_t ahead = 1;

    for (; inside->kind == SQL_TOKEN_SYMBOL && inside->text[0] == '('; inside++)
        ahead++;
    bool word = inside->kind == SQL_TOKEN_NAME;
    if (word &&
        (strcasecmp(inside->text, "SELECT") == 0 || strcasecmp(inside->text, "WITH") == 0)) {
        // "((SELECT 1) + 2)" starts like a query too; try the query, else the expression.
        size_t start = parser->at;
        struct error ignored;
        struct error *err = parser->err;
        struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_SUBQUERY);
        if (ahead > 1)
            parser->err = &ignored;
        parser->at++;
        expr->query = sql_parse_query(parser);
        bool closed = expr->query != NULL && sql_expect(parser, ")");
        parser->err = err;
        if (closed || ahead == 1)
            return closed ? expr : NULL;
        parser->at = start;
    }
    struct sql_expr *tuple = sql_expr_new(parser, SQL_EXPR_STRUCT);
    parser->at++;
    if (!sql_parse_expr_list(parser, &tuple->args) || !sql_expect(parser, ")"))
        return NULL;
    return tuple->args.count == 1 ? tuple->args.items[0] : tuple;
}

static bool parse_over(struct sql_parser *parser, struct sql_expr *expr)
{
    struct sql_window *window = sql_alloc(parser->arena, sizeof *window);

    if (!sql_expect(parser, "("))
        return false;
    if (sql_accept2(parser, "PARTITION", "BY") && !sql_parse_expr_list(parser, &window->partition))
        return false;
    if (sql_accept2(parser, "ORDER", "BY") && !sql_parse_orders(parser, &window->order))
        return false;
    if (sql_is(parser, "ROWS") || sql_is(parser, "RANGE"))
        return sql_unsupported(parser, "window frames");
    expr->window = window;
    return sql_expect(parser, ")");
}

static const char *in_capitals(struct sql_parser *parser, const char *name)
{
    char *copy = sql_copy(parser->arena, name, strlen(name));

    for (char *c = copy; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return copy;
}

/* Arguments; the last may be given as name => value. */
static bool parse_args(struct sql_parser *parser, struct sql_expr *call)
{
    struct sql_list list = {0};

    do {
        if (sql_peek(parser, 0)->kind == SQL_TOKEN_NAME && sql_is_at(parser, 1, "=>")) {
            if (call->named != NULL)
                return sql_unsupported(parser, "several named arguments in a call");
            call->named = in_capitals(parser, sql_peek(parser, 0)->text);
            parser->at += 2;
        } else if (call->named != NULL) {
            return sql_unsupported(parser, "a named argument before another one");
        }
        struct sql_expr *arg = sql_parse_expr(parser);
        if (arg == NULL)
            return false;
        sql_push(parser->arena, &list, arg);
    } while (sql_accept(parser, ","));
    call->args = (struct sql_exprs){(struct sql_expr **)list.items, list.count};
    return true;
}

static struct sql_expr *parse_call(struct sql_parser *parser, struct sql_expr *path)
{
    size_t length = 0;
    struct sql_expr *expr = path;

    for (size_t i = 0; i < path->path.count; i++)
        length += strlen(path->path.items[i]) + 1;
    char *name = sql_alloc(parser->arena, length + 1);
    for (size_t i = 0; i < path->path.count; i++) {
        strcat(name, i > 0 ? "." : "");
        strcat(name, path->path.items[i]);
    }
    expr->kind = SQL_EXPR_CALL;
    expr->text = in_capitals(parser, name);
    if (!sql_expect(parser, "("))
        return NULL;
    if (sql_accept(parser, "DISTINCT"))
        expr->distinct = true;
    if (sql_is(parser, "*")) {
        sql_expr_add(parser, &expr->args, sql_expr_new(parser, SQL_EXPR_STAR));
        parser->at++;
    } else if (!sql_is(parser, ")") && !parse_args(parser, expr)) {
        return NULL;
    }
    if (sql_is(parser, "ORDER") || sql_is(parser, "IGNORE") || sql_is(parser, "RESPECT")) {
        sql_unsupported(parser, "ORDER BY or NULLS inside a call");
        return NULL;
    }
    if (!sql_expect(parser, ")"))
        return NULL;
    if (sql_accept(parser, "OVER") && !parse_over(parser, expr))
        return NULL;
    return expr;
}

static struct sql_expr *parse_path(struct sql_parser *parser)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_PATH);
    struct sql_list names = {0};
    bool more = true;

    while (more) {
        const char *name = sql_parse_name(parser, names.count > 0);
        if (name == NULL)
            return NULL;
        sql_push(parser->arena, &names, (void *)(uintptr_t)name);
        more = sql_is(parser, ".") && !sql_is_at(parser, 1, "*") && sql_accept(parser, ".");
    }
    expr->path = (struct sql_names){(const char **)names.items, names.count};
    return sql_is(parser, "(") ? parse_call(parser, expr) : expr;
}

static struct sql_expr *parse_array(struct sql_parser *parser)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_ARRAY);

    sql_accept(parser, "ARRAY");
    if (sql_is(parser, "(")) {
        sql_unsupported(parser, "ARRAY of a subquery");
        return NULL;
    }
    if (sql_accept(parser, "<")) {
        int64_t length = 0;
        int64_t scale = 0;
        if (!sql_parse_type(parser, &expr->type, &length, &scale) || !sql_expect(parser, ">"))
            return NULL;
        expr->has_operand = true;
    }
    if (!sql_expect(parser, "["))
        return NULL;
    if (!sql_is(parser, "]") && !sql_parse_expr_list(parser, &expr->args))
        return NULL;
    return sql_expect(parser, "]") ? expr : NULL;
}

/* DATE '...' and similar literals; NULL without an error if there is none here. */
static struct sql_expr *parse_typed_literal(struct sql_parser *parser)
{
    enum store_type type = STORE_STRING;

    if (sql_peek(parser, 1)->kind != SQL_TOKEN_STRING ||
        !sql_find_type(sql_peek(parser, 0)->text, &type) || type < STORE_NUMERIC)
        return NULL;
    struct sql_expr *expr = sql_expr_literal(parser, SQL_EXPR_TYPED);
    expr->type = type;
    expr->text = sql_peek(parser, 0)->text;
    expr->length = sql_peek(parser, 0)->length;
    parser->at++;
    return expr;
}

static struct sql_expr *parse_keyword(struct sql_parser *parser)
{
    if (sql_is(parser, "NULL"))
        return sql_expr_literal(parser, SQL_EXPR_NULL);
    if (sql_is(parser, "TRUE") || sql_is(parser, "FALSE")) {
        bool no = sql_is(parser, "FALSE");
        struct sql_expr *expr = sql_expr_literal(parser, SQL_EXPR_BOOL);
        expr->negated = no;
        return expr;
    }
    if (sql_is(parser, "CASE"))
        return parse_case(parser);
    if (sql_is(parser, "CAST"))
        return parse_cast(parser);
    if (sql_is(parser, "EXTRACT"))
        return parse_extract(parser);
    if (sql_is(parser, "INTERVAL"))
        return parse_interval(parser);
    if (sql_is(parser, "ARRAY"))
        return parse_array(parser);
    if (sql_is(parser, "EXISTS")) {
        struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_EXISTS);
        parser->at++;
        if (!sql_expect(parser, "("))
            return NULL;
        expr->query = sql_parse_query(parser);
        return expr->query != NULL && sql_expect(parser, ")") ? expr : NULL;
    }
    bool callable = sql_is(parser, "IF") || sql_is(parser, "LEFT") || sql_is(parser, "RIGHT");
    if (callable && sql_is_at(parser, 1, "(")) {
        struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_PATH);
        expr->path.items = sql_alloc(parser->arena, sizeof *expr->path.items);
        expr->path.items[0] = sql_peek(parser, 0)->text;
        expr->path.count = 1;
        parser->at++;
        return parse_call(parser, expr);
    }
    sql_unexpected(parser);
    return NULL;
}

struct sql_expr *sql_parse_primary(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);
    struct sql_expr *expr = NULL;

    switch (token->kind) {
    case SQL_TOKEN_INT:
        return sql_expr_literal(parser, SQL_EXPR_INT);
    case SQL_TOKEN_FLOAT:
        return sql_expr_literal(parser, SQL_EXPR_FLOAT);
    case SQL_TOKEN_STRING:
        return sql_expr_literal(parser, SQL_EXPR_STRING);
    case SQL_TOKEN_BYTES:
        return sql_expr_literal(parser, SQL_EXPR_BYTES);
    case SQL_TOKEN_PARAMETER:
        return sql_expr_literal(parser, SQL_EXPR_PARAMETER);
    case SQL_TOKEN_POSITIONAL:
        expr = sql_expr_literal(parser, SQL_EXPR_PARAMETER);
        expr->text = NULL;
        expr->index = parser->positional++;
        return expr;
    case SQL_TOKEN_QUOTED:
        return parse_path(parser);
    case SQL_TOKEN_NAME:
        if (token->reserved)
            return parse_keyword(parser);
        if (sql_is(parser, "SAFE_CAST"))
            return parse_cast(parser);
        expr = parse_typed_literal(parser);
        return expr != NULL ? expr : parse_path(parser);
    case SQL_TOKEN_SYMBOL:
        if (sql_is(parser, "("))
            return parse_parenthesis(parser);
        if (sql_is(parser, "["))
            return parse_array(parser);
        break;
    case SQL_TOKEN_END:
        break;
    }
    sql_unexpected(parser);
    return NULL;
}
