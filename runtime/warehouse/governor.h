/* governor: keeps one process inside BigQuery's quotas by waiting instead of being refused ("Quotas
 * and limits"): per table 5 metadata updates and 25 DML statements in 10 s, 2 mutating DML
 * statements at once, 1,500 load, copy and append jobs a day. Also remembers, for all threads, that
 * an endpoint has stopped answering, so that each of many tables does not find it out on its own.
 * Thread-safe; holds no lock while it waits. */
#ifndef BQSYNC_WAREHOUSE_GOVERNOR_H
#define BQSYNC_WAREHOUSE_GOVERNOR_H

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define GOVERNOR_METADATA_LIMIT      5  /* in GOVERNOR_WINDOW_MS, per table */
#define GOVERNOR_DML_LIMIT           25 /* likewise */
#define GOVERNOR_WINDOW_MS           10000
#define GOVERNOR_DML_AT_ONCE         2
#define GOVERNOR_MODIFICATIONS_A_DAY 1500

enum governor_kind {
    GOVERNOR_METADATA,     /* tables.insert and patch, DDL */
    GOVERNOR_DML,          /* MERGE, INSERT, UPDATE, DELETE, scripts: a slot, see below */
    GOVERNOR_MODIFICATION, /* a load or copy job into the table */
};

struct governor;

/* Returns owned, NULL without memory. The clock is borrowed. */
struct governor *governor_new(const struct clock *clock);
void governor_free(struct governor *governor);

/* Waits until one more action of this kind fits, then counts it. GOVERNOR_DML takes one of the
 * table's slots, given back by governor_dml_done. ERROR_QUOTA when the day's modifications are used
 * up (only the next day helps), ERROR_STOPPED when the wait is cut short. */
MUST_CHECK bool governor_enter(
    struct governor *governor, const char *table, enum governor_kind kind, struct error *err);
void governor_dml_done(struct governor *governor, const char *table);

/* What one table has used today; BigQuery's day is the calendar day in Pacific time. */
struct governor_use {
    int64_t day; /* days since 1970-01-01 of that calendar */
    int64_t modifications;
};
struct governor_use governor_use(struct governor *governor, const char *table);
/* Puts a count back that was saved by an earlier process; one of another day is ignored. */
void governor_restore(struct governor *governor, const char *table, struct governor_use use);
/* Every table with modifications today; the visit must not call the governor. */
void governor_visit(
    struct governor *governor,
    void (*visit)(void *context, const char *table, struct governor_use use), void *context);
/* How many modifications a table will see in a day when it is synced every interval_ms with so many
 * loads or copies a pass: for `plan` and `status`. */
int64_t governor_forecast(int64_t interval_ms, int64_t modifications_a_pass);

/* The circuit of one endpoint. Open: nothing has answered for a whole budget, so calls fail at once
 * until a pause is over; then one caller may try with its full budget while the others still fail.
 */
bool governor_circuit_allows(struct governor *governor);
/* An answer of any kind closes it. */
void governor_circuit_answered(struct governor *governor);
/* A call spent its whole budget without an answer. */
void governor_circuit_silent(struct governor *governor);

#endif
