/* The control tables: layouts of other versions, facts, runs and counts by the hour. */
#include "support/prelude.h"

#include "source/tracking_quota.h"
#include "source/tracking_schema.h"
#include "tracked_state.h"

static void test_dropped_control_tables_come_back(void **state)
{
    (void)state;
    static const char *const names[] = {
        "bq_sync_meta", "bq_sync_tracking", "bq_sync_intents", "bq_sync_generations",
        "bq_sync_runs", "bq_sync_rejects",  "bq_sync_loads",   "bq_sync_billed"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char sql[64];
        sync_once(SEND_REPLACE, 1);
        snprintf(sql, sizeof sql, "drop table %s", names[i]);
        run(&tracking.database, sql);
        assert_false(tracking_load(&tracking, "users", &(struct watermark){0}, &err) && i == 1);

        reopen();

        sync_once(SEND_REPLACE, 2);
        assert_int_equal(load().generation, 2);
    }
}

static void test_reading_a_database_without_control_tables_finds_nothing(void **state)
{
    (void)state;
    struct database empty;
    struct tracking reader;
    struct watermark watermark;
    struct intent intent;
    bool found = true;
    char value[8] = "x";
    const char *file = path_in(&folder, "empty.db");
    expect_ok(database_open(file, DATABASE_CREATE, 0, &empty, &err));
    run(&empty, "create table mine(a)");

    expect_ok(tracking_open_read(file, &reader, &err));
    expect_ok(tracking_load(&reader, "users", &watermark, &err));
    expect_ok(tracking_intent(&reader, "users", &found, &intent, &err));
    expect_ok(tracking_get(&reader, "instance", value, sizeof value, &err));

    assert_false(watermark.found);
    assert_false(found);
    assert_string_equal(value, "");
    assert_int_equal(query_int(&empty, "select count(*) from sqlite_master"), 1);
    tracking_close(&reader);
    database_close(&empty);
}

static void test_tables_of_an_older_layout_are_completed(void **state)
{
    (void)state;
    run(&tracking.database,
        "drop table bq_sync_tracking; drop table bq_sync_meta;"
        "create table bq_sync_tracking(table_name TEXT PRIMARY KEY, last_synced_row_id INTEGER NOT "
        "NULL,"
        " last_synced_at TEXT);"
        "insert into bq_sync_tracking values ('users', 55, '2025-01-01T00:00:00Z')");

    reopen();

    assert_int_equal(load().last_synced_row_id, 55);
    assert_string_equal(load().content_hash, "");
    sync_once(SEND_REPLACE, 1);
    assert_int_equal(load().last_synced_row_id, 90);
}

/* Each version reads the columns that there are, also where it may not add its own. */
static void test_a_layout_without_the_newest_columns_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    static const char *const without[] = {
        "alter table bq_sync_generations drop column fixed_rejects",
        "alter table bq_sync_generations drop column jobs_before"};
    struct tracking reader;
    struct watermark watermark;

    sync_once(SEND_REPLACE, 3);
    run(&tracking.database, "update bq_sync_generations set labelled = 2, jobs = 'abc'");
    for (int i = 0; i < 2; i++) {
        run(&tracking.database, without[i]);
        expect_ok(tracking_open_read(path, &reader, &err));
        expect_ok(tracking_load(&reader, "users", &watermark, &err));
        assert_int_equal(watermark.generation, 3);
        assert_int_equal(watermark.label.generation, i == 0 ? 2 : 3);
        assert_string_equal(watermark.label.jobs, i == 0 ? "abc" : "");
        assert_false(watermark.fixed_rejects);
        tracking_close(&reader);
    }
}

static void test_a_newer_layout_is_refused(void **state)
{
    (void)state;
    struct tracking other;
    run(&tracking.database, "update bq_sync_meta set value = '99' where name = 'schema_version'");

    expect_error(tracking_open(path, &other, &err), ERROR_SOURCE, "version 99");
}

static void test_opening_again_writes_nothing_and_keeps_the_instance(void **state)
{
    (void)state;
    char first[32];
    char second[32];
    expect_ok(tracking_get(&tracking, "instance", first, sizeof first, &err));
    int64_t version = query_int(&tracking.database, "pragma data_version");

    struct tracking other;
    expect_ok(tracking_open(path, &other, &err));
    expect_ok(tracking_get(&other, "instance", second, sizeof second, &err));

    assert_int_equal(strlen(first), 16);
    assert_string_equal(first, second);
    assert_int_equal(query_int(&tracking.database, "pragma data_version"), version);
    tracking_close(&other);
}

static void test_facts_are_kept_by_name(void **state)
{
    (void)state;
    char value[16];

    expect_ok(tracking_set(&tracking, "location", "US", &err));
    expect_ok(tracking_set(&tracking, "location", "EU", &err));
    expect_ok(tracking_get(&tracking, "location", value, sizeof value, &err));

    assert_string_equal(value, "EU");
}

static bool collect_run(void *context, const char *run_id, const char *run_state, const char *json)
{
    buffer_printf(context, "%s %s %s\n", run_id, run_state, json);
    return true;
}

static void test_the_newest_runs_are_kept_newest_first(void **state)
{
    (void)state;
    struct buffer out;
    char id[16];
    buffer_init(&out, 1 << 20);

    for (int i = 1; i <= 503; i++) {
        snprintf(id, sizeof id, "r%d", i);
        expect_ok(tracking_save_run(&tracking, id, "running", "{}", &err));
    }
    expect_ok(tracking_save_run(&tracking, "r503", "done", "{\"ok\":true}", &err));
    expect_ok(tracking_each_run(&tracking, 2, collect_run, &out, &err));

    assert_string_equal(buffer_text(&out), "r503 done {\"ok\":true}\nr502 running {}\n");
    assert_int_equal(query_int(&tracking.database, "select count(*) from bq_sync_runs"), 500);
    buffer_clear(&out);
}

static void add_up(void *context, int64_t hour, int64_t modifications)
{
    int64_t *sum = context;

    *sum += hour * 1000 + modifications;
}

static int64_t quota_since(struct tracking *from, int64_t first_hour)
{
    int64_t sum = 0;

    expect_ok(tracking_quota_load(from, "p.d.users", first_hour, add_up, &sum, &err));
    return sum;
}

static void test_a_daily_count_is_kept_by_name(void **state)
{
    struct tracking reader;

    (void)state;
    assert_int_equal(quota_since(&tracking, 0), 0);
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 1, 7, 12, &err));
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 1, 8, 3, &err));
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 1, 8, 4, &err));
    expect_ok(tracking_quota_save(&tracking, "p.d.others", 1, 8, 100, &err));
    assert_int_equal(quota_since(&tracking, 7), 7012 + 8004);
    assert_int_equal(quota_since(&tracking, 8), 8004);
    expect_ok(tracking_quota_save(&tracking, "p.d.users", 8, 32, 1, &err));
    assert_int_equal(quota_since(&tracking, 0), 8004 + 32001);

    // A reader finds nothing where the table was dropped, and says so.
    run(&tracking.database, "drop table bq_sync_loads");
    expect_ok(tracking_open_read(tracking.database.path, &reader, &err));
    assert_int_equal(quota_since(&reader, 0), 0);
    tracking_close(&reader);
}

static void test_counts_by_the_day_of_an_earlier_version_are_taken_over(void **state)
{
    (void)state;
    run(&tracking.database,
        "drop table bq_sync_loads;"
        "create table bq_sync_quota(table_name text primary key, day integer not null,"
        " modifications integer not null) without rowid;"
        "insert into bq_sync_quota values"
        " ('p.d.users', (strftime('%s', 'now') - 28800) / 86400, 12),"
        " ('p.d.old', (strftime('%s', 'now') - 28800) / 86400 - 3, 7)");

    reopen();

    assert_int_equal(
        query_int(
            &tracking.database,
            "select sum(modifications) from bq_sync_loads where hour between"
            " strftime('%s', 'now') / 3600 - 1 and strftime('%s', 'now') / 3600"),
        12);
    assert_int_equal(
        query_int(
            &tracking.database, "select count(*) from sqlite_master where name = 'bq_sync_quota'"),
        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(test_a_daily_count_is_kept_by_name),
        state_test(test_counts_by_the_day_of_an_earlier_version_are_taken_over),
        state_test(test_dropped_control_tables_come_back),
        state_test(test_reading_a_database_without_control_tables_finds_nothing),
        state_test(test_tables_of_an_older_layout_are_completed),
        state_test(test_a_layout_without_the_newest_columns_is_read_as_far_as_it_goes),
        state_test(test_a_newer_layout_is_refused),
        state_test(test_opening_again_writes_nothing_and_keeps_the_instance),
        state_test(test_facts_are_kept_by_name),
        state_test(test_the_newest_runs_are_kept_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
