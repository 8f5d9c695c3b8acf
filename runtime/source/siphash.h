/* siphash: SipHash-2-4, a keyed hash of 64 or 128 bits whose values no one can steer without the
 * key (Aumasson and Bernstein, "SipHash: a fast short-input PRF"). Fed in pieces. */
#ifndef BQSYNC_SOURCE_SIPHASH_H
#define BQSYNC_SOURCE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

/* The state between two calls. */
struct siphash {
    uint64_t v[4];
    uint64_t tail; /* the bytes that do not fill a word yet, the first one lowest */
    uint64_t length;
};

/* Starts a hash under a key of 16 bytes, which is read as two little-endian words. */
void siphash_init(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE]);
/* Appends length bytes to what is hashed; how the bytes are split into calls does not matter. */
void siphash_update(struct siphash *hash, const void *bytes, size_t length);
/* Returns the hash of all bytes. Afterwards the state must be initialised again. */
uint64_t siphash_finish(struct siphash *hash);

/* The same for a hash of 128 bits, as the authors' reference code has it; the first word is the one
 * whose bytes come first. */
void siphash_init_128(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE]);
void siphash_finish_128(struct siphash *hash, uint64_t out[2]);

#endif
