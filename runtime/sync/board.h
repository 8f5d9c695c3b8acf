/* board: the live state of one running pass, written by the pass as it goes and read by whoever
 * shows it (terminal, admin API). Every field is behind one mutex; readers copy a row out. */
#ifndef BQSYNC_SYNC_BOARD_H
#define BQSYNC_SYNC_BOARD_H

#include "base/error.h"
#include "sync/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum board_phase {
    BOARD_WAITING,
    BOARD_PREPARING, /* intents, target table */
    BOARD_READING,
    BOARD_SENDING,
    BOARD_RUNNING, /* a job in BigQuery */
    BOARD_DONE,
};

struct board_row {
    enum board_phase phase;
    int64_t rows_read;
    int64_t rows_expected; /* 0: not known */
    int64_t bytes_sent;
    struct table_result result; /* final once the phase is BOARD_DONE */
};

struct board {
    pthread_mutex_t mutex;
    char run_id[RUN_ID_SIZE];
    enum run_kind kind;
    int64_t started_us;
    struct board_row *rows;
    size_t count;
    uint64_t version; /* one more with each change */
};

/* Embedded; no rows until board_begin. */
void board_init(struct board *board);
void board_clear(struct board *board);

/* A pass starts: the result's tables become rows. A NULL board is fine in all calls below. */
MUST_CHECK bool board_begin(struct board *board, const struct run_result *run, struct error *err);
void board_phase(struct board *board, size_t row, enum board_phase phase);
void board_rows(struct board *board, size_t row, int64_t rows_read, int64_t rows_expected);
void board_bytes(struct board *board, size_t row, int64_t bytes_sent);
void board_done(struct board *board, size_t row, const struct table_result *result);

const char *board_phase_name(enum board_phase phase);

#endif
