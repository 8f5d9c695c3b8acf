/* sql_lex: GoogleSQL text to tokens ("Lexical structure and syntax" of the GoogleSQL reference). */
#ifndef BQLOCAL_SQL_PARSE_LEX_H
#define BQLOCAL_SQL_PARSE_LEX_H

#include "base/error.h"
#include "bqlocal/sql/parse/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* Where something stands in the text, as errors name it: from 1, columns count characters. */
struct sql_place {
    int line; /* 0: nowhere */
    int column;
};

#define SQL_NO_PLACE ((struct sql_place){0, 0})

enum sql_token_kind {
    SQL_TOKEN_END,
    SQL_TOKEN_NAME,       /* an identifier or keyword without quotes */
    SQL_TOKEN_QUOTED,     /* an identifier in backticks, unescaped */
    SQL_TOKEN_INT,        /* decimal, as written */
    SQL_TOKEN_FLOAT,      /* as written */
    SQL_TOKEN_STRING,     /* unescaped, may hold NUL */
    SQL_TOKEN_BYTES,      /* unescaped */
    SQL_TOKEN_PARAMETER,  /* @name, without the @ */
    SQL_TOKEN_POSITIONAL, /* ? */
    SQL_TOKEN_SYMBOL,
};

struct sql_token {
    enum sql_token_kind kind;
    bool reserved; /* a NAME that may not be used as an identifier */
    const char *text;
    size_t length;
    size_t start; /* offsets in the source */
    size_t end;
    struct sql_place place;
};

/* All tokens, the last one END. Errors: "Syntax error: ... at [line:column]", invalidQuery. */
MUST_CHECK bool sql_lex(
    struct sql_arena *arena, const char *text, struct sql_token **out_tokens, size_t *out_count,
    struct error *err);

/* Fills err as an invalidQuery at a place. Returns false. */
bool sql_error(struct error *err, struct sql_place place, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
