#include "sync/pass/progress.h"

#include <stdlib.h>
#include <string.h>

static const char *const phase_names[] = {"waiting", "preparing", "reading",
                                          "sending", "running",   "done"};
_Static_assert(
    sizeof phase_names / sizeof phase_names[0] == PHASE_DONE + 1, "a name for each phase");

void progress_init(struct pass_progress *progress)
{
    *progress = (struct pass_progress){0};
    pthread_mutex_init(&progress->mutex, NULL);
}

void progress_clear(struct pass_progress *progress)
{
    free(progress->rows);
    pthread_mutex_destroy(&progress->mutex);
}

bool progress_begin(struct pass_progress *progress, const struct run_result *run, struct error *err)
{
    if (progress == NULL)
        return true;
    struct progress_row *rows = calloc(run->table_count + 1, sizeof *rows);
    if (rows == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < run->table_count; i++)
        rows[i].result = run->tables[i];

    pthread_mutex_lock(&progress->mutex);
    free(progress->rows);
    progress->rows = rows;
    progress->count = run->table_count;
    memcpy(progress->run_id, run->id, sizeof progress->run_id);
    progress->kind = run->kind;
    progress->started_us = run->started_us;
    progress->version++;
    pthread_mutex_unlock(&progress->mutex);
    return true;
}

/* Locks and returns the row, or returns NULL where nobody watches. */
static struct progress_row *open_row(struct pass_progress *progress, size_t row)
{
    if (progress == NULL)
        return NULL;
    pthread_mutex_lock(&progress->mutex);
    progress->version++;
    return &progress->rows[row];
}

static void close_row(struct pass_progress *progress)
{
    pthread_mutex_unlock(&progress->mutex);
}

void progress_phase(struct pass_progress *progress, size_t row, enum progress_phase phase)
{
    struct progress_row *open = open_row(progress, row);

    if (open == NULL)
        return;
    open->phase = phase;
    close_row(progress);
}

void progress_rows(
    struct pass_progress *progress, size_t row, int64_t rows_read, int64_t rows_expected)
{
    struct progress_row *open = open_row(progress, row);

    if (open == NULL)
        return;
    open->rows_read = rows_read;
    open->rows_expected = rows_expected;
    close_row(progress);
}

void progress_bytes(struct pass_progress *progress, size_t row, int64_t bytes_sent)
{
    struct progress_row *open = open_row(progress, row);

    if (open == NULL)
        return;
    open->bytes_sent = bytes_sent;
    close_row(progress);
}

void progress_done(struct pass_progress *progress, size_t row, const struct table_result *result)
{
    struct progress_row *open = open_row(progress, row);

    if (open == NULL)
        return;
    open->phase = PHASE_DONE;
    open->result = *result;
    close_row(progress);
}

const char *progress_phase_name(enum progress_phase phase)
{
    return phase_names[phase];
}
