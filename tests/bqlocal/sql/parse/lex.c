#include "bqlocal/sql/parse/lex.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Words that cannot be names without backticks, each followed by a blank. */
static const char reserved_words[] =
    "ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE "
    "CONTAINS CREATE CROSS CUBE CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE "
    "EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING "
    "GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT "
    "LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER "
    "PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT "
    "SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN "
    "WHERE WINDOW WITH WITHIN GRAPH_TABLE ";

struct lexer {
    struct sql_arena *arena;
    const char *text;
    size_t length;
    size_t at;
    int line;
    size_t line_start;
    size_t column_offset; /* where place_of last looked, and its answer */
    int column;
    struct sql_token *tokens;
    size_t count;
    size_t capacity;
    struct error *err;
};

bool sql_error(struct error *err, struct sql_place place, const char *format, ...)
{
    va_list args;
    char text[900];

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (place.line > 0)
        error_set(err, ERROR_WAREHOUSE, "%s at [%d:%d]", text, place.line, place.column);
    else
        error_set(err, ERROR_WAREHOUSE, "%s", text);
    err->http_status = 400;
    snprintf(err->reason, sizeof err->reason, "invalidQuery");
    return false;
}

/* The place of an offset in the present line. */
static struct sql_place place_of(struct lexer *lexer, size_t offset)
{
    if (lexer->column_offset < lexer->line_start || lexer->column_offset > offset) {
        lexer->column_offset = lexer->line_start;
        lexer->column = 1;
    }
    for (; lexer->column_offset < offset; lexer->column_offset++)
        if (((unsigned char)lexer->text[lexer->column_offset] & 0xC0) != 0x80)
            lexer->column++;
    return (struct sql_place){lexer->line, lexer->column};
}

static char peek(const struct lexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->length ? lexer->text[lexer->at + ahead] : '\0';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void newline(struct lexer *lexer, size_t offset)
{
    lexer->line++;
    lexer->line_start = offset + 1;
}

static bool skip_block_comment(struct lexer *lexer)
{
    struct sql_place start = place_of(lexer, lexer->at);

    lexer->at += 2;
    while (lexer->at < lexer->length) {
        if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
            lexer->at += 2;
            return true;
        }
        if (peek(lexer, 0) == '\n')
            newline(lexer, lexer->at);
        lexer->at++;
    }
    return sql_error(lexer->err, start, "Syntax error: Unclosed comment");
}

static bool skip_space(struct lexer *lexer)
{
    for (;;) {
        char c = peek(lexer, 0);
        if (c == '\n') {
            newline(lexer, lexer->at++);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            lexer->at++;
        } else if (c == '#' || (c == '-' && peek(lexer, 1) == '-')) {
            while (lexer->at < lexer->length && lexer->text[lexer->at] != '\n')
                lexer->at++;
        } else if (c == '/' && peek(lexer, 1) == '*') {
            if (!skip_block_comment(lexer))
                return false;
        } else {
            return true;
        }
    }
}

/* A code point of at most 16 bits. */
static size_t utf8_put(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | (code >> 12));
    out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

static bool read_digits(struct lexer *lexer, size_t digits, uint32_t *out_code)
{
    uint32_t code = 0;

    for (size_t i = 0; i < digits; i++) {
        char c = peek(lexer, i);
        uint32_t digit = is_digit(c)              ? (uint32_t)(c - '0')
                         : (c >= 'a' && c <= 'f') ? (uint32_t)(c - 'a' + 10)
                         : (c >= 'A' && c <= 'F') ? (uint32_t)(c - 'A' + 10)
                                                  : 99;
        if (digit == 99)
            return false;
        code = code * 16 + digit;
    }
    lexer->at += digits;
    *out_code = code;
    return true;
}

/* One escape, after its backslash. In bytes \x is a byte, in text a code point. */
static bool read_escape(struct lexer *lexer, bool bytes, char *out, size_t *out_length)
{
    static const char names[] = "abfnrtv\\?\"'`";
    static const char values[] = "\a\b\f\n\r\t\v\\?\"'`";
    size_t start = lexer->at - 1;
    char c = peek(lexer, 0);
    const char *simple = c == '\0' ? NULL : strchr(names, c);
    uint32_t code = 0;
    bool ok = false;

    if (simple != NULL) {
        lexer->at++;
        out[0] = values[simple - names];
        *out_length = 1;
        return true;
    }
    if (c == 'x' || c == 'X') {
        lexer->at++;
        ok = read_digits(lexer, 2, &code);
    } else if (!bytes && c == 'u') {
        lexer->at++;
        ok = read_digits(lexer, 4, &code) && !(code >= 0xD800 && code < 0xE000);
    }
    if (!ok)
        return sql_error(
            lexer->err, place_of(lexer, start),
            "Syntax error: Illegal or unsupported escape sequence");
    if (bytes) {
        out[0] = (char)code;
        *out_length = 1;
    } else {
        *out_length = utf8_put(code, out);
    }
    return true;
}

static bool quote_ends(const struct lexer *lexer, char quote, size_t width)
{
    for (size_t i = 0; i < width; i++)
        if (peek(lexer, i) != quote || lexer->at + i >= lexer->length)
            return false;
    return true;
}

/* A bound of the bytes that the quoted text which starts here can unescape to. */
static size_t quoted_bound(const struct lexer *lexer, char quote, size_t width)
{
    size_t at = lexer->at + width;

    while (at < lexer->length) {
        bool ends = true;
        for (size_t i = 0; i < width; i++)
            ends = ends && lexer->text[at + i] == quote;
        if (ends)
            break;
        at += lexer->text[at] == '\\' ? 2 : 1;
    }
    return at - lexer->at + 8;
}

/* Quoted text, whose first quote is at lexer->at; its content goes to token. */
static bool read_quoted(struct lexer *lexer, struct sql_token *token, bool bytes)
{
    char quote = peek(lexer, 0);
    bool triple = quote != '`' && peek(lexer, 1) == quote && peek(lexer, 2) == quote;
    size_t width = triple ? 3 : 1;
    char *out = sql_alloc(lexer->arena, quoted_bound(lexer, quote, width));
    size_t length = 0;

    lexer->at += width;
    while (!quote_ends(lexer, quote, width)) {
        char c = peek(lexer, 0);
        if (lexer->at >= lexer->length || (c == '\n' && !triple))
            return sql_error(
                lexer->err, token->place, "Syntax error: Unclosed %s",
                quote == '`' ? "identifier literal" : "string literal");
        if (c == '\n')
            newline(lexer, lexer->at);
        lexer->at++;
        if (c != '\\') {
            out[length++] = c;
        } else {
            size_t written = 0;
            if (!read_escape(lexer, bytes, out + length, &written))
                return false;
            length += written;
        }
    }
    lexer->at += width;
    token->text = out;
    token->length = length;
    return quote != '`' || memchr(out, '\0', length) == NULL ||
           sql_error(lexer->err, token->place, "Syntax error: an identifier has U+0000");
}

static bool read_number(struct lexer *lexer, struct sql_token *token)
{
    size_t start = lexer->at;

    token->kind = SQL_TOKEN_INT;
    while (is_digit(peek(lexer, 0)))
        lexer->at++;
    if (peek(lexer, 0) == '.') {
        token->kind = SQL_TOKEN_FLOAT;
        lexer->at++;
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
    }
    size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-' ? 2 : 1;
    if ((peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') && is_digit(peek(lexer, sign))) {
        token->kind = SQL_TOKEN_FLOAT;
        lexer->at += sign;
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
    }
    if (is_name_start(peek(lexer, 0)))
        return sql_error(
            lexer->err, token->place,
            "Syntax error: Missing whitespace between literal and alias (bqlocal does not have "
            "hexadecimal literals)");
    token->text = sql_copy(lexer->arena, lexer->text + start, lexer->at - start);
    token->length = lexer->at - start;
    return true;
}

static void read_name(struct lexer *lexer, struct sql_token *token)
{
    size_t start = lexer->at;

    while (is_name_start(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        lexer->at++;
    token->kind = SQL_TOKEN_NAME;
    token->text = sql_copy(lexer->arena, lexer->text + start, lexer->at - start);
    token->length = lexer->at - start;
    for (const char *word = reserved_words; *word != '\0'; word = strchr(word, ' ') + 1)
        if (strncasecmp(word, token->text, token->length) == 0 && word[token->length] == ' ')
            token->reserved = true;
}

static bool read_symbol(struct lexer *lexer, struct sql_token *token)
{
    char c = peek(lexer, 0);
    char next = peek(lexer, 1);
    bool wide = (next == '=' && strchr("<>!", c) != NULL) || (c == '<' && next == '>') ||
                (c == '|' && next == '|') || (c == '@' && next == '@') || (c == '=' && next == '>');
    size_t length = c != '\0' && wide ? 2 : 1;

    if (c == '<' && next == '<')
        return sql_error(lexer->err, token->place, "bqlocal does not have the operator <<");
    if (c != '\0' && strchr("|&^~", c) != NULL && length == 1)
        return sql_error(lexer->err, token->place, "bqlocal does not have the operator %c", c);
    if (c == '\0' || strchr("()[]{},.;:+-*/%=<>!|@?", c) == NULL)
        return sql_error(
            lexer->err, token->place, "Syntax error: Illegal input character \"%c\"",
            c > ' ' && c < 127 ? c : '?');
    token->kind = c == '?' ? SQL_TOKEN_POSITIONAL : SQL_TOKEN_SYMBOL;
    token->text = sql_copy(lexer->arena, lexer->text + lexer->at, length);
    token->length = length;
    lexer->at += length;
    return true;
}

static bool read_quoted_name(struct lexer *lexer, struct sql_token *token)
{
    token->kind = SQL_TOKEN_QUOTED;
    if (!read_quoted(lexer, token, false))
        return false;
    return token->length > 0 ||
           sql_error(lexer->err, token->place, "Syntax error: Invalid empty identifier");
}

static bool read_token(struct lexer *lexer, struct sql_token *token)
{
    char c = peek(lexer, 0);
    bool bytes = (c == 'b' || c == 'B') && (peek(lexer, 1) == '\'' || peek(lexer, 1) == '"');

    if (bytes || c == '\'' || c == '"') {
        lexer->at += bytes;
        token->kind = bytes ? SQL_TOKEN_BYTES : SQL_TOKEN_STRING;
        return read_quoted(lexer, token, bytes);
    }
    if ((c == 'r' || c == 'R') && (peek(lexer, 1) == '\'' || peek(lexer, 1) == '"'))
        return sql_error(lexer->err, token->place, "bqlocal does not have raw literals (r'...')");
    if (c == '`')
        return read_quoted_name(lexer, token);
    if (is_name_start(c)) {
        read_name(lexer, token);
        return true;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
        return read_number(lexer, token);
    if (c == '@' && (is_name_start(peek(lexer, 1)) || peek(lexer, 1) == '`')) {
        lexer->at++;
        if (peek(lexer, 0) != '`')
            read_name(lexer, token);
        else if (!read_quoted_name(lexer, token))
            return false;
        token->kind = SQL_TOKEN_PARAMETER;
        token->reserved = false;
        return true;
    }
    return read_symbol(lexer, token);
}

static void add_token(struct lexer *lexer, const struct sql_token *token)
{
    if (lexer->count == lexer->capacity) {
        size_t capacity = lexer->capacity == 0 ? 64 : lexer->capacity * 2;
        struct sql_token *tokens = sql_alloc(lexer->arena, capacity * sizeof *tokens);
        if (lexer->count > 0)
            memcpy(tokens, lexer->tokens, lexer->count * sizeof *tokens);
        lexer->tokens = tokens;
        lexer->capacity = capacity;
    }
    lexer->tokens[lexer->count++] = *token;
}

bool sql_lex(
    struct sql_arena *arena, const char *text, struct sql_token **out_tokens, size_t *out_count,
    struct error *err)
{
    struct lexer lexer = {
        .arena = arena, .text = text, .length = strlen(text), .line = 1, .column = 1, .err = err};

    for (;;) {
        if (!skip_space(&lexer))
            return false;
        struct sql_token token = {.start = lexer.at, .place = place_of(&lexer, lexer.at)};
        if (lexer.at < lexer.length && !read_token(&lexer, &token))
            return false;
        token.end = lexer.at;
        if (token.kind == SQL_TOKEN_END)
            token.text = "";
        add_token(&lexer, &token);
        if (token.kind == SQL_TOKEN_END)
            break;
    }
    *out_tokens = lexer.tokens;
    *out_count = lexer.count;
    return true;
}
