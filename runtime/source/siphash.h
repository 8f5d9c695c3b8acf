/* siphash: SipHash-2-4, a keyed 64-bit hash whose values no one can steer without the key (Aumasson
 * and Bernstein, "SipHash: a fast short-input PRF"). Fed in pieces. */
#ifndef BQSYNC_SOURCE_SIPHASH_H
#define BQSYNC_SOURCE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

struct siphash {
    uint64_t v[4];
    uint64_t tail; /* the bytes that do not fill a word yet, the first one lowest */
    uint64_t length;
};

void siphash_init(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE]);
void siphash_update(struct siphash *hash, const void *bytes, size_t length);
/* Ends it; the state is of no further use. */
uint64_t siphash_finish(struct siphash *hash);

#endif
