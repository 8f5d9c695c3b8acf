#include "sync/pass/listing.h"

#include "base/json_text.h"
#include "base/log.h"

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

static bool visit(void *context, const struct listed_table *table)
{
    struct listing *listing = context;

    for (size_t i = 0; i < listing->count; i++) {
        struct task *task = listing->tasks[i];
        if (!is_same(listing, task->table->target, table->name))
            continue;
        task->warehouse.exists = true;
        task->warehouse.label_generation =
            strtoll(json_text_of(table->labels, LABEL_GENERATION, ""), NULL, 10);
        snprintf(
            task->warehouse.label_shape, sizeof task->warehouse.label_shape, "%.15s",
            json_text_of(table->labels, LABEL_SHAPE, ""));
        task->warehouse.expires = table->expires;
        if (table->forgets)
            log_warn(
                "partitions of the target expire, and their rows with them; `bqsync check` says "
                "what to do",
                LOG_TEXT("table", task->table->name), LOG_TEXT("target", table->name));
    }
    return true;
}

bool listing_read(
    struct bigquery *bigquery, bool ignores_case, struct task *const *tasks, size_t count,
    struct error *err)
{
    struct listing listing = {ignores_case, tasks, count};

    for (size_t i = 0; i < count; i++) {
        tasks[i]->warehouse.exists = false;
        tasks[i]->warehouse.label_generation = 0;
        tasks[i]->warehouse.label_shape[0] = '\0';
        tasks[i]->warehouse.expires = false;
    }
    return bigquery_tables_list(bigquery, visit, &listing, err);
}
