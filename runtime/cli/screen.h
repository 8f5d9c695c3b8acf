/* screen: the progress of a running pass on a terminal: one line a table that is being worked on,
 * redrawn a few times a second from the progress by a thread of its own, and gone when the pass is
 * done. Nothing is drawn where stderr is no terminal. */
#ifndef BQSYNC_CLI_SCREEN_H
#define BQSYNC_CLI_SCREEN_H

#include "sync/pass/progress.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct screen {
    struct pass_progress progress;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
    size_t lines; /* drawn last */
};

/* Starts drawing screen->progress; false (nothing to stop) where there is no terminal. */
bool screen_start(struct screen *screen);
void screen_stop(struct screen *screen);

#define SCREEN_BYTES_SIZE 16

/* "1.2 MB" in the caller's bytes; returns out. */
const char *screen_bytes(int64_t bytes, char out[SCREEN_BYTES_SIZE]);

#endif
