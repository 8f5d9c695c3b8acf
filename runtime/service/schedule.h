/* schedule: when the next pass of each kind is due. Incremental passes are aligned to the interval
 * (counted from 1970), a little later by a jitter that is the same for one deployment forever, so
 * that deployments do not all start at once; the full pass has a wall-clock time in a time zone.
 * Passes that were missed because the process was down, the machine was asleep or a pass took long
 * are caught up by one pass. Pure: time is an argument. */
#ifndef BQSYNC_SERVICE_SCHEDULE_H
#define BQSYNC_SERVICE_SCHEDULE_H

#include "base/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_NEVER INT64_MAX

/* SCHEDULE_FOLLOW: a pass that follows a commit (service/follow.h); it moves no time of these. */
enum schedule_job { SCHEDULE_NONE, SCHEDULE_INCREMENTAL, SCHEDULE_FULL, SCHEDULE_FOLLOW };

/* A duration as settings have it, "15m", in the caller's bytes; returns out. */
char *schedule_duration(int64_t ms, char *out, size_t size);

struct schedule_rules {
    int64_t interval_ms;     /* 0: no incremental passes */
    int daily_minute;        /* of the day, -1: no full passes */
    const struct zone *zone; /* borrowed; may be NULL if there are no full passes */
    uint64_t seed;           /* of the jitter */
};

struct schedule {
    struct schedule_rules rules;
    int64_t incremental_us; /* when it is due, wall clock; SCHEDULE_NEVER */
    int64_t full_us;
    /* The incremental pass of the start is still to come; no full one before it. */
    bool opening;
};

/* A seed from the texts that tell deployments apart (project, dataset, path). */
uint64_t schedule_seed(const char *const *texts, int count);

/* The first aligned time after an instant (wall clock, microseconds), SCHEDULE_NEVER if off. */
int64_t schedule_next_incremental(const struct schedule_rules *rules, int64_t after_us);

/* The first daily time after an instant, SCHEDULE_NEVER if off. */
int64_t schedule_next_full(const struct schedule_rules *rules, int64_t after_us);

/* The last daily time at or before an instant, INT64_MIN if off. */
int64_t schedule_last_full(const struct schedule_rules *rules, int64_t until_us);

/* At start: an incremental pass is due now (unless they are off); a full one too if one was missed
 * since full_since_us, the start of the last full pass or else of the first pass ever
 * (SCHEDULE_NEVER: there was none, so nothing was missed). */
void schedule_start(
    struct schedule *schedule, const struct schedule_rules *rules, int64_t now_us,
    int64_t full_since_us);

/* Uses other rules from now on. The next times are computed again; nothing becomes due by that. */
void schedule_change(struct schedule *schedule, const struct schedule_rules *rules, int64_t now_us);

/* Which pass is due. Changes nothing, except times that are too far ahead because the clock was set
 * back. A full pass comes before an incremental one, but not before the very first. */
enum schedule_job schedule_due(struct schedule *schedule, int64_t now_us);

/* A pass of that kind starts: its next time is the first one after now, however many were missed. A
 * full pass also does what an incremental one would have done. */
void schedule_took(struct schedule *schedule, enum schedule_job job, int64_t now_us);

/* A pass of that kind could not be run, or has left something out: try again after delay_ms, a day
 * at most, or at its next time if that is sooner. */
void schedule_retry(
    struct schedule *schedule, enum schedule_job job, int64_t now_us, int64_t delay_ms);

/* Milliseconds until something is due, 0 if something is; SCHEDULE_NEVER. */
int64_t schedule_wait_ms(const struct schedule *schedule, int64_t now_us);

#endif
