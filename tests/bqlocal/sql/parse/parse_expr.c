/* Operators of expressions, by precedence, and lists of expressions. */
#include "bqlocal/sql/parse/parse.h"

#include <string.h>
#include <strings.h>

static struct sql_expr *parse_or(struct sql_parser *parser);

struct sql_expr *sql_expr_new(struct sql_parser *parser, enum sql_expr_kind kind)
{
    struct sql_expr *expr = sql_alloc(parser->arena, sizeof *expr);
    const struct sql_token *token = sql_peek(parser, 0);

    expr->kind = kind;
    expr->place = token->place;
    return expr;
}

void sql_expr_add(struct sql_parser *parser, struct sql_exprs *list, struct sql_expr *expr)
{
    struct sql_expr **items = sql_alloc(parser->arena, (list->count + 1) * sizeof *items);

    // Only for nodes with up to three arguments; lists are built with sql_push.
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    items[list->count++] = expr;
    list->items = items;
}

struct sql_expr *sql_expr_literal(struct sql_parser *parser, enum sql_expr_kind kind)
{
    struct sql_expr *expr = sql_expr_new(parser, kind);
    const struct sql_token *token = sql_peek(parser, 0);

    expr->text = token->text;
    expr->length = token->length;
    parser->at++;
    return expr;
}

bool sql_parse_expr_list(struct sql_parser *parser, struct sql_exprs *out)
{
    struct sql_list list = {0};

    do {
        struct sql_expr *expr = sql_parse_expr(parser);
        if (expr == NULL)
            return false;
        sql_push(parser->arena, &list, expr);
    } while (sql_accept(parser, ","));
    out->items = (struct sql_expr **)list.items;
    out->count = list.count;
    return true;
}

bool sql_parse_orders(struct sql_parser *parser, struct sql_orders *out)
{
    struct sql_list list = {0};

    do {
        struct sql_order *order = sql_alloc(parser->arena, sizeof *order);
        order->expr = sql_parse_expr(parser);
        if (order->expr == NULL)
            return false;
        if (sql_accept(parser, "DESC"))
            order->descending = true;
        else
            sql_accept(parser, "ASC");
        if (sql_accept(parser, "NULLS")) {
            order->nulls_given = true;
            order->nulls_first = sql_is(parser, "FIRST");
            if (!sql_accept(parser, "FIRST") && !sql_expect(parser, "LAST"))
                return false;
        }
        sql_push(parser->arena, &list, order);
    } while (sql_accept(parser, ","));

    out->items = sql_array_of(parser->arena, &list, sizeof *out->items);
    out->count = list.count;
    return true;
}

static struct sql_expr *parse_unary(struct sql_parser *parser)
{
    if (!sql_is(parser, "-"))
        return sql_parse_primary(parser);
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_NEGATE);
    parser->at++;
    if (!sql_enter(parser))
        return NULL;
    struct sql_expr *operand = parse_unary(parser);
    parser->depth--;
    if (operand == NULL)
        return NULL;
    // "-9223372036854775808" is one literal: its digits alone do not fit.
    bool number = operand->kind == SQL_EXPR_INT || operand->kind == SQL_EXPR_FLOAT;
    if (number && operand->text[0] != '-') {
        operand->text = sql_printf(parser->arena, "-%s", operand->text);
        operand->place = expr->place;
        return operand;
    }
    sql_expr_add(parser, &expr->args, operand);
    return expr;
}

/* Left-associative binary operators, tightest first. */
static const char *const levels[][3] = {
    {"*", "/", "||"},
    {"+", "-", NULL},
};
enum { LEVELS = sizeof levels / sizeof *levels };

static const char *operator_at(const struct sql_parser *parser, size_t level)
{
    for (size_t i = 0; i < 3 && levels[level][i] != NULL; i++)
        if (sql_peek(parser, 0)->kind == SQL_TOKEN_SYMBOL && sql_is(parser, levels[level][i]))
            return levels[level][i];
    return NULL;
}

static struct sql_expr *parse_level(struct sql_parser *parser, size_t level)
{
    struct sql_expr *left = level == 0 ? parse_unary(parser) : parse_level(parser, level - 1);
    int chained = 0;

    for (;;) {
        const char *name = left == NULL ? NULL : operator_at(parser, level);
        if (name == NULL)
            break;
        struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_BINARY);
        expr->text = name;
        parser->at++;
        // A chain is a left-deep tree, so it counts as nesting: code that walks it recurses as
        // deep.
        parser->depth++;
        chained++;
        if (!sql_enter(parser))
            return NULL;
        struct sql_expr *right = level == 0 ? parse_unary(parser) : parse_level(parser, level - 1);
        parser->depth--;
        if (right == NULL)
            return NULL;
        sql_expr_add(parser, &expr->args, left);
        sql_expr_add(parser, &expr->args, right);
        left = expr;
    }
    parser->depth -= chained;
    return left;
}

struct sql_expr *sql_parse_operand(struct sql_parser *parser)
{
    return parse_level(parser, LEVELS - 1);
}

static struct sql_expr *parse_in(struct sql_parser *parser, struct sql_expr *left, bool negated)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_IN);

    parser->at++;
    expr->negated = negated;
    sql_expr_add(parser, &expr->args, left);
    if (sql_accept(parser, "UNNEST")) {
        if (!sql_expect(parser, "("))
            return NULL;
        struct sql_expr *array = sql_parse_expr(parser);
        if (array == NULL || !sql_expect(parser, ")"))
            return NULL;
        expr->has_operand = true;
        sql_expr_add(parser, &expr->args, array);
        return expr;
    }
    if (!sql_expect(parser, "("))
        return NULL;
    if (sql_is(parser, "SELECT") || sql_is(parser, "WITH")) {
        expr->query = sql_parse_query(parser);
        return expr->query != NULL && sql_expect(parser, ")") ? expr : NULL;
    }
    struct sql_exprs list = {0};
    if (!sql_parse_expr_list(parser, &list) || !sql_expect(parser, ")"))
        return NULL;
    struct sql_expr **all = sql_alloc(parser->arena, (list.count + 1) * sizeof *all);
    all[0] = left;
    memcpy(all + 1, list.items, list.count * sizeof *all);
    expr->args = (struct sql_exprs){all, list.count + 1};
    return expr;
}

static struct sql_expr *parse_is(struct sql_parser *parser, struct sql_expr *left)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_IS_NULL);

    parser->at++;
    expr->negated = sql_accept(parser, "NOT");
    sql_expr_add(parser, &expr->args, left);
    if (sql_accept(parser, "NULL"))
        return expr;
    if (sql_accept(parser, "TRUE")) {
        expr->kind = SQL_EXPR_IS_TRUE;
        return expr;
    }
    if (sql_accept(parser, "FALSE")) {
        expr->kind = SQL_EXPR_IS_FALSE;
        return expr;
    }
    if (!sql_accept(parser, "DISTINCT")) {
        sql_unexpected(parser);
        return NULL;
    }
    expr->kind = SQL_EXPR_IS_DISTINCT;
    if (!sql_expect(parser, "FROM"))
        return NULL;
    struct sql_expr *right = sql_parse_operand(parser);
    if (right == NULL)
        return NULL;
    sql_expr_add(parser, &expr->args, right);
    return expr;
}

static struct sql_expr *parse_between(
    struct sql_parser *parser, struct sql_expr *left, bool negated)
{
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_BETWEEN);

    parser->at++;
    expr->negated = negated;
    struct sql_expr *low = sql_parse_operand(parser);
    if (low == NULL || !sql_expect(parser, "AND"))
        return NULL;
    struct sql_expr *high = sql_parse_operand(parser);
    if (high == NULL)
        return NULL;
    sql_expr_add(parser, &expr->args, left);
    sql_expr_add(parser, &expr->args, low);
    sql_expr_add(parser, &expr->args, high);
    return expr;
}

static struct sql_expr *parse_binary(
    struct sql_parser *parser, struct sql_expr *left, enum sql_expr_kind kind, bool negated)
{
    struct sql_expr *expr = sql_expr_new(parser, kind);

    expr->text = sql_peek(parser, 0)->text;
    expr->negated = negated;
    parser->at++;
    struct sql_expr *right = sql_parse_operand(parser);
    if (right == NULL)
        return NULL;
    sql_expr_add(parser, &expr->args, left);
    sql_expr_add(parser, &expr->args, right);
    return expr;
}

static struct sql_expr *parse_comparison(struct sql_parser *parser)
{
    static const char *const operators[] = {"=", "<", ">", "<=", ">=", "<>", "!="};
    struct sql_expr *left = sql_parse_operand(parser);

    if (left == NULL)
        return NULL;
    if (sql_is(parser, "IS"))
        return parse_is(parser, left);
    bool negated =
        sql_is(parser, "NOT") && (sql_is_at(parser, 1, "IN") || sql_is_at(parser, 1, "LIKE") ||
                                  sql_is_at(parser, 1, "BETWEEN"));
    if (negated)
        parser->at++;
    if (sql_is(parser, "IN"))
        return parse_in(parser, left, negated);
    if (sql_is(parser, "BETWEEN"))
        return parse_between(parser, left, negated);
    if (sql_is(parser, "LIKE"))
        return parse_binary(parser, left, SQL_EXPR_LIKE, negated);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (sql_peek(parser, 0)->kind == SQL_TOKEN_SYMBOL && sql_is(parser, operators[i]))
            return parse_binary(parser, left, SQL_EXPR_BINARY, false);
    return left;
}

static struct sql_expr *parse_not(struct sql_parser *parser)
{
    if (!sql_is(parser, "NOT"))
        return parse_comparison(parser);
    struct sql_expr *expr = sql_expr_new(parser, SQL_EXPR_NOT);
    parser->at++;
    if (!sql_enter(parser))
        return NULL;
    struct sql_expr *operand = parse_not(parser);
    parser->depth--;
    if (operand == NULL)
        return NULL;
    sql_expr_add(parser, &expr->args, operand);
    return expr;
}

/* AND and OR take any number of arguments, so that long chains are not deep trees. */
static struct sql_expr *parse_chain(
    struct sql_parser *parser, const char *word, enum sql_expr_kind kind,
    struct sql_expr *(*parse_next)(struct sql_parser *))
{
    struct sql_list list = {0};
    struct sql_expr *chain = NULL;
    struct sql_expr *first = parse_next(parser);

    if (first == NULL || !sql_is(parser, word))
        return first;
    chain = sql_expr_new(parser, kind);
    chain->text = word;
    sql_push(parser->arena, &list, first);
    while (sql_accept(parser, word)) {
        struct sql_expr *next = parse_next(parser);
        if (next == NULL)
            return NULL;
        sql_push(parser->arena, &list, next);
    }
    chain->args = (struct sql_exprs){(struct sql_expr **)list.items, list.count};
    return chain;
}

static struct sql_expr *parse_and(struct sql_parser *parser)
{
    return parse_chain(parser, "AND", SQL_EXPR_AND, parse_not);
}

static struct sql_expr *parse_or(struct sql_parser *parser)
{
    return parse_chain(parser, "OR", SQL_EXPR_OR, parse_and);
}

struct sql_expr *sql_parse_expr(struct sql_parser *parser)
{
    if (!sql_enter(parser))
        return NULL;
    struct sql_expr *expr = parse_or(parser);
    parser->depth--;
    return expr;
}
