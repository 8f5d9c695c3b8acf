#include "support/freed.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <malloc.h>

/* glibc's own, under the names that it keeps for those who replace them. */
extern void __libc_free(void *block); // NOLINT(bugprone-reserved-identifier)

static _Thread_local const char *watched;
static _Thread_local size_t holding;

static void look(void *block)
{
    if (watched == NULL || block == NULL)
        return;
    if (memmem(block, malloc_usable_size(block), watched, strlen(watched)) != NULL)
        holding++;
}

void free(void *ptr)
{
    look(ptr);
    __libc_free(ptr);
}

void *realloc(void *ptr, size_t size)
{
    size_t old = ptr == NULL ? 0 : malloc_usable_size(ptr);
    void *moved = malloc(size == 0 ? 1 : size);

    if (moved == NULL)
        return NULL;
    if (ptr != NULL)
        memcpy(moved, ptr, old < size ? old : size);
    free(ptr);
    return moved;
}

bool freed_watch(const char *secret)
{
    watched = secret;
    holding = 0;
    return true;
}

size_t freed_holding(void)
{
    watched = NULL;
    return holding;
}

#else

bool freed_watch(const char *secret)
{
    (void)secret;
    return false;
}

size_t freed_holding(void)
{
    return 0;
}

#endif
