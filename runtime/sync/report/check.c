#include "sync/report/check.h"

#include "sync/pass/quota_record.h"
#include "sync/report/check_findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* What BigQuery bills a query at least ("Estimate and control costs"). */
#define LEAST_BILLED_BYTES 10000000

void check_note(
    struct checker *c, const char *name, enum check_status status, const char *format, ...)
{
    char message[1400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (status == CHECK_FAIL)
        c->failed = true;
    c->visit(c->context, name, status, message);
}

/* Tables that the schedule would bring to BigQuery's daily limit before the day is over. */
static void check_schedule(struct checker *c)
{
    const struct config *config = c->deployment->config;

    for (size_t i = 0; i < c->count; i++) {
        const struct table *table = c->tables[i];
        int64_t a_day = quota_record_forecast(config, table->mode);
        char name[300];
        if (a_day <= QUOTA_MODIFICATIONS_A_DAY)
            continue;
        snprintf(name, sizeof name, "schedule %s", table->name);
        check_note(
            c, name, CHECK_WARN,
            "the schedule makes up to %" PRId64 " loads a day, BigQuery allows a table %d; %s",
            a_day, QUOTA_MODIFICATIONS_A_DAY,
            table->mode == SEND_APPEND ? "the rest goes by MERGE, which costs more. Lengthen "
                                         "BQ_SYNC_INTERVAL"
                                       : "then it stands still until the next day. Lengthen "
                                         "BQ_SYNC_INTERVAL, or let its mode be upsert");
    }
}

static void check_configuration(struct checker *c)
{
    const struct config *config = c->deployment->config;

    check_note(
        c, "configuration", CHECK_OK, "%s.%s from %s", config->project, config->dataset,
        config->sqlite_path);
    if (config->max_bytes_billed > 0 && config->max_bytes_billed < LEAST_BILLED_BYTES)
        check_note(
            c, "BQ_MAX_BYTES_BILLED", CHECK_WARN,
            "%" PRId64 " is less than BigQuery bills any query on demand (10 MB for each table it "
            "reads): MERGE and verify will be refused",
            config->max_bytes_billed);
    check_schedule(c);
}

static void check_credentials(struct checker *c, const struct error *credentials_error)
{
    const struct deployment *deployment = c->deployment;

    if (credentials_error != NULL)
        check_note(c, "credentials", CHECK_FAIL, "%s", credentials_error->message);
    else if (deployment->credentials == NULL)
        check_note(
            c, "credentials", CHECK_OK, "none needed: %s stands in for BigQuery",
            deployment->config->emulator_host);
    else
        check_note(c, "credentials", CHECK_OK, "%s", credentials_describe(deployment->credentials));
}

bool check_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct error *credentials_error, check_visit *visit, void *context)
{
    struct checker c = {
        .deployment = deployment,
        .tables = tables,
        .count = count,
        .visit = visit,
        .context = context};

    check_configuration(&c);
    check_source(&c);
    check_credentials(&c, credentials_error);
    if (credentials_error == NULL)
        check_warehouse(&c);
    return !c.failed;
}

const char *check_status_name(enum check_status status)
{
    static const char *const names[] = {"ok", "warn", "fail"};

    return names[status];
}
