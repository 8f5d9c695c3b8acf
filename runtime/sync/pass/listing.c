#include "sync/pass/listing.h"

#include "base/json_text.h"
#include "base/log.h"
#include "sync/pass/label_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct listing {
    bool ignores_case;
    struct task *const *tasks;
    size_t count;
};

static bool is_same(const struct listing *listing, const char *target, const char *name)
{
    return (listing->ignores_case ? strcasecmp : strcmp)(target, name) == 0;
}

/* What is no table is looked at, whatever its labels say. */
static void copy_shape(char out[static 16], const struct listed_table *table)
{
    snprintf(out, 16, "%.15s", table->is_table ? json_text_of(table->labels, LABEL_SHAPE, "") : "");
}

/* Whether this is the log or the view of a table with history. */
static void note_history(
    const struct listing *listing, struct task *task, const struct listed_table *table)
{
    const struct table_history *history = task->table->history;
    struct task_history *seen = &task->warehouse.history;

    if (is_same(listing, history->view, table->name))
        seen->view_exists = true;
    if (!is_same(listing, history->log, table->name))
        return;
    seen->log_exists = true;
    seen->log_expires = table->expires;
    seen->log_forgets = table->forgets;
    copy_shape(seen->log_shape, table);
}

static bool visit(void *context, const struct listed_table *table)
{
    struct listing *listing = context;

    for (size_t i = 0; i < listing->count; i++) {
        struct task *task = listing->tasks[i];
        if (task->table->history != NULL)
            note_history(listing, task, table);
        if (!is_same(listing, task->table->target, table->name))
            continue;
        task->warehouse.exists = true;
        label_jobs_read(table->labels, &task->warehouse.label);
        copy_shape(task->warehouse.label_shape, table);
        task->warehouse.expires = table->expires;
        if (table->forgets)
            log_warn(
                "partitions of the target expire, and their rows with them; `bqsync check` says "
                "what to do",
                LOG_TEXT("table", task->table->name), LOG_TEXT("target", table->name));
    }
    return true;
}

static bool read_all(
    const struct location *location, struct bigquery *bigquery, struct task *const *tasks,
    size_t count, struct error *err)
{
    struct listing listing = {location->dataset.ignores_case, tasks, count};

    for (size_t i = 0; i < count; i++) {
        tasks[i]->warehouse.exists = false;
        tasks[i]->warehouse.label = (struct label){0};
        tasks[i]->warehouse.label_shape[0] = '\0';
        tasks[i]->warehouse.expires = false;
        tasks[i]->warehouse.history = (struct task_history){0};
    }
    return location->absent || bigquery_tables_list(bigquery, visit, &listing, err);
}

bool listing_read(
    struct location *location, struct bigquery *bigquery, struct task *const *tasks, size_t count,
    struct error *err)
{
    return read_all(location, bigquery, tasks, count, err) ||
           (location_find_again(location, bigquery, err) &&
            read_all(location, bigquery, tasks, count, err));
}
