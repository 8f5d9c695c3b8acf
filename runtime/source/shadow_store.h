/* shadow_store: the tables of a shadow in the state database and how they change between two
 * reads. Internal to source.
 *
 * bq_sync_shadow_<table> has the hash of each row that BigQuery holds, or an empty blob, which
 * equals no hash, if a replacement has left an older version of a row that is rejected;
 * bq_sync_pending_<table> what the last read found out: hashes of new and changed rows, NULL for
 * deleted keys. The table's row in bq_sync_shadows says what pending is: "none"; "read", complete
 * but not acknowledged (nonce: by the intent that sends it); "effective", part of the truth
 * already.
 *
 * Where keys are kept (SHADOW_FORM_KEYS) both tables have one more column with the converted key,
 * and an index on it. The index has a random name, because it moves with pending when that becomes
 * the shadow. In SHADOW_FORM_PACKED both tables hold chunks (source/shadow_pack.h).
 *
 * bq_sync_shadows.hash_version says how rows were hashed. A shadow of another version, in which
 * each row would look changed, is as good as none; so is one of another form or key. Belongs to the
 * connection's thread. */
#ifndef BQSYNC_SOURCE_SHADOW_STORE_H
#define BQSYNC_SOURCE_SHADOW_STORE_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/shadow_form.h"
#include "source/siphash.h"

#include <stdbool.h>

enum pending_state {
    PENDING_NONE,
    PENDING_EFFECTIVE_CHANGES, /* to be merged into the shadow */
    PENDING_EFFECTIVE_WHOLE,   /* to replace the shadow */
};

struct shadow_store {
    enum shadow_form form; /* set by the caller */
    bool exists;
    enum pending_state pending;
    unsigned char hash_key[SIPHASH_KEY_SIZE];
};

/* Reads the state of the table's shadow into the rest of *store; writes nothing. */
MUST_CHECK bool shadow_store_look(
    struct database *state, const struct table *table, struct shadow_store *store,
    struct error *err);

/* Makes the tables if they are missing or have other key columns, merges what is effective and
 * deletes the rest of what is pending, a few thousand rows a transaction. Afterwards nothing is
 * pending. If it is killed in between, the next call continues there. Writes nothing if there is
 * nothing to do. */
MUST_CHECK bool shadow_store_complete(
    struct database *state, const struct table *table, struct shadow_store *store,
    struct error *err);

/* Copies temp.bq_sync_seen (key_1..., hash; NULL: same as before; the converted key, if keys are
 * kept; or chunks) and, unless it is the whole or in chunks, the keys in temp.bq_sync_gone that
 * were not seen with a hash to pending, and marks it as read. */
MUST_CHECK bool shadow_store_keep(
    struct database *state, const struct table *table, const struct shadow_store *store, bool whole,
    struct error *err);

MUST_CHECK bool shadow_store_drop(
    struct database *state, const struct table *table, struct error *err);

#endif
