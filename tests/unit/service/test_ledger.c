#include "support/prelude.h"

#include "base/json_exact.h"
#include "service/ledger.h"

#include <stdlib.h>

#define US INT64_C(1000000)

static const struct table users = {.name = "users", .target = "users"};
static const struct table tasks = {.name = "tasks", .target = "tasks"};
static const struct table *const tables[] = {&users, &tasks};

static int set_up(void **state)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    struct error err;

    expect_ok(ledger_init(ledger, tables, 2, &err));
    *state = ledger;
    return 0;
}

static int tear_down(void **state)
{
    struct ledger *ledger = *state;

    ledger_clear(ledger);
    free(ledger);
    return 0;
}

static void expect_differences(struct ledger *ledger, int64_t of_users, int64_t of_tasks)
{
    assert_int_equal(ledger->tables[0].differences, of_users);
    assert_int_equal(ledger->tables[1].differences, of_tasks);
}

/* A pass of this process over users. */
static void pass(
    struct ledger *ledger, int64_t started_us, enum table_status status, enum send_mode mode)
{
    struct table_result result = {.table = &users, .status = status, .mode = mode};
    struct run_result run = {
        .kind = RUN_TABLES,
        .started_us = started_us,
        .finished_us = started_us + US,
        .tables = &result,
        .table_count = 1,
    };

    ledger_add(ledger, &run);
}

static void test_a_verification_of_one_table_says_nothing_of_another(void **state)
{
    struct ledger *ledger = *state;

    expect_differences(ledger, LEDGER_UNKNOWN, LEDGER_UNKNOWN);
    ledger_verified(ledger, &users, 3, 1000 * US);
    expect_differences(ledger, 3, LEDGER_UNKNOWN);
    ledger_verified(ledger, &tasks, 0, 1001 * US);
    expect_differences(ledger, 3, 0);
    assert_int_equal(ledger->tables[0].verified_us, 1000 * US);
    ledger_verified(ledger, &users, 0, 1002 * US);
    expect_differences(ledger, 0, 0);
}

static void test_only_a_replacement_that_began_later_makes_it_unknown(void **state)
{
    struct ledger *ledger = *state;

    ledger_verified(ledger, &users, 3, 1000 * US);
    pass(ledger, 1001 * US, TABLE_SYNCED, SEND_MERGE);
    pass(ledger, 1002 * US, TABLE_UNCHANGED, SEND_REPLACE);
    pass(ledger, 1003 * US, TABLE_FAILED, SEND_REPLACE);
    pass(ledger, 999 * US, TABLE_SYNCED, SEND_REPLACE);
    expect_differences(ledger, 3, LEDGER_UNKNOWN);
    pass(ledger, 1004 * US, TABLE_SYNCED, SEND_REPLACE);
    expect_differences(ledger, LEDGER_UNKNOWN, LEDGER_UNKNOWN);
}

static void learn(struct ledger *ledger, const char *runs)
{
    cJSON *json = json_parse_exact(runs);

    ledger_learn(ledger, json);
    cJSON_Delete(json);
}

static void fail_pass(struct ledger *ledger, int64_t started_us, const char *message)
{
    struct table_result result = {.table = &users, .status = TABLE_FAILED};
    struct run_result run = {
        .kind = RUN_TABLES, .started_us = started_us, .tables = &result, .table_count = 1};

    error_set(&result.error, ERROR_DISK, "%s", message);
    ledger_add(ledger, &run);
}

static void expect_shown(const struct ledger *ledger, const char *recorded, const char *shown)
{
    assert_string_equal(ledger_last_error(&ledger->tables[0], recorded), shown);
}

static void test_a_failure_counts_although_it_was_not_recorded(void **state)
{
    struct ledger *ledger = *state;

    expect_shown(ledger, "", "");
    expect_shown(ledger, "recorded", "recorded");
    fail_pass(ledger, 1000 * US, "disk full");
    expect_shown(ledger, "", "disk full");
    expect_shown(ledger, "older", "disk full");
    pass(ledger, 1001 * US, TABLE_SKIPPED, SEND_NOTHING);
    expect_shown(ledger, "", "disk full");
    pass(ledger, 1002 * US, TABLE_UNCHANGED, SEND_NOTHING);
    expect_shown(ledger, "", "");
}

static void test_a_later_pass_of_another_process_has_the_word(void **state)
{
    struct ledger *ledger = *state;

    fail_pass(ledger, 1000 * US, "disk full"); // 00:16:40
    learn(
        ledger, "[{\"started_at\":\"1970-01-01T00:16:40.000Z\",\"tables\":["
                "{\"table\":\"users\",\"status\":\"failed\"}]},"
                "{\"started_at\":\"1970-01-01T00:16:41.000Z\",\"tables\":["
                "{\"table\":\"users\",\"status\":\"skipped\"}]}]");
    expect_shown(ledger, "", "disk full");
    learn(
        ledger, "[{\"started_at\":\"1970-01-01T00:16:41.000Z\",\"tables\":["
                "{\"table\":\"users\",\"status\":\"synced\"}]}]");
    expect_shown(ledger, "", "");
    fail_pass(ledger, 1002 * US, "disk full");
    learn(
        ledger, "[{\"started_at\":\"1970-01-01T00:16:43.000Z\",\"tables\":["
                "{\"table\":\"users\",\"status\":\"failed\"}]}]");
    expect_shown(ledger, "recorded", "recorded");
}

static void test_a_recorded_replacement_counts_as_one_of_this_process(void **state)
{
    struct ledger *ledger = *state;

    ledger_verified(ledger, &users, 3, 1000 * US); // 00:16:40
    ledger_verified(ledger, &tasks, 2, 1000 * US);
    learn(
        ledger, "[{\"started_at\":\"1970-01-01T00:16:39.000Z\",\"tables\":["
                "{\"table\":\"users\",\"mode\":\"replace\",\"status\":\"synced\"}]},"
                "{\"started_at\":\"1970-01-01T00:16:41.000Z\",\"tables\":["
                "{\"table\":\"users\",\"mode\":\"merge\",\"status\":\"synced\"},"
                "{\"table\":\"tasks\",\"mode\":\"replace\",\"status\":\"synced\"}]}]");
    expect_differences(ledger, 3, LEDGER_UNKNOWN);
    // A later verification is the newer word, however often the run is read.
    ledger_verified(ledger, &tasks, 5, 1002 * US);
    learn(
        ledger, "[{\"started_at\":\"1970-01-01T00:16:41.000Z\",\"tables\":["
                "{\"table\":\"tasks\",\"mode\":\"replace\",\"status\":\"synced\"}]}]");
    expect_differences(ledger, 3, 5);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(test_a_verification_of_one_table_says_nothing_of_another),
        WORLD(test_only_a_replacement_that_began_later_makes_it_unknown),
        WORLD(test_a_failure_counts_although_it_was_not_recorded),
        WORLD(test_a_later_pass_of_another_process_has_the_word),
        WORLD(test_a_recorded_replacement_counts_as_one_of_this_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
