/* ledger: the totals of all passes since the process started, for metrics, since when each table is
 * known to equal its source, and what verifications have found. Thread-safe; readers take a copy.
 */
#ifndef BQSYNC_SERVICE_LEDGER_H
#define BQSYNC_SERVICE_LEDGER_H

#include "base/error.h"
#include "source/tracking.h"
#include "sync/pass/result.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_KINDS   3 /* of enum run_kind */
#define LEDGER_BUCKETS 12
#define LEDGER_UNKNOWN (-1)

/* Upper bounds of the buckets of a run's duration, in seconds; the last one is infinite. */
extern const double ledger_bounds[LEDGER_BUCKETS - 1];

/* One table. Counts are since the process started. */
struct ledger_table {
    const struct table *table;
    int64_t rows_inserted;
    int64_t rows_updated;
    int64_t rows_deleted;
    int64_t rows_unfit;
    int64_t bytes_sent;
    int64_t bytes_billed;
    int64_t failures;
    /* Start of the last pass after which it equalled the source, 0: none known. */
    int64_t fresh_us;
    /* How much the last verification that could compare it found to differ, and when it had.
     * LEDGER_UNKNOWN: there was none, or the table has been replaced since. */
    int64_t differences;
    int64_t verified_us;
    /* Why the newest pass over it that is known here, one of this process, failed it, and when that
     * pass began; "": it did not, or what is recorded says as much. */
    char last_error[1024];
    int64_t failed_us;
};

/* One kind of run. */
struct ledger_kind {
    int64_t ok;
    int64_t failed;
    int64_t buckets[LEDGER_BUCKETS]; /* not cumulative */
    double seconds;                  /* sum of durations */
};

struct ledger {
    pthread_mutex_t mutex;
    struct ledger_table *tables;
    size_t count;
    struct ledger_kind kinds[LEDGER_KINDS];
    int64_t last_ok_us;        /* end of the last run that was ok, 0: none known */
    int64_t last_run_us;       /* end of the last run */
    bool last_ok;              /* whether that one was ok; true before any */
    struct traffic traffic;    /* of passes with BigQuery */
    int64_t postponed;         /* scheduled passes that found the lock taken */
    char seen_id[RUN_ID_SIZE]; /* the newest recorded run that was learned from */
};

MUST_CHECK bool ledger_init(
    struct ledger *ledger, const struct table *const *tables, size_t count, struct error *err);
void ledger_clear(struct ledger *ledger);

/* Learns from recorded runs since when tables are fresh and how the last run ended. Counters
 * stay at zero. idle: runs that are not recorded (past_runs_idle), or NULL. *out_full_since_us:
 * when the last full run started, or the oldest recorded one if none was full; INT64_MAX if nothing
 * is recorded. */
MUST_CHECK bool ledger_seed(
    struct ledger *ledger, struct tracking *tracking, const cJSON *idle, int64_t *out_full_since_us,
    struct error *err);

/* Tables are as fresh as the runs recorded since the last call (or ledger_seed) have left them,
 * whichever process ran them, and what was found in those that they replaced is forgotten.
 * newest_id: the newest recorded run, known to the caller; if it was learned from already, nothing
 * is read. tracking_path: the state database, which is opened to read. */
MUST_CHECK bool ledger_catch_up(
    struct ledger *ledger, const char *newest_id, const char *tracking_path, struct error *err);

/* As above, from runs that are not recorded (past_runs_idle). An array. */
void ledger_learn(struct ledger *ledger, const cJSON *runs);

/* A finished run. */
void ledger_add(struct ledger *ledger, const struct run_result *run);

/* A scheduled pass that could not start because another process holds the lock. */
void ledger_add_postponed(struct ledger *ledger);

/* A verification has compared the table and found so much to differ. */
void ledger_verified(
    struct ledger *ledger, const struct table *table, int64_t differences, int64_t now_us);

/* Why the table fails, "" if it does not: a pass whose failure could not be recorded counts, too.
 * recorded: as the state database has it. */
const char *ledger_last_error(const struct ledger_table *table, const char *recorded);

/* A copy that is read without the mutex; ledger_clear frees it. */
MUST_CHECK bool ledger_copy(struct ledger *ledger, struct ledger *out_copy, struct error *err);

#endif
