/* Reading tables into files, and that a file never parts with the way in which it is sent. */
#include "scene.h"

#include "source/tracking.h"
#include "sync/pass/reading.h"
#include "sync/pass/target.h"

#include <string.h>

/* A target whose columns are `fields`. */
#define LIVE(fields)       "{\"schema\":{\"fields\":[" fields "]},\"labels\":{}}"
#define TRIGGER_OF_DEVICES "bq_sync_update_devices"
#define ID                 "{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"}"
#define EMAIL              "{\"name\":\"email\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"}"
#define BALANCE            "{\"name\":\"balance\",\"type\":\"NUMERIC\"}"
#define NOTE               "{\"name\":\"note\",\"type\":\"STRING\"}"

static const char three_accounts[] = "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', "
                                     "2, 'two'), (3, 'c@x', 3, 'three')";

static const struct batch *read_one(struct scene *scene, const char *table)
{
    scene_pass(scene, table, NULL);
    scene_plan(scene);
    scene_read(scene);
    if (task_failed(&scene->tasks[0]))
        fail_msg("%s", scene->outcomes[0].error.message);
    return &scene->tasks[0].batch;
}

static void expect_batch(
    const struct batch *batch, enum send_mode mode, bool staged, int64_t new_rows,
    int64_t changed_rows)
{
    assert_true(batch->complete);
    assert_string_equal(send_mode_name(batch->mode), send_mode_name(mode));
    assert_int_equal(batch->staged, staged);
    assert_int_equal(batch->new_rows, new_rows);
    assert_int_equal(batch->changed_rows, changed_rows);
    assert_int_equal(batch->rows, new_rows + changed_rows);
    assert_int_equal((batch->spool != NULL) + (batch->inlined != NULL), batch->rows > 0);
}

static void test_the_file_is_made_for_the_way_in_which_it_is_sent(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    expect_batch(read_one(scene, "accounts"), SEND_REPLACE, false, 3, 0);
    scene_sync(scene, "accounts");
    scene_sync(scene, "events");

    scene_run(
        scene, "update accounts set note = 'x' where id = 1; delete from accounts where id = 2;"
               "insert into accounts values (4, 'd@x', 4, 'four');"
               "insert into events(kind) values ('a'), ('b')");
    expect_batch(read_one(scene, "accounts"), SEND_MERGE, true, 1, 2);
    expect_batch(read_one(scene, "events"), SEND_APPEND, false, 2, 0);
}

/* As many as 5,000 rows, with as much as 1 MB. */
static void test_size_alone_decides_what_travels_in_the_statement(void **state)
{
    static const struct {
        const char *change;
        bool inlined;
    } cases[] = {
        {"update accounts set note = 'x' where id <= 5000", true},
        {"update accounts set note = 'x' where id <= 5001", false},
        {"delete from accounts where id <= 5000", true},
        {"delete from accounts where id <= 5001", false},
        {"update accounts set note = hex(zeroblob(524000)) where id = 1", true},
        {"update accounts set note = hex(zeroblob(525000)) where id = 1", false},
        {"update accounts set note = hex(zeroblob(2600)) where id <= 200", true},
        {"update accounts set note = hex(zeroblob(2600)) where id <= 202", false},
        // Each control character takes six bytes.
        {"update accounts set note = replace(hex(zeroblob(349000)), '0', char(1)) where id = 1",
         true},
        {"update accounts set note = replace(hex(zeroblob(350000)), '0', char(1)) where id = 1",
         false},
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_run(
            scene, "delete from accounts;"
                   "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10500)"
                   " insert into accounts select i, 'e' || i, 1, null from n");
        scene_sync(scene, "accounts");
        scene_run(scene, cases[i].change);
        const struct batch *batch = read_one(scene, "accounts");
        assert_int_equal(batch->mode, SEND_MERGE);
        if ((batch->inlined != NULL) != cases[i].inlined)
            fail_msg("%s", cases[i].change);
        assert_int_equal(batch->spool == NULL, cases[i].inlined);
        scene_sync(scene, "accounts");
    }
}

static void test_a_row_that_changes_between_plan_and_snapshot_makes_an_append_a_merge(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into events(kind) values ('a')");
    scene_sync(scene, "events");
    scene_run(scene, "insert into events(kind) values ('b')");
    scene_pass(scene, "events", NULL);
    scene_plan(scene);
    assert_int_equal(scene->tasks[0].plan.mode, SEND_APPEND);

    scene_run(scene, "update events set kind = 'x' where id = 1");
    scene_read(scene);
    expect_batch(&scene->tasks[0].batch, SEND_MERGE, true, 1, 1);
}

static void test_a_filter_that_lets_a_row_through_after_the_plan_outdates_it(void **state)
{
    struct scene *scene = *state;

    scene_run(
        scene, "create table people(id integer primary key, email, name, phone, deleted default 0);"
               "insert into people(id, name) values (1, 'a')");
    scene_sync(scene, "people");
    scene_run(scene, "insert into people(id, name, deleted) values (2, 'b', 1)");
    expect_batch(read_one(scene, "people"), SEND_NOTHING, false, 0, 0);

    scene_pass(scene, "people", NULL);
    scene_plan(scene);
    assert_true(scene->tasks[0].plan.only_state);
    scene_run(scene, "insert into people(id, name) values (3, 'c')");
    scene_read(scene);
    assert_true(task_is_outdated(&scene->tasks[0]));
    assert_false(scene->tasks[0].batch.complete);
}

static void test_a_dry_run_reads_and_keeps_nothing(void **state)
{
    struct scene *scene = *state;
    struct reading reading = {
        .deployment = &scene->deployment,
        .source = &scene->source,
        .workers = &scene->workers,
        .tasks = scene->order,
        .count = 1,
        .dry_run = true,
    };
    struct error err;

    scene_run(scene, three_accounts);
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    expect_ok(reading_run(&reading, &err));
    assert_int_equal(scene->tasks[0].batch.new_rows, 3);
    assert_null(scene->tasks[0].batch.spool);
    assert_string_equal(scene_requests(scene), "");
}

static void test_an_idle_scan_has_no_work_and_asks_nothing(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_run(scene, "insert into settings values ('k', 'v')");
    scene_sync(scene, "accounts");
    scene_sync(scene, "settings");

    scene_pass(scene, "accounts", "settings", NULL);
    scene_plan(scene);
    scene_read(scene);
    // Of the table in mode replace the plan knew it.
    assert_false(task_has_work(&scene->tasks[0]));
    assert_int_equal(scene->outcomes[0].status, TABLE_UNCHANGED);
    assert_false(task_has_work(&scene->tasks[1]));
    assert_string_equal(scene_requests(scene), "");
}

static void test_a_scan_of_an_append_table_with_changed_rows_is_read_again_as_a_merge(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into events(kind) values ('a'), ('b')");
    scene_sync(scene, "events");
    scene_run(scene, "insert into events(kind) values ('c')");
    expect_batch(read_one(scene, "events"), SEND_APPEND, false, 1, 0);

    scene_run(scene, "update events set kind = 'x' where id = 2");
    expect_batch(read_one(scene, "events"), SEND_MERGE, true, 1, 1);
}

static void test_a_scan_of_a_replaced_table_reads_all_of_it_once_something_differs(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into settings values ('k', 'v'), ('l', 'w')");
    scene_sync(scene, "settings");
    scene_run(scene, "update settings set value = 'x' where name = 'l'");
    expect_batch(read_one(scene, "settings"), SEND_REPLACE, false, 2, 0);
    assert_string_equal(scene->tasks[0].plan.why, "mode replace");
}

/* The scan has read one changed row when it turns out that the target lacks a column. A replacement
 * by that one row would delete the others. */
static void test_a_column_dropped_by_hand_replaces_by_all_rows_and_not_by_the_changed_ones(
    void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set balance = 7 where id = 2");
    expect_ok(tracking_note(&scene->tracking, "accounts", "no such column", &err));
    SCENE_ANSWERS(
        scene, {.match = "get accounts",
                .reply = {.status = 200, .body = LIVE(ID "," EMAIL "," BALANCE)}});

    expect_batch(read_one(scene, "accounts"), SEND_REPLACE, false, 3, 0);
    assert_string_equal(scene->tasks[0].plan.why, "columns were missing in BigQuery");
    assert_string_equal(scene_requests(scene), "0 get accounts\n0 patch accounts\n");

    scene_commit(scene);
    assert_int_equal(scene->outcomes[0].status, TABLE_SYNCED);
    assert_int_equal(scene->outcomes[0].rows_inserted, 3);
    assert_string_equal(scene_requests(scene), "1 patch accounts\n1 upload replace\n");
}

static void test_the_tables_of_a_transaction_are_read_again_together(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene->config.sync_atomic = true;
    scene_run(scene, three_accounts);
    scene_run(scene, "insert into devices values ('s', 1, 1)");
    scene->config.sync_atomic = false;
    scene_sync(scene, "accounts");
    scene_sync(scene, "devices");
    scene->config.sync_atomic = true;
    scene_run(
        scene, "update accounts set balance = 7 where id = 2;"
               "update devices set online = 0 where serial = 's'");
    expect_ok(tracking_note(&scene->tracking, "accounts", "no such column", &err));
    SCENE_ANSWERS(
        scene, {.match = "get accounts",
                .reply = {.status = 200, .body = LIVE(ID "," EMAIL "," BALANCE)}});

    scene_pass(scene, "accounts", "devices", NULL);
    scene_plan(scene);
    scene_read(scene);
    expect_batch(&scene->tasks[0].batch, SEND_REPLACE, true, 3, 0);
    expect_batch(&scene->tasks[1].batch, SEND_MERGE, true, 0, 1);
}

static void test_a_file_that_disagrees_with_the_target_on_required_is_read_again(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into events(kind) values ('a')");
    scene_sync(scene, "events");
    scene_run(scene, "insert into events(kind) values ('b')");
    SCENE_ANSWERS(
        scene, {.match = "get events",
                .reply = {
                    .status = 200,
                    .body = LIVE(ID ",{\"name\":\"kind\",\"type\":\"STRING\"},"
                                    "{\"name\":\"payload\",\"type\":\"JSON\"},"
                                    "{\"name\":\"at\",\"type\":\"TIMESTAMP\"}")}});

    const struct batch *batch = read_one(scene, "events");
    expect_batch(batch, SEND_APPEND, false, 1, 0);
    assert_false(batch->guessed);
    assert_true(target_is_nullable(&scene->tasks[0], 1));
}

static void test_a_row_that_must_not_be_rejected_fails_its_table_alone(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into invoices values (1, 'nonsense')");
    scene_run(scene, three_accounts);
    scene_pass(scene, "invoices", "accounts", NULL);
    scene_plan(scene);
    scene_read(scene);
    assert_true(task_failed(&scene->tasks[0]));
    assert_string_equal(error_code_name(scene->outcomes[0].error.code), "rejected");
    assert_string_equal(
        scene->outcomes[0].error.message,
        "invoices.total: text value is not a number. Fix the row, or let `on_reject` be "
        "\"reject\"");
    assert_string_equal(scene->outcomes[0].error.row, "the row with id = 1");
    assert_false(scene->tasks[0].batch.complete);
    expect_batch(&scene->tasks[1].batch, SEND_REPLACE, false, 3, 0);

    // The source has a rollback journal: the note can't be written before the snapshot is closed.
    const char *noted =
        scene_state(scene, "select last_error from bq_sync_tracking where table_name = 'invoices'");
    char text[ERROR_TEXT_SIZE];
    assert_string_equal(noted, error_text(&scene->outcomes[0].error, text));
}

/* A pass of two tables in a transaction, of which the first has a change and the second none yet.
 */
static void plan_with_one_idle(struct scene *scene)
{
    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_sync(scene, "devices");
    scene->config.sync_atomic = true;
    scene_run(scene, "update accounts set balance = 7 where id = 2");
    scene_pass(scene, "accounts", "devices", NULL);
    scene_plan(scene);
    assert_true(scene->tasks[1].plan.mode == SEND_NOTHING || scene->tasks[1].plan.only_if_changed);
}

static void test_a_table_of_a_transaction_that_was_idle_is_planned_again_in_the_snapshot(
    void **state)
{
    struct scene *scene = *state;

    plan_with_one_idle(scene);
    scene_run(scene, "insert into devices values ('s', 1, 1)");
    scene_read(scene);

    expect_batch(&scene->tasks[0].batch, SEND_MERGE, true, 0, 1);
    expect_batch(&scene->tasks[1].batch, SEND_MERGE, true, 0, 1);
}

static void test_an_idle_table_whose_trigger_is_dropped_meanwhile_is_outdated(void **state)
{
    struct scene *scene = *state;

    plan_with_one_idle(scene);
    scene_run(scene, "drop trigger " TRIGGER_OF_DEVICES);
    scene_read(scene);

    assert_false(task_is_outdated(&scene->tasks[0]));
    assert_string_equal(scene->tasks[1].outdated, "its triggers were changed");
}

static void test_a_table_is_not_read_if_its_trigger_is_dropped_after_the_plan(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "devices");
    scene_run(scene, "insert into devices values ('s', 1, 1)");
    scene_pass(scene, "devices", NULL);
    scene_plan(scene);
    scene_run(scene, "drop trigger " TRIGGER_OF_DEVICES);
    scene_read(scene);

    assert_string_equal(scene->tasks[0].outdated, "its triggers were changed");
    assert_false(task_has_work(&scene->tasks[0]));
    assert_false(scene->tasks[0].batch.complete);
}

static void test_a_table_is_not_read_if_it_is_rebuilt_after_the_plan(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "devices");
    scene_run(scene, "insert into devices values ('s', 1, 1)");
    scene_pass(scene, "devices", NULL);
    scene_plan(scene);
    scene_run(scene, "alter table devices drop column reading");
    scene_read(scene);

    assert_string_equal(scene->tasks[0].outdated, "its definition in SQLite was changed");
}

static void test_another_change_of_the_schema_changes_nothing(void **state)
{
    struct scene *scene = *state;

    scene_sync(scene, "devices");
    scene_run(scene, "insert into devices values ('s', 1, 1)");
    scene_pass(scene, "devices", NULL);
    scene_plan(scene);
    scene_run(scene, "create table theirs(a); create index on_accounts on accounts(note)");
    scene_read(scene);

    assert_false(task_is_outdated(&scene->tasks[0]));
    expect_batch(&scene->tasks[0].batch, SEND_MERGE, true, 0, 1);
}

static int refuse_schema_version(
    void *context, int action, const char *name, const char *value, const char *database,
    const char *trigger)
{
    (void)context;
    (void)value;
    (void)database;
    (void)trigger;
    return action == SQLITE_PRAGMA && strcmp(name, "schema_version") == 0 ? SQLITE_DENY : SQLITE_OK;
}

/* Whether the plan still fits it is not known then. */
static void test_a_table_is_not_read_if_its_schema_cannot_be_looked_at(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, three_accounts);
    scene_sync(scene, "accounts");
    scene_run(scene, "update accounts set note = 'x'");
    scene_pass(scene, "accounts", NULL);
    scene_plan(scene);
    sqlite3_set_authorizer(scene->source.handle, refuse_schema_version, NULL);
    scene_read(scene);
    sqlite3_set_authorizer(scene->source.handle, NULL, NULL);

    assert_true(task_failed(&scene->tasks[0]));
    assert_false(scene->tasks[0].batch.complete);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_the_file_is_made_for_the_way_in_which_it_is_sent),
        SCENE_TEST(test_size_alone_decides_what_travels_in_the_statement),
        SCENE_TEST(test_a_row_that_changes_between_plan_and_snapshot_makes_an_append_a_merge),
        SCENE_TEST(test_a_filter_that_lets_a_row_through_after_the_plan_outdates_it),
        SCENE_TEST(test_a_dry_run_reads_and_keeps_nothing),
        APART_TEST(test_an_idle_scan_has_no_work_and_asks_nothing),
        APART_TEST(test_a_scan_of_an_append_table_with_changed_rows_is_read_again_as_a_merge),
        APART_TEST(test_a_scan_of_a_replaced_table_reads_all_of_it_once_something_differs),
        APART_TEST(test_a_column_dropped_by_hand_replaces_by_all_rows_and_not_by_the_changed_ones),
        APART_TEST(test_the_tables_of_a_transaction_are_read_again_together),
        APART_TEST(test_a_file_that_disagrees_with_the_target_on_required_is_read_again),
        SCENE_TEST(test_a_row_that_must_not_be_rejected_fails_its_table_alone),
        SCENE_TEST(test_a_table_of_a_transaction_that_was_idle_is_planned_again_in_the_snapshot),
        SCENE_TEST(test_an_idle_table_whose_trigger_is_dropped_meanwhile_is_outdated),
        SCENE_TEST(test_a_table_is_not_read_if_its_trigger_is_dropped_after_the_plan),
        SCENE_TEST(test_a_table_is_not_read_if_it_is_rebuilt_after_the_plan),
        SCENE_TEST(test_another_change_of_the_schema_changes_nothing),
        SCENE_TEST(test_a_table_is_not_read_if_its_schema_cannot_be_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
