/* background: the one thread that a part of the service owns, with the mutex and the condition it
 * shares with those that ask it for something, from its start to an end that is waited for but not
 * for ever. */
#ifndef BQSYNC_SERVICE_BACKGROUND_H
#define BQSYNC_SERVICE_BACKGROUND_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct background {
    pthread_mutex_t mutex;  /* of what follows, and of what its owner shares with it */
    pthread_cond_t changed; /* broadcast when any of that changes */
    pthread_t thread;
    bool started;
    bool joined;
    bool ended;
    bool stopping; /* it is to end; the thread looks by itself */
};

void background_init(struct background *background);
/* Stops the thread and waits for its end, however long, if it was started. */
void background_end(struct background *background);
/* After background_end. */
void background_clear(struct background *background);

MUST_CHECK bool background_start(
    struct background *background, void *(*work)(void *context), void *context, struct error *err);
void background_stop(struct background *background);
/* Waits for the end, at most so long; false if the thread still works. */
bool background_join(struct background *background, int64_t timeout_ms);

/* For the thread, with the mutex held: waits for a change, at most so long, whatever happens to the
 * wall clock. */
void background_wait(struct background *background, int64_t timeout_ms);
/* The thread's last act; releases the mutex, which it holds. */
void background_leave(struct background *background);

#endif
