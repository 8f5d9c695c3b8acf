#include "service/background.h"

#include <errno.h>
#include <string.h>
#include <time.h>

void background_init(struct background *background)
{
    pthread_condattr_t attributes;

    *background = (struct background){.started = false};
    pthread_mutex_init(&background->mutex, NULL);
    pthread_condattr_init(&attributes);
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    pthread_cond_init(&background->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void background_end(struct background *background)
{
    background_stop(background);
    if (background->started && !background->joined)
        pthread_join(background->thread, NULL);
    background->joined = background->started;
}

void background_clear(struct background *background)
{
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
}

bool background_start(
    struct background *background, void *(*work)(void *context), void *context, struct error *err)
{
    int reason = pthread_create(&background->thread, NULL, work, context);

    if (reason != 0)
        return error_set(err, ERROR_MEMORY, "cannot start a thread: %s", strerror(reason));
    background->started = true;
    return true;
}

void background_stop(struct background *background)
{
    pthread_mutex_lock(&background->mutex);
    background->stopping = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
}

static struct timespec deadline_in(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* macOS gives conditions no clock but the wall's, and has a wait for a while instead. */
static int wait_until(struct background *background, const struct timespec *until)
{
#ifdef __APPLE__
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec left = {
        .tv_sec = until->tv_sec - now.tv_sec, .tv_nsec = until->tv_nsec - now.tv_nsec};
    if (left.tv_nsec < 0) {
        left.tv_sec--;
        left.tv_nsec += 1000000000;
    }
    if (left.tv_sec < 0)
        return ETIMEDOUT;
    return pthread_cond_timedwait_relative_np(&background->changed, &background->mutex, &left);
#else
    return pthread_cond_timedwait(&background->changed, &background->mutex, until);
#endif
}

bool background_join(struct background *background, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    int waited = 0;

    if (!background->started || background->joined)
        return true;
    pthread_mutex_lock(&background->mutex);
    while (!background->ended && waited != ETIMEDOUT)
        waited = wait_until(background, &until);
    bool ended = background->ended;
    pthread_mutex_unlock(&background->mutex);
    if (ended) {
        pthread_join(background->thread, NULL);
        background->joined = true;
    }
    return ended;
}

void background_wait(struct background *background, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);

    wait_until(background, &until);
}

void background_leave(struct background *background)
{
    background->ended = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
}
