/* forget: erases keys from BigQuery: the rows of a table that marks or keeps what is deleted in
 * SQLite, and every version in the log of its history. A pass of the table comes first, so that
 * nothing about the keys is on its way; one bqsync at a time, as for any pass. */
#ifndef BQSYNC_SYNC_FORGET_FORGET_H
#define BQSYNC_SYNC_FORGET_FORGET_H

#include "base/error.h"
#include "base/table.h"
#include "sync/deployment.h"
#include "sync/forget/forget_keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct forget {
    /* Borrowed. The table has a key. */
    const struct table *table;
    /* With `given` set; the rest is set here. */
    struct forget_key *keys;
    size_t count;
    /* Only count what would be erased: no pass, no lock. */
    bool dry_run;
    /* By the queries of this call; the pass has a bill of its own. */
    int64_t bytes_billed;
};

/* Erases all keys or none. ERROR_REJECTED names the keys that SQLite still has, with in_source of
 * these keys; ERROR_USAGE a word that is no key; any error of the pass. */
MUST_CHECK bool forget_run(
    const struct deployment *deployment, struct forget *forget, struct error *err);

#endif
