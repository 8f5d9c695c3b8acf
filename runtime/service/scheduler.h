/* scheduler: which pass runs when. Owns the one thread that runs passes, one at a time: those of
 * the schedule and those that are requested. Other threads post requests and read copies. */
#ifndef BQSYNC_SERVICE_SCHEDULER_H
#define BQSYNC_SERVICE_SCHEDULER_H

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "service/follow.h"
#include "service/schedule.h"
#include "sync/pass/pass.h"
#include "sync/pass/progress.h"
#include "sync/pass/result.h"
#include "sync/spending.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scheduler;

/* How a pass is run, who is notified of its end, and what it has left of the budget. These are
 * called on the scheduler's thread. */
struct scheduler_ops {
    void *context;
    /* As pass_run. */
    void (*run)(void *context, const struct pass_options *options, struct run_result *out_result);
    /* A pass has ended; may be NULL. postponed: a scheduled one that found the lock taken by
     * another process; it is not counted as a run. */
    void (*ended)(void *context, const struct run_result *run, bool postponed);
    /* When the first commit came that no pass has covered, monotonic, in milliseconds;
     * FOLLOW_NEVER: there is none. Any thread, never waits. NULL: nobody follows. */
    int64_t (*commit_since_ms)(void *context);
    /* What the day's budget leaves after a pass, if commits are followed; false if there is no
     * budget, or if it cannot be read. NULL: there is none. */
    bool (*budget)(void *context, struct spending *out_spending);
};

struct scheduler_options {
    struct scheduler_ops ops;
    const struct clock *clock;
    /* Interval, follow delay, daily time, zone, and the names that seed the jitter; borrowed for
     * the call. */
    const struct config *config;
    /* All that are synced; borrowed. */
    const struct table *const *tables;
    size_t table_count;
    int64_t full_since_us; /* as of schedule_start */
};

/* Computes the first times; nothing runs yet. Returns owned. ERROR_CONFIG for the time zone. */
MUST_CHECK bool scheduler_new(
    const struct scheduler_options *options, struct scheduler **out_scheduler, struct error *err);
/* Stops it if it runs. */
void scheduler_free(struct scheduler *scheduler);

/* Starts the thread. */
MUST_CHECK bool scheduler_start(struct scheduler *scheduler, struct error *err);
/* Takes no more requests and starts no more passes. A pass that runs is ended by clock_stop. */
void scheduler_stop(struct scheduler *scheduler);
/* Waits for the thread, at most timeout_ms; false if a pass still runs. */
bool scheduler_join(struct scheduler *scheduler, int64_t timeout_ms);

/* Another interval, follow delay, daily time or zone from now on; on failure the old ones stay. */
MUST_CHECK bool scheduler_reload(
    struct scheduler *scheduler, const struct config *config, struct error *err);

enum scheduler_answer {
    SCHEDULER_ACCEPTED, /* the run is queued */
    SCHEDULER_BUSY,     /* another one is queued or runs */
    SCHEDULER_STOPPING,
};

/* Asks for a pass at once. tables NULL: all (copied otherwise; the descriptors are static).
 * out_run_id: of the new run, or of the one in the way. */
enum scheduler_answer scheduler_request(
    struct scheduler *scheduler, enum run_kind kind, const struct table *const *tables,
    size_t table_count, char out_run_id[RUN_ID_SIZE]);

/* An incremental pass now, or right after the one that runs. */
void scheduler_sync_now(struct scheduler *scheduler);

/* A commit has come (ops.commit_since_ms says when): a pass follows it. */
void scheduler_committed(struct scheduler *scheduler);

/* The schedule as times and as text. */
struct scheduler_view {
    int64_t incremental_us; /* next times, SCHEDULE_NEVER: off */
    int64_t full_us;
    int64_t follow_us; /* SCHEDULE_NEVER also if no commit waits */
    /* Until then tables whose queries are billed are not followed; SCHEDULE_NEVER: they are. */
    int64_t slowed_until_us;
    char incremental_text[64]; /* "every 15m", "off" */
    char follow_text[64];      /* "2s after a commit", "" if off */
    char full_text[96];        /* "07:30 Asia/Kolkata", "off" */
};
void scheduler_view(struct scheduler *scheduler, struct scheduler_view *out_view);

/* The same for a process without a scheduler: what one with this configuration would do. */
MUST_CHECK bool scheduler_forecast(
    const struct config *config, int64_t now_us, struct scheduler_view *out_view,
    struct error *err);

/* The queued or running run with its progress, as GET .../runs/{id} shows it; NULL if there is
 * none. Returned owned. */
cJSON *scheduler_running(struct scheduler *scheduler);

/* The number of runs kept in memory; the state database has the records of more. */
#define SCHEDULER_RECENT_MAX 32

/* The latest runs of this process that have ended, newest first and at most limit, including those
 * that could not be recorded because they never got the lock. Returned owned, an array. */
cJSON *scheduler_recent(struct scheduler *scheduler, int limit);

/* Changes whenever the running run, its progress or the schedule does. */
uint64_t scheduler_version(struct scheduler *scheduler);

#endif
