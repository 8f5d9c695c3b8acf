#include "bqlocal/sql/parse/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 * 1024, ALIGNMENT = 16 };

struct sql_chunk {
    struct sql_chunk *next;
    size_t used;
    size_t size;
    _Alignas(ALIGNMENT) char bytes[];
};

static struct sql_chunk *chunk_new(struct sql_arena *arena, size_t bytes)
{
    size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct sql_chunk *chunk = calloc(1, sizeof *chunk + size);
    if (chunk == NULL) {
        fputs("bqlocal: out of memory\n", stderr);
        abort();
    }

    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *sql_alloc(struct sql_arena *arena, size_t bytes)
{
    struct sql_chunk *chunk = arena->chunks;

    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (chunk == NULL || chunk->size - chunk->used < bytes)
        chunk = chunk_new(arena, bytes);
    void *memory = chunk->bytes + chunk->used;
    chunk->used += bytes;
    return memory;
}

char *sql_copy(struct sql_arena *arena, const char *text, size_t length)
{
    char *copy = sql_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *sql_printf(struct sql_arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = sql_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void sql_arena_clear(struct sql_arena *arena)
{
    while (arena->chunks != NULL) {
        struct sql_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
}

void sql_push(struct sql_arena *arena, struct sql_list *list, void *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        void **items = sql_alloc(arena, capacity * sizeof *items);
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

void *sql_array_of(struct sql_arena *arena, const struct sql_list *list, size_t size)
{
    char *array = sql_alloc(arena, (list->count + 1) * size);

    for (size_t i = 0; i < list->count; i++)
        memcpy(array + i * size, list->items[i], size);
    return array;
}
