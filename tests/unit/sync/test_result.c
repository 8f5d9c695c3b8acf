/* What a pass did, as documents and exit statuses. */
#include "support/prelude.h"

#include "sync/pass/result.h"

#include <stdlib.h>
#include <string.h>

static const struct table users = {.name = "users"};
static const struct table orders = {.name = "orders"};

static struct run_result make(enum table_status first, enum table_status second)
{
    struct run_result run = {.id = "r", .started_us = 1000000, .finished_us = 3000000};

    run.tables = calloc(2, sizeof *run.tables);
    assert_non_null(run.tables);
    run.table_count = 2;
    run.tables[0] = (struct table_result){.table = &users, .status = first};
    run.tables[1] = (struct table_result){.table = &orders, .status = second};
    return run;
}

static void set_failed(struct table_result *table, enum error_code code)
{
    table->status = TABLE_FAILED;
    error_set(&table->error, code, "why");
}

static void test_synced_and_unchanged_tables_are_ok(void **state)
{
    (void)state;
    struct run_result run = make(TABLE_SYNCED, TABLE_UNCHANGED);

    assert_true(run_result_ok(&run));
    assert_int_equal(run_result_exit_status(&run), 0);
    run_result_clear(&run);
}

static void test_a_rejected_row_is_not_ok(void **state)
{
    (void)state;
    struct run_result run = make(TABLE_SYNCED, TABLE_UNCHANGED);
    run.tables[1].rows_rejected = 1;

    assert_false(run_result_ok(&run));
    assert_int_equal(run_result_exit_status(&run), 1);
    run_result_clear(&run);
}

static void test_one_failed_table_is_status_1_whatever_its_code(void **state)
{
    (void)state;
    struct run_result run = make(TABLE_SYNCED, TABLE_UNCHANGED);
    set_failed(&run.tables[1], ERROR_UNREACHABLE);

    assert_int_equal(run_result_exit_status(&run), 1);
    run_result_clear(&run);
}

static void test_all_tables_failed_for_one_reason_is_that_reasons_status(void **state)
{
    (void)state;
    struct run_result run = make(TABLE_SYNCED, TABLE_SYNCED);
    set_failed(&run.tables[0], ERROR_UNREACHABLE);
    set_failed(&run.tables[1], ERROR_UNREACHABLE);

    assert_int_equal(run_result_exit_status(&run), 5);
    run_result_clear(&run);
}

static void test_ids_beyond_2_to_the_53_keep_their_digits_in_json(void **state)
{
    (void)state;
    struct run_result run = make(TABLE_SYNCED, TABLE_SYNCED);
    run.tables[0].last_synced_row_id = INT64_MAX;

    cJSON *json = run_result_json(&run);
    char *text = cJSON_PrintUnformatted(json);

    assert_non_null(strstr(text, "\"last_synced_row_id\":9223372036854775807"));
    assert_non_null(strstr(text, "\"started_at\":\"1970-01-01T00:00:01.000Z\""));
    assert_non_null(strstr(text, "\"duration_ms\":2000"));
    assert_non_null(strstr(text, "\"error\":null"));
    cJSON_free(text);
    cJSON_Delete(json);
    run_result_clear(&run);
}

static void test_run_ids_sort_by_time_and_differ(void **state)
{
    char a[RUN_ID_SIZE];
    char b[RUN_ID_SIZE];

    (void)state;
    run_id_make(1767323045678000, a);
    run_id_make(1767323045678000, b);

    assert_memory_equal(a, "20260102-030405-", 16);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_synced_and_unchanged_tables_are_ok),
        cmocka_unit_test(test_a_rejected_row_is_not_ok),
        cmocka_unit_test(test_one_failed_table_is_status_1_whatever_its_code),
        cmocka_unit_test(test_all_tables_failed_for_one_reason_is_that_reasons_status),
        cmocka_unit_test(test_ids_beyond_2_to_the_53_keep_their_digits_in_json),
        cmocka_unit_test(test_run_ids_sort_by_time_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
