#include "source/siphash.h"

static inline uint64_t load_word(const unsigned char *bytes)
{
    // Written out, compilers know it as one load.
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

static void absorb(struct siphash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    siphash_mix(hash->v);
    siphash_mix(hash->v);
    hash->v[0] ^= word;
}

void siphash_init(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE])
{
    uint64_t k0 = load_word(key);
    uint64_t k1 = load_word(key + 8);

    // "somepseudorandomlygeneratedbytes", as the algorithm has it.
    *hash = (struct siphash){
        .v = {
            k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
            k1 ^ 0x7465646279746573}};
}

void siphash_update(struct siphash *hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    const unsigned char *end = at + length;

    while (at < end) {
        unsigned fill = hash->length % 8;
        if (fill == 0 && end - at >= 8) {
            absorb(hash, load_word(at));
            at += 8;
            hash->length += 8;
            continue;
        }
        hash->tail |= (uint64_t)*at++ << (8 * fill);
        hash->length++;
        if (fill == 7) {
            absorb(hash, hash->tail);
            hash->tail = 0;
        }
    }
}

static uint64_t squeeze(struct siphash *hash, int rounds)
{
    for (int i = 0; i < rounds; i++)
        siphash_mix(hash->v);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

uint64_t siphash_finish(struct siphash *hash)
{
    absorb(hash, hash->tail | hash->length << 56);
    hash->v[2] ^= 0xff;
    return squeeze(hash, 4);
}

void siphash_init_128(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE])
{
    siphash_init(hash, key);
    hash->v[1] ^= 0xee;
}

void siphash_finish_128(struct siphash *hash, uint64_t out[2])
{
    absorb(hash, hash->tail | hash->length << 56);
    hash->v[2] ^= 0xee;
    out[0] = squeeze(hash, 4);
    hash->v[1] ^= 0xdd;
    out[1] = squeeze(hash, 4);
}

void siphash13_bytes(struct siphash *hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    const unsigned char *end = at + length / 8 * 8;
    uint64_t v[4] = {hash->v[0], hash->v[1], hash->v[2], hash->v[3]};
    unsigned char last[8] = {0};

    for (; at < end; at += 8) {
        uint64_t word = load_word(at);
        v[3] ^= word;
        siphash_mix(v);
        v[0] ^= word;
    }
    memcpy(hash->v, v, sizeof v);
    hash->length += length / 8 * 8;
    if (length % 8 > 0) {
        memcpy(last, at, length % 8);
        siphash13_word(hash, load_word(last));
    }
}

uint64_t siphash13_finish(struct siphash *hash)
{
    siphash13_word(hash, hash->length << 56);
    hash->v[2] ^= 0xff;
    return squeeze(hash, 3);
}

void siphash13_finish_128(struct siphash *hash, uint64_t out[2])
{
    siphash13_word(hash, hash->length << 56);
    hash->v[2] ^= 0xee;
    out[0] = squeeze(hash, 3);
    hash->v[1] ^= 0xdd;
    out[1] = squeeze(hash, 3);
}
