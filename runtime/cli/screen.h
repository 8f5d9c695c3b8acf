/* screen: shows the progress of a running pass on a terminal, one line for each table in work. A
 * thread of its own redraws it a few times a second and removes it at the end. Draws nothing if
 * stderr is not a terminal. */
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

/* Starts drawing screen->progress; false, with nothing to stop, if stderr is not a terminal. */
bool screen_start(struct screen *screen);
void screen_stop(struct screen *screen);

#define SCREEN_BYTES_SIZE 16

/* "1.2 MB" in the caller's bytes; returns out. */
const char *screen_bytes(int64_t bytes, char out[SCREEN_BYTES_SIZE]);

#endif
