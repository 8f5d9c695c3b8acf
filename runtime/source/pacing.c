#include "source/pacing.h"

#define FIRST_ROWS 500
#define MOST_ROWS  2000
#define LEAST_ROWS 50

/* How long a transaction may hold the lock before the next one writes half as many rows, and below
 * which the next one writes twice as many. */
#define LONG_MS  20
#define SHORT_MS 8

static int64_t now_ms(const struct pacing *pacing)
{
    return pacing->clock->monotonic_ms(pacing->clock->context);
}

struct pacing pacing_of(struct database *database)
{
    return (struct pacing){.database = database, .clock = clock_system(), .rows = FIRST_ROWS};
}

bool pacing_begin(struct pacing *pacing, struct error *err)
{
    const struct clock *clock = pacing->clock;
    int64_t left_ms = pacing->free_until_ms - now_ms(pacing);

    if (left_ms > 0 && !clock->sleep_ms(clock->context, left_ms))
        return error_set(err, ERROR_STOPPED, "asked to stop (%s)", pacing->database->path);
    if (!database_begin(pacing->database, err))
        return false;
    pacing->began_ms = now_ms(pacing);
    return true;
}

/* A writer that waits polls for the lock (sqlite3_busy_timeout), so the pause must be long compared
 * with the time for which it finds the lock taken. A millisecond is added because the clock counts
 * whole ones. */
bool pacing_commit(struct pacing *pacing, struct error *err)
{
    if (!database_commit(pacing->database, err))
        return false;
    int64_t ended_ms = now_ms(pacing);
    int64_t held_ms = ended_ms - pacing->began_ms;

    pacing->free_until_ms = ended_ms + held_ms + 1;
    if (held_ms > LONG_MS && pacing->rows > LEAST_ROWS)
        pacing->rows /= 2;
    else if (held_ms < SHORT_MS)
        pacing->rows = pacing->rows < MOST_ROWS / 2 ? pacing->rows * 2 : MOST_ROWS;
    return true;
}

bool pacing_fail(struct pacing *pacing)
{
    database_rollback(pacing->database);
    return false;
}
