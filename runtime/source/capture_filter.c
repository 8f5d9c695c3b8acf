#include "source/capture_filter.h"

#include "base/slice.h"
#include "source/sqlite_sql.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* SQLite itself takes expressions up to a depth of 1,000 (SQLITE_MAX_EXPR_DEPTH). */
#define MAX_DEPTH 100

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* a name or key word without quotes */
    TOKEN_QUOTED, /* a name in "", [] or `` */
    TOKEN_NUMBER,
    TOKEN_STRING, /* also a blob literal */
    TOKEN_SIGN,   /* an operator or a bracket; also anything that is not SQL */
};

struct token {
    enum token_kind kind;
    struct slice text;
};

struct parser {
    const struct capture_filter_names *names;
    const char *at; /* behind the present token */
    struct token token;
    struct buffer *out;
    bool *used;
    int depth;
};

/* As SQLite defines the characters of a name: every byte of a character beyond ASCII counts. */
static bool is_word_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' || (unsigned char)byte >= 128;
}

static const char *skip_blank(const char *at)
{
    for (;;) {
        if (at[0] == '-' && at[1] == '-') {
            at += strcspn(at, "\n");
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            at = end == NULL ? at + strlen(at) : end + 2;
        } else if (*at != '\0' && strchr(" \t\n\f\r", *at) != NULL) {
            at++;
        } else {
            return at;
        }
    }
}

/* The end of a text in quotes, in which the closing quote is doubled; NULL if it never ends. */
static const char *quoted_end(const char *at, char quote)
{
    for (at++; *at != '\0'; at++) {
        if (*at != quote)
            continue;
        if (quote == ']' || at[1] != quote)
            return at + 1;
        at++;
    }
    return NULL;
}

static const char *number_end(const char *at)
{
    const char *end = at;

    while (is_word_byte(*end) || *end == '.' ||
           ((*end == '+' || *end == '-') && (end[-1] == 'e' || end[-1] == 'E') &&
            strncasecmp(at, "0x", 2) != 0))
        end++;
    return end;
}

static const char *sign_end(const char *at)
{
    static const char *const doubles[] = {"==", "<>", "!=", "<=", ">=", "<<", ">>", "||", "->"};

    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
        if (strncmp(at, doubles[i], 2) == 0)
            return at + 2;
    return at + 1;
}

/* A text whose quote never ends becomes a sign, which no rule below takes. */
static void next(struct parser *parser)
{
    const char *at = skip_blank(parser->at);
    const char *end = NULL;
    enum token_kind kind = TOKEN_SIGN;

    if (*at == '\0') {
        kind = TOKEN_END;
        end = at;
    } else if (*at == '\'' || (strchr("xX", *at) != NULL && at[1] == '\'')) {
        kind = TOKEN_STRING;
        end = quoted_end(at + (*at != '\''), '\'');
    } else if (*at == '"' || *at == '`' || *at == '[') {
        kind = TOKEN_QUOTED;
        end = quoted_end(at, *at == '[' ? ']' : *at);
    } else if (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1]))) {
        kind = TOKEN_NUMBER;
        end = number_end(at);
    } else if (is_word_byte(*at)) {
        kind = TOKEN_WORD;
        for (end = at; is_word_byte(*end);)
            end++;
    }
    if (end == NULL) {
        kind = TOKEN_SIGN;
        end = sign_end(at);
    }
    parser->token = (struct token){kind, {at, (size_t)(end - at)}};
    parser->at = end;
}

static bool is_text(const struct parser *parser, enum token_kind kind, const char *text)
{
    const struct token *token = &parser->token;

    return token->kind == kind && token->text.length == strlen(text) &&
           strncasecmp(token->text.data, text, token->text.length) == 0;
}

static bool is_word(const struct parser *parser, const char *word)
{
    return is_text(parser, TOKEN_WORD, word);
}

static bool is_sign(const struct parser *parser, const char *sign)
{
    return is_text(parser, TOKEN_SIGN, sign);
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

/* Whether the token is this name, with its own quotes or without any; SQLite compares names without
 * regard to the case of ASCII letters. */
static bool is_name(const struct token *token, const char *name)
{
    const char *at = token->text.data;
    const char *end = at + token->text.length;
    char quote = '\0';

    if (token->kind == TOKEN_QUOTED) {
        quote = *at++ == '[' ? ']' : token->text.data[0];
        end--;
    } else if (token->kind != TOKEN_WORD) {
        return false;
    }
    for (; at < end && *name != '\0'; at++, name++) {
        if (tolower((unsigned char)*at) != tolower((unsigned char)*name))
            return false;
        at += *at == quote && quote != '\0';
    }
    return at == end && *name == '\0';
}

static bool parse_column(struct parser *parser)
{
    const struct capture_filter_names *names = parser->names;
    struct parser ahead = *parser;

    next(&ahead);
    if (is_name(&parser->token, names->table) && is_sign(&ahead, ".")) {
        next(&ahead);
        *parser = ahead;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (!is_name(&parser->token, names->columns[i]))
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
