/* worker: the one thread that a part of the service owns, with the mutex and the condition it
 * shares with those that ask it for something, from its start to an end that is waited for but not
 * for ever. */
#ifndef BQSYNC_SERVICE_WORKER_H
#define BQSYNC_SERVICE_WORKER_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct worker {
    pthread_mutex_t mutex;  /* of what follows, and of what its owner shares with it */
    pthread_cond_t changed; /* broadcast when any of that changes */
    pthread_t thread;
    bool started;
    bool joined;
    bool ended;
    bool stopping; /* it is to end; the thread looks by itself */
};

void worker_init(struct worker *worker);
/* Stops the thread and waits for its end, however long, if it was started. */
void worker_end(struct worker *worker);
/* After worker_end. */
void worker_clear(struct worker *worker);

MUST_CHECK bool worker_start(
    struct worker *worker, void *(*work)(void *context), void *context, struct error *err);
void worker_stop(struct worker *worker);
/* Waits for the end, at most so long; false if the thread still works. */
bool worker_join(struct worker *worker, int64_t timeout_ms);

/* For the thread, with the mutex held: waits for a change, at most so long, whatever happens to the
 * wall clock. */
void worker_wait(struct worker *worker, int64_t timeout_ms);
/* The thread's last act; releases the mutex, which it holds. */
void worker_leave(struct worker *worker);

#endif
