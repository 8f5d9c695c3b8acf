#include "sync/pass/quota_record.h"

#include "source/tracking_quota.h"
#include "warehouse/googlesql.h"
#include "warehouse/quota.h"

/* BigQuery counts by the name of the target, and goes on counting when the table is dropped and
 * created again. */
static void full_name(const struct config *config, const struct table *table, char out[512])
{
    googlesql_plain_name(out, 512, config->project, config->dataset, table->target);
}

bool quota_record_load(
    const struct config *config, struct tracking *tracking, const struct table *table,
    struct quota_record *out_record, struct error *err)
{
    char name[512];

    full_name(config, table, name);
    return tracking_quota_load(tracking, name, &out_record->day, &out_record->modifications, err);
}

bool quota_record_restore(
    const struct deployment *deployment, struct tracking *tracking, struct task *tasks,
    size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *target = tasks[i].table->target;
        struct quota_record saved;
        if (!quota_record_load(deployment->config, tracking, tasks[i].table, &saved, err))
            return false;
        const struct quota_count use = {.day = saved.day, .modifications = saved.modifications};
        quota_restore(deployment->quota, target, use);
        tasks[i].warehouse.near_quota = quota_count(deployment->quota, target).modifications >=
                                        QUOTA_DAILY_LIMIT - QUOTA_RESERVE;
    }
    return true;
}

bool quota_record_save(
    const struct deployment *deployment, struct tracking *tracking, const struct task *tasks,
    size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct table *table = tasks[i].table;
        struct quota_count use = quota_count(deployment->quota, table->target);
        struct quota_record saved;
        char name[512];
        if (!quota_record_load(deployment->config, tracking, table, &saved, err))
            return false;
        bool same = saved.day == use.day && saved.modifications == use.modifications;
        if (same || use.modifications == 0)
            continue;
        full_name(deployment->config, table, name);
        if (!tracking_quota_save(tracking, name, use.day, use.modifications, err))
            return false;
    }
    return true;
}

int64_t quota_record_today(struct quota_record record, int64_t now_us)
{
    return record.day == quota_day(now_us) ? record.modifications : 0;
}

int64_t quota_record_forecast(const struct config *config, enum send_mode mode)
{
    // A MERGE is DML, which the limit leaves out; its load goes to a staging table.
    int64_t a_pass = mode == SEND_MERGE ? 0 : 1;
    int64_t daily = config->daily_minute >= 0 ? 1 : 0;

    return quota_forecast(config->sync_interval_ms, a_pass) + daily;
}
