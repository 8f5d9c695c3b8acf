/* background: a thread that a module of the service (scheduler, verifier, error_reporter) owns,
 * with the mutex and the condition that it shares with the threads that post requests. Starts it,
 * stops it, and waits for its end for a limited time. */
#ifndef BQSYNC_SERVICE_BACKGROUND_H
#define BQSYNC_SERVICE_BACKGROUND_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct background {
    /* Protects the members below and what the owner shares with the thread. */
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* broadcast after each change of these */
    pthread_t thread;
    bool started;
    bool joined;
    bool ended;
    bool stopping; /* the thread should end; it has to check this itself */
};

void background_init(struct background *background);
/* Stops the thread and waits for its end, however long, if it was started. */
void background_end(struct background *background);
/* After background_end. */
void background_clear(struct background *background);

MUST_CHECK bool background_start(
    struct background *background, void *(*work)(void *context), void *context, struct error *err);
void background_stop(struct background *background);
/* Waits for the thread's end, at most timeout_ms; false if it still works. */
bool background_join(struct background *background, int64_t timeout_ms);

/* Called by the thread, which holds the mutex: waits for a change, at most timeout_ms on the
 * monotonic clock. */
void background_wait(struct background *background, int64_t timeout_ms);
/* Called by the thread as its last step. It holds the mutex, which is released. */
void background_leave(struct background *background);

#endif
