#include "fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct fuzz fuzz_of(const uint8_t *data, size_t size)
{
    return (struct fuzz){data, size};
}

uint8_t fuzz_byte(struct fuzz *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

size_t fuzz_choice(struct fuzz *in, size_t count)
{
    return fuzz_byte(in) % count;
}

uint64_t fuzz_uint64(struct fuzz *in)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number |= (uint64_t)fuzz_byte(in) << (8 * i);
    return number;
}

struct slice fuzz_text(struct fuzz *in, size_t most)
{
    size_t length = fuzz_byte(in);

    length = length > most ? most : length;
    length = length > in->left ? in->left : length;
    struct slice text = {length == 0 ? "" : (const char *)in->at, length};
    in->at += length;
    in->left -= length;
    return text;
}

struct slice fuzz_rest(struct fuzz *in)
{
    struct slice rest = {in->left == 0 ? "" : (const char *)in->at, in->left};

    in->at += in->left;
    in->left = 0;
    return rest;
}

char *fuzz_rest_text(struct fuzz *in)
{
    struct slice rest = fuzz_rest(in);
    char *text = malloc(rest.length + 1);

    FUZZ_REQUIRE(text != NULL, "out of memory");
    memcpy(text, rest.data, rest.length);
    text[rest.length] = '\0';
    return text;
}

void fuzz_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}
