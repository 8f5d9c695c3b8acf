#include "cli/screen.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_MS 120
#define BAR_WIDTH 24

const char *screen_bytes(int64_t bytes, char out[SCREEN_BYTES_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(out, SCREEN_BYTES_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

static void draw_bar(const struct progress_row *row)
{
    int64_t filled = BAR_WIDTH;

    if (row->rows_expected > 0 && row->rows_read < row->rows_expected)
        filled = row->rows_read * BAR_WIDTH / row->rows_expected;
    fputc('[', stderr);
    for (int64_t i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : ' ', stderr);
    fputc(']', stderr);
}

static void draw_row(const struct progress_row *row, int64_t elapsed_ms)
{
    char sent[SCREEN_BYTES_SIZE];

    fprintf(stderr, "%-26s %-9s ", row->result.table->name, progress_phase_name(row->phase));
    draw_bar(row);
    fprintf(stderr, " %10" PRId64 " rows %9s", row->rows_read, screen_bytes(row->bytes_sent, sent));
    if (row->phase == PHASE_READING && row->rows_read > 0 && row->rows_expected > row->rows_read) {
        int64_t left_ms = elapsed_ms * (row->rows_expected - row->rows_read) / row->rows_read;
        fprintf(stderr, "  %" PRId64 "s left", left_ms / 1000 + 1);
    }
    fputs("\033[K\n", stderr);
}

/* There are few rows, so they are copied under the progress's lock and drawn without it. */
static void draw(struct screen *screen)
{
    struct pass_progress *progress = &screen->progress;
    const struct clock *clock = clock_system();

    pthread_mutex_lock(&progress->mutex);
    size_t count = progress->count;
    struct progress_row *rows = malloc((count + 1) * sizeof *rows);
    if (rows != NULL && count > 0)
        memcpy(rows, progress->rows, count * sizeof *rows);
    int64_t started_us = progress->started_us;
    pthread_mutex_unlock(&progress->mutex);
    if (rows == NULL)
        return;

    if (screen->lines > 0)
        fprintf(stderr, "\033[%zuA", screen->lines);
    screen->lines = 0;
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].phase == PHASE_DONE)
            done++;
        if (rows[i].phase == PHASE_WAITING || rows[i].phase == PHASE_DONE)
            continue;
        draw_row(&rows[i], clock_since_us(started_us, clock->wall_us(clock->context)) / 1000);
        screen->lines++;
    }
    fprintf(stderr, "%zu of %zu tables done\033[J\n", done, count);
    screen->lines++;
    free(rows);
}

static void *run(void *argument)
{
    struct screen *screen = argument;

    pthread_mutex_lock(&screen->mutex);
    while (!screen->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += REDRAW_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&screen->wake, &screen->mutex, &until);
        if (!screen->stopping)
            draw(screen);
    }
    pthread_mutex_unlock(&screen->mutex);
    return NULL;
}

bool screen_start(struct screen *screen)
{
    if (!isatty(STDERR_FILENO))
        return false;
    *screen = (struct screen){0};
    progress_init(&screen->progress);
    pthread_mutex_init(&screen->mutex, NULL);
    pthread_cond_init(&screen->wake, NULL);
    if (pthread_create(&screen->thread, NULL, run, screen) != 0) {
        progress_clear(&screen->progress);
        return false;
    }
    return true;
}

void screen_stop(struct screen *screen)
{
    pthread_mutex_lock(&screen->mutex);
    screen->stopping = true;
    pthread_cond_signal(&screen->wake);
    pthread_mutex_unlock(&screen->mutex);
    pthread_join(screen->thread, NULL);
    if (screen->lines > 0)
        fprintf(stderr, "\033[%zuA\033[J", screen->lines);
    progress_clear(&screen->progress);
    pthread_cond_destroy(&screen->wake);
    pthread_mutex_destroy(&screen->mutex);
}
