/* One read of a table held against its shadow, and when it ends early. */
#include "support/prelude.h"

#include "source/tracking.h"
#include "support/intending.h"
#include "sync/pass/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct column columns[] = {
    {.name = "id", .source = "id", .type = COLUMN_INT64, .key = true},
    {.name = "v", .source = "v", .type = COLUMN_STRING},
};
static const size_t key[] = {0};
static const struct table table = {
    .name = "t",
    .target = "t",
    .columns = columns,
    .column_count = 2,
    .key = key,
    .key_count = 1,
    .content_hash = "c",
    .shape_hash = "s",
    .scan_sql = "select id, v from t",
};

static char source_path[] = "/tmp/bqsync-scan-source-XXXXXX";
static char state_path[] = "/tmp/bqsync-scan-state-XXXXXX";
static struct database source;
static int64_t generation;
static enum shadow_form form; /* that of all reads of a test */
static struct error err;

static int set_up(void **state)
{
    (void)state;
    memcpy(source_path + strlen(source_path) - 6, "XXXXXX", 6);
    memcpy(state_path + strlen(state_path) - 6, "XXXXXX", 6);
    assert_true(close(mkstemp(source_path)) == 0);
    assert_true(close(mkstemp(state_path)) == 0);
    generation = 0;
    expect_ok(database_open(source_path, DATABASE_CREATE, 0, &source, &err));
    expect_ok(database_exec(
        &source,
        "create table t(id integer primary key, v);"
        "insert into t values (1, 'a'), (2, 'b'), (3, 'c')",
        &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    unlink(source_path);
    unlink(state_path);
    return 0;
}

/* As a pass does after reading: what was found goes with an intent, and is acknowledged. */
static void send(struct shadow *shadow)
{
    struct tracking tracking;
    struct intent intent = {.mode = SEND_MERGE, .generation = ++generation};

    assert_non_null(shadow);
    expect_ok(shadow_end(shadow, &err));
    shadow_free(shadow);
    snprintf(intent.table, sizeof intent.table, "t");
    snprintf(intent.nonce, sizeof intent.nonce, "%d", (int)generation);
    expect_ok(tracking_open(state_path, &tracking, &err));
    intend_now(&tracking, &intent);
    assert_null(acknowledge_at(&tracking, &intent, 0));
    tracking_close(&tracking);
}

static struct scan_counts run(struct scan scan, bool *out_ended, struct shadow **out_shadow)
{
    struct scan_counts counts = {0};

    scan.state.path = state_path;
    scan.form = form;
    scan.table = &table;
    expect_ok(scan_run(&scan, &source, &counts, out_ended, out_shadow, &err));
    return counts;
}

static void assert_counts(
    struct scan_counts counts, int64_t read, int64_t new_rows, int64_t changed, int64_t deleted)
{
    assert_int_equal(counts.read, read);
    assert_int_equal(counts.new_rows, new_rows);
    assert_int_equal(counts.changed, changed);
    assert_int_equal(counts.deleted, deleted);
}

static void replace_all(void)
{
    struct shadow *shadow = NULL;
    bool ended = true;

    assert_counts(run((struct scan){.mode = SHADOW_REPLACE}, &ended, &shadow), 3, 3, 0, 0);
    assert_false(ended);
    send(shadow);
}

static void change(const char *sql)
{
    expect_ok(database_exec(&source, sql, &err));
}

static bool reject_second(
    void *context, const struct scan_row *row, enum scan_fate *out_fate, struct error *error)
{
    bool kept = false;

    (*(int *)context)++;
    if (sqlite3_column_int(row->row, 0) != 2)
        return true;
    *out_fate = SCAN_REJECTED;
    return shadow_reject(row->shadow, true, (struct slice){0}, &kept, error);
}

static bool take_a_place(
    void *context, const struct scan_row *row, enum scan_fate *out_fate, struct error *error)
{
    (void)row;
    (void)error;
    *out_fate = SCAN_TOOK_PLACE;
    (*(int *)context)++;
    return true;
}

static bool stop_looking(void *context, int64_t rows_read, struct error *error)
{
    (void)context;
    (void)rows_read;
    return error_set(error, ERROR_STOPPED, "asked to stop");
}

static void test_a_table_that_did_not_change_leaves_nothing_to_keep(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = true;
    replace_all();

    assert_counts(run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow), 3, 0, 0, 0);

    assert_false(ended);
    assert_null(shadow);
}

static void test_new_changed_and_deleted_rows_are_counted_and_then_known(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = true;
    replace_all();
    change("insert into t values (4, 'd'); update t set v = 'x' where id = 1;"
           "delete from t where id = 2");

    assert_counts(run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow), 3, 1, 1, 1);
    send(shadow);

    assert_counts(run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow), 3, 0, 0, 0);
}

/* Whatever there is of each. */
static void test_changes_of_each_kind_are_kept_beside_those_of_another(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "insert into t values (4, 'd')", "update t set v = v || 'x' where id = 1",
        "delete from t where id = 2"};
    struct shadow *shadow = NULL;
    bool ended = true;

    for (unsigned kinds = 1; kinds < 8; kinds++) {
        change("delete from t; insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
        replace_all();
        for (int i = 0; i < 3; i++)
            if (kinds & 1u << i)
                change(changes[i]);

        run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow);
        if (shadow == NULL)
            fail_msg("%u", kinds);
        send(shadow);
    }
}

static void test_what_is_not_sent_is_found_again(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = true;
    replace_all();
    change("update t set v = 'x' where id = 1");

    run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow);
    expect_ok(shadow_end(shadow, &err));
    shadow_free(shadow);

    assert_counts(run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow), 3, 0, 1, 0);
    shadow_free(shadow);
}

static void test_a_row_that_takes_the_place_of_another_ends_a_scan_for_new_rows(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = false;
    int rows = 0;
    replace_all();
    change("insert into t values (4, 'd'), (5, 'e')");

    run(
        (struct scan){
            .mode = SHADOW_CHANGES, .row = take_a_place, .context = &rows, .until_changed = true},
        &ended, &shadow);

    assert_true(ended);
    assert_int_equal(rows, 1);
    assert_null(shadow);
}

static void test_a_comparison_keeps_nothing(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = true;
    replace_all();
    change("delete from t where id = 3");

    assert_counts(run((struct scan){.mode = SHADOW_COMPARE}, &ended, &shadow), 2, 0, 0, 1);

    assert_null(shadow);
    assert_counts(run((struct scan){.mode = SHADOW_COMPARE}, &ended, &shadow), 2, 0, 0, 1);
}

static void test_it_ends_early_where_only_new_rows_are_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *sql;
        bool ends;
    } cases[] = {
        {"new rows", "insert into t values (9, 'i')", false},
        {"a changed row", "update t set v = 'x' where id = 2", true},
        {"a deleted row", "delete from t where id = 9", true},
    };

    replace_all();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct shadow *shadow = NULL;
        bool ended = !cases[i].ends;
        change(cases[i].sql);

        run((struct scan){.mode = SHADOW_CHANGES, .until_changed = true}, &ended, &shadow);

        if (ended != cases[i].ends || (shadow == NULL) != ended)
            fail_msg("%s: ended %d", cases[i].label, ended);
        if (shadow == NULL)
            run((struct scan){.mode = SHADOW_CHANGES}, &ended, &shadow);
        send(shadow);
    }
}

static void test_a_rejected_row_stays_different(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = true;
    int seen = 0;
    replace_all();
    change("update t set v = 'x'");
    const struct scan scan = {.mode = SHADOW_CHANGES, .row = reject_second, .context = &seen};

    run(scan, &ended, &shadow);
    assert_int_equal(seen, 3);
    send(shadow);

    assert_counts(run((struct scan){.mode = SHADOW_COMPARE}, &ended, &shadow), 3, 0, 1, 0);
}

static void test_an_emptied_table_that_is_replaced_empties_the_shadow(void **state)
{
    (void)state;
    struct shadow *shadow = NULL;
    bool ended = true;
    replace_all();
    change("delete from t");

    run((struct scan){.mode = SHADOW_REPLACE}, &ended, &shadow);
    send(shadow);

    assert_counts(run((struct scan){.mode = SHADOW_COMPARE}, &ended, &shadow), 0, 0, 0, 0);
}

static void test_it_can_be_stopped(void **state)
{
    (void)state;
    struct scan_counts counts;
    struct shadow *shadow = NULL;
    bool ended = false;
    change("with recursive n(i) as (select 10 union all select i + 1 from n where i < 9000)"
           " insert into t select i, i from n");
    const struct scan scan = {
        .state.path = state_path,
        .table = &table,
        .form = form,
        .mode = SHADOW_COMPARE,
        .look = stop_looking};

    expect_error(
        scan_run(&scan, &source, &counts, &ended, &shadow, &err), ERROR_STOPPED, "asked to stop");
    assert_null(shadow);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_table_that_did_not_change_leaves_nothing_to_keep),
        TEST(test_new_changed_and_deleted_rows_are_counted_and_then_known),
        TEST(test_changes_of_each_kind_are_kept_beside_those_of_another),
        TEST(test_what_is_not_sent_is_found_again),
        TEST(test_a_row_that_takes_the_place_of_another_ends_a_scan_for_new_rows),
        TEST(test_a_comparison_keeps_nothing),
        TEST(test_it_ends_early_where_only_new_rows_are_wanted),
        TEST(test_a_rejected_row_stays_different),
        TEST(test_an_emptied_table_that_is_replaced_empties_the_shadow),
        TEST(test_it_can_be_stopped),
    };

    int failed = 0;

    // By looking rows up, and by the function that passes over them.
    for (size_t i = 0; i < 2; i++) {
        form = i == 0 ? SHADOW_FORM_ROWS : SHADOW_FORM_PACKED;
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
