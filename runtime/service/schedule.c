#include "service/schedule.h"

#include "base/clock.h"
#include "base/fnv.h"

#include <stdio.h>

#define US_PER_S INT64_C(1000000)

/* Jitter is at most a twentieth of the interval. */
#define JITTER_PART 20

/* A day has up to 25 hours, and a zone may skip or repeat a day. A daily time further ahead than
 * this was computed before the clock was set back. */
#define FULL_AHEAD_MAX_US (3 * CLOCK_DAY_US / 2)

static int64_t divide_down(int64_t value, int64_t by)
{
    int64_t quotient = value / by;

    return quotient - (value % by < 0 ? 1 : 0);
}

char *schedule_duration(int64_t ms, char *out, size_t size)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    while (ms % units[i].ms != 0)
        i++;
    snprintf(out, size, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
    return out;
}

uint64_t schedule_seed(const char *const *texts, int count)
{
    uint64_t hash = FNV_OFFSET;

    for (int i = 0; i < count; i++)
        hash = fnv_add_text(hash, texts[i] == NULL ? "" : texts[i]);
    return hash;
}

static int64_t jitter_us(const struct schedule_rules *rules)
{
    int64_t most = rules->interval_ms * 1000 / JITTER_PART;

    return most <= 0 ? 0 : (int64_t)((rules->seed >> 8) % (uint64_t)most);
}

int64_t schedule_next_incremental(const struct schedule_rules *rules, int64_t after_us)
{
    if (rules->interval_ms <= 0)
        return SCHEDULE_NEVER;
    int64_t interval_us = rules->interval_ms * 1000;
    int64_t jitter = jitter_us(rules);
    int64_t slot = divide_down(after_us - jitter, interval_us) + 1;

    return slot * interval_us + jitter;
}

/* The daily time of a day, counted from 1970-01-01 in the zone's own calendar. */
static int64_t full_on(const struct schedule_rules *rules, int64_t day)
{
    return zone_to_utc(rules->zone, day * 86400 + rules->daily_minute * 60) * US_PER_S;
}

static int64_t local_day(const struct schedule_rules *rules, int64_t us)
{
    int64_t utc_s = divide_down(us, US_PER_S);

    return divide_down(utc_s + zone_offset(rules->zone, utc_s), 86400);
}

int64_t schedule_next_full(const struct schedule_rules *rules, int64_t after_us)
{
    if (rules->daily_minute < 0)
        return SCHEDULE_NEVER;
    // Starts from the day before, because the time of a skipped day is the start of the next one.
    int64_t day = local_day(rules, after_us) - 1;
    int64_t next = full_on(rules, day);

    while (next <= after_us)
        next = full_on(rules, ++day);
    return next;
}

int64_t schedule_last_full(const struct schedule_rules *rules, int64_t until_us)
{
    if (rules->daily_minute < 0)
        return INT64_MIN;
    int64_t day = local_day(rules, until_us) + 1;
    int64_t last = full_on(rules, day);

    while (last > until_us)
        last = full_on(rules, --day);
    return last;
}

void schedule_start(
    struct schedule *schedule, const struct schedule_rules *rules, int64_t now_us,
    int64_t full_since_us)
{
    schedule_change(schedule, rules, now_us);
    if (rules->interval_ms > 0) {
        schedule->incremental_us = now_us;
        // It also runs before a missed full pass, because it is cheaper and shows problems sooner.
        schedule->opening = true;
    }
    if (full_since_us != SCHEDULE_NEVER && full_since_us < schedule_last_full(rules, now_us))
        schedule->full_us = now_us;
}

void schedule_change(struct schedule *schedule, const struct schedule_rules *rules, int64_t now_us)
{
    schedule->rules = *rules;
    schedule->opening = false;
    schedule->incremental_us = schedule_next_incremental(rules, now_us);
    schedule->full_us = schedule_next_full(rules, now_us);
}

/* A time that is further ahead than the rules allow was computed before the clock was set back, so
 * it is computed again. A clock that is set back by a few hours does not repeat this morning's full
 * pass. While the interval is off, an incremental pass is due only because one is tried again,
 * which is at most a day ahead (schedule_retry). */
static void fix_jump(struct schedule *schedule, int64_t now_us)
{
    const struct schedule_rules *rules = &schedule->rules;
    bool off = rules->interval_ms <= 0;
    int64_t ahead_us = off ? CLOCK_DAY_US : rules->interval_ms * 1000 + jitter_us(rules);

    if (schedule->incremental_us != SCHEDULE_NEVER && schedule->incremental_us - now_us > ahead_us)
        schedule->incremental_us = off ? now_us : schedule_next_incremental(rules, now_us);
    if (schedule->full_us != SCHEDULE_NEVER && schedule->full_us - now_us > FULL_AHEAD_MAX_US)
        schedule->full_us = schedule_next_full(rules, now_us);
}

enum schedule_job schedule_due(struct schedule *schedule, int64_t now_us)
{
    fix_jump(schedule, now_us);
    if (schedule->full_us <= now_us && !schedule->opening)
        return SCHEDULE_FULL;
    if (schedule->incremental_us <= now_us)
        return SCHEDULE_INCREMENTAL;
    return SCHEDULE_NONE;
}

void schedule_took(struct schedule *schedule, enum schedule_job job, int64_t now_us)
{
    if (job == SCHEDULE_FULL)
        schedule->full_us = schedule_next_full(&schedule->rules, now_us);
    if (job == SCHEDULE_NONE || job == SCHEDULE_FOLLOW)
        return;
    schedule->opening = false;
    schedule->incremental_us = schedule_next_incremental(&schedule->rules, now_us);
}

void schedule_retry(
    struct schedule *schedule, enum schedule_job job, int64_t now_us, int64_t delay_ms)
{
    int64_t *due_us = job == SCHEDULE_FULL ? &schedule->full_us : &schedule->incremental_us;
    int64_t retry_us = now_us + delay_ms * 1000;

    if (job != SCHEDULE_NONE && job != SCHEDULE_FOLLOW && retry_us < *due_us)
        *due_us = retry_us;
}

int64_t schedule_wait_ms(const struct schedule *schedule, int64_t now_us)
{
    int64_t due_us =
        schedule->full_us < schedule->incremental_us ? schedule->full_us : schedule->incremental_us;

    if (due_us == SCHEDULE_NEVER)
        return SCHEDULE_NEVER;
    return due_us <= now_us ? 0 : (due_us - now_us + 999) / 1000;
}
