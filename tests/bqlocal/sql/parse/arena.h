/* sql_arena: memory of one run of sql_run. A syntax tree and the SQL made from it are hundreds of
 * small pieces that all die together; freeing them one by one on each error path would double the
 * code. Out of memory ends the program: bqlocal is a tool on the developer's own machine. */
#ifndef BQLOCAL_SQL_PARSE_ARENA_H
#define BQLOCAL_SQL_PARSE_ARENA_H

#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>

struct sql_chunk;

struct sql_arena {
    struct sql_chunk *chunks;
};

/* Zeroed memory that lives until sql_arena_clear. */
void *sql_alloc(struct sql_arena *arena, size_t bytes);
char *sql_copy(struct sql_arena *arena, const char *text, size_t length);
char *sql_printf(struct sql_arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
void sql_arena_clear(struct sql_arena *arena);

/* A growing list of pointers in an arena. */
struct sql_list {
    void **items;
    size_t count;
    size_t capacity;
};

void sql_push(struct sql_arena *arena, struct sql_list *list, void *item);
/* An array of what a list points to; size: of one element. */
void *sql_array_of(struct sql_arena *arena, const struct sql_list *list, size_t size);

#endif
