#include "local/sql_parse.h"

#include <string.h>
#include <strings.h>

static struct sql_expr *parse_or(struct sql_parser *parser);
static struct sql_expr *parse_bit_or(struct sql_parser *parser);

static struct sql_expr *node(struct sql_parser *parser, enum sql_expr_kind kind)
{
    struct sql_expr *expr = sql_alloc(parser->arena, sizeof *expr);
    const struct sql_token *token = sql_peek(parser, 0);

    expr->kind = kind;
    expr->line = token->line;
    expr->column = token->column;
    return expr;
}

static void add(struct sql_parser *parser, struct sql_exprs *list, struct sql_expr *expr)
{
    struct sql_expr **items = sql_alloc(parser->arena, (list->count + 1) * sizeof *items);

    // Only for nodes with up to three arguments; lists are built with sql_push.
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    items[list->count++] = expr;
    list->items = items;
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

    out->items = sql_alloc(parser->arena, list.count * sizeof *out->items);
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        out->items[i] = *(struct sql_order *)list.items[i];
    return true;
}

static struct sql_expr *parse_case(struct sql_parser *parser)
{
    struct sql_expr *expr = node(parser, SQL_EXPR_CASE);
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
    struct sql_expr *expr = node(parser, SQL_EXPR_CAST);
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
    add(parser, &expr->args, value);
    return sql_expect(parser, ")") ? expr : NULL;
}

static struct sql_expr *parse_extract(struct sql_parser *parser)
{
    struct sql_expr *expr = node(parser, SQL_EXPR_EXTRACT);

    parser->at++;
    if (!sql_expect(parser, "("))
        return NULL;
    expr->text = sql_parse_name(parser, true);
    if (expr->text == NULL || !sql_expect(parser, "FROM"))
        return NULL;
    struct sql_expr *value = sql_parse_expr(parser);
    if (value == NULL)
        return NULL;
    add(parser, &expr->args, value);
    return sql_expect(parser, ")") ? expr : NULL;
}

static struct sql_expr *parse_interval(struct sql_parser *parser)
{
    struct sql_expr *expr = node(parser, SQL_EXPR_INTERVAL);

    parser->at++;
    struct sql_expr *value = parse_bit_or(parser);
    if (value == NULL)
        return NULL;
    add(parser, &expr->args, value);
    expr->text = sql_parse_name(parser, false);
    return expr->text == NULL ? NULL : expr;
}

/* ( SELECT ... ) or ( expression ). */
static struct sql_expr *parse_parenthesis(struct sql_parser *parser)
{
    size_t ahead = 1;

    while (sql_is_at(parser, ahead, "("))
        ahead++;
    if (sql_is_at(parser, ahead, "SELECT") || sql_is_at(parser, ahead, "WITH")) {
        // "((SELECT 1) + 2)" starts like a query too; try the query, else the expression.
        size_t start = parser->at;
        struct error ignored;
        struct error *err = parser->err;
        struct sql_expr *expr = node(parser, SQL_EXPR_SUBQUERY);
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
    struct sql_expr *tuple = node(parser, SQL_EXPR_STRUCT);
    parser->at++;
    if (!sql_parse_expr_list(parser, &tuple->args) || !sql_expect(parser, ")"))
        return NULL;
    return tuple->args.count == 1 ? tuple->args.items[0] : tuple;
}

static bool parse_frame_bound(struct sql_parser *parser, const char **out)
{
    if (sql_accept2(parser, "CURRENT", "ROW")) {
        *out = "CURRENT ROW";
        return true;
    }
    const struct sql_token *token = sql_peek(parser, 0);
    const char *amount = "UNBOUNDED";
    if (token->kind == SQL_TOKEN_INT) {
        amount = token->text;
        parser->at++;
    } else if (!sql_expect(parser, "UNBOUNDED")) {
        return false;
    }
    bool preceding = sql_is(parser, "PRECEDING");
    if (!sql_accept(parser, "PRECEDING") && !sql_expect(parser, "FOLLOWING"))
        return false;
    *out = sql_printf(parser->arena, "%s %s", amount, preceding ? "PRECEDING" : "FOLLOWING");
    return true;
}

static bool parse_over(struct sql_parser *parser, struct sql_expr *expr)
{
    struct sql_window *window = sql_alloc(parser->arena, sizeof *window);
    const char *low = NULL;
    const char *high = NULL;

    window->frame = "";
    if (!sql_expect(parser, "("))
        return false;
    if (sql_accept2(parser, "PARTITION", "BY") && !sql_parse_expr_list(parser, &window->partition))
        return false;
    if (sql_accept2(parser, "ORDER", "BY") && !sql_parse_orders(parser, &window->order))
        return false;
    if (sql_is(parser, "ROWS") || sql_is(parser, "RANGE")) {
        const char *unit = sql_is(parser, "ROWS") ? "ROWS" : "RANGE";
        parser->at++;
        bool between = sql_accept(parser, "BETWEEN");
        if (!parse_frame_bound(parser, &low) ||
            (between && (!sql_expect(parser, "AND") || !parse_frame_bound(parser, &high))))
            return false;
        window->frame = between
                            ? sql_printf(parser->arena, " %s BETWEEN %s AND %s", unit, low, high)
                            : sql_printf(parser->arena, " %s %s", unit, low);
    }
    expr->window = window;
    return sql_expect(parser, ")");
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
    for (char *c = name; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    expr->kind = SQL_EXPR_CALL;
    expr->safe = strncmp(name, "SAFE.", 5) == 0;
    expr->text = expr->safe ? name + 5 : name;
    if (!sql_expect(parser, "("))
        return NULL;
    if (sql_accept(parser, "DISTINCT"))
        expr->distinct = true;
    if (sql_is(parser, "*")) {
        add(parser, &expr->args, node(parser, SQL_EXPR_STAR));
        parser->at++;
    } else if (!sql_is(parser, ")") && !sql_parse_expr_list(parser, &expr->args)) {
        return NULL;
    }
    if (sql_accept2(parser, "IGNORE", "NULLS") || sql_accept2(parser, "RESPECT", "NULLS"))
        expr->negated = true;
    if (sql_accept2(parser, "ORDER", "BY") && !sql_parse_orders(parser, &expr->order))
        return NULL;
    if (!sql_expect(parser, ")"))
        return NULL;
    if (sql_accept(parser, "OVER") && !parse_over(parser, expr))
        return NULL;
    return expr;
}

static struct sql_expr *parse_path(struct sql_parser *parser)
{
    struct sql_expr *expr = node(parser, SQL_EXPR_PATH);
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
    struct sql_expr *expr = node(parser, SQL_EXPR_ARRAY);

    sql_accept(parser, "ARRAY");
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

static struct sql_expr *literal(struct sql_parser *parser, enum sql_expr_kind kind)
{
    struct sql_expr *expr = node(parser, kind);
    const struct sql_token *token = sql_peek(parser, 0);

    expr->text = token->text;
    expr->length = token->length;
    parser->at++;
    return expr;
}

/* DATE '...' and its like: NULL without an error if this is none. */
static struct sql_expr *parse_typed_literal(struct sql_parser *parser)
{
    static const struct {
        const char *word;
        enum store_type type;
    } words[] = {
        {"DATE", STORE_DATE},
        {"TIME", STORE_TIME},
        {"DATETIME", STORE_DATETIME},
        {"TIMESTAMP", STORE_TIMESTAMP},
        {"NUMERIC", STORE_NUMERIC},
        {"DECIMAL", STORE_NUMERIC},
        {"BIGNUMERIC", STORE_BIGNUMERIC},
        {"BIGDECIMAL", STORE_BIGNUMERIC},
        {"JSON", STORE_JSON},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (sql_is(parser, words[i].word) && sql_peek(parser, 1)->kind == SQL_TOKEN_STRING) {
            struct sql_expr *expr = node(parser, SQL_EXPR_TYPED);
            parser->at++;
            expr->type = words[i].type;
            expr->text = sql_peek(parser, 0)->text;
            expr->length = sql_peek(parser, 0)->length;
            parser->at++;
            return expr;
        }
    }
    return NULL;
}

static struct sql_expr *parse_keyword(struct sql_parser *parser)
{
    if (sql_is(parser, "NULL"))
        return literal(parser, SQL_EXPR_NULL);
    if (sql_is(parser, "TRUE") || sql_is(parser, "FALSE")) {
        bool no = sql_is(parser, "FALSE");
        struct sql_expr *expr = literal(parser, SQL_EXPR_BOOL);
        expr->negated = no;
        return expr;
    }
    if (sql_is(parser, "DEFAULT"))
        return literal(parser, SQL_EXPR_DEFAULT);
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
        struct sql_expr *expr = node(parser, SQL_EXPR_EXISTS);
        parser->at++;
        if (!sql_expect(parser, "("))
            return NULL;
        expr->query = sql_parse_query(parser);
        return expr->query != NULL && sql_expect(parser, ")") ? expr : NULL;
    }
    bool callable = sql_is(parser, "IF") || sql_is(parser, "LEFT") || sql_is(parser, "RIGHT");
    if (callable && sql_is_at(parser, 1, "(")) {
        struct sql_expr *expr = node(parser, SQL_EXPR_PATH);
        expr->path.items = sql_alloc(parser->arena, sizeof *expr->path.items);
        expr->path.items[0] = sql_peek(parser, 0)->text;
        expr->path.count = 1;
        parser->at++;
        return parse_call(parser, expr);
    }
    sql_unexpected(parser);
    return NULL;
}

static struct sql_expr *parse_primary(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);
    struct sql_expr *expr = NULL;

    switch (token->kind) {
    case SQL_TOKEN_INT:
        return literal(parser, SQL_EXPR_INT);
    case SQL_TOKEN_FLOAT:
        return literal(parser, SQL_EXPR_FLOAT);
    case SQL_TOKEN_STRING:
        return literal(parser, SQL_EXPR_STRING);
    case SQL_TOKEN_BYTES:
        return literal(parser, SQL_EXPR_BYTES);
    case SQL_TOKEN_PARAMETER:
        return literal(parser, SQL_EXPR_PARAMETER);
    case SQL_TOKEN_POSITIONAL:
        expr = literal(parser, SQL_EXPR_PARAMETER);
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

static struct sql_expr *parse_unary(struct sql_parser *parser)
{
    if (!sql_is(parser, "-") && !sql_is(parser, "+") && !sql_is(parser, "~"))
        return parse_primary(parser);
    struct sql_expr *expr = literal(parser, SQL_EXPR_UNARY);
    if (!sql_enter(parser))
        return NULL;
    struct sql_expr *operand = parse_unary(parser);
    parser->depth--;
    if (operand == NULL)
        return NULL;
    // "-9223372036854775808" is one literal: its digits alone do not fit.
    bool number = operand->kind == SQL_EXPR_INT || operand->kind == SQL_EXPR_FLOAT;
    if (expr->text[0] == '-' && number && operand->text[0] != '-') {
        operand->text = sql_printf(parser->arena, "-%s", operand->text);
        operand->line = expr->line;
        operand->column = expr->column;
        return operand;
    }
    add(parser, &expr->args, operand);
    return expr;
}

/* Left-associative binary operators, tightest first. */
static const char *const levels[][3] = {
    {"*", "/", "||"},  {"+", "-", NULL},  {"<<", ">>", NULL},
    {"&", NULL, NULL}, {"^", NULL, NULL}, {"|", NULL, NULL},
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
        struct sql_expr *expr = node(parser, SQL_EXPR_BINARY);
        expr->text = name;
        parser->at++;
        // A chain is a left-deep tree: it is as deep for those who walk it as nesting is.
        parser->depth++;
        chained++;
        if (!sql_enter(parser))
            return NULL;
        struct sql_expr *right = level == 0 ? parse_unary(parser) : parse_level(parser, level - 1);
        parser->depth--;
        if (right == NULL)
            return NULL;
        add(parser, &expr->args, left);
        add(parser, &expr->args, right);
        left = expr;
    }
    parser->depth -= chained;
    return left;
}

static struct sql_expr *parse_bit_or(struct sql_parser *parser)
{
    return parse_level(parser, LEVELS - 1);
}

static struct sql_expr *parse_in(struct sql_parser *parser, struct sql_expr *left, bool negated)
{
    struct sql_expr *expr = node(parser, SQL_EXPR_IN);

    parser->at++;
    expr->negated = negated;
    add(parser, &expr->args, left);
    if (sql_accept(parser, "UNNEST")) {
        if (!sql_expect(parser, "("))
            return NULL;
        struct sql_expr *array = sql_parse_expr(parser);
        if (array == NULL || !sql_expect(parser, ")"))
            return NULL;
        expr->has_operand = true;
        add(parser, &expr->args, array);
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
    struct sql_expr *expr = node(parser, SQL_EXPR_IS_NULL);

    parser->at++;
    expr->negated = sql_accept(parser, "NOT");
    add(parser, &expr->args, left);
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
    struct sql_expr *right = parse_bit_or(parser);
    if (right == NULL)
        return NULL;
    add(parser, &expr->args, right);
    return expr;
}

static struct sql_expr *parse_between(
    struct sql_parser *parser, struct sql_expr *left, bool negated)
{
    struct sql_expr *expr = node(parser, SQL_EXPR_BETWEEN);

    parser->at++;
    expr->negated = negated;
    struct sql_expr *low = parse_bit_or(parser);
    if (low == NULL || !sql_expect(parser, "AND"))
        return NULL;
    struct sql_expr *high = parse_bit_or(parser);
    if (high == NULL)
        return NULL;
    add(parser, &expr->args, left);
    add(parser, &expr->args, low);
    add(parser, &expr->args, high);
    return expr;
}

static struct sql_expr *parse_binary(
    struct sql_parser *parser, struct sql_expr *left, enum sql_expr_kind kind, bool negated)
{
    struct sql_expr *expr = node(parser, kind);

    expr->text = sql_peek(parser, 0)->text;
    expr->negated = negated;
    parser->at++;
    struct sql_expr *right = parse_bit_or(parser);
    if (right == NULL)
        return NULL;
    add(parser, &expr->args, left);
    add(parser, &expr->args, right);
    return expr;
}

static struct sql_expr *parse_comparison(struct sql_parser *parser)
{
    static const char *const operators[] = {"=", "<", ">", "<=", ">=", "<>", "!="};
    struct sql_expr *left = parse_bit_or(parser);

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
    struct sql_expr *expr = node(parser, SQL_EXPR_NOT);
    parser->at++;
    if (!sql_enter(parser))
        return NULL;
    struct sql_expr *operand = parse_not(parser);
    parser->depth--;
    if (operand == NULL)
        return NULL;
    add(parser, &expr->args, operand);
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
    chain = node(parser, kind);
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
