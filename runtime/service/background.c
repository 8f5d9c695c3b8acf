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
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
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

bool background_join(struct background *background, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    int waited = 0;

    if (!background->started || background->joined)
        return true;
    pthread_mutex_lock(&background->mutex);
    while (!background->ended && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&background->changed, &background->mutex, &until);
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

    pthread_cond_timedwait(&background->changed, &background->mutex, &until);
}

void background_leave(struct background *background)
{
    background->ended = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
}
