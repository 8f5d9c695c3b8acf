/* shadow_scan: one read of a table whose shadow is packed (SHADOW_FORM_PACKED): rows and shadow are
 * both in the order of the key, so they are stepped through side by side, and neither a lookup nor
 * a note of the rows that are the same is needed. Works on the connection of an open shadow
 * (source/shadow.h); internal to source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_SHADOW_SCAN_H
#define BQSYNC_SOURCE_SHADOW_SCAN_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/shadow_pack.h"
#include "source/shadow_store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct shadow_scan {
    struct database *state; /* borrowed */
    const struct table *table;
    /* What BigQuery holds: the shadow, and above it the changes that are not merged yet. */
    struct shadow_pack_reader shadow;
    struct shadow_pack_reader changes;
    bool has_known; /* the entry below is one that no row was compared with yet */
    struct shadow_pack_entry known;

    struct shadow_scan_options {
        /* What is found becomes the shadow: rows that are the same are written as well, and keys
         * without a row are no deletions. */
        bool whole;
        bool knows;  /* the shadow counts */
        bool writes; /* what differs, or everything, is written to temp.bq_sync_seen */
    } options;
    sqlite3_stmt *gone; /* notes a deleted key in temp.bq_sync_gone */
    struct shadow_pack_writer found;

    /* The last row: written when the next one comes, because it may still be rejected. */
    bool any;
    bool was_known; /* BigQuery holds a version of it */
    bool holds;
    struct shadow_pack_entry last;
};

/* Makes the temporary tables bq_sync_seen, of chunks, and bq_sync_gone, of keys. On failure too,
 * shadow_scan_clear frees what there is. */
MUST_CHECK bool shadow_scan_init(
    struct shadow_scan *scan, struct database *state, const struct table *table,
    const struct shadow_store *store, const struct shadow_scan_options *options, struct error *err);
/* A zeroed struct is fine. */
void shadow_scan_clear(struct shadow_scan *scan);

/* Compares a row. *out_known: BigQuery holds a version of it, and *out_same: this one. Keys ascend;
 * ERROR_SOURCE if one does not. */
MUST_CHECK bool shadow_scan_row(
    struct shadow_scan *scan, int64_t key, uint64_t hash, bool *out_known, bool *out_same,
    struct error *err);

/* The last row was rejected: what is known of it stays; kept: it is known from now on as one of
 * which BigQuery holds an older version. */
void shadow_scan_reject(struct shadow_scan *scan, bool kept);

/* After the last row: finds the keys behind it that are gone, and writes the last chunk. */
MUST_CHECK bool shadow_scan_finish(struct shadow_scan *scan, struct error *err);

#endif
