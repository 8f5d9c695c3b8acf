/* sqlite_token: splits a statement that SQLite has accepted into its words, names, literals and
 * signs, without their comments. It knows no grammar and asks SQLite nothing. Internal to source.
 */
#ifndef BQSYNC_SOURCE_SQLITE_TOKEN_H
#define BQSYNC_SOURCE_SQLITE_TOKEN_H

#include "base/slice.h"

#include <stdbool.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* a name or key word without quotes */
    TOKEN_QUOTED, /* a name in "", [] or `` */
    TOKEN_NUMBER,
    TOKEN_STRING, /* also a blob literal */
    TOKEN_SIGN,   /* an operator or a bracket; also anything that is not SQL */
};

/* text is borrowed from the statement. */
struct token {
    enum token_kind kind;
    struct slice text;
};

/* The token at *place, and moves *place behind it; TOKEN_END at the end, again and again. A text
 * whose quote never ends becomes a sign of one byte. */
struct token sqlite_token_next(const char **place);

/* Whether the token is of this kind and reads so, in upper or lower case. */
bool sqlite_token_is(const struct token *token, enum token_kind kind, const char *text);

/* Whether the token is this name, in its own quotes or without any; SQLite compares names without
 * regard to the case of ASCII letters. A text in '' is no name. */
bool sqlite_token_is_name(const struct token *token, const char *name);

/* The name that a token is where only a name can stand, so a text in '' too, without its quotes.
 * Returns owned, NULL if there is no memory. */
char *sqlite_token_name(const struct token *token);

#endif
