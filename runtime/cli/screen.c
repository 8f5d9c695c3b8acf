#include "cli/screen.h"

#include "base/clock.h"
#include "base/text_fit.h"
#include "base/text_width.h"
#include "cli/console.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_MS  120
#define NAME_WIDTH 20
#define LINE_SIZE  512

/* The bar gets what a line has left beside its other parts. */
#define BAR_WIDTH_MIN 4
#define BAR_WIDTH_MAX 24
#define BESIDE_BAR    70

/* Of a terminal that does not say (the VT100's). */
#define TERMINAL_ROWS    24
#define TERMINAL_COLUMNS 80

struct terminal_size {
    size_t rows;
    size_t columns;
};

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

/* Asked before each drawing: people resize their windows. */
static struct terminal_size terminal_size(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    return (struct terminal_size){
        .rows = size.ws_row > 0 ? size.ws_row : TERMINAL_ROWS,
        .columns = size.ws_col > 0 ? size.ws_col : TERMINAL_COLUMNS,
    };
}

/* Cut to less than the terminal's width: a line that fills it, or goes on in the next, would make
 * the cursor go up by too few lines. */
static void draw_line(const char *line, const char *erase, struct terminal_size size)
{
    fprintf(stderr, "%.*s%s\n", (int)text_width_fit(line, size.columns - 1), line, erase);
}

/* "[####    ]", or nothing where the terminal has no room for it. */
static const char *format_bar(
    const struct progress_row *row, size_t columns, char out[static BAR_WIDTH_MAX + 4])
{
    size_t width = columns > BESIDE_BAR ? columns - BESIDE_BAR : 0;

    out[0] = '\0';
    if (width < BAR_WIDTH_MIN)
        return out;
    if (width > BAR_WIDTH_MAX)
        width = BAR_WIDTH_MAX;
    size_t filled = width;
    if (row->rows_expected > 0 && row->rows_read < row->rows_expected)
        filled = (size_t)(row->rows_read * (int64_t)width / row->rows_expected);
    out[0] = '[';
    memset(out + 1, '#', filled);
    memset(out + 1 + filled, ' ', width - filled);
    memcpy(out + 1 + width, "] ", sizeof "] ");
    return out;
}

static void draw_row(const struct progress_row *row, int64_t elapsed_ms, struct terminal_size size)
{
    char line[LINE_SIZE];
    char sent[SCREEN_BYTES_SIZE];
    char bar[BAR_WIDTH_MAX + 4];
    char left[32] = "";

    if (row->phase == PHASE_READING && row->rows_read > 0 && row->rows_expected > row->rows_read) {
        int64_t left_ms = elapsed_ms * (row->rows_expected - row->rows_read) / row->rows_read;
        snprintf(left, sizeof left, "  %" PRId64 "s left", left_ms / 1000 + 1);
    }
    text_format(
        line, sizeof line, "%s%*s %-9s %s%10" PRId64 " rows %9s%s",
        CONSOLE_PADDED(row->result.table->name, NAME_WIDTH), progress_phase_name(row->phase),
        format_bar(row, size.columns, bar), row->rows_read, screen_bytes(row->bytes_sent, sent),
        left);
    draw_line(line, "\033[K", size);
}

/* One line for each table in work, and one for all; never more than the terminal has below the
 * line that the cursor ends on. Returns how many. */
static size_t draw_rows(const struct progress_row *rows, size_t count, int64_t elapsed_ms)
{
    struct terminal_size size = terminal_size();
    size_t room = size.rows > 2 ? size.rows - 2 : 0;
    size_t done = 0;
    size_t drawn = 0;
    size_t hidden = 0;
    char line[LINE_SIZE];

    for (size_t i = 0; i < count; i++) {
        if (rows[i].phase == PHASE_DONE)
            done++;
        if (rows[i].phase == PHASE_WAITING || rows[i].phase == PHASE_DONE)
            continue;
        if (drawn == room) {
            hidden++;
            continue;
        }
        draw_row(&rows[i], elapsed_ms, size);
        drawn++;
    }
    int length = snprintf(line, sizeof line, "%zu of %zu tables done", done, count);
    if (hidden > 0)
        snprintf(line + length, sizeof line - (size_t)length, ", %zu more in work", hidden);
    draw_line(line, "\033[J", size);
    return drawn + 1;
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
    screen->lines =
        draw_rows(rows, count, clock_since_us(started_us, clock->wall_us(clock->context)) / 1000);
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
