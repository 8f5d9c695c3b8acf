#include "sync/board.h"

#include <stdlib.h>
#include <string.h>

static const char *const phase_names[] = {"waiting", "preparing", "reading",
                                          "sending", "running",   "done"};

void board_init(struct board *board)
{
    *board = (struct board){0};
    pthread_mutex_init(&board->mutex, NULL);
}

void board_clear(struct board *board)
{
    free(board->rows);
    pthread_mutex_destroy(&board->mutex);
}

bool board_begin(struct board *board, const struct run_result *run, struct error *err)
{
    if (board == NULL)
        return true;
    struct board_row *rows = calloc(run->table_count + 1, sizeof *rows);
    if (rows == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < run->table_count; i++)
        rows[i].result = run->tables[i];

    pthread_mutex_lock(&board->mutex);
    free(board->rows);
    board->rows = rows;
    board->count = run->table_count;
    memcpy(board->run_id, run->id, sizeof board->run_id);
    board->kind = run->kind;
    board->started_us = run->started_us;
    board->version++;
    pthread_mutex_unlock(&board->mutex);
    return true;
}

/* Locks and returns the row, or returns NULL where nobody watches. */
static struct board_row *open_row(struct board *board, size_t row)
{
    if (board == NULL)
        return NULL;
    pthread_mutex_lock(&board->mutex);
    board->version++;
    return &board->rows[row];
}

static void close_row(struct board *board)
{
    pthread_mutex_unlock(&board->mutex);
}

void board_phase(struct board *board, size_t row, enum board_phase phase)
{
    struct board_row *open = open_row(board, row);

    if (open == NULL)
        return;
    open->phase = phase;
    close_row(board);
}

void board_rows(struct board *board, size_t row, int64_t rows_read, int64_t rows_expected)
{
    struct board_row *open = open_row(board, row);

    if (open == NULL)
        return;
    open->rows_read = rows_read;
    open->rows_expected = rows_expected;
    close_row(board);
}

void board_bytes(struct board *board, size_t row, int64_t bytes_sent)
{
    struct board_row *open = open_row(board, row);

    if (open == NULL)
        return;
    open->bytes_sent = bytes_sent;
    close_row(board);
}

void board_done(struct board *board, size_t row, const struct table_result *result)
{
    struct board_row *open = open_row(board, row);

    if (open == NULL)
        return;
    open->phase = BOARD_DONE;
    open->result = *result;
    close_row(board);
}

const char *board_phase_name(enum board_phase phase)
{
    return phase_names[phase];
}
