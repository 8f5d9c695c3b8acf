/* cmd_plan: `bqsync plan` and `bqsync check`, which look at both sides and write to neither. */
#include "cli/bill.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "sync/partitions.h"
#include "sync/pass/quota_record.h"
#include "sync/report/check.h"
#include "sync/report/plan_report.h"

#include <inttypes.h>
#include <stdio.h>

/* What all tables of a plan come to. */
struct totals {
    size_t changed;
    size_t blocked;
    size_t unchanged;
    int64_t insert;
    int64_t update;
    int64_t delete;
    int64_t mark;
    int64_t keep;
    int creates;
    int alters;
    int sets; /* tables of which a description, label, clustering or policy tag is set */
    int64_t billed;
    int unknown_bills;
};

static bool changes(const struct plan_report_table *table)
{
    return table->insert + table->update + table->delete + table->mark > 0 ||
           table->diff.statement_count > 0 || table->diff.set[0] != '\0' || table->why != NULL;
}

static struct totals add_up(const struct plan_report *report)
{
    struct totals sum = {.creates = 0};
    char text[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < report->count; i++) {
        const struct plan_report_table *table = &report->tables[i];
        if (plan_report_blocked(table, text) != NULL) {
            sum.blocked++;
            continue;
        }
        *(changes(table) ? &sum.changed : &sum.unchanged) += 1;
        sum.insert += table->insert;
        sum.update += table->update;
        sum.delete += table->delete;
        sum.mark += table->mark;
        sum.keep += table->keep;
        for (size_t j = 0; j < table->diff.statement_count; j++)
            *(table->diff.missing ? &sum.creates : &sum.alters) += 1;
        sum.sets += table->diff.set[0] != '\0' ? 1 : 0;
        if (table->bytes_billed == SPENDING_UNKNOWN)
            sum.unknown_bills++;
        else
            sum.billed += table->bytes_billed;
    }
    return sum;
}

static void print_part(int64_t count, const char *what, bool *first)
{
    if (count > 0)
        printf("%s%" PRId64 " %s", *first ? " " : ", ", count, what);
    *first = *first && count == 0;
}

/* "3 tables change: 12 rows to insert, 4 to update; 1 ALTER; about 20.0 MiB billed" */
static void print_totals(const struct colours *colour, const struct totals *sum)
{
    char bytes[BILL_BYTES_SIZE];
    bool first = true;

    if (sum->blocked > 0)
        printf(
            "%s%zu table%s cannot be synced%s\n", colour->bad, sum->blocked,
            sum->blocked == 1 ? "" : "s", colour->end);
    if (sum->changed == 0) {
        if (sum->blocked == 0)
            printf("No changes.\n");
        return;
    }
    printf("%zu table%s:", sum->changed, sum->changed == 1 ? " changes" : "s change");
    print_part(sum->insert, "to insert", &first);
    print_part(sum->update, "to update", &first);
    print_part(sum->delete, "to delete", &first);
    print_part(sum->mark, "to mark as deleted", &first);
    print_part(sum->keep, "to keep although deleted in SQLite", &first);
    printf("%s", first ? " no rows" : "");
    first = true;
    if (sum->creates + sum->alters + sum->sets > 0)
        putchar(';');
    print_part(sum->creates, "CREATE TABLE", &first);
    print_part(sum->alters, "ALTER", &first);
    print_part(
        sum->sets,
        sum->sets == 1 ? "target with changed properties" : "targets with changed properties",
        &first);
    printf("; about %s billed", bill_bytes(sum->billed, bytes));
    if (sum->unknown_bills > 0)
        printf(
            ", and what %d more table%s is not known yet", sum->unknown_bills,
            sum->unknown_bills == 1 ? " bills" : "s bill");
    putchar('\n');
}

/* As in a diff: a target to create, one to change, one that cannot be synced. */
static void print_row(
    const struct colours *colour, int width, const struct plan_report_table *table,
    const char *blocked)
{
    bool creates = table->diff.missing && blocked == NULL;
    char bills[BILL_BYTES_SIZE];

    printf(
        "%s%s %s%*s%s ",
        blocked != NULL ? colour->bad
        : creates       ? colour->good
                        : colour->warn,
        blocked != NULL  ? "!"
        : creates        ? "+"
        : changes(table) ? "~"
                         : " ",
        CONSOLE_PADDED(table->table->name, width), colour->end);
    printf(
        "%-8s %10" PRId64 " %10" PRId64 " %10" PRId64 " %10s  %s\n",
        blocked != NULL ? "-" : table->mode, table->insert, table->update, table->delete,
        bill_bytes(table->bytes_billed, bills), table->why == NULL ? "" : table->why);
}

static void print_details(
    const struct colours *colour, const struct plan_report_table *table, const char *blocked)
{
    int64_t limit = partitions_daily_limit(table->table);

    if (table->mark > 0)
        printf("    %" PRId64 " to mark as deleted\n", table->mark);
    if (table->keep > 0)
        printf("    %" PRId64 " to keep although deleted in SQLite\n", table->keep);
    if (table->why_scan[0] != '\0')
        printf("    scanned: %s\n", table->why_scan);
    if (table->diff.clustering[0] != '\0')
        printf("    clustering: %s\n", table->diff.clustering);
    if (table->modifications_24h >= QUOTA_NEAR(limit) || table->modifications_a_day > limit)
        printf(
            "    %sloads: %" PRId64 " in the last 24 hours, %" PRId64
            " a day by the schedule; BigQuery allows %" PRId64 "%s\n",
            colour->warn, table->modifications_24h, table->modifications_a_day, limit, colour->end);
    if (table->diff.set[0] != '\0')
        printf("    sets: %s\n", table->diff.set);
    for (size_t i = 0; i < table->diff.statement_count; i++)
        console_print_indented(table->diff.statements[i], colour->dim, colour->end);
    if (blocked != NULL)
        console_print_indented(blocked, colour->bad, colour->end);
}

/* Tables without changes are counted only, unless they were asked for by name. */
static void print_plan(const struct invocation *in, const struct plan_report *report)
{
    struct colours colour = console_colours();
    struct totals sum = add_up(report);
    int width = console_name_width(in);

    if (!in->all_tables || sum.changed + sum.blocked > 0)
        printf(
            "%s  %-*s %-8s %10s %10s %10s %10s  %s%s\n", colour.dim, width, "table", "sent as",
            "insert", "update", "delete", "bills", "why", colour.end);
    for (size_t i = 0; i < report->count; i++) {
        const struct plan_report_table *table = &report->tables[i];
        char text[ERROR_TEXT_SIZE];
        const char *blocked = plan_report_blocked(table, text);
        if (blocked == NULL && !changes(table) && in->all_tables)
            continue;
        print_row(&colour, width, table, blocked);
        print_details(&colour, table, blocked);
    }
    if (in->all_tables && sum.unchanged > 0 && sum.unchanged < report->count)
        printf(
            "%s  %zu table%s unchanged%s\n", colour.dim, sum.unchanged,
            sum.unchanged == 1 ? "" : "s", colour.end);
    if (!in->all_tables || sum.unchanged < report->count)
        putchar('\n');
    if (report->creates_dataset)
        printf("The dataset %s:%s is created first.\n", in->config->project, in->config->dataset);
    // The last line is what the plan comes to.
    bill_print(in->config, &report->spending, colour.warn, colour.end);
    print_totals(&colour, &sum);
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
        status = command_print_json(plan_report_json(&report, in->config), status);
    else
        print_plan(in, &report);
    plan_report_clear(&report);
    return status;
}

static void print_finding(const struct check_finding *finding)
{
    const char *shown = finding->status == CHECK_FAIL ? "FAIL" : check_status_name(finding->status);
    struct colours colour = console_colours();
    const char *start = finding->status == CHECK_FAIL   ? colour.bad
                        : finding->status == CHECK_WARN ? colour.warn
                                                        : colour.good;

    printf("%s%-4s%s  %s: %s\n", start, shown, colour.end, finding->name, finding->message);
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
        status = command_print_json(check_findings_json(&findings), status);
    check_findings_clear(&findings);
    return status;
}
