#include "service/error_report.h"

#include "base/clock.h"
#include "base/hex.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Some of BigQuery's messages quote values of rows, so quoted texts are removed. Other fields of
 * the report carry the names. */
static void scrub(char *text)
{
    char *out = text;

    for (const char *at = text; *at != '\0'; at++) {
        const char *end = *at == '\'' || *at == '"' || *at == '`' ? strchr(at + 1, *at) : NULL;
        if (end == NULL || end - at < 4) {
            *out++ = *at;
            continue;
        }
        *out++ = *at;
        memcpy(out, "..", 2);
        out += 2;
        *out++ = *at;
        at = end;
    }
    *out = '\0';
}

static void make_id(char out_id[33])
{
    unsigned char bytes[16] = {0};

    if (getrandom(bytes, sizeof bytes, 0) < 0) {
        int64_t now = clock_system()->wall_us(NULL);
        memcpy(bytes, &now, sizeof now);
    }
    hex_write(bytes, sizeof bytes, out_id);
    out_id[2 * sizeof bytes] = '\0';
}

static void fill(
    struct error_report *report, const char *environment, const struct run_result *run,
    const struct error *error)
{
    *report = (struct error_report){
        .at_us = run->finished_us,
        .http_status = error->http_status,
        .retryable = error_is_retryable(error->code),
    };
    make_id(report->event_id);
    snprintf(report->run_id, sizeof report->run_id, "%s", run->id);
    snprintf(report->kind, sizeof report->kind, "%s", run_kind_name(run->kind));
    snprintf(report->code, sizeof report->code, "%s", error_code_name(error->code));
    snprintf(report->reason, sizeof report->reason, "%s", error->reason);
    snprintf(report->message, sizeof report->message, "%s", error->message);
    if (error->code == ERROR_WAREHOUSE || error->code == ERROR_REJECTED)
        scrub(report->message);
    snprintf(report->environment, sizeof report->environment, "%s", environment);
    gethostname(report->host, sizeof report->host - 1);
}

void error_report_of_run(
    struct error_report *out_report, const char *environment, const struct run_result *run)
{
    fill(out_report, environment, run, &run->error);
}

void error_report_of_table(
    struct error_report *out_report, const char *environment, const struct run_result *run,
    const struct table_result *table)
{
    fill(out_report, environment, run, &table->error);
    snprintf(out_report->table, sizeof out_report->table, "%s", table->table->name);
    snprintf(out_report->mode, sizeof out_report->mode, "%s", send_mode_name(table->mode));
    out_report->attempts = table->attempts;
}
