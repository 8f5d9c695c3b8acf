/* slice: a borrowed view of bytes, passed by value. It owns nothing; data == NULL stands for SQL
 * NULL where a slice carries a column's value, so an empty text has a non-NULL pointer and length
 * 0. */
#ifndef BQSYNC_BASE_SLICE_H
#define BQSYNC_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t length;
};

/* A view of a C string, without its terminator; NULL gives the NULL slice. */
static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool slice_equals(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

#endif
