/* digest: SHA-256 and HMAC-SHA-256 of column values, for the transforms sha256 and hmac_sha256.
 * The OpenSSL objects are fetched once and reused for each value, which is several times
 * faster than the one-shot calls. One thread at a time. */
#ifndef BQSYNC_ENCODE_DIGEST_H
#define BQSYNC_ENCODE_DIGEST_H

#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_TEXT_SIZE 64

struct digest;

/* Returns owned what the table's hashing columns need, NULL if it has none. Keys are read from the
 * environment: ERROR_CONFIG names table, column and variable where one is missing or empty. */
MUST_CHECK bool digest_new(
    const struct table *table, struct digest **out_digest, struct error *err);
void digest_free(struct digest *digest);

/* The digest of a value of a hashing column as lower-case hex, without a terminator. False if the
 * cryptographic library fails. */
bool digest_text(
    struct digest *digest, size_t column, struct slice value, char out_text[DIGEST_TEXT_SIZE]);

#endif
