/* shadow_keys: the converted keys of a shadow, and the rule that one of them stands for one row.
 * Works on the tables of an open shadow (shadow.c): bq_sync_known, what BigQuery holds;
 * bq_sync_seen, the rows read so far, with the converted key of those that have one in BigQuery
 * now; bq_sync_gone, keys that have lost theirs. Internal to source; one thread.
 *
 * In known every converted key occurs once, and so it does in seen. A row may be found in any
 * order, before or after the row that had its key, so what decides is never the order but whether
 * the other row is in seen, or else in the snapshot. */
#ifndef BQSYNC_SOURCE_SHADOW_KEYS_H
#define BQSYNC_SOURCE_SHADOW_KEYS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"
#include "source/database.h"
#include "source/shadow_claim.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct shadow_keys {
    struct database *state; /* borrowed; the connection with the tables above */
    const struct table *table;
    sqlite3_stmt *find_seen;   /* number and converted key of a raw key */
    sqlite3_stmt *seen_owner;  /* number of a converted key */
    sqlite3_stmt *known_owner; /* raw key of a converted key, and its description */
    sqlite3_stmt *describe;    /* of a number */
    sqlite3_stmt *set;         /* hash and converted key of a number */
    sqlite3_stmt *gone;        /* notes what is known of a raw key as gone */
    sqlite3_stmt *gone_number; /* the same of the raw key of a number */
    sqlite3_stmt *live;        /* whether the source has a raw key; prepared when needed */

    /* The row that is being looked at: */
    int64_t number;    /* in seen */
    int64_t hash;      /* of its content */
    bool doubled;      /* a row with the same raw key has been seen, and that one counts */
    bool was_known;    /* BigQuery holds its raw key, */
    struct buffer was; /* under this converted key */
};

/* Prepares the statements; the tables exist. On failure shadow_keys_clear frees what there is. */
MUST_CHECK bool shadow_keys_init(
    struct shadow_keys *keys, struct database *state, const struct table *table, struct error *err);
/* A zeroed struct is fine. */
void shadow_keys_clear(struct shadow_keys *keys);
/* Frees what belongs to the source's connection; to be called before that ends. */
void shadow_keys_leave_source(struct shadow_keys *keys);

/* Binds the key of a row that has the table's columns to the first parameters of a statement on the
 * state. *out_bound: the key has no NULL; one that has matches nothing, and is not bound. */
MUST_CHECK bool shadow_keys_bind(
    struct database *state, const struct table *table, sqlite3_stmt *statement, sqlite3_stmt *row,
    bool *out_bound, struct error *err);

/* The row of a raw key that is in seen already: it is looked at again if its first appearance was
 * rejected, else it is doubled. `row` stands on the row. */
MUST_CHECK bool shadow_keys_meet(struct shadow_keys *keys, sqlite3_stmt *row, struct error *err);

/* As in shadow.h, of the row that is being looked at. */
MUST_CHECK bool shadow_keys_claim(
    struct shadow_keys *keys, struct database *source, struct slice converted,
    enum shadow_claim *out_claim, struct buffer *out_other, struct error *err);
/* *out_own: the row goes on having its converted key. marked: the note of such a row gets a hash
 * that no row has, because the shadow is being made new. */
MUST_CHECK bool shadow_keys_reject(
    struct shadow_keys *keys, struct slice converted, bool marked, bool *out_own,
    struct error *err);
MUST_CHECK bool shadow_keys_gone(struct shadow_keys *keys, sqlite3_stmt *row, struct error *err);

#endif
