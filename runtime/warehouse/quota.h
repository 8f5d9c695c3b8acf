/* quota: keeps one process inside BigQuery's quotas by waiting instead of being refused ("Quotas
 * and limits"): per table 5 metadata updates and 25 DML statements in 10 s, 2 mutating DML
 * statements at once, and in 24 hours 1,500 loads and copies, or 30,000 partitions that they
 * change. Also remembers, for all threads, how long an endpoint has had no good answer for anybody,
 * so that each of many tables does not find it out on its own, and which tables are so new that
 * BigQuery may not know them everywhere. Thread-safe; holds no lock while it waits. */
#ifndef BQSYNC_WAREHOUSE_QUOTA_H
#define BQSYNC_WAREHOUSE_QUOTA_H

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTA_METADATA_LIMIT 5  /* in QUOTA_WINDOW_MS, per table */
#define QUOTA_DML_LIMIT      25 /* likewise */
#define QUOTA_WINDOW_MS      10000
#define QUOTA_DML_AT_ONCE    2
#define QUOTA_DAILY_LIMIT    1500 /* loads and copies into a table */
/* The same for a table that is partitioned by a column: changed partitions. */
#define QUOTA_PARTITIONS_LIMIT 30000

enum quota_kind {
    QUOTA_METADATA, /* tables.insert and patch, DDL, loads */
    QUOTA_DML,      /* MERGE, INSERT, UPDATE, DELETE, scripts: a slot, see below */
};

struct quota;

/* Returns owned, NULL without memory. The clock is borrowed. */
struct quota *quota_new(const struct clock *clock);
void quota_free(struct quota *quota);

/* Waits until one more action of this kind fits, then counts it. QUOTA_DML takes one of the
 * table's slots, given back by quota_dml_done. ERROR_STOPPED when the wait is cut short. */
MUST_CHECK bool quota_enter(
    struct quota *quota, const char *table, enum quota_kind kind, struct error *err);
void quota_dml_done(struct quota *quota, const char *table);

/* A load or copy job: failed ones count too, so it is counted before it is sent. */
struct quota_load {
    int64_t modifications; /* one, or the partitions that it changes */
    int64_t limit;         /* QUOTA_DAILY_LIMIT or QUOTA_PARTITIONS_LIMIT */
};

/* Counts the load if it fits; ERROR_QUOTA tells when it will. */
MUST_CHECK bool quota_modify(
    struct quota *quota, const char *table, const struct quota_load *load, struct error *err);

/* What one table has used in one hour. BigQuery fills its daily quotas up again "at regular
 * intervals throughout the day" ("Quotas and limits"), so what counts is the use of the last 24
 * hours. An hour counts until 24 hours after its end: use is rather forgotten too late. */
struct quota_hour {
    int64_t hour; /* hours since 1970-01-01 00:00 UTC */
    int64_t modifications;
};
#define QUOTA_HOURS 25 /* the present one and those that count beside it */

/* The first hour that counts at a moment. */
int64_t quota_first_hour(int64_t wall_us);
/* What a table has used in the hours that count. */
int64_t quota_used(struct quota *quota, const char *table);
/* The hours of which that is the sum, those without use left out. Returns their number. */
size_t quota_hours(
    struct quota *quota, const char *table, struct quota_hour out[static QUOTA_HOURS]);
/* An hour that a process has saved: the table has seen at least as many. One that no longer counts
 * is ignored. */
void quota_restore(struct quota *quota, const char *table, struct quota_hour hour);
/* How many modifications a table will see in a day when it is synced every interval_ms with that
 * many loads or copies a pass: for `plan` and `status`. */
int64_t quota_forecast(int64_t interval_ms, int64_t modifications_a_pass);

/* BigQuery learns of a new table in one place before it does in all, so that a request right after
 * its creation may be told "not found" ("BigQuery error messages": retry). Such a table was made by
 * this process, less than a minute ago. */
void quota_note_created(struct quota *quota, const char *table);
bool quota_is_fresh(struct quota *quota, const char *table);
/* The same of any table that the text names: what a failed job says. */
bool quota_names_fresh(struct quota *quota, const char *text);

/* Trouble: from the first failure that deserves another try to the next good answer to anybody. One
 * budget covers all of it, or a pass over many tables would spend a budget on each of them. */

/* An answer that is worth something: trouble, if there was any, is over. */
void quota_answered_well(struct quota *quota);
/* A try failed. Returns how many milliseconds of the budget the trouble leaves. A failure that
 * comes later than a whole budget after the one before is the first of another trouble. */
int64_t quota_trouble_left(struct quota *quota, int64_t budget_ms);
/* Whether nobody had a good answer since then (monotonic). */
bool quota_is_silent_since(struct quota *quota, int64_t since_ms);
/* A new pass starts with the whole budget, whatever the one before it met with. */
void quota_forget_trouble(struct quota *quota);

/* An outage, for those who watch: no good answer has come to anybody since since_us. It is not over
 * when a pass gives up; the next pass goes on with it. */
struct quota_outage {
    unsigned
        attempts;     /* tries of one call that failed one after the other; 0: there is no outage */
    int64_t since_us; /* wall clock, of the first */
    char message[256]; /* of the latest */
};

/* The attempt-th try (from 1) of a call has failed, in a way that deserves another one. */
void quota_note_attempt(struct quota *quota, unsigned attempt, const char *message);
/* Calls watch, on any thread, when an outage begins, goes on or is over, and now if there is one.
 * It is called under a lock, so it may not call back. NULL: no more. */
void quota_watch(
    struct quota *quota, void (*watch)(void *context, const struct quota_outage *outage),
    void *context);
void quota_outage(struct quota *quota, struct quota_outage *out_outage);

/* The circuit of one endpoint. Open: nothing has answered for a whole budget, so calls fail at once
 * until a pause is over; then one caller may try with its full budget while the others still fail.
 */
bool quota_circuit_allows(struct quota *quota);
/* A call spent its whole budget without an answer, or a good one. Closed by the next good one. */
void quota_circuit_silent(struct quota *quota);

#endif
