/* progress: the live state of one running pass, written by the pass as it goes and read by whoever
 * shows it (terminal, admin API). Every field is behind one mutex; readers copy a row out. */
#ifndef BQSYNC_SYNC_PASS_PROGRESS_H
#define BQSYNC_SYNC_PASS_PROGRESS_H

#include "base/error.h"
#include "sync/pass/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum progress_phase {
    PHASE_WAITING,
    PHASE_PREPARING, /* intents, target table */
    PHASE_READING,
    PHASE_SENDING,
    PHASE_RUNNING, /* a job in BigQuery */
    PHASE_DONE,
};

struct progress_row {
    enum progress_phase phase;
    int64_t rows_read;
    int64_t rows_expected; /* 0: not known */
    int64_t bytes_sent;
    struct table_result result; /* final once the phase is PHASE_DONE */
};

struct pass_progress {
    pthread_mutex_t mutex;
    char run_id[RUN_ID_SIZE];
    enum run_kind kind;
    int64_t started_us;
    struct progress_row *rows;
    size_t count;
    uint64_t version; /* one more with each change */
};

/* Embedded; no rows until progress_begin. */
void progress_init(struct pass_progress *progress);
void progress_clear(struct pass_progress *progress);

/* A pass starts: the result's tables become rows. A NULL progress is fine in all calls below. */
MUST_CHECK bool progress_begin(
    struct pass_progress *progress, const struct run_result *run, struct error *err);
void progress_phase(struct pass_progress *progress, size_t row, enum progress_phase phase);
void progress_rows(
    struct pass_progress *progress, size_t row, int64_t rows_read, int64_t rows_expected);
void progress_bytes(struct pass_progress *progress, size_t row, int64_t bytes_sent);
void progress_done(struct pass_progress *progress, size_t row, const struct table_result *result);

const char *progress_phase_name(enum progress_phase phase);

#endif
