/* hex: bytes as hexadecimal digits, two for each. Pure. */
#ifndef BQSYNC_BASE_HEX_H
#define BQSYNC_BASE_HEX_H

#include "base/buffer.h"

#include <stddef.h>

/* Writes 2 * length lower-case digits, without a terminator. */
void hex_write(const void *bytes, size_t length, char *out);

void hex_append(struct buffer *out, const void *bytes, size_t length);

/* The value of a digit of either case, -1 if it is none. */
static inline int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

#endif
