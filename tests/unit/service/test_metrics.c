#include "support/prelude.h"

#include "service/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US INT64_C(1000000)

static const struct table users = {.name = "users", .target = "users"};
static const struct table odd = {.name = "od\"d\\name", .target = "odd"};
static const struct table *const tables[] = {&users, &odd};

static int64_t modifications(void *context, const char *table)
{
    (void)context;
    return strcmp(table, "users") == 0 ? 96 : 0;
}

/* One run of a second and a half with both tables. */
static void add_run(struct ledger *ledger)
{
    struct table_result results[] = {
        {.table = &users,
         .status = TABLE_SYNCED,
         .rows_inserted = 5,
         .rows_updated = 2,
         .rows_deleted = 1,
         .bytes_sent = 4096},
        {.table = &odd, .status = TABLE_FAILED},
    };
    struct run_result run = {
        .kind = RUN_INCREMENTAL,
        .started_us = 1000 * US,
        .finished_us = 1001 * US + US / 2,
        .traffic.requests[TRAFFIC_JOBS_INSERT] = {[TRAFFIC_OK] = 7, [TRAFFIC_ERROR] = 1},
        .traffic.retries[TRAFFIC_RATE_LIMIT] = 2,
        .tables = results,
        .table_count = 2,
    };

    ledger_add(ledger, &run);
}

static char *render(bool readable)
{
    struct status_table rows[] = {
        {.table = &users, .pending = 3, .rejected = 1},
        {.table = &odd, .pending = STATUS_UNKNOWN, .last_error = "broken"},
    };
    struct scheduler_view view = {.incremental_us = 1100 * US, .full_us = SCHEDULE_NEVER};
    struct verifier_view verified = {.finished_us = 1050 * US, .compared = true};
    struct ledger ledger;
    struct buffer out;
    struct error err;

    expect_ok(ledger_init(&ledger, tables, 2, &err));
    add_run(&ledger);
    ledger_verified(&ledger, &users, 4, 1050 * US);
    buffer_init(&out, 1 << 20);
    metrics_write(
        &out, &(struct metrics_input){
                  .now_us = 1060 * US,
                  .started_us = 900 * US,
                  .ledger = &ledger,
                  .tables = readable ? rows : NULL,
                  .view = &view,
                  .verified = &verified,
                  .modifications = modifications,
              });
    expect_ok(buffer_check(&out, "metrics", &err));
    ledger_clear(&ledger);
    return buffer_take(&out);
}

static void expect_line(const char *text, const char *line)
{
    char wanted[256];

    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strstr(text, wanted) == NULL)
        fail_msg("no line \"%s\" in\n%s", line, text);
}

static void test_a_run_shows_in_every_family(void **state)
{
    char *text = render(true);

    (void)state;
    expect_line(text, "bqsync_freshness_seconds{table=\"users\"} 60");
    expect_line(text, "bqsync_last_success_timestamp_seconds{table=\"users\"} 1000");
    expect_line(text, "bqsync_rows_total{table=\"users\",kind=\"inserted\"} 5");
    expect_line(text, "bqsync_rows_total{table=\"users\",kind=\"updated\"} 2");
    expect_line(text, "bqsync_rows_total{table=\"users\",kind=\"deleted\"} 1");
    expect_line(text, "bqsync_sent_bytes_total{table=\"users\"} 4096");
    expect_line(text, "bqsync_pending_changes{table=\"users\"} 3");
    expect_line(text, "bqsync_rejected_rows{table=\"users\"} 1");
    expect_line(text, "bqsync_table_failing{table=\"users\"} 0");
    expect_line(text, "bqsync_requests_total{call=\"jobs.insert\",outcome=\"ok\"} 7");
    expect_line(text, "bqsync_requests_total{call=\"jobs.insert\",outcome=\"error\"} 1");
    expect_line(text, "bqsync_requests_total{call=\"load\",outcome=\"no_answer\"} 0");
    expect_line(text, "bqsync_retries_total{reason=\"rateLimitExceeded\"} 2");
    expect_line(text, "bqsync_retries_total{reason=\"other\"} 0");
    expect_line(text, "bqsync_runs_total{kind=\"incremental\",outcome=\"failed\"} 1");
    expect_line(text, "bqsync_run_duration_seconds_bucket{kind=\"incremental\",le=\"1\"} 0");
    expect_line(text, "bqsync_run_duration_seconds_bucket{kind=\"incremental\",le=\"2.5\"} 1");
    expect_line(text, "bqsync_run_duration_seconds_bucket{kind=\"incremental\",le=\"+Inf\"} 1");
    expect_line(text, "bqsync_run_duration_seconds_sum{kind=\"incremental\"} 1.500000");
    expect_line(text, "bqsync_next_run_timestamp_seconds{job=\"incremental\"} 1100");
    expect_line(text, "bqsync_quota_modifications_used{table=\"users\"} 96");
    expect_line(text, "bqsync_last_run_ok 0");
    expect_line(text, "bqsync_verify_ok 0");
    expect_line(text, "bqsync_verify_timestamp_seconds 1050");
    expect_line(text, "bqsync_verify_differences{table=\"users\"} 4");
    free(text);
}

static void test_names_are_escaped_and_what_is_unknown_is_left_out(void **state)
{
    char *text = render(true);

    (void)state;
    expect_line(text, "bqsync_table_failing{table=\"od\\\"d\\\\name\"} 1");
    assert_null(strstr(text, "bqsync_pending_changes{table=\"od"));
    assert_null(strstr(text, "bqsync_freshness_seconds{table=\"od"));
    assert_null(strstr(text, "{job=\"full\"}"));
    assert_null(strstr(text, "bqsync_verify_differences{table=\"od"));
    free(text);
}

static void test_a_source_that_cannot_be_read_shows_and_hides_nothing_else(void **state)
{
    char *text = render(false);

    (void)state;
    expect_line(text, "bqsync_source_up 0");
    expect_line(text, "bqsync_requests_total{call=\"jobs.insert\",outcome=\"ok\"} 7");
    assert_null(strstr(text, "bqsync_pending_changes{"));
    free(text);
}

/* The judge is Prometheus' own parser and linter. */
static void test_promtool_finds_nothing_to_complain_about(void **state)
{
    (void)state;
    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        print_message("SKIPPED: promtool is not installed (Debian package prometheus)\n");
        skip();
    }
    char *text = render(true);
    FILE *tool = popen("promtool check metrics", "w");
    assert_non_null(tool);
    fputs(text, tool);
    assert_int_equal(pclose(tool), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_shows_in_every_family),
        cmocka_unit_test(test_names_are_escaped_and_what_is_unknown_is_left_out),
        cmocka_unit_test(test_a_source_that_cannot_be_read_shows_and_hides_nothing_else),
        cmocka_unit_test(test_promtool_finds_nothing_to_complain_about),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
