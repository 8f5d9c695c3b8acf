#include "support/scarce.h"

#include <stdatomic.h>
#include <stddef.h>

/* The names that the linker gives to the functions of libc and to these (--wrap). */
#define PAIR(type, name, ...)                                                                      \
    type real_##name(__VA_ARGS__) __asm__("__real_" #name);                                        \
    type scarce_##name(__VA_ARGS__) __asm__("__wrap_" #name);

PAIR(void *, malloc, size_t)
PAIR(void *, calloc, size_t, size_t)
PAIR(void *, realloc, void *, size_t)
PAIR(char *, strdup, const char *)
PAIR(char *, strndup, const char *, size_t)

static atomic_int failing;
static atomic_int calls;
static atomic_bool rest;

void scarce_fail(int n)
{
    calls = 0;
    rest = false;
    failing = n;
}

void scarce_fail_from(int n)
{
    scarce_fail(0);
    rest = true;
    failing = n;
}

bool scarce_end(void)
{
    int n = atomic_exchange(&failing, 0);

    return n != 0 && calls >= n;
}

static bool is_due(void)
{
    int n = failing;
    int number = atomic_fetch_add(&calls, 1) + 1;

    return n != 0 && (number == n || (number > n && rest));
}

void *scarce_malloc(size_t size)
{
    return is_due() ? NULL : real_malloc(size);
}

void *scarce_calloc(size_t count, size_t size)
{
    return is_due() ? NULL : real_calloc(count, size);
}

void *scarce_realloc(void *memory, size_t size)
{
    return is_due() ? NULL : real_realloc(memory, size);
}

char *scarce_strdup(const char *text)
{
    return is_due() ? NULL : real_strdup(text);
}

char *scarce_strndup(const char *text, size_t size)
{
    return is_due() ? NULL : real_strndup(text, size);
}
