#include "bqlocal/sql/parse/parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Far below what the C stack and SQLite's own limit of 1,000 allow. */
enum { MAXIMUM_DEPTH = 120 };

const struct sql_token *sql_peek(const struct sql_parser *parser, size_t ahead)
{
    const struct sql_token *token = parser->tokens + parser->at;

    for (; ahead > 0 && token->kind != SQL_TOKEN_END; ahead--)
        token++;
    return token;
}

bool sql_is_at(const struct sql_parser *parser, size_t ahead, const char *word)
{
    const struct sql_token *token = sql_peek(parser, ahead);
    bool comparable = token->kind == SQL_TOKEN_NAME || token->kind == SQL_TOKEN_SYMBOL ||
                      token->kind == SQL_TOKEN_POSITIONAL;

    return comparable && strcasecmp(token->text, word) == 0;
}

bool sql_is(const struct sql_parser *parser, const char *word)
{
    return sql_is_at(parser, 0, word);
}

bool sql_accept(struct sql_parser *parser, const char *word)
{
    if (!sql_is(parser, word))
        return false;
    parser->at++;
    return true;
}

bool sql_accept2(struct sql_parser *parser, const char *first, const char *second)
{
    if (!sql_is(parser, first) || !sql_is_at(parser, 1, second))
        return false;
    parser->at += 2;
    return true;
}

/* The next token as messages name it. */
static const char *describe(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);
    char raw[120];

    snprintf(
        raw, sizeof raw, "%.*s",
        (int)(token->end - token->start < 100 ? token->end - token->start : 100),
        parser->text + token->start);
    switch (token->kind) {
    case SQL_TOKEN_END:
        return "end of script";
    case SQL_TOKEN_NAME:
        if (!token->reserved)
            return sql_printf(parser->arena, "identifier \"%s\"", raw);
        for (char *c = raw; *c != '\0'; c++)
            if (*c >= 'a' && *c <= 'z')
                *c = (char)(*c - 'a' + 'A');
        return sql_printf(parser->arena, "keyword %s", raw);
    case SQL_TOKEN_QUOTED:
        return sql_printf(parser->arena, "identifier %s", raw);
    case SQL_TOKEN_INT:
        return sql_printf(parser->arena, "integer literal \"%s\"", raw);
    case SQL_TOKEN_FLOAT:
        return sql_printf(parser->arena, "floating point literal \"%s\"", raw);
    case SQL_TOKEN_STRING:
        return sql_printf(parser->arena, "string literal %s", raw);
    case SQL_TOKEN_BYTES:
        return sql_printf(parser->arena, "bytes literal %s", raw);
    case SQL_TOKEN_PARAMETER:
    case SQL_TOKEN_POSITIONAL:
    case SQL_TOKEN_SYMBOL:
        break;
    }
    return sql_printf(parser->arena, "\"%s\"", raw);
}

bool sql_unexpected(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);

    return sql_error(
        parser->err, token->line, token->column, "Syntax error: Unexpected %s", describe(parser));
}

bool sql_syntax(struct sql_parser *parser, const char *expected)
{
    const struct sql_token *token = sql_peek(parser, 0);

    return sql_error(
        parser->err, token->line, token->column, "Syntax error: Expected %s but got %s", expected,
        describe(parser));
}

bool sql_expect(struct sql_parser *parser, const char *word)
{
    if (sql_accept(parser, word))
        return true;
    bool keyword = word[0] >= 'A' && word[0] <= 'Z';
    return sql_syntax(
        parser, keyword ? sql_printf(parser->arena, "keyword %s", word)
                        : sql_printf(parser->arena, "\"%s\"", word));
}

bool sql_enter(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);

    if (++parser->depth <= MAXIMUM_DEPTH)
        return true;
    return sql_error(
        parser->err, token->line, token->column,
        "Resources exceeded: the statement is nested too deeply");
}

const char *sql_parse_name(struct sql_parser *parser, bool after_dot)
{
    const struct sql_token *token = sql_peek(parser, 0);

    bool name = token->kind == SQL_TOKEN_NAME && (after_dot || !token->reserved);
    if (!name && token->kind != SQL_TOKEN_QUOTED) {
        sql_unexpected(parser);
        return NULL;
    }
    parser->at++;
    return token->text;
}

/* Splits `a.b.c` quoted as a whole. */
static void add_parts(struct sql_parser *parser, struct sql_list *list, const char *text)
{
    for (const char *dot = strchr(text, '.'); dot != NULL; dot = strchr(text, '.')) {
        sql_push(parser->arena, list, sql_copy(parser->arena, text, (size_t)(dot - text)));
        text = dot + 1;
    }
    sql_push(parser->arena, list, sql_copy(parser->arena, text, strlen(text)));
}

/* my-project, without quotes: the tokens it was cut into are joined again. */
static const char *parse_dashed(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);
    size_t end = token->start;

    for (char c = parser->text[end]; (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                     (c >= '0' && c <= '9') || c == '_' || c == '-';
         c = parser->text[++end])
        ;
    while (sql_peek(parser, 0)->kind != SQL_TOKEN_END && sql_peek(parser, 0)->start < end)
        parser->at++;
    return sql_copy(parser->arena, parser->text + token->start, end - token->start);
}

bool sql_parse_table_path(struct sql_parser *parser, struct sql_names *out)
{
    struct sql_list list = {0};
    bool more = false;

    do {
        const struct sql_token *token = sql_peek(parser, 0);
        const struct sql_token *next = sql_peek(parser, 1);
        bool dashed = list.count == 0 && token->kind == SQL_TOKEN_NAME && !token->reserved &&
                      next->start == token->end && sql_is_at(parser, 1, "-");
        const char *name = dashed ? parse_dashed(parser) : sql_parse_name(parser, list.count > 0);
        if (name == NULL)
            return false;
        if (token->kind == SQL_TOKEN_QUOTED)
            add_parts(parser, &list, name);
        else
            sql_push(parser->arena, &list, (void *)(uintptr_t)name);
        // In project-1.dataset the lexer takes "1." as a number: the dot is behind us already.
        const struct sql_token *last = &parser->tokens[parser->at - 1];
        more = sql_accept(parser, ".") ||
               (dashed && last->kind == SQL_TOKEN_FLOAT && last->text[last->length - 1] == '.');
    } while (more);
    out->items = (const char **)list.items;
    out->count = list.count;
    return true;
}

bool sql_parse_name_list(struct sql_parser *parser, struct sql_names *out)
{
    struct sql_list list = {0};

    if (!sql_expect(parser, "("))
        return false;
    do {
        const char *name = sql_parse_name(parser, false);
        if (name == NULL)
            return false;
        sql_push(parser->arena, &list, (void *)(uintptr_t)name);
    } while (sql_accept(parser, ","));
    out->items = (const char **)list.items;
    out->count = list.count;
    return sql_expect(parser, ")");
}

bool sql_parse_type(
    struct sql_parser *parser, enum store_type *out_type, int64_t *out_length, int64_t *out_scale)
{
    static const struct {
        const char *word;
        enum store_type type;
    } words[] = {
        {"INT64", STORE_INT64},
        {"INT", STORE_INT64},
        {"INTEGER", STORE_INT64},
        {"SMALLINT", STORE_INT64},
        {"BIGINT", STORE_INT64},
        {"TINYINT", STORE_INT64},
        {"BYTEINT", STORE_INT64},
        {"FLOAT64", STORE_FLOAT64},
        {"BOOL", STORE_BOOL},
        {"BOOLEAN", STORE_BOOL},
        {"STRING", STORE_STRING},
        {"BYTES", STORE_BYTES},
        {"NUMERIC", STORE_NUMERIC},
        {"DECIMAL", STORE_NUMERIC},
        {"BIGNUMERIC", STORE_BIGNUMERIC},
        {"BIGDECIMAL", STORE_BIGNUMERIC},
        {"DATE", STORE_DATE},
        {"TIME", STORE_TIME},
        {"DATETIME", STORE_DATETIME},
        {"TIMESTAMP", STORE_TIMESTAMP},
        {"JSON", STORE_JSON},
        {"GEOGRAPHY", STORE_GEOGRAPHY},
    };
    const struct sql_token *token = sql_peek(parser, 0);
    const char *name = sql_parse_name(parser, false);
    int64_t numbers[2] = {0, 0};

    if (name == NULL)
        return false;
    size_t i = 0;
    while (i < sizeof words / sizeof *words && strcasecmp(words[i].word, name) != 0)
        i++;
    if (i == sizeof words / sizeof *words)
        return sql_error(parser->err, token->line, token->column, "Type not found: %s", name);
    *out_type = words[i].type;
    if (sql_accept(parser, "(")) {
        for (size_t n = 0; n < 2; n++) {
            const struct sql_token *number = sql_peek(parser, 0);
            if (number->kind != SQL_TOKEN_INT || number->length > 9)
                return sql_syntax(parser, "integer literal");
            for (const char *c = number->text; *c >= '0' && *c <= '9'; c++)
                numbers[n] = numbers[n] * 10 + (*c - '0');
            parser->at++;
            if (!sql_accept(parser, ","))
                break;
        }
        if (!sql_expect(parser, ")"))
            return false;
    }
    *out_length = numbers[0];
    *out_scale = numbers[1];
    return true;
}

static struct sql_node *parse_insert(struct sql_parser *parser, struct sql_node *node)
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
        row->line = sql_peek(parser, 0)->line;
        row->column = sql_peek(parser, 0)->column;
        if (!sql_expect(parser, "(") || !sql_parse_expr_list(parser, &row->values) ||
            !sql_expect(parser, ")"))
            return NULL;
        sql_push(parser->arena, &rows, row);
    } while (sql_accept(parser, ","));
    node->rows = sql_alloc(parser->arena, rows.count * sizeof *node->rows);
    node->row_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        node->rows[i] = *(struct sql_row *)rows.items[i];
    return node;
}

/* a = 1, t.b = DEFAULT, ... */
static bool parse_sets(struct sql_parser *parser, struct sql_sets *out)
{
    struct sql_list list = {0};

    do {
        struct sql_set *set = sql_alloc(parser->arena, sizeof *set);
        set->line = sql_peek(parser, 0)->line;
        set->place = sql_peek(parser, 0)->column;
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
    out->items = sql_alloc(parser->arena, list.count * sizeof *out->items);
    out->count = list.count;
    for (size_t i = 0; i < list.count; i++)
        out->items[i] = *(struct sql_set *)list.items[i];
    return true;
}

static bool parse_where(struct sql_parser *parser, struct sql_node *node, const char *what)
{
    if (sql_accept(parser, "WHERE")) {
        node->where = sql_parse_expr(parser);
        return node->where != NULL;
    }
    return sql_error(parser->err, node->line, node->column, "%s must have a WHERE clause", what);
}

static struct sql_node *parse_update(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = SQL_UPDATE;
    if (!sql_parse_table_path(parser, &node->path) || !sql_parse_alias(parser, &node->alias) ||
        !sql_expect(parser, "SET") || !parse_sets(parser, &node->sets))
        return NULL;
    if (sql_accept(parser, "FROM")) {
        node->from = sql_parse_from(parser);
        if (node->from == NULL)
            return NULL;
    }
    return parse_where(parser, node, "UPDATE") ? node : NULL;
}

static struct sql_node *parse_delete(struct sql_parser *parser, struct sql_node *node)
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
    if (sql_accept(parser, "ROW")) {
        when->insert_row = true;
        return true;
    }
    return sql_expect(parser, "VALUES") && sql_expect(parser, "(") &&
           sql_parse_expr_list(parser, &when->values) && sql_expect(parser, ")");
}

static bool parse_when(struct sql_parser *parser, struct sql_when *when)
{
    when->line = sql_peek(parser, 0)->line;
    when->column = sql_peek(parser, 0)->column;
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

static struct sql_node *parse_merge(struct sql_parser *parser, struct sql_node *node)
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
    node->whens = sql_alloc(parser->arena, whens.count * sizeof *node->whens);
    node->when_count = whens.count;
    for (size_t i = 0; i < whens.count; i++)
        node->whens[i] = *(struct sql_when *)whens.items[i];
    return node;
}

static struct sql_node *parse_transaction(struct sql_parser *parser, struct sql_node *node)
{
    node->kind = sql_is(parser, "BEGIN")    ? SQL_BEGIN
                 : sql_is(parser, "COMMIT") ? SQL_COMMIT
                                            : SQL_ROLLBACK;
    parser->at++;
    bool word = sql_accept(parser, "TRANSACTION");
    if (node->kind == SQL_BEGIN && !word && !sql_is(parser, ";") &&
        sql_peek(parser, 0)->kind != SQL_TOKEN_END) {
        sql_error(parser->err, node->line, node->column, "BEGIN ... END blocks are not supported");
        return NULL;
    }
    return node;
}

static struct sql_node *parse_statement(struct sql_parser *parser)
{
    struct sql_node *node = sql_alloc(parser->arena, sizeof *node);

    node->line = sql_peek(parser, 0)->line;
    node->column = sql_peek(parser, 0)->column;
    if (sql_is(parser, "SELECT") || sql_is(parser, "WITH") || sql_is(parser, "(")) {
        node->kind = SQL_QUERY;
        node->query = sql_parse_query(parser);
        return node->query == NULL ? NULL : node;
    }
    if (sql_is(parser, "BEGIN") || sql_is(parser, "COMMIT") || sql_is(parser, "ROLLBACK"))
        return parse_transaction(parser, node);
    if (sql_accept(parser, "INSERT"))
        return parse_insert(parser, node);
    if (sql_accept(parser, "UPDATE"))
        return parse_update(parser, node);
    if (sql_accept(parser, "DELETE"))
        return parse_delete(parser, node);
    if (sql_accept(parser, "MERGE"))
        return parse_merge(parser, node);
    if (sql_accept(parser, "TRUNCATE")) {
        node->kind = SQL_TRUNCATE;
        return sql_expect(parser, "TABLE") && sql_parse_table_path(parser, &node->path) ? node
                                                                                        : NULL;
    }
    if (sql_accept(parser, "CREATE"))
        return sql_parse_create(parser, node);
    if (sql_accept(parser, "ALTER"))
        return sql_parse_alter(parser, node);
    if (sql_accept(parser, "DROP"))
        return sql_parse_drop(parser, node);
    sql_unexpected(parser);
    return NULL;
}

bool sql_parse_script(
    struct sql_arena *arena, const char *text, struct sql_list *out_nodes, struct error *err)
{
    struct sql_token *tokens = NULL;
    size_t count = 0;

    err->code = ERROR_NONE;
    if (!sql_lex(arena, text, &tokens, &count, err))
        return false;
    struct sql_parser parser = {.arena = arena, .text = text, .tokens = tokens, .err = err};
    while (sql_peek(&parser, 0)->kind != SQL_TOKEN_END) {
        if (sql_accept(&parser, ";"))
            continue;
        struct sql_node *node = parse_statement(&parser);
        if (node == NULL)
            return false;
        sql_push(arena, out_nodes, node);
        if (!sql_is(&parser, ";") && sql_peek(&parser, 0)->kind != SQL_TOKEN_END)
            return sql_syntax(&parser, "end of input");
    }
    return out_nodes->count > 0 || sql_unexpected(&parser);
}

struct sql_expr *sql_parse_expression(struct sql_arena *arena, const char *text, struct error *err)
{
    struct sql_token *tokens = NULL;
    size_t count = 0;

    if (!sql_lex(arena, text, &tokens, &count, err))
        return NULL;
    struct sql_parser parser = {.arena = arena, .text = text, .tokens = tokens, .err = err};
    struct sql_expr *expr = sql_parse_expr(&parser);
    if (expr != NULL && sql_peek(&parser, 0)->kind != SQL_TOKEN_END) {
        sql_syntax(&parser, "end of input");
        return NULL;
    }
    return expr;
}
