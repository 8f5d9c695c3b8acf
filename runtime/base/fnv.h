/* fnv: the hash FNV-1a of 64 bits ("The FNV Non-Cryptographic Hash Algorithm"), for texts that
 * nobody makes up to collide. Begins with FNV_OFFSET. Pure, inline. */
#ifndef BQSYNC_BASE_FNV_H
#define BQSYNC_BASE_FNV_H

#include <stdint.h>

#define FNV_OFFSET UINT64_C(14695981039346656037)

static inline uint64_t fnv_add_byte(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * UINT64_C(1099511628211);
}

/* With its terminator, so that "ab", "c" is not "a", "bc". */
static inline uint64_t fnv_add_text(uint64_t hash, const char *text)
{
    do
        hash = fnv_add_byte(hash, *text);
    while (*text++ != '\0');
    return hash;
}

#endif
