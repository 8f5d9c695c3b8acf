/* SQLite's side of a comparison: which rows BigQuery should hold, which wait, and which are
 * rejected. */
#include "scene.h"

#include "base/clock.h"
#include "sync/verify/source_rows.h"

#include <stdio.h>
#include <string.h>

static struct source_rows rows;
static struct error err;

/* What was visited: the text of each key, " rejected" behind those that do not fit. */
struct visited {
    char synced[400];
    char pending[400];
    char rejected[400];
    int synced_times;
};

static void note(char text[400], bool fits)
{
    size_t used = strlen(text);
    struct slice key = buffer_slice(&rows.key_text);

    snprintf(
        text + used, 400 - used, "%s%.*s%s", used > 0 ? ", " : "", (int)key.length, key.data,
        fits ? "" : " rejected");
}

static bool note_synced(void *context, struct column_reader *in, bool fits, struct error *error)
{
    struct visited *visited = context;

    (void)in;
    (void)error;
    visited->synced_times++;
    note(visited->synced, fits);
    return true;
}

static bool note_pending(void *context, struct column_reader *in, bool fits, struct error *error)
{
    (void)in;
    (void)error;
    note(((struct visited *)context)->pending, fits);
    return true;
}

static bool note_rejected(void *context, struct column_reader *in, bool fits, struct error *error)
{
    (void)in;
    (void)error;
    note(((struct visited *)context)->rejected, fits);
    return true;
}

static int setup(void **state)
{
    scene_setup(state);
    scene_run(
        *state, "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, "
                "'c@x', 3, 'three')");
    scene_sync(*state, "accounts");
    return 0;
}

static int setup_apart(void **state)
{
    scene_setup_apart(state);
    scene_run(
        *state, "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, "
                "'c@x', 3, 'three')");
    scene_sync(*state, "accounts");
    return 0;
}

static int teardown(void **state)
{
    source_rows_clear(&rows);
    return scene_teardown(state);
}

static void begin(struct scene *scene, const char *table)
{
    source_rows_clear(&rows);
    expect_ok(source_rows_init(
        &rows, &scene->config, &scene->source, &scene->tracking,
        deployment_table(&scene->deployment, table), &err));
}

/* Reads the table as a drill-down does. */
static struct visited read_rows(struct scene *scene, const char *table)
{
    struct visited visited = {0};
    const struct source_rows_visitor visitor = {&visited, note_synced, note_pending, note_rejected};

    begin(scene, table);
    expect_ok(source_rows_read(&rows, ROW_TEXT_ALL, &visitor, &err));
    expect_ok(source_rows_read_dirty(&rows, &visitor, &err));
    return visited;
}

static void expect_count(int64_t expected)
{
    int64_t count = -1;
    bool known = false;

    expect_ok(source_rows_count_pending(&rows, &count, &known, &err));
    assert_true(known);
    assert_int_equal(count, expected);
}

#define CHANGE                                                                                     \
    "update accounts set note = 'x' where id = 2; delete from accounts where id = 1;"              \
    "insert into accounts values (4, 'd@x', 4, 'four')"

static void test_a_table_in_sync_has_nothing_pending(void **state)
{
    struct visited visited = read_rows(*state, "accounts");

    assert_string_equal(visited.synced, "1:1, 1:2, 1:3");
    assert_string_equal(visited.pending, "");
    assert_string_equal(visited.rejected, "");
    assert_true(rows.owners_known);
}

static void test_changes_that_triggers_list_are_pending(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, CHANGE);
    struct visited visited = read_rows(scene, "accounts");

    // The new row is above the watermark.
    assert_string_equal(visited.synced, "1:2, 1:3");
    assert_string_equal(visited.pending, "1:4, 1:1, 1:2");
    assert_int_equal(rows.pending, 0);
    expect_count(3);
}

static void test_changes_that_a_scan_finds_are_pending(void **state)
{
    struct scene *scene = *state;
    int64_t count = 7;
    bool known = true;

    scene_run(scene, CHANGE);
    struct visited visited = read_rows(scene, "accounts");

    assert_string_equal(visited.synced, "1:2, 1:3");
    assert_string_equal(visited.pending, "1:2, 1:4, 1:1");
    assert_int_equal(rows.pending, 0);
    expect_ok(source_rows_count_pending(&rows, &count, &known, &err));
    assert_false(known);
    assert_int_equal(count, 7);
}

static void test_without_a_visitor_pending_rows_are_counted(void **state)
{
    struct scene *scene = *state;
    struct visited visited = {0};
    const struct source_rows_visitor visitor = {.context = &visited, .synced = note_synced};

    scene_run(scene, CHANGE);
    begin(scene, "accounts");
    expect_ok(source_rows_read(&rows, ROW_TEXT_ALL, &visitor, &err));

    assert_string_equal(visited.synced, "1:2, 1:3");
    assert_int_equal(rows.pending, 1);
}

static void test_a_table_that_was_never_synced_has_nothing_pending(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into devices values ('s', 1, 1.5)");
    struct visited visited = read_rows(scene, "devices");

    assert_string_equal(visited.synced, "1:s");
    assert_string_equal(visited.pending, "");
    assert_false(rows.owners_known);
}

/* It was synced, and then its triggers were dropped. */
static void test_without_triggers_nobody_knows_what_is_pending(void **state)
{
    struct scene *scene = *state;
    int64_t count = 0;
    bool known = true;

    scene_run(scene, "update accounts set note = 'x'; drop trigger bq_sync_update_accounts");
    struct visited visited = read_rows(scene, "accounts");

    assert_string_equal(visited.pending, "");
    expect_ok(source_rows_count_pending(&rows, &count, &known, &err));
    assert_false(known);
}

/* It is listed for every pass but waits for none, so it is taken back. */
static void test_a_rejected_row_is_no_pending_one(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "update accounts set balance = 'much' where id = 2");
    scene_sync(scene, "accounts");
    struct visited visited = read_rows(scene, "accounts");

    assert_string_equal(visited.synced, "1:1, 1:2 rejected, 1:3");
    assert_string_equal(visited.pending, "1:2");
    assert_string_equal(visited.rejected, "1:2");
}

static void test_rows_that_changed_in_mode_replace_are_noticed(void **state)
{
    static const char *const changes[] = {
        "insert into settings values ('l', 'w')", "update settings set value = 'x'",
        "delete from settings where name = 'l'"};
    struct scene *scene = *state;

    scene_run(scene, "insert into settings values ('k', 'v')");
    // Nothing is known of what BigQuery holds.
    read_rows(scene, "settings");
    assert_false(rows.changed);
    scene_sync(scene, "settings");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        read_rows(scene, "settings");
        assert_false(rows.changed);
        scene_run(scene, changes[i]);
        read_rows(scene, "settings");
        assert_true(rows.changed);
        scene_sync(scene, "settings");
    }
}

/* Triggers do not list rows without a key. */
static void test_rows_without_a_key_are_noticed_beside_triggers(void **state)
{
    struct scene *scene = *state;

    scene_run(scene, "insert into settings values ('k', 'v')");
    scene_sync(scene, "settings");
    scene_run(scene, "update settings set value = 'x'");
    read_rows(scene, "settings");
    assert_false(rows.changed);
    scene_run(scene, "insert into settings values (null, 'w')");
    read_rows(scene, "settings");
    assert_true(rows.changed);
    scene_sync(scene, "settings");
    read_rows(scene, "settings");
    assert_false(rows.changed);
    scene_run(scene, "delete from settings where name is null");
    read_rows(scene, "settings");
    assert_true(rows.changed);
}

/* BigQuery takes no row of more than 16 MB. */
static void test_a_row_that_is_too_long_is_a_rejected_one(void **state)
{
    struct scene *scene = *state;

    scene_run(
        scene, "create table everything(id integer primary key, i, f, b, s, y, n, bn, d, t, dt, "
               "ts, j, g);"
               "insert into everything(id, s, y) values (1, 'x', x'00'), (2, null, "
               "zeroblob(17000000)), (3, hex(zeroblob(8500000)), null), (4, hex(zeroblob(3900000)),"
               " zeroblob(7900000)), (5, hex(zeroblob(4500000)), zeroblob(9000000))");
    struct visited visited = read_rows(scene, "everything");

    assert_string_equal(visited.synced, "1:1, 1:2 rejected, 1:3 rejected, 1:4, 1:5 rejected");
}

static void test_a_table_that_does_not_fit_its_definition_is_not_read(void **state)
{
    static const char *const changes[] = {
        "alter table devices drop column reading", "drop table devices"};
    struct scene *scene = *state;

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        scene_run(scene, changes[i]);
        source_rows_clear(&rows);
        expect_error(
            source_rows_init(
                &rows, &scene->config, &scene->source, &scene->tracking,
                deployment_table(&scene->deployment, "devices"), &err),
            ERROR_SCHEMA, "devices in SQLite does not fit its definition");
    }
}

/* The last of the tests: it stops the program for good. */
static void test_a_stop_ends_the_read(void **state)
{
    struct visited visited = {0};
    const struct source_rows_visitor visitor = {&visited, note_synced, note_pending, note_rejected};

    begin(*state, "accounts");
    clock_stop();
    expect_error(
        source_rows_read(&rows, ROW_TEXT_ALL, &visitor, &err), ERROR_STOPPED,
        "stopped while reading accounts");
    assert_int_equal(visited.synced_times, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SCAN(name) cmocka_unit_test_setup_teardown(name, setup_apart, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_table_in_sync_has_nothing_pending),
        SCAN(test_a_table_in_sync_has_nothing_pending),
        TEST(test_changes_that_triggers_list_are_pending),
        SCAN(test_changes_that_a_scan_finds_are_pending),
        TEST(test_without_a_visitor_pending_rows_are_counted),
        SCAN(test_without_a_visitor_pending_rows_are_counted),
        TEST(test_a_table_that_was_never_synced_has_nothing_pending),
        TEST(test_without_triggers_nobody_knows_what_is_pending),
        TEST(test_a_rejected_row_is_no_pending_one),
        SCAN(test_rows_that_changed_in_mode_replace_are_noticed),
        TEST(test_rows_without_a_key_are_noticed_beside_triggers),
        TEST(test_a_row_that_is_too_long_is_a_rejected_one),
        TEST(test_a_table_that_does_not_fit_its_definition_is_not_read),
        TEST(test_a_stop_ends_the_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
