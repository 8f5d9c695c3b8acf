#include "sync/series.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    bool labelled;
    int64_t labelled_ms; /* monotonic */
    char name[TRACKING_NONCE_SIZE];
    int64_t generation;
};

struct series {
    const struct clock *clock;
    const struct table *const *tables;
    size_t count;
    pthread_mutex_t mutex; /* protects the entries */
    struct entry *entries; /* of each table */
};

bool series_new(
    const struct clock *clock, const struct table *const *tables, size_t table_count,
    struct series **out_series, struct error *err)
{
    struct series *series = calloc(1, sizeof *series);

    if (series != NULL)
        series->entries = calloc(table_count + 1, sizeof *series->entries);
    if (series == NULL || series->entries == NULL) {
        free(series);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    series->clock = clock;
    series->tables = tables;
    series->count = table_count;
    pthread_mutex_init(&series->mutex, NULL);
    *out_series = series;
    return true;
}

void series_free(struct series *series)
{
    if (series == NULL)
        return;
    pthread_mutex_destroy(&series->mutex);
    free(series->entries);
    free(series);
}

/* The table's entry with the mutex held, NULL without it if there is none. */
static struct entry *enter(struct series *series, const struct table *table)
{
    for (size_t i = 0; series != NULL && i < series->count; i++) {
        if (series->tables[i] != table)
            continue;
        pthread_mutex_lock(&series->mutex);
        return &series->entries[i];
    }
    return NULL;
}

static void leave(struct series *series)
{
    pthread_mutex_unlock(&series->mutex);
}

static bool is_recent(const struct series *series, const struct entry *entry)
{
    const struct clock *clock = series->clock;

    return entry->labelled && clock->monotonic_ms(clock->context) - entry->labelled_ms < SERIES_MS;
}

static bool is_own(const struct entry *entry, const struct watermark *watermark)
{
    return entry->name[0] != '\0' && strcmp(entry->name, watermark->series) == 0 &&
           entry->generation == watermark->generation;
}

bool series_is_own(
    struct series *series, const struct table *table, const struct watermark *watermark)
{
    const struct entry *entry = enter(series, table);

    if (entry == NULL)
        return false;
    bool own = is_own(entry, watermark);
    leave(series);
    return own;
}

bool series_goes_on(
    struct series *series, const struct table *table, const struct watermark *watermark)
{
    const struct entry *entry = enter(series, table);

    if (entry == NULL)
        return false;
    bool on = is_own(entry, watermark) && is_recent(series, entry);
    leave(series);
    return on;
}

bool series_is_worthwhile(struct series *series, const struct table *table)
{
    const struct entry *entry = enter(series, table);

    if (entry == NULL)
        return false;
    bool recent = is_recent(series, entry);
    leave(series);
    return recent;
}

void series_note_label(struct series *series, const struct table *table)
{
    struct entry *entry = enter(series, table);

    if (entry == NULL)
        return;
    entry->labelled = true;
    entry->labelled_ms = series->clock->monotonic_ms(series->clock->context);
    leave(series);
}

void series_forget(struct series *series, const struct table *table)
{
    struct entry *entry = enter(series, table);

    if (entry == NULL)
        return;
    entry->name[0] = '\0';
    leave(series);
}

void series_note_intent(
    struct series *series, const struct table *table, const struct intent *intent)
{
    struct entry *entry = enter(series, table);

    if (entry == NULL)
        return;
    memcpy(entry->name, intent->series, sizeof entry->name);
    entry->generation = intent->generation;
    leave(series);
}
