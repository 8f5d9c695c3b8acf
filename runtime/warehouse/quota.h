/* governor: keeps one process inside BigQuery's quotas by waiting instead of being refused ("Quotas
 * and limits"): per table 5 metadata updates and 25 DML statements in 10 s, 2 mutating DML
 * statements at once, 1,500 load, copy and append jobs a day. Also remembers, for all threads, how
 * long an endpoint has had no good answer for anybody, so that each of many tables does not find it
 * out on its own, and which tables are so new that BigQuery may not know them everywhere.
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
/* The day of a moment, and the moment when it ends. */
int64_t governor_day(int64_t wall_us);
int64_t governor_day_end_us(int64_t day);
/* A count that a process has saved: the table has seen at least as many. One of another day is
 * ignored. */
void governor_restore(struct governor *governor, const char *table, struct governor_use use);
/* Every table with modifications today; the visit must not call the governor. */
void governor_visit(
    struct governor *governor,
    void (*visit)(void *context, const char *table, struct governor_use use), void *context);
/* How many modifications a table will see in a day when it is synced every interval_ms with so many
 * loads or copies a pass: for `plan` and `status`. */
int64_t governor_forecast(int64_t interval_ms, int64_t modifications_a_pass);

/* BigQuery learns of a new table in one place before it does in all, so that a request right after
 * its creation may be told "not found" ("BigQuery error messages": retry). Such a table was made by
 * this process, less than a minute ago. */
void governor_note_created(struct governor *governor, const char *table);
bool governor_is_fresh(struct governor *governor, const char *table);
/* The same of any table that the text names: what a failed job says. */
bool governor_names_fresh(struct governor *governor, const char *text);

/* Trouble: from the first failure that deserves another try to the next good answer to anybody. One
 * budget covers all of it, or a pass over many tables would spend a budget on each of them. */

/* An answer that is worth something: trouble, if there was any, is over. */
void governor_answered_well(struct governor *governor);
/* A try failed. Returns how many milliseconds of the budget the trouble leaves. A failure that
 * comes later than a whole budget after the one before is the first of another trouble. */
int64_t governor_trouble_left(struct governor *governor, int64_t budget_ms);
/* Whether nobody had a good answer since then (monotonic). */
bool governor_is_silent_since(struct governor *governor, int64_t since_ms);
/* A new pass starts with the whole budget, whatever the one before it met with. */
void governor_forget_trouble(struct governor *governor);

/* The circuit of one endpoint. Open: nothing has answered for a whole budget, so calls fail at once
 * until a pause is over; then one caller may try with its full budget while the others still fail.
 */
bool governor_circuit_allows(struct governor *governor);
/* A call spent its whole budget without an answer, or a good one. Closed by the next good one. */
void governor_circuit_silent(struct governor *governor);

#endif
