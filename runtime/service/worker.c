#include "service/worker.h"

#include <errno.h>
#include <string.h>
#include <time.h>

void worker_init(struct worker *worker)
{
    pthread_condattr_t attributes;

    *worker = (struct worker){.started = false};
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void worker_end(struct worker *worker)
{
    worker_stop(worker);
    if (worker->started && !worker->joined)
        pthread_join(worker->thread, NULL);
    worker->joined = worker->started;
}

void worker_clear(struct worker *worker)
{
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->mutex);
}

bool worker_start(
    struct worker *worker, void *(*work)(void *context), void *context, struct error *err)
{
    int reason = pthread_create(&worker->thread, NULL, work, context);

    if (reason != 0)
        return error_set(err, ERROR_MEMORY, "cannot start a thread: %s", strerror(reason));
    worker->started = true;
    return true;
}

void worker_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
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

bool worker_join(struct worker *worker, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    int waited = 0;

    if (!worker->started || worker->joined)
        return true;
    pthread_mutex_lock(&worker->mutex);
    while (!worker->ended && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&worker->changed, &worker->mutex, &until);
    bool ended = worker->ended;
    pthread_mutex_unlock(&worker->mutex);
    if (ended) {
        pthread_join(worker->thread, NULL);
        worker->joined = true;
    }
    return ended;
}

void worker_wait(struct worker *worker, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);

    pthread_cond_timedwait(&worker->changed, &worker->mutex, &until);
}

void worker_leave(struct worker *worker)
{
    worker->ended = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}
