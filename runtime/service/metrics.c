#include "service/metrics.h"

#include "base/clock.h"
#include "sync/partitions.h"
#include "sync/pass/result.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* --- the format -------------------------------------------------------------------------- */

static void family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void value(struct buffer *out, double number)
{
    // 17 digits are enough to restore every double; whole numbers are printed without a point.
    buffer_printf(out, " %.17g\n", number);
}

/* Label values are escaped as the format asks: backslash, quote and line feed. */
static void label(struct buffer *out, const char *name, const char *text, bool more)
{
    buffer_printf(out, "%s=\"", name);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n')
            buffer_append_text(out, "\\n");
        else if (*at == '"' || *at == '\\')
            buffer_printf(out, "\\%c", *at);
        else
            buffer_append_byte(out, (uint8_t)*at);
    }
    buffer_append_text(out, more ? "\"," : "\"");
}

static void single(
    struct buffer *out, const char *name, const char *type, const char *help, double number)
{
    family(out, name, type, help);
    buffer_append_text(out, name);
    value(out, number);
}

static void of_table(struct buffer *out, const char *name, const struct table *table, double number)
{
    buffer_printf(out, "%s{", name);
    label(out, "table", table->name, false);
    buffer_append_text(out, "}");
    value(out, number);
}

/* --- families ---------------------------------------------------------------------------- */

static void write_freshness(struct buffer *out, const struct metrics_input *input)
{
    const struct ledger *ledger = input->ledger;

    family(
        out, "bqsync_freshness_seconds", "gauge",
        "Seconds since the start of the last pass after which the table equalled its source.");
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->tables[i].fresh_us != 0)
            of_table(
                out, "bqsync_freshness_seconds", ledger->tables[i].table,
                (double)clock_since_us(ledger->tables[i].fresh_us, input->now_us) / 1e6);
    family(
        out, "bqsync_last_success_timestamp_seconds", "gauge",
        "Start of the last pass after which the table equalled its source.");
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->tables[i].fresh_us != 0)
            of_table(
                out, "bqsync_last_success_timestamp_seconds", ledger->tables[i].table,
                (double)ledger->tables[i].fresh_us / 1e6);
}

static void rows_of(struct buffer *out, const struct table *table, const char *kind, int64_t number)
{
    buffer_append_text(out, "bqsync_rows_total{");
    label(out, "table", table->name, true);
    label(out, "kind", kind, false);
    buffer_append_text(out, "}");
    value(out, (double)number);
}

static void write_work(struct buffer *out, const struct ledger *ledger)
{
    family(out, "bqsync_rows_total", "counter", "Rows changed in BigQuery.");
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_table *entry = &ledger->tables[i];
        rows_of(out, entry->table, "inserted", entry->rows_inserted);
        rows_of(out, entry->table, "updated", entry->rows_updated);
        rows_of(out, entry->table, "deleted", entry->rows_deleted);
    }
    family(
        out, "bqsync_unfit_rows_total", "counter",
        "Rows sent with a value in _bqsync_unfit, because it does not fit its column.");
    for (size_t i = 0; i < ledger->count; i++)
        of_table(
            out, "bqsync_unfit_rows_total", ledger->tables[i].table,
            (double)ledger->tables[i].rows_unfit);
    family(out, "bqsync_sent_bytes_total", "counter", "Bytes of row data uploaded.");
    for (size_t i = 0; i < ledger->count; i++)
        of_table(
            out, "bqsync_sent_bytes_total", ledger->tables[i].table,
            (double)ledger->tables[i].bytes_sent);
    family(out, "bqsync_billed_bytes_total", "counter", "Bytes BigQuery billed for queries.");
    for (size_t i = 0; i < ledger->count; i++)
        of_table(
            out, "bqsync_billed_bytes_total", ledger->tables[i].table,
            (double)ledger->tables[i].bytes_billed);
    family(out, "bqsync_table_failures_total", "counter", "Passes in which the table failed.");
    for (size_t i = 0; i < ledger->count; i++)
        of_table(
            out, "bqsync_table_failures_total", ledger->tables[i].table,
            (double)ledger->tables[i].failures);
}

static void write_tables(struct buffer *out, const struct metrics_input *input)
{
    const struct status_table *tables = input->tables;
    size_t count = input->ledger->count;

    single(
        out, "bqsync_source_up", "gauge", "Whether the SQLite databases can be read.",
        tables == NULL ? 0 : 1);
    if (tables == NULL)
        return;
    family(out, "bqsync_pending_changes", "gauge", "Rows changed in SQLite and not yet synced.");
    for (size_t i = 0; i < count; i++)
        if (tables[i].pending != STATUS_UNKNOWN)
            of_table(out, "bqsync_pending_changes", tables[i].table, (double)tables[i].pending);
    family(
        out, "bqsync_rejected_rows", "gauge", "Rows whose values do not fit their column types.");
    for (size_t i = 0; i < count; i++)
        of_table(out, "bqsync_rejected_rows", tables[i].table, (double)tables[i].rejected);
    family(out, "bqsync_table_failing", "gauge", "Whether the last sync of the table failed.");
    for (size_t i = 0; i < count; i++)
        of_table(
            out, "bqsync_table_failing", tables[i].table,
            ledger_last_error(&input->ledger->tables[i], tables[i].last_error)[0] != '\0' ? 1 : 0);
}

static void runs_of(struct buffer *out, enum run_kind kind, const char *outcome, int64_t number)
{
    buffer_append_text(out, "bqsync_runs_total{");
    label(out, "kind", run_kind_name(kind), true);
    label(out, "outcome", outcome, false);
    buffer_append_text(out, "}");
    value(out, (double)number);
}

static void write_histogram(struct buffer *out, enum run_kind kind, const struct ledger_kind *entry)
{
    const char *name = "bqsync_run_duration_seconds";
    int64_t passed = 0;

    for (size_t i = 0; i < LEDGER_BUCKETS; i++) {
        passed += entry->buckets[i];
        buffer_printf(out, "%s_bucket{", name);
        label(out, "kind", run_kind_name(kind), true);
        if (i < LEDGER_BUCKETS - 1)
            buffer_printf(out, "le=\"%g\"} %" PRId64 "\n", ledger_bounds[i], passed);
        else
            buffer_printf(out, "le=\"+Inf\"} %" PRId64 "\n", passed);
    }
    buffer_printf(
        out, "%s_sum{kind=\"%s\"} %.6f\n%s_count{kind=\"%s\"} %" PRId64 "\n", name,
        run_kind_name(kind), entry->seconds, name, run_kind_name(kind), passed);
}

static void write_runs(struct buffer *out, const struct metrics_input *input)
{
    const struct ledger *ledger = input->ledger;

    family(out, "bqsync_runs_total", "counter", "Passes that ended, by kind and outcome.");
    for (size_t i = 0; i < LEDGER_KINDS; i++) {
        runs_of(out, (enum run_kind)i, "ok", ledger->kinds[i].ok);
        runs_of(out, (enum run_kind)i, "failed", ledger->kinds[i].failed);
    }
    family(out, "bqsync_run_duration_seconds", "histogram", "Duration of passes.");
    for (size_t i = 0; i < LEDGER_KINDS; i++)
        write_histogram(out, (enum run_kind)i, &ledger->kinds[i]);
    single(
        out, "bqsync_postponed_runs_total", "counter",
        "Scheduled passes that found another process working on the same state.",
        (double)ledger->postponed);
    single(
        out, "bqsync_last_run_ok", "gauge", "Whether the last pass was ok in every respect.",
        ledger->last_ok ? 1 : 0);
    if (ledger->last_run_us != 0)
        single(
            out, "bqsync_last_run_timestamp_seconds", "gauge", "End of the last pass.",
            (double)ledger->last_run_us / 1e6);
    if (ledger->last_ok_us != 0)
        single(
            out, "bqsync_last_ok_run_timestamp_seconds", "gauge",
            "End of the last pass that was ok in every respect.", (double)ledger->last_ok_us / 1e6);
    single(out, "bqsync_running", "gauge", "Whether a pass runs.", input->running ? 1 : 0);
}

static void requests_of(
    struct buffer *out, enum traffic_call call, enum traffic_outcome outcome, uint64_t number)
{
    buffer_append_text(out, "bqsync_requests_total{");
    label(out, "call", traffic_call_name(call), true);
    label(out, "outcome", traffic_outcome_name(outcome), false);
    buffer_append_text(out, "}");
    value(out, (double)number);
}

/* Every combination is written from the start with the value zero, so that a first failure is an
 * increase. */
static void write_traffic(struct buffer *out, const struct ledger *ledger)
{
    const struct traffic *traffic = &ledger->traffic;

    family(out, "bqsync_requests_total", "counter", "Requests of passes to BigQuery.");
    for (size_t i = 0; i < TRAFFIC_CALLS; i++)
        for (size_t j = 0; j < TRAFFIC_OUTCOMES; j++)
            requests_of(
                out, (enum traffic_call)i, (enum traffic_outcome)j, traffic->requests[i][j]);
    family(
        out, "bqsync_retries_total", "counter",
        "Requests, uploads and jobs of passes that had to be repeated, by reason.");
    for (size_t i = 0; i < TRAFFIC_REASONS; i++) {
        buffer_append_text(out, "bqsync_retries_total{");
        label(out, "reason", traffic_reason_name((enum traffic_reason)i), false);
        buffer_append_text(out, "}");
        value(out, (double)traffic->retries[i]);
    }
}

static void write_schedule(struct buffer *out, const struct scheduler_view *view)
{
    const char *name = "bqsync_next_run_timestamp_seconds";

    family(out, name, "gauge", "When the next pass of the schedule is due.");
    if (view->incremental_us != SCHEDULE_NEVER) {
        buffer_printf(out, "%s{job=\"incremental\"}", name);
        value(out, (double)view->incremental_us / 1e6);
    }
    if (view->full_us != SCHEDULE_NEVER) {
        buffer_printf(out, "%s{job=\"full\"}", name);
        value(out, (double)view->full_us / 1e6);
    }
    if (view->follow_text[0] != '\0' && view->follow_us != SCHEDULE_NEVER) {
        buffer_printf(out, "%s{job=\"follow\"}", name);
        value(out, (double)view->follow_us / 1e6);
    }
}

static void write_quota(struct buffer *out, const struct metrics_input *input)
{
    const struct ledger *ledger = input->ledger;

    family(
        out, "bqsync_quota_modifications_used", "gauge",
        "Loads of the table in the last 24 hours, or partitions that they changed.");
    for (size_t i = 0; i < ledger->count; i++)
        of_table(
            out, "bqsync_quota_modifications_used", ledger->tables[i].table,
            (double)input->modifications(input->context, ledger->tables[i].table->target));
    family(out, "bqsync_quota_modifications_limit", "gauge", "How many of them BigQuery allows.");
    for (size_t i = 0; i < ledger->count; i++)
        of_table(
            out, "bqsync_quota_modifications_limit", ledger->tables[i].table,
            (double)partitions_daily_limit(ledger->tables[i].table));
}

static void write_spending(struct buffer *out, const struct spending *spending)
{
    if (spending == NULL)
        return;
    single(
        out, "bqsync_billed_bytes_today", "gauge",
        "Bytes billed by queries on this UTC day, by all processes.", (double)spending->today);
    single(
        out, "bqsync_billed_bytes_month", "gauge", "The same for this month.",
        (double)spending->month);
    single(
        out, "bqsync_budget_bytes_a_day", "gauge", "What a day may bill, 0: there is no budget.",
        (double)spending->budget);
    single(
        out, "bqsync_budget_used_up", "gauge",
        "Whether tables that need a query wait for the next day.",
        spending_is_over(spending) ? 1 : 0);
}

static void write_verified(struct buffer *out, const struct metrics_input *input)
{
    const struct verifier_view *verified = input->verified;
    const struct ledger *ledger = input->ledger;

    if (verified == NULL)
        return;
    bool ok = verified->compared;
    for (size_t i = 0; i < ledger->count; i++)
        ok = ok && ledger->tables[i].differences <= 0;
    family(
        out, "bqsync_verify_ok", "gauge",
        "Whether the last verification could compare all its tables, and no table is known to "
        "differ.");
    if (verified->finished_us != 0)
        buffer_printf(out, "bqsync_verify_ok %d\n", ok ? 1 : 0);
    family(out, "bqsync_verify_timestamp_seconds", "gauge", "End of the last verification.");
    if (verified->finished_us != 0) {
        buffer_append_text(out, "bqsync_verify_timestamp_seconds");
        value(out, (double)verified->finished_us / 1e6);
    }
    family(
        out, "bqsync_verify_differences", "gauge",
        "Keys found missing, extra, different or duplicated, and columns found missing, by the "
        "last verification of the table.");
    // A table that was not verified is left out: 0 would mean that it did not differ.
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->tables[i].differences != LEDGER_UNKNOWN)
            of_table(
                out, "bqsync_verify_differences", ledger->tables[i].table,
                (double)ledger->tables[i].differences);
}

/* --- the process, under the names that all programs use ---------------------------------- */

static int64_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;

    if (folder == NULL)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    // Without the descriptor of this directory.
    return count - 1;
}

static int64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long pages = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d %lld", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void write_process(struct buffer *out, const struct metrics_input *input)
{
    single(
        out, "process_start_time_seconds", "gauge", "Start of the process.",
        (double)input->started_us / 1e6);
    single(
        out, "process_resident_memory_bytes", "gauge", "Memory in use.", (double)resident_bytes());
    single(out, "process_open_fds", "gauge", "Open file descriptors.", (double)open_descriptors());
}

void metrics_write(struct buffer *out, const struct metrics_input *input)
{
    family(out, "bqsync_build_info", "gauge", "The version that runs.");
    buffer_append_text(out, "bqsync_build_info{");
    label(out, "version", BQSYNC_VERSION, false);
    buffer_append_text(out, "} 1\n");
    write_freshness(out, input);
    write_tables(out, input);
    write_work(out, input->ledger);
    write_traffic(out, input->ledger);
    write_runs(out, input);
    write_schedule(out, input->view);
    write_quota(out, input);
    write_spending(out, input->spending);
    write_verified(out, input);
    write_process(out, input);
}
