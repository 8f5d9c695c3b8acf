#include "source/capture_declared.h"

#include "source/siphash.h"
#include "source/sqlite_token.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Not a secret: the same texts must have the same hash in every process. */
static const unsigned char hash_key[SIPHASH_KEY_SIZE] = {'b', 'q', 's', 'y', 'n', 'c', '\'', 's',
                                                         ' ', 'c', 'o', 'l', 'u', 'm', 'n',  's'};

/* One column of the statement. */
struct declaration {
    const char *start; /* behind the comma or parenthesis before it */
    const char *end;   /* at the one behind it */
    char *name;        /* without quotes, owned */
    bool needed;       /* the rows that are read depend on it */
    bool followed;     /* and so do the columns that it is generated from, which are marked */
};

struct declarations {
    struct declaration *items;
    size_t count;
};

static void clear(struct declarations *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    *list = (struct declarations){0};
}

static bool add(struct declarations *list, const char *start, const char *end, struct error *err)
{
    const char *place = start;
    struct token name = sqlite_token_next(&place);
    struct declaration *items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (items == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    list->items = items;
    items[list->count] =
        (struct declaration){.start = start, .end = end, .name = sqlite_token_name(&name)};
    if (items[list->count].name == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    list->count++;
    return true;
}

/* The constraints of the table come behind its columns. Their key words cannot be the name of a
 * column without quotes. */
static bool begins_constraint(const char *start)
{
    static const char *const words[] = {"constraint", "primary", "unique", "check", "foreign"};
    struct token token = sqlite_token_next(&start);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (sqlite_token_is(&token, TOKEN_WORD, words[i]))
            return true;
    return false;
}

static bool split(const char *sql, struct declarations *out, struct error *err)
{
    int depth = 0;
    const char *start = NULL;
    struct token token = sqlite_token_next(&sql);

    for (; token.kind != TOKEN_END; token = sqlite_token_next(&sql)) {
        bool opens = sqlite_token_is(&token, TOKEN_SIGN, "(");
        bool closes = sqlite_token_is(&token, TOKEN_SIGN, ")");
        bool ends = depth == 1 && (closes || sqlite_token_is(&token, TOKEN_SIGN, ","));
        if (ends && begins_constraint(start))
            return true;
        if (ends && !add(out, start, token.text.data, err))
            return false;
        depth += opens - closes;
        if (closes && depth == 0)
            return true;
        if (ends || (opens && depth == 1))
            start = sql;
    }
    return true;
}

/* Marks the columns that a text names. More than it reads are marked if a function or a table has
 * the name of a column; that does no harm. */
static void mark_named(struct declarations *list, const char *place, const char *end)
{
    for (;;) {
        struct token token = sqlite_token_next(&place);
        if (token.text.data >= end)
            return;
        for (size_t i = 0; i < list->count; i++)
            if (sqlite_token_is_name(&token, list->items[i].name))
                list->items[i].needed = true;
    }
}

/* Whether a column may be generated: the word is also part of a cast in a CHECK, for which marking
 * more columns does no harm. */
static bool may_be_generated(const struct declaration *item)
{
    const char *place = item->start;
    struct token token = sqlite_token_next(&place); // the name

    for (token = sqlite_token_next(&place); token.text.data < item->end;
         token = sqlite_token_next(&place))
        if (sqlite_token_is(&token, TOKEN_WORD, "as"))
            return true;
    return false;
}

static void mark_needed(const struct table *table, struct declarations *list)
{
    bool again = true;

    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < table->column_count && !list->items[i].needed; j++)
            list->items[i].needed = strcasecmp(list->items[i].name, table->columns[j].source) == 0;
    if (table->where != NULL)
        mark_named(list, table->where, table->where + strlen(table->where));
    while (again) {
        again = false;
        for (size_t i = 0; i < list->count; i++) {
            struct declaration *item = &list->items[i];
            if (!item->needed || item->followed)
                continue;
            item->followed = true;
            again = true;
            if (may_be_generated(item))
                mark_named(list, item->start, item->end);
        }
    }
}

/* Follows what a foreign key refers to: the word, a table, and perhaps columns in parentheses. */
enum reference { REFERENCE_NONE, REFERENCE_TABLE, REFERENCE_BEHIND, REFERENCE_COLUMNS };

/* Moves on by a token; returns whether the token is a name that a foreign key refers to. */
static bool is_referred_to(enum reference *at, const struct token *token)
{
    switch (*at) {
    case REFERENCE_NONE:
        if (sqlite_token_is(token, TOKEN_WORD, "references"))
            *at = REFERENCE_TABLE;
        return false;
    case REFERENCE_TABLE:
        *at = REFERENCE_BEHIND;
        return true;
    case REFERENCE_BEHIND:
        *at = sqlite_token_is(token, TOKEN_SIGN, "(") ? REFERENCE_COLUMNS : REFERENCE_NONE;
        return false;
    case REFERENCE_COLUMNS:
        if (sqlite_token_is(token, TOKEN_SIGN, ")"))
            *at = REFERENCE_NONE;
        return *at == REFERENCE_COLUMNS;
    }
    return false;
}

/* With its end, so that no text runs into the next. */
static void hash_bytes(struct siphash *hash, const char *bytes, size_t length)
{
    siphash_update(hash, bytes, length);
    siphash_update(hash, "", 1);
}

static void hash_item(struct siphash *hash, const struct declaration *item, size_t number)
{
    const char *place = item->start;
    const char *before = item->start;
    enum reference at = REFERENCE_NONE;
    struct token token = sqlite_token_next(&place);
    char text[32];

    hash_bytes(hash, text, (size_t)snprintf(text, sizeof text, "%zu", number));
    for (const char *letter = item->name; *letter != '\0'; letter++)
        siphash_update(hash, &(char){(char)tolower((unsigned char)*letter)}, 1);
    for (bool name = true; token.text.data < item->end; name = false) {
        bool quoted = token.kind == TOKEN_QUOTED;
        hash_bytes(hash, before, (size_t)(token.text.data - before));
        if (!name && !is_referred_to(&at, &token))
            hash_bytes(hash, token.text.data + quoted, token.text.length - 2 * (size_t)quoted);
        before = place;
        token = sqlite_token_next(&place);
    }
    hash_bytes(hash, before, (size_t)(item->end - before));
}

bool capture_declared_hash(
    const struct table *table, const char *create_sql, uint64_t *out_hash, struct error *err)
{
    struct declarations list = {0};
    struct siphash hash;

    bool ok = split(create_sql, &list, err);
    if (ok) {
        mark_needed(table, &list);
        siphash_init(&hash, hash_key);
        for (size_t i = 0; i < list.count; i++)
            if (list.items[i].needed)
                hash_item(&hash, &list.items[i], i);
        if (list.count == 0)
            hash_bytes(&hash, create_sql, strlen(create_sql));
        *out_hash = siphash_finish(&hash);
    }
    clear(&list);
    return ok;
}
