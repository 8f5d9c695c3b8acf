/* progress: the live state of one running pass, written by its threads and read by those that show
 * it (the terminal, the admin API). Every field is behind one mutex; readers copy a row out. */
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
    PHASE_PREPARING, /* its target is created or brought in line */
    PHASE_READING,
    PHASE_SENDING,
    PHASE_RUNNING, /* a job in BigQuery is waited for */
    PHASE_DONE,
};

/* One table of the pass. */
struct progress_row {
    enum progress_phase phase;
    int64_t rows_read;
    /* An estimate until all rows are read. 0: not known. */
    int64_t rows_expected;
    int64_t bytes_sent;
    /* Final once the phase is PHASE_DONE. */
    struct table_result result;
};

struct pass_progress {
    pthread_mutex_t mutex;
    char run_id[RUN_ID_SIZE];
    enum run_kind kind;
    int64_t started_us;
    /* In the order of the result's tables. */
    struct progress_row *rows;
    size_t count;
    /* One more with each change, so that a reader can tell whether anything is new. */
    uint64_t version;
};

/* Embedded; no rows until progress_begin. */
void progress_init(struct pass_progress *progress);
/* Nobody may read or write it any more. */
void progress_clear(struct pass_progress *progress);

/* A pass starts: the result's tables become rows. In this and the calls below, progress may be
 * NULL: nobody watches. ERROR_MEMORY. */
MUST_CHECK bool progress_begin(
    struct pass_progress *progress, const struct run_result *run, struct error *err);
/* row: the table's index in the result. */
void progress_phase(struct pass_progress *progress, size_t row, enum progress_phase phase);
void progress_rows(
    struct pass_progress *progress, size_t row, int64_t rows_read, int64_t rows_expected);
void progress_bytes(struct pass_progress *progress, size_t row, int64_t bytes_sent);
void progress_done(struct pass_progress *progress, size_t row, const struct table_result *result);

/* "waiting", "preparing" ..., as the admin API shows it; static. */
const char *progress_phase_name(enum progress_phase phase);

#endif
