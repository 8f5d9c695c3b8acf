#include "sync/pass/quota_record.h"

#include "base/json_exact.h"
#include "source/tracking_quota.h"
#include "warehouse/googlesql.h"
#include "warehouse/quota.h"

/* BigQuery counts by the name of the target, and goes on counting when the table is dropped and
 * created again. */
static void full_name(const struct config *config, const struct table *table, char out[512])
{
    googlesql_plain_name(out, 512, config->project, config->dataset, table->target);
}

static int64_t first_hour(const struct deployment *deployment)
{
    const struct clock *clock = deployment->clock;

    return quota_first_hour(clock->wall_us(clock->context));
}

static void add_hour(void *context, int64_t hour, int64_t modifications)
{
    int64_t *used = context;

    (void)hour;
    *used += modifications;
}

bool quota_record_used(
    const struct config *config, struct tracking *tracking, const struct table *table,
    int64_t now_us, int64_t *out_used, struct error *err)
{
    char name[512];

    *out_used = 0;
    full_name(config, table, name);
    return tracking_quota_load(tracking, name, quota_first_hour(now_us), add_hour, out_used, err);
}

bool quota_record_is_near(const struct table *table, int64_t used)
{
    // No limit is lower than that of loads, so few tables have to be looked at.
    return used >= QUOTA_DAILY_LIMIT - QUOTA_RESERVE &&
           used >= partitions_daily_limit(table) - QUOTA_RESERVE;
}

struct restoring {
    struct quota *quota;
    const char *target;
};

static void restore_hour(void *context, int64_t hour, int64_t modifications)
{
    const struct restoring *to = context;
    const struct quota_hour use = {.hour = hour, .modifications = modifications};

    quota_restore(to->quota, to->target, use);
}

static bool restore_table(
    const struct deployment *deployment, struct tracking *tracking, struct task *task,
    struct error *err)
{
    const struct table *table = task->table;
    struct restoring to = {deployment->quota, table->target};
    char name[512];

    full_name(deployment->config, table, name);
    if (!tracking_quota_load(tracking, name, first_hour(deployment), restore_hour, &to, err))
        return false;
    int64_t used = quota_used(deployment->quota, table->target);
    task->warehouse.used_quota = used;
    task->warehouse.near_quota = quota_record_is_near(table, used);
    return true;
}

/* In one read transaction, because SQLite locks and unlocks the file for each. */
bool quota_record_restore(
    const struct deployment *deployment, struct tracking *tracking, struct task *tasks,
    size_t count, struct error *err)
{
    if (!database_exec(&tracking->database, "begin", err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = restore_table(deployment, tracking, &tasks[i], err);
    database_rollback(&tracking->database);
    return ok;
}

/* What the state database says of each hour, at its number modulo their count. */
static void note_hour(void *context, int64_t hour, int64_t modifications)
{
    struct quota_hour *saved = context;

    saved[hour % QUOTA_HOURS] = (struct quota_hour){.hour = hour, .modifications = modifications};
}

bool quota_record_save(
    const struct deployment *deployment, struct tracking *tracking, const struct task *tasks,
    size_t count, struct error *err)
{
    int64_t first = first_hour(deployment);

    for (size_t i = 0; i < count; i++) {
        struct quota_hour saved[QUOTA_HOURS] = {0};
        struct quota_hour used[QUOTA_HOURS];
        char name[512];
        if (quota_used(deployment->quota, tasks[i].table->target) == tasks[i].warehouse.used_quota)
            continue;
        full_name(deployment->config, tasks[i].table, name);
        if (!tracking_quota_load(tracking, name, first, note_hour, saved, err))
            return false;
        size_t hours = quota_hours(deployment->quota, tasks[i].table->target, used);
        for (size_t j = 0; j < hours; j++) {
            const struct quota_hour *known = &saved[used[j].hour % QUOTA_HOURS];
            if (known->hour == used[j].hour && known->modifications == used[j].modifications)
                continue;
            if (!tracking_quota_save(
                    tracking, name, first, used[j].hour, used[j].modifications, err))
                return false;
        }
    }
    return true;
}

int64_t quota_record_loads_a_day(const struct config *config, enum send_mode mode)
{
    // A MERGE is DML, which the limit leaves out; its load goes to a staging table.
    int64_t a_pass = mode == SEND_MERGE ? 0 : 1;
    int64_t daily = config->daily_minute >= 0 ? 1 : 0;

    if (a_pass > 0 && config->sync_follow_ms > 0)
        return QUOTA_UNKNOWN;
    return quota_forecast(config->sync_interval_ms, a_pass) + daily;
}

int64_t quota_record_forecast(const struct config *config, const struct table *table)
{
    int64_t loads = quota_record_loads_a_day(config, table->mode);

    return loads > 0 && partitions_are_counted(table) ? QUOTA_UNKNOWN : loads;
}

void quota_record_add_forecast(cJSON *json, int64_t modifications)
{
    if (modifications == QUOTA_UNKNOWN)
        cJSON_AddNullToObject(json, "modifications_a_day");
    else
        json_add_int64(json, "modifications_a_day", modifications);
}
