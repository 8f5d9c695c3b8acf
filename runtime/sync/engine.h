/* engine: everything a pass or a report needs that outlives it: configuration, the tables compiled
 * in, credentials, the quota governor, the clock. Made once a process; its parts are thread-safe or
 * immutable. */
#ifndef BQSYNC_SYNC_ENGINE_H
#define BQSYNC_SYNC_ENGINE_H

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "warehouse/bigquery.h"
#include "warehouse/credentials.h"

#include <stddef.h>
#include <stdint.h>

struct engine {
    const struct config *config;
    const struct table *const *tables;
    size_t table_count;
    struct credentials *credentials; /* NULL when an emulator stands in */
    struct governor *governor;
    const struct clock *clock;
    int64_t retry_budget_ms;
};

/* Borrows config and tables. Finds credentials unless an emulator is configured: ERROR_AUTH. */
MUST_CHECK bool engine_init(
    struct engine *engine, const struct config *config, const struct table *const *tables,
    size_t table_count, int64_t default_retry_budget_ms, struct error *err);
void engine_clear(struct engine *engine);

/* A pass starts with the whole retry budget, whatever an earlier one has met with. */
void engine_begin_pass(const struct engine *engine);

/* The compiled-in table of this name, or NULL. */
const struct table *engine_table(const struct engine *engine, const char *name);

/* A connection to BigQuery for the calling thread; location and run_id may be NULL. */
MUST_CHECK bool engine_bigquery(
    const struct engine *engine, const char *location, const char *run_id,
    struct bigquery **out_bigquery, struct error *err);

#endif
