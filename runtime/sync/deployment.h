/* deployment: what all passes and reports of a process share: the configuration, the tables that
 * are compiled in, credentials, the count of quotas, and the clock. Made once, at the start of the
 * process; its parts are thread-safe or never change, so any thread may use it. */
#ifndef BQSYNC_SYNC_DEPLOYMENT_H
#define BQSYNC_SYNC_DEPLOYMENT_H

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "warehouse/bigquery.h"
#include "warehouse/credentials.h"

#include <stddef.h>
#include <stdint.h>

struct deployment {
    /* Borrowed. */
    const struct config *config;
    const struct table *const *tables;
    size_t table_count;
    /* Owned. NULL when an emulator stands in for BigQuery. */
    struct credentials *credentials;
    /* Owned: what all connections have used of BigQuery's quotas. */
    struct quota *quota;
    /* Owned: how fast all connections send. NULL: nobody measures. */
    struct link *link;
    const struct clock *clock;
    /* Borrowed; NULL: nobody watches the source for commits. */
    struct commits *commits;
    /* Borrowed; NULL: each change of a table raises its label. */
    struct series *series;
    /* Borrowed; NULL: each pass reads what it scans. */
    struct scan_memory *scans;
    /* Borrowed; NULL: libcurl. */
    const struct http_ops *http;
    /* How long one call of BigQuery may be tried again. */
    int64_t retry_budget_ms;
};

/* Borrows config and tables until deployment_clear. Finds credentials unless an emulator is
 * configured: ERROR_AUTH. default_retry_budget_ms is for a config that sets none. */
MUST_CHECK bool deployment_init(
    struct deployment *deployment, const struct config *config, const struct table *const *tables,
    size_t table_count, int64_t default_retry_budget_ms, struct error *err);
void deployment_clear(struct deployment *deployment);

/* A pass begins with the whole retry budget, however much of it an earlier one has used up. */
void deployment_begin_pass(const struct deployment *deployment);

/* The state database, for connections that write it. Where it is the source, their commits are told
 * from the application's. */
struct database_place deployment_state(const struct deployment *deployment);

/* The compiled-in table of this name, or NULL. */
const struct table *deployment_table(const struct deployment *deployment, const char *name);

/* A connection to BigQuery for the calling thread, owned. location: where the dataset is, NULL if
 * not known yet. run_id: for the labels of jobs, NULL if there is none. */
MUST_CHECK bool deployment_bigquery(
    const struct deployment *deployment, const char *location, const char *run_id,
    struct bigquery **out_bigquery, struct error *err);

/* A dataset that need not be the configured one, and where it is. */
struct deployment_place {
    const char *project;
    const char *dataset;
    const char *location; /* NULL if not known yet */
};

/* The same for another dataset, with the same credentials. */
MUST_CHECK bool deployment_bigquery_at(
    const struct deployment *deployment, const struct deployment_place *place, const char *run_id,
    struct bigquery **out_bigquery, struct error *err);

#endif
