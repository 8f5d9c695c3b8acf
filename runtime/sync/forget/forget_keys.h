/* forget_keys: keys that are to be erased, as their owner names them: what BigQuery made of them,
 * and whether SQLite still has their rows. Reads the source only; belongs to the thread of the
 * connection.
 */
#ifndef BQSYNC_SYNC_FORGET_FORGET_KEYS_H
#define BQSYNC_SYNC_FORGET_FORGET_KEYS_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "sync/verify/row_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct forget_key {
    /* As it was named: the value of a key of one column, BYTES as hex digits; a JSON array of the
     * values of a key of several. Borrowed. */
    const char *given;
    /* Of the key's text (row_text.h), converted and transformed as a sync would do. It stands in
     * statements, which BigQuery keeps for half a year, so the key itself does not. */
    char hash[ROW_HASH_SIZE];
    /* The same of the key without its transforms, as it may have been sent before the definition
     * had them. "" if it has none, or the key is none without them. */
    char plain_hash[ROW_HASH_SIZE];
    bool in_source;
    /* What was found in BigQuery: rows of the table, and versions in the log of its history. */
    int64_t rows;
    int64_t versions;
};

/* Whether the definition transforms a column of the key. */
bool forget_keys_transformed(const struct table *table);

/* Sets the hashes of each key. ERROR_USAGE names the one that the key's columns cannot hold, and
 * why.
 */
MUST_CHECK bool forget_keys_read(
    struct database *source, const struct table *table, struct forget_key *keys, size_t count,
    struct error *err);

/* Sets in_source of each key, by reading the keys of the whole table: a row that the filter leaves
 * out is still there. *out_found: how many are. */
MUST_CHECK bool forget_keys_find(
    struct database *source, const struct table *table, struct forget_key *keys, size_t count,
    size_t *out_found, struct error *err);

#endif
