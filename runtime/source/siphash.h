/* siphash: SipHash, a keyed hash of 64 or 128 bits whose values no one can steer without the key
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF"). SipHash-2-4 is fed in pieces of any
 * length. SipHash-1-3, which mixes each word once instead of twice and is what Rust and Python hash
 * their tables with, is for the rows of a scan: there it is most of what a row costs, so it is fed
 * in whole words and defined here, where compilers can put it into the loop. Any thread. */
#ifndef BQSYNC_SOURCE_SIPHASH_H
#define BQSYNC_SOURCE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static inline uint64_t siphash_rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

/* One SipRound. */
static inline void siphash_mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = siphash_rotate(v[1], 13) ^ v[0];
    v[3] = siphash_rotate(v[3], 16) ^ v[2];
    v[0] = siphash_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = siphash_rotate(v[1], 17) ^ v[2];
    v[3] = siphash_rotate(v[3], 21) ^ v[0];
    v[2] = siphash_rotate(v[2], 32);
}

/* SipHash-1-3 of a sequence of words, each standing for its eight bytes in little-endian order.
 * Started with siphash_init or siphash_init_128; not to be mixed with siphash_update. */
static inline void siphash13_word(struct siphash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    siphash_mix(hash->v);
    hash->v[0] ^= word;
    hash->length += 8;
}

/* Appends length bytes and as many zero bytes as fill the last word. */
void siphash13_bytes(struct siphash *hash, const void *bytes, size_t length);

/* Each ends the hash that it is named after, as siphash_finish and siphash_finish_128 do. */
uint64_t siphash13_finish(struct siphash *hash);
void siphash13_finish_128(struct siphash *hash, uint64_t out[2]);

#endif
