/* row_hash: SHA-256 of texts as hex digits, the form in which BigQuery's TO_HEX(SHA256(x)) returns
 * it. Keeps the digest of OpenSSL between texts, because fetching it takes longer than hashing a
 * short row. Belongs to one thread. */
#ifndef BQSYNC_SYNC_VERIFY_ROW_HASH_H
#define BQSYNC_SYNC_VERIFY_ROW_HASH_H

#include "base/error.h"
#include "base/slice.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The hex digits of a SHA-256 and a terminator. */
#define ROW_HASH_SIZE 65

struct row_hash {
    /* Both owned. */
    EVP_MD *sha256;
    EVP_MD_CTX *context;
};

/* ERROR_MEMORY. On failure there is nothing to clear. */
MUST_CHECK bool row_hash_init(struct row_hash *hash, struct error *err);
/* A zeroed struct is fine. */
void row_hash_clear(struct row_hash *hash);

/* Writes the hash of the text in lower-case hex. ERROR_MEMORY if OpenSSL fails. */
MUST_CHECK bool row_hash_text(
    struct row_hash *hash, struct slice text, char out_hex[ROW_HASH_SIZE], struct error *err);

/* A bucket is named by the first hex digits of the hash of a row's key text. */
#define ROW_HASH_BUCKET_DIGITS 3
#define ROW_HASH_BUCKETS       4096

/* The number of the bucket that a key's text belongs to. ERROR_MEMORY if OpenSSL fails. */
MUST_CHECK bool row_hash_bucket(
    struct row_hash *hash, struct slice key_text, size_t *out_bucket, struct error *err);

#endif
