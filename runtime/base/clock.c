#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* How often a sleep looks whether it should end: the longest that a stop has to wait for it. */
#define SLEEP_SLICE_MS 50

/* Written by a signal handler, read by every thread: a lock-free atomic is safe for both. */
static atomic_int stopped;

void clock_stop(void)
{
    stopped = 1;
}

bool clock_stopped(void)
{
    return stopped != 0;
}

static int64_t system_wall_us(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_monotonic_ms(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool system_sleep_ms(void *context, int64_t ms)
{
    int64_t end = system_monotonic_ms(context) + ms;

    for (;;) {
        if (clock_stopped())
            return false;
        int64_t left = end - system_monotonic_ms(context);
        if (left <= 0)
            return true;
        if (left > SLEEP_SLICE_MS)
            left = SLEEP_SLICE_MS;
        struct timespec pause = {.tv_nsec = (long)(left * 1000000)};
        nanosleep(&pause, NULL);
    }
}

const struct clock *clock_system(void)
{
    static const struct clock system = {
        .wall_us = system_wall_us,
        .monotonic_ms = system_monotonic_ms,
        .sleep_ms = system_sleep_ms,
    };
    return &system;
}

int64_t clock_since_us(int64_t then_us, int64_t now_us)
{
    return then_us < now_us ? now_us - then_us : 0;
}

char *clock_format(int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
    int64_t ms = wall_us / 1000;
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    size_t length = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + length, CLOCK_TEXT_SIZE - length, ".%03dZ", (int)(ms % 1000));
    return out;
}
