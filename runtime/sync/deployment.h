/* deployment: everything a pass or a report needs that outlives it: configuration, the tables
 * compiled in, credentials, the quotas, the clock. Made once a process; its parts are
 * thread-safe or immutable. */
#ifndef BQSYNC_SYNC_DEPLOYMENT_H
#define BQSYNC_SYNC_DEPLOYMENT_H

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "warehouse/bigquery.h"
#include "warehouse/credentials.h"

#include <stddef.h>
#include <stdint.h>

struct deployment {
    const struct config *config;
    const struct table *const *tables;
    size_t table_count;
    struct credentials *credentials; /* NULL when an emulator stands in */
    struct quota *quota;
    const struct clock *clock;
    int64_t retry_budget_ms;
};

/* Borrows config and tables. Finds credentials unless an emulator is configured: ERROR_AUTH. */
MUST_CHECK bool deployment_init(
    struct deployment *deployment, const struct config *config, const struct table *const *tables,
    size_t table_count, int64_t default_retry_budget_ms, struct error *err);
void deployment_clear(struct deployment *deployment);

/* A pass starts with the whole retry budget, whatever an earlier one has met with. */
void deployment_begin_pass(const struct deployment *deployment);

/* The compiled-in table of this name, or NULL. */
const struct table *deployment_table(const struct deployment *deployment, const char *name);

/* A connection to BigQuery for the calling thread; location and run_id may be NULL. */
MUST_CHECK bool deployment_bigquery(
    const struct deployment *deployment, const char *location, const char *run_id,
    struct bigquery **out_bigquery, struct error *err);

#endif
