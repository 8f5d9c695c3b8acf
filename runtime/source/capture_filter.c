#include "source/capture_filter.h"

#include "source/sqlite_sql.h"
#include "source/sqlite_token.h"

#include <ctype.h>

/* SQLite itself takes expressions up to a depth of 1,000 (SQLITE_MAX_EXPR_DEPTH). */
#define MAX_DEPTH 100

struct parser {
    const struct capture_filter_names *names;
    const char *at; /* behind the present token */
    struct token token;
    struct buffer *out;
    bool *used;
    int depth;
};

static void next(struct parser *parser)
{
    parser->token = sqlite_token_next(&parser->at);
}

static bool is_word(const struct parser *parser, const char *word)
{
    return sqlite_token_is(&parser->token, TOKEN_WORD, word);
}

static bool is_sign(const struct parser *parser, const char *sign)
{
    return sqlite_token_is(&parser->token, TOKEN_SIGN, sign);
}

static void copy_token(struct parser *parser)
{
    buffer_append_text(parser->out, parser->out->length > 0 ? " " : "");
    buffer_append_slice(parser->out, parser->token.text);
    next(parser);
}

static bool copy_word(struct parser *parser, const char *word)
{
    if (!is_word(parser, word))
        return false;
    copy_token(parser);
    return true;
}

static bool copy_sign(struct parser *parser, const char *sign)
{
    if (!is_sign(parser, sign))
        return false;
    copy_token(parser);
    return true;
}

static bool parse_column(struct parser *parser)
{
    const struct capture_filter_names *names = parser->names;
    struct parser ahead = *parser;

    next(&ahead);
    if (sqlite_token_is_name(&parser->token, names->table) && is_sign(&ahead, ".")) {
        next(&ahead);
        *parser = ahead;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (!sqlite_token_is_name(&parser->token, names->columns[i]))
            continue;
        buffer_append_text(parser->out, parser->out->length > 0 ? " " : "");
        sqlite_sql_append(parser->out, "$n.$n", names->table, names->columns[i]);
        parser->used[i] = true;
        next(parser);
        // What looks like a column is a function's name if a bracket follows.
        return !is_sign(parser, "(") && !is_sign(parser, ".");
    }
    return false;
}

static bool parse_literal(struct parser *parser)
{
    if (copy_sign(parser, "-") || copy_sign(parser, "+")) {
        if (parser->token.kind != TOKEN_NUMBER)
            return false;
    } else if (
        parser->token.kind != TOKEN_NUMBER && parser->token.kind != TOKEN_STRING &&
        !is_word(parser, "null") && !is_word(parser, "true") && !is_word(parser, "false")) {
        return false;
    }
    copy_token(parser);
    return true;
}

static bool parse_condition(struct parser *parser);

static bool parse_operand(struct parser *parser)
{
    if (!is_sign(parser, "("))
        // A column named "true" hides the literal.
        return parse_column(parser) || parse_literal(parser);
    copy_token(parser);
    return ++parser->depth <= MAX_DEPTH && parse_condition(parser) && copy_sign(parser, ")") &&
           parser->depth-- > 0;
}

static bool parse_list(struct parser *parser)
{
    if (!copy_sign(parser, "("))
        return false;
    do {
        if (!parse_literal(parser))
            return false;
    } while (copy_sign(parser, ","));
    return copy_sign(parser, ")");
}

static bool parse_comparison(struct parser *parser)
{
    static const char *const signs[] = {"=", "==", "<>", "!=", "<", "<=", ">", ">="};

    if (!parse_operand(parser))
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (copy_sign(parser, signs[i]))
            return parse_operand(parser);
    if (copy_word(parser, "isnull") || copy_word(parser, "notnull"))
        return true;
    if (copy_word(parser, "is")) {
        copy_word(parser, "not");
        return parse_operand(parser);
    }
    if (copy_word(parser, "not"))
        return copy_word(parser, "null") || (copy_word(parser, "in") && parse_list(parser));
    return !copy_word(parser, "in") || parse_list(parser);
}

static bool parse_negation(struct parser *parser)
{
    while (copy_word(parser, "not"))
        continue;
    return parse_comparison(parser);
}

/* AND and OR take the same operands, and the tokens are copied in their order, so which of them
 * binds more tightly is left to SQLite. */
static bool parse_condition(struct parser *parser)
{
    do {
        if (!parse_negation(parser))
            return false;
    } while (copy_word(parser, "and") || copy_word(parser, "or"));
    return true;
}

/* Moves to the WHERE of a CREATE INDEX statement: what follows the list of columns. */
static bool find_filter(struct parser *parser)
{
    int depth = 0;

    do {
        next(parser);
        if (parser->token.kind == TOKEN_END)
            return false;
        depth += is_sign(parser, "(") - is_sign(parser, ")");
    } while (depth > 0 || !is_sign(parser, ")"));
    next(parser);
    if (!is_word(parser, "where"))
        return false;
    next(parser);
    return true;
}

bool capture_filter_read(
    const char *index_sql, const struct capture_filter_names *names, struct buffer *out_sql,
    bool *used)
{
    struct parser parser = {.names = names, .at = index_sql, .out = out_sql, .used = used};

    return find_filter(&parser) && parse_condition(&parser) && parser.token.kind == TOKEN_END;
}
