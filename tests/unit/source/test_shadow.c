/* Changes found by hashes of rows, where no triggers may be installed. */
#include "support/prelude.h"

#include "quoted.h"
#include "source/shadow.h"
#include "source/siphash.h"
#include "support.h"
#include "support/intending.h"

static struct folder folder;
static struct database source;
static char state_path[256];
static int64_t generation;

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    generation = 0;
    snprintf(state_path, sizeof state_path, "%s", path_in(&folder, "state.db"));
    expect_ok(database_open(path_in(&folder, "source.db"), DATABASE_CREATE, 0, &source, &err));
    run(&source, "create table t(a, b, v); insert into t values ('x', 1, 'one'), ('x', 2, 'two'),"
                 " ('y', 1, 3.5), ('z', 1, null)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

static bool note_deleted(void *context, sqlite3_stmt *row, struct error *error)
{
    (void)error;
    assert_int_equal(sqlite3_column_type(row, 2), SQLITE_NULL);
    assert_int_equal(sqlite3_column_int(row, 3), 1);
    buffer_printf(context, "-%s%s ", sqlite3_column_text(row, 0), sqlite3_column_text(row, 1));
    return true;
}

/* Reads the table and tells what it found: +new ~changed -deleted =kept; rejected: the v of a row
 * that is not sent. */
static void scan_with(struct shadow *shadow, const char *rejected, struct buffer *found)
{
    sqlite3_stmt *row = NULL;
    bool more = false;

    expect_ok(database_prepare(&source, "select a, b, v from t order by rowid", &row, &err));
    for (;;) {
        enum shadow_change change;
        expect_ok(database_step(&source, row, &more, &err));
        if (!more)
            break;
        expect_ok(shadow_row(shadow, row, &change, &err));
        const char *value = (const char *)sqlite3_column_text(row, 2);
        bool rejects = rejected != NULL && value != NULL && strcmp(value, rejected) == 0;
        bool kept = false;
        if (rejects)
            expect_ok(shadow_reject(shadow, true, (struct slice){0}, &kept, &err));
        if (kept || (!rejects && change != SHADOW_SAME))
            buffer_printf(
                found, "%s%s%s ",
                kept                   ? "="
                : change == SHADOW_NEW ? "+"
                                       : "~",
                sqlite3_column_text(row, 0), sqlite3_column_text(row, 1));
    }
    sqlite3_finalize(row);
    expect_ok(shadow_deleted(shadow, note_deleted, found, &err));
}

enum ending { ACKNOWLEDGED, WITHDRAWN, KILLED, RESET };

/* A pass up to its ending; what it found, in bytes that the next call overwrites. */
static const char *pass(enum shadow_mode mode, const char *rejected, enum ending ending)
{
    static char text[256];
    struct shadow *shadow;
    struct tracking tracking;
    struct buffer found;
    struct intent intent = {.mode = SEND_REPLACE, .content_hash = "00000000c0de"};

    buffer_init(&found, sizeof text - 1);
    snprintf(intent.table, sizeof intent.table, "%s", quoted_table.name);
    intent.generation = ++generation;
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    expect_ok(shadow_begin(
        (struct database_place){.path = state_path}, &quoted_table, SHADOW_FORM_ROWS, mode, &shadow,
        &err));
    scan_with(shadow, rejected, &found);
    if (mode != SHADOW_COMPARE) {
        expect_ok(shadow_end(shadow, &err));
        expect_ok(tracking_open(state_path, &tracking, &err));
        intend_now(&tracking, &intent);
        if (ending == RESET)
            expect_ok(tracking_reset(&tracking, intent.table, &err));
        if (ending == ACKNOWLEDGED || ending == RESET)
            assert_int_equal(acknowledge_at(&tracking, &intent, 0) == NULL, ending == ACKNOWLEDGED);
        if (ending == WITHDRAWN)
            expect_ok(tracking_withdraw(&tracking, &intent, 0, &err));
        tracking_close(&tracking);
    }
    shadow_free(shadow);
    snprintf(text, sizeof text, "%s", buffer_text(&found));
    buffer_clear(&found);
    return text;
}

static void test_a_replacement_goes_on_knowing_what_it_keeps_of_a_rejected_row(void **state)
{
    (void)state;
    run(&source, "update t set v = 'two' where b = 2");
    pass(SHADOW_REPLACE, "one", ACKNOWLEDGED);
    run(&source, "update t set v = 'bad' where a = 'y' or a = 'x' and b = 1");
    for (int i = 0; i < 2; i++)
        assert_string_equal(pass(SHADOW_REPLACE_KEEP_KNOWN, "bad", ACKNOWLEDGED), "+x2 =y1 +z1 ");

    // The kept row is retried, its hash is nobody's, and its deletion is seen.
    run(&source, "update t set v = 3.5 where a = 'y'");
    assert_string_equal(pass(SHADOW_CHANGES, "bad", WITHDRAWN), "~y1 ");
    run(&source, "delete from t where a = 'y'");
    assert_string_equal(pass(SHADOW_CHANGES, "bad", ACKNOWLEDGED), "-y1 ");
    assert_string_equal(pass(SHADOW_CHANGES, "bad", ACKNOWLEDGED), "");
}

static void test_a_replacement_keeps_everything_or_nothing_if_it_is_told_so(void **state)
{
    (void)state;
    assert_string_equal(pass(SHADOW_REPLACE_KEEP_ALL, "one", ACKNOWLEDGED), "=x1 +x2 +y1 +z1 ");
    assert_string_equal(pass(SHADOW_REPLACE_KEEP_KNOWN, "one", ACKNOWLEDGED), "=x1 +x2 +y1 +z1 ");
    assert_string_equal(pass(SHADOW_REPLACE, "one", ACKNOWLEDGED), "+x2 +y1 +z1 ");
    assert_string_equal(pass(SHADOW_REPLACE_KEEP_KNOWN, "one", ACKNOWLEDGED), "+x2 +y1 +z1 ");
}

static void test_a_first_read_finds_every_row_new_and_a_second_none(void **state)
{
    (void)state;
    assert_string_equal(pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED), "+x1 +x2 +y1 +z1 ");

    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "");
}

static void test_inserts_updates_deletes_and_moved_keys_are_found(void **state)
{
    (void)state;
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);

    run(&source, "update t set v = 'uno' where v = 'one'; delete from t where b = 2;"
                 "update t set a = 'Y' where a = 'y'; insert into t values ('n', 1, 1);"
                 "update t set v = '' where a = 'z'");

    assert_string_equal(pass(SHADOW_COMPARE, NULL, KILLED), "~x1 +Y1 ~z1 +n1 -x2 -y1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "~x1 +Y1 ~z1 +n1 -x2 -y1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "");
}

static void test_a_value_of_another_storage_class_is_a_change(void **state)
{
    (void)state;
    run(&source, "update t set v = 1");
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);

    run(&source, "update t set v = '1' where rowid = 1; update t set v = 1.0 where rowid = 2;"
                 " update t set v = x'31' where rowid = 3");

    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "~x1 ~x2 ~y1 ");
}

static void test_what_was_not_acknowledged_is_found_again(void **state)
{
    (void)state;
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);
    run(&source, "update t set v = 2 where a = 'y'; delete from t where a = 'z'");

    assert_string_equal(pass(SHADOW_CHANGES, NULL, KILLED), "~y1 -z1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, WITHDRAWN), "~y1 -z1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, RESET), "~y1 -z1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "~y1 -z1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "");
}

static void test_an_acknowledged_read_counts_before_it_is_settled(void **state)
{
    (void)state;
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);
    assert_string_equal(pass(SHADOW_COMPARE, NULL, KILLED), "");
    pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED);
    run(&source, "update t set v = 2 where a = 'y'; delete from t where a = 'z'");
    pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED);

    assert_string_equal(pass(SHADOW_COMPARE, NULL, KILLED), "");
}

static void test_a_replacement_forgets_what_is_gone(void **state)
{
    (void)state;
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);
    run(&source, "delete from t where a = 'x'");

    assert_string_equal(pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED), "+y1 +z1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "");
}

static void test_a_broken_view_beside_the_state_does_no_harm(void **state)
{
    (void)state;
    struct database application;
    expect_ok(database_open(state_path, DATABASE_CREATE, 0, &application, &err));
    run(&application, "create table gone(a); create view broken as select a from gone;"
                      "drop table gone");
    database_close(&application);

    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "");
}

static void test_a_rejected_row_is_found_until_it_is_sent(void **state)
{
    (void)state;
    assert_string_equal(pass(SHADOW_REPLACE, "two", ACKNOWLEDGED), "+x1 +y1 +z1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "+x2 ");

    run(&source, "update t set v = 'bad' where v = 'one'");
    assert_string_equal(pass(SHADOW_CHANGES, "bad", ACKNOWLEDGED), "");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "~x1 ");
    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "");
}

static void test_looking_makes_no_file(void **state)
{
    (void)state;
    assert_string_equal(pass(SHADOW_COMPARE, NULL, KILLED), "+x1 +x2 +y1 +z1 ");
    assert_int_not_equal(access(state_path, F_OK), 0);
}

/* As if there were none, each row would look new. */
static void test_a_state_that_cannot_be_read_is_no_missing_one(void **state)
{
    struct shadow *shadow = NULL;
    FILE *file = fopen(state_path, "w");

    (void)state;
    fputs("no database, and longer than the header of one: 0123456789 0123456789 0123456789", file);
    fclose(file);
    expect_error(
        shadow_begin(
            (struct database_place){.path = state_path}, &quoted_table, SHADOW_FORM_ROWS,
            SHADOW_COMPARE, &shadow, &err),
        ERROR_SOURCE, "it is not a SQLite database");
}

static void test_dropped_shadow_tables_make_every_row_new(void **state)
{
    (void)state;
    struct database control;
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);
    expect_ok(database_open(state_path, DATABASE_WRITE, 0, &control, &err));
    run(&control, "drop table \"bq_sync_pending_it\"\"s\"");
    database_close(&control);

    assert_string_equal(pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED), "+x1 +x2 +y1 +z1 ");
}

/* Both have as many columns: a key of two, and a key of one with what it is converted to. */
static void test_the_shadow_of_another_key_is_not_taken_for_this_one(void **state)
{
    (void)state;
    static const size_t first[] = {0};
    const struct database_place place = {.path = state_path};
    struct table before = quoted_table;
    struct tracking tracking;
    bool known = false;

    before.key = first;
    before.key_count = 1;
    expect_ok(tracking_open(state_path, &tracking, &err));
    expect_ok(shadow_complete(place, &before, SHADOW_FORM_KEYS, &err));
    expect_ok(shadow_known(&tracking.database, &quoted_table, SHADOW_FORM_ROWS, &known, &err));
    assert_false(known);
    expect_ok(shadow_complete(place, &quoted_table, SHADOW_FORM_ROWS, &err));
    expect_ok(shadow_known(&tracking.database, &quoted_table, SHADOW_FORM_ROWS, &known, &err));
    assert_true(known);

    expect_ok(shadow_known(&tracking.database, &before, SHADOW_FORM_KEYS, &known, &err));
    assert_false(known);
    expect_ok(shadow_drop(place, &before, &err));
    tracking_close(&tracking);
}

static void test_many_rows_are_settled_in_chunks(void **state)
{
    (void)state;
    struct shadow *shadow;
    struct buffer found;
    buffer_init(&found, 1 << 20);
    run(&source, "delete from t; with recursive n(i) as (select 1 union all select i + 1 from n"
                 " where i < 12345) insert into t select i, 1, i from n");
    pass(SHADOW_REPLACE, NULL, ACKNOWLEDGED);
    run(&source, "update t set v = -v; delete from t where a % 2 = 0");
    pass(SHADOW_CHANGES, NULL, ACKNOWLEDGED);

    expect_ok(shadow_begin(
        (struct database_place){.path = state_path}, &quoted_table, SHADOW_FORM_ROWS,
        SHADOW_CHANGES, &shadow, &err));
    scan_with(shadow, NULL, &found);

    assert_string_equal(buffer_text(&found), "");
    shadow_free(shadow);
    buffer_clear(&found);
}

/* The vector of the paper's appendix: key 00..0f, message 00..0e. */
static void test_siphash_gives_the_published_value_in_any_pieces(void **state)
{
    (void)state;
    unsigned char key[16];
    unsigned char message[15];
    for (unsigned char i = 0; i < 16; i++)
        key[i] = i;
    for (unsigned char i = 0; i < 15; i++)
        message[i] = i;

    for (size_t cut = 0; cut <= 15; cut++) {
        struct siphash hash;
        siphash_init(&hash, key);
        siphash_update(&hash, message, cut);
        siphash_update(&hash, message + cut, 15 - cut);
        assert_true(siphash_finish(&hash) == 0xa129ca6149be45e5);
    }
}

#define shadow_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        shadow_test(test_a_replacement_goes_on_knowing_what_it_keeps_of_a_rejected_row),
        shadow_test(test_a_replacement_keeps_everything_or_nothing_if_it_is_told_so),
        shadow_test(test_a_first_read_finds_every_row_new_and_a_second_none),
        shadow_test(test_inserts_updates_deletes_and_moved_keys_are_found),
        shadow_test(test_a_value_of_another_storage_class_is_a_change),
        shadow_test(test_what_was_not_acknowledged_is_found_again),
        shadow_test(test_an_acknowledged_read_counts_before_it_is_settled),
        shadow_test(test_a_replacement_forgets_what_is_gone),
        shadow_test(test_a_broken_view_beside_the_state_does_no_harm),
        shadow_test(test_a_rejected_row_is_found_until_it_is_sent),
        shadow_test(test_looking_makes_no_file),
        shadow_test(test_a_state_that_cannot_be_read_is_no_missing_one),
        shadow_test(test_dropped_shadow_tables_make_every_row_new),
        shadow_test(test_the_shadow_of_another_key_is_not_taken_for_this_one),
        shadow_test(test_many_rows_are_settled_in_chunks),
        cmocka_unit_test(test_siphash_gives_the_published_value_in_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
