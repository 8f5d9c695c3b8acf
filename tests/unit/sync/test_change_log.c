/* The statements that add versions to the log: what they read, and what they leave alone. */
#include "support/prelude.h"

#include "sync/commit/change_log.h"

#include <string.h>

/* A table with a key of one column, and a batch of it. */
struct logged {
    struct column columns[2];
    size_t key[1];
    struct table_history history;
    struct table table;
    struct worker worker;
    struct task task;
    struct intent intent;
    struct buffer sql;
};

static int setup(void **state)
{
    static struct logged logged;

    logged = (struct logged){
        .columns =
            {{.name = "id", .type = COLUMN_INT64, .key = true, .bounded = true},
             {.name = "note", .type = COLUMN_STRING}},
        .history = {.log = "users_changes"},
        .worker = {.project = "p", .dataset = "d", .run_id = "run-1"},
        .intent = {.mode = SEND_MERGE, .generation = 7, .logged_at_us = 1500000},
    };
    logged.table = (struct table){
        .name = "users",
        .target = "users",
        .resource_json = "{}",
        .history = &logged.history,
        .columns = logged.columns,
        .column_count = 2,
        .key = logged.key,
        .key_count = 1,
        .bounds_sql = "\n  and t_.`id` between @low_1 and @high_1",
    };
    logged.task = (struct task){.table = &logged.table, .batch = {.rows = 2}};
    memcpy(logged.intent.staging, "staged", sizeof "staged");
    buffer_init(&logged.sql, 1 << 20);
    *state = &logged;
    return 0;
}

static int teardown(void **state)
{
    struct logged *logged = *state;

    buffer_clear(&logged->sql);
    return 0;
}

static const char *statements(struct logged *logged)
{
    buffer_reset(&logged->sql);
    change_log_append(&logged->sql, &logged->worker, &logged->task, &logged->intent);
    return buffer_text(&logged->sql);
}

static void test_a_table_without_history_logs_nothing(void **state)
{
    struct logged *logged = *state;

    logged->table.history = NULL;
    assert_string_equal(statements(logged), "");
}

static void test_what_is_known_of_all_rows_needs_no_look_at_the_target(void **state)
{
    assert_string_equal(
        statements(*state),
        "insert into `p`.`d`.`users_changes` (`id`, `note`, `_bqsync_operation`, `_bqsync_at`, "
        "`_bqsync_generation`, `_bqsync_run`)\n"
        "select bqsync_rows.`id`, bqsync_rows.`note`, bqsync_rows.`_bqsync_operation`, "
        "timestamp_micros(1500000), 7, \"run-1\"\n"
        "from `p`.`d`.`staged` as bqsync_rows;\n");
}

static void test_what_is_not_known_of_a_row_the_target_says(void **state)
{
    struct logged *logged = *state;
    static const char operation[] =
        "ifnull(bqsync_rows.`_bqsync_operation`, if(exists (\n"
        "      select 1 from `p`.`d`.`users` as t_\n"
        "      where true and t_.`id` = bqsync_rows.`id`),\n"
        "      if(bqsync_rows.`_bqsync_deleted`, 'delete', 'update'),\n"
        "      if(bqsync_rows.`_bqsync_deleted`, null, 'insert'))) as `_bqsync_operation`\n"
        "  from `p`.`d`.`staged` as bqsync_rows\n"
        ") as bqsync_versions\n"
        "where bqsync_versions.`_bqsync_operation` is not null;\n";

    logged->task.batch.unknown_rows = 1;

    assert_non_null(strstr(statements(logged), operation));
}

static void test_a_replacement_is_compared_with_the_current_versions(void **state)
{
    struct logged *logged = *state;

    logged->intent.mode = SEND_REPLACE;
    const char *sql = statements(logged);

    assert_null(strstr(sql, "update "));
    assert_non_null(strstr(sql, "full join ("));
    assert_non_null(strstr(sql, "from `p`.`d`.`staged` as bqsync_rows where not"));
    assert_non_null(strstr(sql, "is distinct from bqsync_old.`_bqsync_text`"));
    assert_null(strstr(sql, "`p`.`d`.`users`"));
}

static void test_a_replacement_by_no_rows_ends_all_versions(void **state)
{
    struct logged *logged = *state;

    logged->intent.mode = SEND_REPLACE;
    logged->intent.staging[0] = '\0';
    logged->task.batch.rows = 0;

    assert_non_null(strstr(
        statements(logged), "from `p`.`d`.`users_changes` as bqsync_rows where false\n  ) as t"));
}

static void test_what_a_restore_undid_is_abandoned_first(void **state)
{
    struct logged *logged = *state;
    static const char first[] =
        "update `p`.`d`.`users_changes` set `_bqsync_abandoned` = true\n"
        "where `_bqsync_generation` > 5 and `_bqsync_abandoned` is not true;\ninsert into ";

    logged->intent.mode = SEND_REPLACE;
    logged->intent.abandons_above = 5;

    assert_memory_equal(statements(logged), first, sizeof first - 1);
}

static void test_rows_whose_versions_have_expired_are_compared_with_the_target(void **state)
{
    struct logged *logged = *state;

    logged->intent.mode = SEND_REPLACE;
    logged->history.keep_days = 30;

    assert_null(strstr(statements(logged), "from `p`.`d`.`users` as t\n    where true"));

    logged->intent.log_whole = true;
    assert_non_null(strstr(statements(logged), "from `p`.`d`.`users` as t\n    where true"));
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_a_table_without_history_logs_nothing),
        LOG_TEST(test_what_is_known_of_all_rows_needs_no_look_at_the_target),
        LOG_TEST(test_what_is_not_known_of_a_row_the_target_says),
        LOG_TEST(test_a_replacement_is_compared_with_the_current_versions),
        LOG_TEST(test_a_replacement_by_no_rows_ends_all_versions),
        LOG_TEST(test_what_a_restore_undid_is_abandoned_first),
        LOG_TEST(test_rows_whose_versions_have_expired_are_compared_with_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
