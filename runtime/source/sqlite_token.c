#include "source/sqlite_token.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
    static const char *const signs[] = {
        "->>", "==", "<>", "!=", "<=", ">=", "<<", ">>", "||", "->"};

    // The longest first.
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strncmp(at, signs[i], strlen(signs[i])) == 0)
            return at + strlen(signs[i]);
    return at + 1;
}

struct token sqlite_token_next(const char **place)
{
    const char *at = skip_blank(*place);
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
    *place = end;
    return (struct token){kind, {at, (size_t)(end - at)}};
}

bool sqlite_token_is(const struct token *token, enum token_kind kind, const char *text)
{
    return token->kind == kind && token->text.length == strlen(text) &&
           strncasecmp(token->text.data, text, token->text.length) == 0;
}

/* The bytes of a name, and the quote that is doubled in them, '\0' if none is. */
static struct slice inner(const struct token *token, char *out_quote)
{
    const char *data = token->text.data;
    bool quoted = token->kind == TOKEN_QUOTED || (token->kind == TOKEN_STRING && *data == '\'');

    *out_quote = '\0';
    if (!quoted)
        return token->text;
    *out_quote = *data == '[' ? ']' : *data;
    return (struct slice){data + 1, token->text.length - 2};
}

bool sqlite_token_is_name(const struct token *token, const char *name)
{
    char quote = '\0';
    struct slice text = inner(token, &quote);
    const char *at = text.data;
    const char *end = text.data + text.length;

    if (token->kind != TOKEN_QUOTED && token->kind != TOKEN_WORD)
        return false;
    for (; at < end && *name != '\0'; at++, name++) {
        if (tolower((unsigned char)*at) != tolower((unsigned char)*name))
            return false;
        at += quote != '\0' && *at == quote;
    }
    return at == end && *name == '\0';
}

char *sqlite_token_name(const struct token *token)
{
    char quote = '\0';
    struct slice text = inner(token, &quote);
    char *name = malloc(text.length + 1);
    size_t length = 0;

    if (name == NULL)
        return NULL;
    for (size_t i = 0; i < text.length; i++) {
        name[length++] = text.data[i];
        i += quote != '\0' && text.data[i] == quote;
    }
    name[length] = '\0';
    return name;
}
