/* manual_clock: a clock that moves only when somebody sleeps on it, so that tests of hours end at
 * once. One thread. */
#ifndef TESTS_SUPPORT_MANUAL_CLOCK_H
#define TESTS_SUPPORT_MANUAL_CLOCK_H

#include "base/clock.h"

/* 2026-01-02T03:04:05Z */
#define MANUAL_CLOCK_START_S 1767323045

#define MANUAL_CLOCK_SLEEPS 4096

struct manual_clock {
    struct clock clock;
    int64_t ms;
    int64_t sleeps[MANUAL_CLOCK_SLEEPS];
    size_t sleep_count;
    int64_t stop_at_ms; /* a sleep that reaches it is cut short; 0: never */
};

static inline int64_t manual_clock_wall_us(void *context)
{
    struct manual_clock *manual = context;

    return ((int64_t)MANUAL_CLOCK_START_S * 1000 + manual->ms) * 1000;
}

static inline int64_t manual_clock_monotonic_ms(void *context)
{
    struct manual_clock *manual = context;

    return manual->ms;
}

static inline bool manual_clock_sleep_ms(void *context, int64_t ms)
{
    struct manual_clock *manual = context;

    if (manual->stop_at_ms != 0 && manual->ms + ms >= manual->stop_at_ms) {
        manual->ms = manual->stop_at_ms;
        return false;
    }
    if (manual->sleep_count < MANUAL_CLOCK_SLEEPS)
        manual->sleeps[manual->sleep_count++] = ms;
    manual->ms += ms;
    return true;
}

static inline void manual_clock_init(struct manual_clock *manual)
{
    *manual = (struct manual_clock){
        .clock = {
            .context = manual,
            .wall_us = manual_clock_wall_us,
            .monotonic_ms = manual_clock_monotonic_ms,
            .sleep_ms = manual_clock_sleep_ms,
        }};
}

#endif
