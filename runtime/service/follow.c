#include "service/follow.h"

#include "service/schedule.h"

#include <stdio.h>
#include <stdlib.h>

bool follow_init(
    struct follow *follow, const struct table *const *tables, size_t count, struct error *err)
{
    *follow = (struct follow){.tables = calloc(count + 1, sizeof *follow->tables), .count = count};
    if (follow->tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        follow->tables[i].table = tables[i];
    return true;
}

void follow_clear(struct follow *follow)
{
    free(follow->tables);
    *follow = (struct follow){0};
}

/* --- when -------------------------------------------------------------------------------- */

bool follow_is_slowed(const struct follow *follow, int64_t now_us)
{
    // A clock that was set back is not waited for.
    return now_us >= follow->slowed_from_us && now_us < follow->slowed_until_us;
}

static bool is_left_out(const struct follow *follow, const struct follow_table *table, bool slowed)
{
    return table->failed || (slowed && (table->bills || follow->together));
}

/* Whether no table is left to be followed because of those that are slowed down. */
static bool waits_for_budget(const struct follow *follow, int64_t now_us)
{
    bool slowed = follow_is_slowed(follow, now_us);
    bool some = false;

    for (size_t i = 0; i < follow->count; i++) {
        const struct follow_table *table = &follow->tables[i];
        if (!is_left_out(follow, table, slowed))
            return false;
        some = some || !table->failed;
    }
    return some;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t follow_wait_ms(const struct follow *follow, int64_t since_ms, struct follow_now now)
{
    if (follow->delay_ms <= 0 || since_ms == FOLLOW_NEVER)
        return FOLLOW_NEVER;
    int64_t due_ms = later(since_ms + follow->delay_ms, follow->held_until_ms);
    int64_t wait_ms = later(due_ms - now.monotonic_ms, 0);
    if (waits_for_budget(follow, now.wall_us))
        wait_ms = later(wait_ms, (follow->slowed_until_us - now.wall_us + 999) / 1000);
    return wait_ms;
}

void follow_hold(struct follow *follow, int64_t now_ms, int64_t for_ms)
{
    follow->held_until_ms = now_ms + for_ms;
}

void follow_slow_down(struct follow *follow, int64_t now_us, int64_t for_ms)
{
    int64_t until_us = now_us + for_ms * 1000;

    if (follow_is_slowed(follow, now_us))
        until_us = later(until_us, follow->slowed_until_us);
    follow->slowed_from_us = now_us;
    follow->slowed_until_us = until_us;
}

void follow_text(int64_t delay_ms, char *out, size_t size)
{
    char duration[32];

    if (delay_ms <= 0)
        out[0] = '\0';
    else
        snprintf(
            out, size, "%s after a commit", schedule_duration(delay_ms, duration, sizeof duration));
}

/* --- which tables ------------------------------------------------------------------------ */

size_t follow_pick(const struct follow *follow, int64_t now_us, const struct table **out_tables)
{
    bool slowed = follow_is_slowed(follow, now_us);
    size_t count = 0;

    for (size_t i = 0; i < follow->count; i++)
        if (!is_left_out(follow, &follow->tables[i], slowed))
            out_tables[count++] = follow->tables[i].table;
    return count;
}

static struct follow_table *find(struct follow *follow, const struct table *table)
{
    for (size_t i = 0; i < follow->count; i++)
        if (follow->tables[i].table == table)
            return &follow->tables[i];
    return NULL;
}

struct follow_seen follow_note(struct follow *follow, const struct run_result *result, bool over)
{
    struct follow_seen seen = {0};

    for (size_t i = 0; i < result->table_count; i++) {
        const struct table_result *found = &result->tables[i];
        struct follow_table *table = find(follow, found->table);
        if (table == NULL)
            continue;
        bool waits = over && found->status == TABLE_FAILED && found->error.code == ERROR_BUDGET;
        table->failed = found->status == TABLE_FAILED && !waits;
        if (waits || found->bytes_billed > 0)
            table->bills = true;
        else if (found->status == TABLE_SYNCED)
            table->bills = false;
        seen.failed = seen.failed || table->failed;
        seen.waits = seen.waits || waits;
    }
    return seen;
}

bool follow_has_failed(const struct follow *follow)
{
    for (size_t i = 0; i < follow->count; i++)
        if (follow->tables[i].failed)
            return true;
    return false;
}
