/* follow: when a pass follows a commit of the application (BQ_SYNC_FOLLOW), and over which tables.
 *
 * The first commit that no pass has covered starts the delay, so a stream of commits is synced once
 * in each delay. After a pass that failed, commits wait. A table that failed is left out until a
 * pass over all tables has tried it again. While the day's budget runs out, tables whose queries
 * are billed are left out for as long as the bytes of the last pass last (spending_lasts_ms); the
 * others are followed as before. Pure: times are arguments. */
#ifndef BQSYNC_SERVICE_FOLLOW_H
#define BQSYNC_SERVICE_FOLLOW_H

#include "base/error.h"
#include "sync/pass/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLLOW_NEVER INT64_MAX

struct follow_table {
    const struct table *table;
    bool failed; /* its last sync failed */
    bool bills;  /* its last sync that sent anything was billed, or found the budget used up */
};

struct follow {
    int64_t delay_ms; /* 0: off */
    /* All tables of a pass are billed and change at one moment (BQ_SYNC_ATOMIC=1), so they are
     * slowed down together. */
    bool together;
    /* After a pass that failed, commits wait until then; monotonic. */
    int64_t held_until_ms;
    /* Between these moments (wall clock) tables that bill are left out. */
    int64_t slowed_from_us;
    int64_t slowed_until_us;
    struct follow_table *tables; /* owned; all that are synced */
    size_t count;
};

struct follow_now {
    int64_t wall_us;
    int64_t monotonic_ms;
};

/* Follows nothing yet: delay_ms and together are the caller's to set. The descriptors are borrowed.
 */
MUST_CHECK bool follow_init(
    struct follow *follow, const struct table *const *tables, size_t count, struct error *err);
/* A zeroed struct is fine. */
void follow_clear(struct follow *follow);

/* Milliseconds until the pass is due that follows a commit of since_ms (monotonic; FOLLOW_NEVER:
 * there is none), 0 if it is due; FOLLOW_NEVER. If all tables that could be followed are slowed
 * down, it waits for them. */
int64_t follow_wait_ms(const struct follow *follow, int64_t since_ms, struct follow_now now);

/* The tables of a pass that follows a commit, into an array for all of them; returns their number,
 * 0 if all have failed. */
size_t follow_pick(const struct follow *follow, int64_t now_us, const struct table **out_tables);

/* No pass follows for that long. */
void follow_hold(struct follow *follow, int64_t now_ms, int64_t for_ms);

/* Tables that bill are left out for that long, or as long as they were to be anyway. */
void follow_slow_down(struct follow *follow, int64_t now_us, int64_t for_ms);
bool follow_is_slowed(const struct follow *follow, int64_t now_us);

/* What a pass did with its tables. over: the day's budget is used up, so a table that failed for
 * that waits for the next day, which is no failure here. */
struct follow_seen {
    bool failed; /* some table has failed */
    bool waits;  /* some table waits for the next day */
};
struct follow_seen follow_note(struct follow *follow, const struct run_result *result, bool over);
/* Whether any table has failed in the last pass that had it. */
bool follow_has_failed(const struct follow *follow);

/* "2s after a commit", "" if off. */
void follow_text(int64_t delay_ms, char *out, size_t size);

#endif
