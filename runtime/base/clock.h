/* clock: wall and monotonic time and sleeping, behind a struct of functions so that tests own time.
 */
#ifndef BQSYNC_BASE_CLOCK_H
#define BQSYNC_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
    void *context;
    /* Microseconds since 1970-01-01 UTC; may jump. */
    int64_t (*wall_us)(void *context);
    /* Milliseconds since some start; never goes back. */
    int64_t (*monotonic_ms)(void *context);
    /* Sleeps for that time, or until clock_stop; false if clock_stop cut it short. */
    bool (*sleep_ms)(void *context, int64_t ms);
};

/* The real clock of this machine; a static object. */
const struct clock *clock_system(void);

/* Ends the sleeps of the system clock now and for good, and makes clock_stopped true.
 * Async-signal-safe; called by the signal handler that ends the process in order. */
void clock_stop(void);
bool clock_stopped(void);

/* Microseconds of a day of wall time. */
#define CLOCK_DAY_US INT64_C(86400000000)

/* How long ago a wall time was, in microseconds. 0 if it lies ahead, because the clock was ahead
 * when it was read and has been put right since: no age and no duration is negative. */
int64_t clock_since_us(int64_t then_us, int64_t now_us);

#define CLOCK_TEXT_SIZE 32

/* "2026-01-02T03:04:05.678Z", cut to milliseconds, in the caller's CLOCK_TEXT_SIZE bytes; returns
 * out. */
char *clock_format(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

#endif
