/* differ: two sets of rows, ours and BigQuery's, compared key by key in a temporary SQLite database
 * that spills to disk, so that memory stays flat however much differs. Used by verify for the
 * buckets whose checksums are not equal. */
#ifndef BQSYNC_SYNC_VERIFY_DRILL_DOWN_H
#define BQSYNC_SYNC_VERIFY_DRILL_DOWN_H

#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"
#include "encode/column.h"
#include "sync/verify/verify.h"

#include <stdbool.h>
#include <stddef.h>

struct differ;

/* Hex digits of a SHA-256 and a terminator. */
#define DIFFER_HEX_SIZE 65

/* Returns owned. */
MUST_CHECK bool differ_new(struct differ **out_differ, struct error *err);
void differ_free(struct differ *differ);

/* SHA-256 of a text as lower-case hex. */
MUST_CHECK bool differ_hash(
    struct differ *differ, struct slice text, char out_hex[DIFFER_HEX_SIZE], struct error *err);

/* A row of ours: the reader stands on it, key_text is its rowtext of the key. fits: no value was a
 * problem (else it is a rejected row). */
MUST_CHECK bool differ_add_ours(
    struct differ *differ, const struct table *table, struct column_reader *in,
    struct slice key_text, bool fits, struct error *err);

/* A row of BigQuery: key text, hash of all but JSON, key columns for people, JSON texts. */
MUST_CHECK bool differ_add_theirs(
    struct differ *differ, const struct table *table, size_t count, const char *const *cells,
    struct error *err);

/* A key that has changes which are not synced yet. */
MUST_CHECK bool differ_add_pending(struct differ *differ, struct slice key_text, struct error *err);

/* Counts and lists what differs into out, and adds the pending keys to its count. */
MUST_CHECK bool differ_settle(struct differ *differ, struct verify_table *out, struct error *err);

#endif
