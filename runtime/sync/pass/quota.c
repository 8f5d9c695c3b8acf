#include "sync/pass/quota.h"

#include "source/tracking_quota.h"
#include "warehouse/governor.h"

#include <assert.h>
#include <stdio.h>

static_assert(
    QUOTA_MODIFICATIONS_A_DAY == GOVERNOR_MODIFICATIONS_A_DAY, "the same limit by two names");

/* The quota is the target's, and stays with its name whatever becomes of the table. */
static void full_name(const struct config *config, const struct table *table, char out[512])
{
    snprintf(out, 512, "%s.%s.%s", config->project, config->dataset, table->target);
}

bool quota_load(
    const struct config *config, struct tracking *tracking, const struct table *table,
    struct quota_use *out_use, struct error *err)
{
    char name[512];

    full_name(config, table, name);
    return usage_load(tracking, name, &out_use->day, &out_use->modifications, err);
}

bool quota_begin(
    const struct deployment *deployment, struct tracking *tracking, struct task *tasks,
    size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *target = tasks[i].table->target;
        struct quota_use saved;
        if (!quota_load(deployment->config, tracking, tasks[i].table, &saved, err))
            return false;
        const struct governor_use use = {.day = saved.day, .modifications = saved.modifications};
        governor_restore(deployment->governor, target, use);
        tasks[i].spare_quota = governor_use(deployment->governor, target).modifications >=
                               QUOTA_MODIFICATIONS_A_DAY - QUOTA_RESERVE;
    }
    return true;
}

bool quota_end(
    const struct deployment *deployment, struct tracking *tracking, const struct task *tasks,
    size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct table *table = tasks[i].table;
        struct governor_use use = governor_use(deployment->governor, table->target);
        struct quota_use saved;
        char name[512];
        if (!quota_load(deployment->config, tracking, table, &saved, err))
            return false;
        bool same = saved.day == use.day && saved.modifications == use.modifications;
        if (same || use.modifications == 0)
            continue;
        full_name(deployment->config, table, name);
        if (!usage_save(tracking, name, use.day, use.modifications, err))
            return false;
    }
    return true;
}

int64_t quota_today(struct quota_use use, int64_t now_us)
{
    return use.day == governor_day(now_us) ? use.modifications : 0;
}

int64_t quota_a_day(const struct config *config, enum send_mode mode)
{
    // A MERGE is DML, which the limit leaves out; its load goes to a staging table.
    int64_t a_pass = mode == SEND_MERGE ? 0 : 1;
    int64_t daily = config->daily_minute >= 0 ? 1 : 0;

    return governor_forecast(config->sync_interval_ms, a_pass) + daily;
}
