/* shadow_merge: merges the acknowledged changes of a packed shadow (SHADOW_FORM_PACKED) into it.
 * Internal to source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_SHADOW_MERGE_H
#define BQSYNC_SOURCE_SHADOW_MERGE_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

/* A transaction takes one chunk of changes out of bq_sync_pending_<table>: a few hundred rows at
 * most. What a process that is killed has left there goes on counting, and the next call continues
 * with it. */
MUST_CHECK bool shadow_merge_chunks(
    struct database *state, const struct table *table, struct error *err);

#endif
