/* cmd_plan: `bqsync plan` and `bqsync check`, which look at both sides and write to neither. */
#include "cli/bill.h"
#include "cli/commands.h"
#include "sync/pass/quota_record.h"
#include "sync/report/check.h"
#include "sync/report/plan_report.h"

#include <inttypes.h>
#include <stdio.h>

/* What the next pass bills is known of a table once a day has a bill of it. */
static void print_bill(const struct config *config, const struct plan_report *report)
{
    char bytes[BILL_BYTES_SIZE];
    int64_t known = 0;
    int unknown = 0;

    for (size_t i = 0; i < report->count; i++) {
        bool is_known = report->tables[i].bytes_billed != SPENDING_UNKNOWN;
        known += is_known ? report->tables[i].bytes_billed : 0;
        unknown += is_known ? 0 : 1;
    }
    printf("\nnext pass    bills %s", bill_bytes(known, bytes));
    if (unknown > 0)
        printf("; of %d more table%s it is not known yet", unknown, unknown == 1 ? "" : "s");
    putchar('\n');
    bill_print(config, &report->spending, "", "");
}

/* How many follow the commits of the application is not known. */
static const char *loads_a_day(int64_t loads, char out[static 24])
{
    if (loads == QUOTA_UNKNOWN)
        snprintf(out, 24, "unknown");
    else
        snprintf(out, 24, "%" PRId64, loads);
    return out;
}

static void print_plan(const struct config *config, const struct plan_report *report)
{
    printf(
        "%-26s %-8s %10s %10s %10s %10s %11s %7s  %s\n", "table", "mode", "insert", "update",
        "delete", "bills", "loads 24 h", "a day", "why");
    for (size_t i = 0; i < report->count; i++) {
        const struct plan_report_table *table = &report->tables[i];
        char text[ERROR_TEXT_SIZE];
        const char *blocked = plan_report_blocked(table, text);
        char bills[BILL_BYTES_SIZE];
        char loads[24];
        printf(
            "%-26s %-8s %10" PRId64 " %10" PRId64 " %10" PRId64 " %10s %11" PRId64 " %7s  %s\n",
            table->table->name, table->mode, table->insert, table->update, table->delete,
            bill_bytes(table->bytes_billed, bills), table->modifications_24h,
            loads_a_day(table->modifications_a_day, loads), table->why == NULL ? "" : table->why);
        if (table->why_scan[0] != '\0')
            printf("    scanned: %s\n", table->why_scan);
        if (table->diff.clustering[0] != '\0')
            printf("    clustering: %s\n", table->diff.clustering);
        for (size_t j = 0; j < table->diff.statement_count; j++)
            printf("    %s\n", table->diff.statements[j]);
        if (blocked != NULL)
            printf("    BLOCKED: %s\n", blocked);
    }
    print_bill(config, report);
}

int command_plan(struct invocation *in)
{
    struct plan_report report;
    struct error err;
    bool full = (in->args->switches & ARGS_FULL) != 0;
    int status;

    if (!plan_report_run(in->deployment, in->tables, in->table_count, full, &report, &err))
        return command_fail(in, &err);
    status = plan_report_ok(&report) ? 0 : 1;
    if ((in->args->switches & ARGS_JSON) != 0)
        command_print_json(plan_report_json(&report, in->config), status);
    else
        print_plan(in->config, &report);
    plan_report_clear(&report);
    return status;
}

static void print_finding(const struct check_finding *finding)
{
    const char *shown = finding->status == CHECK_FAIL ? "FAIL" : check_status_name(finding->status);

    printf("%-4s  %s: %s\n", shown, finding->name, finding->message);
}

/* An incomplete configuration is a finding too, so that --json has a document in this case. */
static void check(struct invocation *in, struct check_findings *findings)
{
    struct error why;

    if (!config_require(in->config, true, true, &why)) {
        check_findings_add(findings, "configuration", CHECK_FAIL, "%s", why.message);
        return;
    }
    bool have = deployment_init(
        in->deployment, in->config, in->deployment->tables, in->deployment->table_count,
        COMMANDS_RETRY_BUDGET_MS, &why);
    check_run(in->deployment, in->tables, in->table_count, have ? NULL : &why, findings);
}

int command_check(struct invocation *in)
{
    bool json = (in->args->switches & ARGS_JSON) != 0;
    struct check_findings findings = {.watch = json ? NULL : print_finding};

    check(in, &findings);
    int status = findings.failed ? 1 : 0;
    if (json)
        command_print_json(check_findings_json(&findings), status);
    check_findings_clear(&findings);
    return status;
}
