#include "bqlocal/sql/parse/parse.h"

#include <stdlib.h>
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
    static const char *const kinds[] = {
        [SQL_TOKEN_NAME] = "identifier",
        [SQL_TOKEN_QUOTED] = "identifier",
        [SQL_TOKEN_INT] = "integer literal",
        [SQL_TOKEN_FLOAT] = "floating point literal",
        [SQL_TOKEN_STRING] = "string literal",
        [SQL_TOKEN_BYTES] = "bytes literal",
        [SQL_TOKEN_PARAMETER] = "parameter",
        [SQL_TOKEN_POSITIONAL] = "parameter",
        [SQL_TOKEN_SYMBOL] = ""};
    const struct sql_token *token = sql_peek(parser, 0);
    size_t length = token->end - token->start;
    int shown = (int)(length < 100 ? length : 100);
    const char *text = parser->text + token->start;

    if (token->kind == SQL_TOKEN_END)
        return "end of script";
    if (token->reserved)
        return sql_printf(parser->arena, "keyword %.*s", shown, text);
    const char *kind = kinds[token->kind];
    return sql_printf(parser->arena, "%s%s\"%.*s\"", kind, kind[0] == '\0' ? "" : " ", shown, text);
}

/* GoogleSQL that begins with a word where bqlocal's grammar has none: not a mistake of whoever
 * wrote it. */
static bool lacks(struct sql_parser *parser)
{
    static const struct {
        const char *word;
        const char *what;
    } known[] = {
        {"STRUCT", "STRUCT"},
        {"@@", "system variables (@@name)"},
        {"FOR", "FOR SYSTEM_TIME AS OF"},
        {"TABLESAMPLE", "TABLESAMPLE"},
        {"WINDOW", "the WINDOW clause"},
        {"ROLLUP", "GROUP BY ROLLUP"},
        {"CUBE", "GROUP BY CUBE"},
        {"GROUPING", "GROUPING SETS"},
        {"LATERAL", "LATERAL joins"},
        {"[", "array subscripts"},
        {"REPLACE", "* REPLACE"},
        {"FORMAT", "CAST with a FORMAT"},
        {"NEW", "protocol buffers"},
        {"COLLATE", "COLLATE"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (sql_is(parser, known[i].word)) {
            sql_unsupported(parser, known[i].what);
            return true;
        }
    return false;
}

bool sql_unexpected(struct sql_parser *parser)
{
    const struct sql_token *token = sql_peek(parser, 0);

    return !lacks(parser) &&
           sql_error(parser->err, token->place, "Syntax error: Unexpected %s", describe(parser));
}

bool sql_unsupported(struct sql_parser *parser, const char *what)
{
    const struct sql_token *token = sql_peek(parser, 0);

    return sql_error(parser->err, token->place, "bqlocal does not have %s", what);
}

bool sql_syntax(struct sql_parser *parser, const char *expected)
{
    const struct sql_token *token = sql_peek(parser, 0);

    if (sql_is(parser, "."))
        return sql_unsupported(parser, "fields of values (x.y)");
    return !lacks(parser) && sql_error(
                                 parser->err, token->place, "Syntax error: Expected %s but got %s",
                                 expected, describe(parser));
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
        parser->err, token->place, "Resources exceeded: the statement is nested too deeply");
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

/* Splits `a.b.c` quoted as a whole. In `example.com:a.b.c` the dot before the colon belongs to the
 * project. */
static void add_parts(struct sql_parser *parser, struct sql_list *list, const char *text)
{
    const char *colon = strchr(text, ':');
    const char *dot = strchr(colon == NULL ? text : colon, '.');

    for (; dot != NULL; dot = strchr(text, '.')) {
        sql_push(parser->arena, list, sql_copy(parser->arena, text, (size_t)(dot - text)));
        text = dot + 1;
    }
    sql_push(parser->arena, list, sql_copy(parser->arena, text, strlen(text)));
}

bool sql_parse_table_path(struct sql_parser *parser, struct sql_names *out)
{
    struct sql_list list = {0};

    do {
        bool quoted = sql_peek(parser, 0)->kind == SQL_TOKEN_QUOTED;
        const char *name = sql_parse_name(parser, list.count > 0);
        if (name == NULL)
            return false;
        if (quoted)
            add_parts(parser, &list, name);
        else
            sql_push(parser->arena, &list, (void *)(uintptr_t)name);
    } while (sql_accept(parser, "."));
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

bool sql_find_type(const char *name, enum store_type *out_type)
{
    static const struct {
        const char *alias;
        const char *type;
    } aliases[] = {
        {"INT", "INT64"},    {"INTEGER", "INT64"},   {"SMALLINT", "INT64"},
        {"BIGINT", "INT64"}, {"TINYINT", "INT64"},   {"BYTEINT", "INT64"},
        {"BOOLEAN", "BOOL"}, {"DECIMAL", "NUMERIC"}, {"BIGDECIMAL", "BIGNUMERIC"},
    };

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcasecmp(aliases[i].alias, name) == 0)
            name = aliases[i].type;
    // The store also knows REST's old names, which are all valid in GoogleSQL but FLOAT.
    return strcasecmp(name, "FLOAT") != 0 && store_type_parse(name, out_type);
}

/* (length) or (precision, scale) behind a type, if it is there. */
static bool parse_type_numbers(struct sql_parser *parser, int64_t numbers[2])
{
    numbers[0] = numbers[1] = 0;
    if (!sql_accept(parser, "("))
        return true;
    for (size_t n = 0; n < 2; n++) {
        const struct sql_token *number = sql_peek(parser, 0);
        if (number->kind != SQL_TOKEN_INT || number->length > 9)
            return sql_syntax(parser, "integer literal");
        numbers[n] = strtoll(number->text, NULL, 10);
        parser->at++;
        if (!sql_accept(parser, ","))
            break;
    }
    return sql_expect(parser, ")");
}

bool sql_parse_type(
    struct sql_parser *parser, enum store_type *out_type, int64_t *out_length, int64_t *out_scale)
{
    static const char *const known[] = {"ARRAY", "STRUCT", "INTERVAL", "RANGE"};
    const struct sql_token *token = sql_peek(parser, 0);
    int64_t numbers[2];

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (sql_is(parser, known[i]))
            return sql_error(
                parser->err, token->place, "bqlocal does not have the type %s here", known[i]);
    const char *name = sql_parse_name(parser, false);
    if (name == NULL)
        return false;
    if (!sql_find_type(name, out_type))
        return sql_error(parser->err, token->place, "Type not found: %s", name);
    bool sized = *out_type == STORE_STRING || *out_type == STORE_BYTES ||
                 *out_type == STORE_NUMERIC || *out_type == STORE_BIGNUMERIC;
    if (sql_is(parser, "(") && !sized)
        return sql_unsupported(
            parser,
            sql_printf(parser->arena, "parameters of the type %s", store_type_sql(*out_type)));
    if (!parse_type_numbers(parser, numbers))
        return false;
    *out_length = numbers[0];
    *out_scale = numbers[1];
    return true;
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
        sql_unsupported(parser, "BEGIN ... END");
        return NULL;
    }
    return node;
}

static struct sql_node *parse_statement(struct sql_parser *parser)
{
    static const char *const unsupported[] = {"DECLARE", "SET",    "CALL",  "EXECUTE", "EXPORT",
                                              "LOAD",    "ASSERT", "GRANT", "REVOKE",  "IF",
                                              "LOOP",    "WHILE",  "FOR",   "REPEAT"};
    struct sql_node *node = sql_alloc(parser->arena, sizeof *node);

    node->place = sql_peek(parser, 0)->place;
    if (sql_is(parser, "SELECT") || sql_is(parser, "WITH") || sql_is(parser, "(")) {
        node->kind = SQL_QUERY;
        node->query = sql_parse_query(parser);
        return node->query == NULL ? NULL : node;
    }
    if (sql_is(parser, "BEGIN") || sql_is(parser, "COMMIT") || sql_is(parser, "ROLLBACK"))
        return parse_transaction(parser, node);
    if (sql_accept(parser, "INSERT"))
        return sql_parse_insert(parser, node);
    if (sql_accept(parser, "UPDATE"))
        return sql_parse_update(parser, node);
    if (sql_accept(parser, "DELETE"))
        return sql_parse_delete(parser, node);
    if (sql_accept(parser, "MERGE"))
        return sql_parse_merge(parser, node);
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
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (sql_is(parser, unsupported[i])) {
            sql_unsupported(parser, unsupported[i]);
            return NULL;
        }
    if (sql_is(parser, "FROM"))
        sql_unsupported(parser, "pipe syntax (a query that begins with FROM)");
    else
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
        size_t start = sql_peek(&parser, 0)->start;
        struct sql_node *node = parse_statement(&parser);
        if (node == NULL)
            return false;
        node->start = start;
        node->end = tokens[parser.at - 1].end;
        sql_push(arena, out_nodes, node);
        if (!sql_is(&parser, ";") && sql_peek(&parser, 0)->kind != SQL_TOKEN_END)
            return sql_syntax(&parser, "end of input");
    }
    return out_nodes->count > 0 || sql_unexpected(&parser);
}

struct sql_query *sql_parse_query_text(struct sql_arena *arena, const char *text, struct error *err)
{
    struct sql_list nodes = {0};

    /* A text without a statement is an error of the parser. */
    if (!sql_parse_script(arena, text, &nodes, err) || nodes.items == NULL)
        return NULL;
    const struct sql_node *node = nodes.items[0];
    if (nodes.count == 1 && node->kind == SQL_QUERY)
        return node->query;
    sql_error(err, node->place, "Only a single SELECT statement is allowed here");
    return NULL;
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
