/* verify: proves that BigQuery equals SQLite as of the last synced position, or says which keys
 * differ. Both sides hash every row (rowtext) and add the hashes up in a few thousand buckets by
 * key; only buckets whose sums differ are looked at row by row. Rows with changes that are not
 * synced yet, and rejected rows, are counted apart. Reads only; takes no lock; works during a sync.
 * Memory does not grow with the table. */
#ifndef BQSYNC_SYNC_VERIFY_VERIFY_H
#define BQSYNC_SYNC_VERIFY_VERIFY_H

#include "base/error.h"
#include "sync/deployment.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys beyond so many are counted but not listed. */
#define VERIFY_KEYS_MAX 100

struct verify_table {
    const struct table *table;
    bool equal;
    int64_t source_rows;    /* in scope: without rows not synced yet */
    int64_t warehouse_rows; /* all */
    int64_t missing_count;  /* only in SQLite */
    int64_t extra_count;    /* only in BigQuery */
    int64_t different_count;
    int64_t duplicated_count; /* keys that BigQuery holds more than once */
    int64_t pending;
    int64_t rejected;
    int64_t bytes_billed;
    cJSON *missing; /* lists of keys: a value, or an array of values for a composite key */
    cJSON *extra;
    cJSON *different;
    cJSON *duplicated;
    struct error error; /* the comparison itself failed */
};

/* Who wants to hear how far it is; told on the thread that verifies. */
struct verify_watch {
    void *context;
    void (*table_begins)(void *context, size_t index);
};

/* Compares the tables one after the other. watch may be NULL. *out_tables: owned array of count
 * entries, to be freed with verify_free. Fails only when nothing can be compared at all (no source,
 * no BigQuery) and, with ERROR_STOPPED, after clock_stop. */
MUST_CHECK bool verify_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_tables, struct error *err);
void verify_free(struct verify_table *tables, size_t count);

bool verify_ok(const struct verify_table *tables, size_t count);

/* The document of `verify --json`, owned. */
cJSON *verify_json(const struct verify_table *tables, size_t count);

/* Syncs what differs again: the keys found are listed as changed and an ordinary pass follows; a
 * table with too many of them, with duplicates, or without triggers is replaced. *out_exit is that
 * of the pass. */
MUST_CHECK bool verify_repair(
    const struct deployment *deployment, const struct verify_table *tables, size_t count,
    int *out_exit, struct error *err);

#endif
