#include "sync/report/check.h"

#include "sync/pass/quota_record.h"
#include "sync/report/check_source.h"
#include "sync/report/check_warehouse.h"

#include <inttypes.h>
#include <stdio.h>

/* Warns about tables that reach BigQuery's daily limit of modifications with this schedule. */
static void check_schedule(const struct checker *c)
{
    const struct config *config = c->deployment->config;

    for (size_t i = 0; i < c->count; i++) {
        const struct table *table = c->tables[i];
        // In a partitioned target each load changes a partition at least.
        int64_t a_day = quota_record_loads_a_day(config, table->mode);
        char name[300];
        int64_t limit = partitions_daily_limit(table);
        if (a_day <= limit)
            continue;
        snprintf(name, sizeof name, "schedule %s", table->name);
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "the schedule makes up to %" PRId64 " loads a day, BigQuery allows %" PRId64
            "%s for a table; %s",
            a_day, limit, partitions_are_counted(table) ? " changed partitions" : "",
            table->mode == SEND_APPEND
                ? "the rest is inserted by queries, which cost more. Increase BQ_SYNC_INTERVAL"
                : "after that the table waits until 24 hours have passed. Increase "
                  "BQ_SYNC_INTERVAL, or set its mode to upsert");
    }
}

static void check_configuration(const struct checker *c)
{
    const struct config *config = c->deployment->config;

    check_findings_add(
        c->findings, "configuration", CHECK_OK, "%s.%s from %s", config->project, config->dataset,
        config->sqlite_path);
    check_schedule(c);
}

static void check_credentials(const struct checker *c, const struct error *credentials_error)
{
    const struct deployment *deployment = c->deployment;

    if (credentials_error != NULL)
        check_findings_add(
            c->findings, "credentials", CHECK_FAIL, "%s", credentials_error->message);
    else if (deployment->credentials == NULL)
        check_findings_add(
            c->findings, "credentials", CHECK_OK, "none needed: %s stands in for BigQuery",
            deployment->config->emulator_host);
    else
        check_findings_add(
            c->findings, "credentials", CHECK_OK, "%s",
            credentials_describe(deployment->credentials));
}

void check_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct error *credentials_error, struct check_findings *findings)
{
    const struct checker c = {
        .deployment = deployment, .tables = tables, .count = count, .findings = findings};

    check_configuration(&c);
    check_source(&c);
    check_credentials(&c, credentials_error);
    if (credentials_error == NULL)
        check_warehouse(&c);
}
