#include "source/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

static bool read_key(const char *text, unsigned char key[SIPHASH_KEY_SIZE])
{
    for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void fingerprint_begin(struct fingerprint *out_fingerprint, const char *known)
{
    *out_fingerprint = (struct fingerprint){0};
    if (!read_key(known, out_fingerprint->key))
        sqlite3_randomness(SIPHASH_KEY_SIZE, out_fingerprint->key);
}

bool fingerprint_add(
    struct fingerprint *fingerprint, sqlite3_stmt *row, size_t columns, struct error *err)
{
    struct siphash hash;
    uint64_t word[2];

    siphash_init_128(&hash, fingerprint->key);
    if (!value_hash_row(&fingerprint->values, &hash, row, columns, err))
        return false;
    siphash_finish_128(&hash, word);
    fingerprint->rows++;
    fingerprint->sum[0] += word[0];
    fingerprint->sum[1] += word[1] + (fingerprint->sum[0] < word[0]);
    return true;
}

void fingerprint_text(
    const struct fingerprint *fingerprint, int64_t rejected, char out[static FINGERPRINT_SIZE])
{
    int at = 0;

    for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++)
        at += snprintf(out + at, FINGERPRINT_SIZE - (size_t)at, "%02x", fingerprint->key[i]);
    snprintf(
        out + at, FINGERPRINT_SIZE - (size_t)at,
        ".%" PRIu64 ".%016" PRIx64 "%016" PRIx64 ".%" PRId64, fingerprint->rows,
        fingerprint->sum[1], fingerprint->sum[0], rejected);
}
