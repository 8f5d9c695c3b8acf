/* Change capture when the disk or the memory ends within it: nothing is half done, the error says
 * so, and the next try does all of it. */
#include "support/prelude.h"

#include "orders.h"
#include "quoted.h"
#include "support.h"
#include "support/every_failure.h"
#include "users.h"

static struct database source;

static void open_source(void)
{
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    run(&source, "create table users(id integer primary key, email text unique, v);"
                 "create unique index users_v on users(v) where email <> 'x';"
                 "create table \"it\"\"s\"(a text not null, b text not null, v, unique (v, a),"
                 " primary key (a, b));"
                 "insert into users values (1, 'a', 1), (2, 'b', 2), (10, 'c', 3);"
                 "insert into \"it\"\"s\" values ('x', '1', 1), ('y', '2', 2)");
}

/* Installing takes longer than all that is tried on it, so it is done once. */
static void open_captured(void)
{
    static struct database captured;

    if (captured.handle == NULL) {
        open_source();
        captured = source;
        expect_ok(capture_install(&captured, &users_table, &err));
        expect_ok(capture_install(&captured, &quoted_table, &err));
    }
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    sqlite3_backup *copy = sqlite3_backup_init(source.handle, "main", captured.handle, "main");
    assert_int_equal(sqlite3_backup_step(copy, -1), SQLITE_DONE);
    sqlite3_backup_finish(copy);
}

static void close_source(void)
{
    // A transaction that is left open would lock the application out.
    assert_int_not_equal(sqlite3_get_autocommit(source.handle), 0);
    database_close(&source);
}

static struct source_shape shape_of(const struct table *table)
{
    struct source_shape shape;

    expect_ok(capture_inspect(&source, table, &shape, &err));
    return shape;
}

static int64_t objects(void)
{
    return query_int(
        &source, "select count(*) from sqlite_master where name like 'bq\\_sync\\_%' escape '\\'");
}

static const char *dirty(void)
{
    return query_text(
        &source, "select group_concat(bq_sync_key_1, ' ') from"
                 " (select bq_sync_key_1 from bq_sync_dirty_users order by 1)");
}

static const char *dirty_pairs(void)
{
    return query_text(
        &source, "select group_concat(bq_sync_key_1 || bq_sync_key_2, ' ') from"
                 " (select * from \"bq_sync_dirty_it\"\"s\" order by 1, 2)");
}

/* --- installing --------------------------------------------------------------------------- */

static bool install(struct error *error)
{
    return capture_install(&source, &users_table, error) &&
           capture_install(&source, &quoted_table, error);
}

static void check_one_is_not_installed(void)
{
    enum capture_state users = shape_of(&users_table).capture;
    enum capture_state quoted = shape_of(&quoted_table).capture;

    assert_int_equal(quoted, CAPTURE_ABSENT);
    assert_true(users == CAPTURE_ABSENT || users == CAPTURE_INTACT);
    assert_int_equal(objects() == 0, users == CAPTURE_ABSENT);
}

static void check_both_are_installed(void)
{
    assert_int_equal(shape_of(&users_table).capture, CAPTURE_INTACT);
    assert_int_equal(shape_of(&quoted_table).capture, CAPTURE_INTACT);
    run(&source, "insert or replace into users values (5, 'a', 2);"
                 "insert or replace into \"it\"\"s\" values ('x', '9', 1)");
    assert_string_equal(dirty(), "1 2 5");
    assert_string_equal(dirty_pairs(), "x1 x9");
}

static void open_interrupted(void)
{
    open_captured();
    run(&source, "drop trigger bq_sync_update_users; drop table \"bq_sync_dirty_it\"\"s\"");
}

static void check_it_is_still_interrupted(void)
{
    assert_int_equal(shape_of(&quoted_table).capture, CAPTURE_INTERRUPTED);
}

/* --- looking ------------------------------------------------------------------------------ */

static struct source_shape seen;

static bool look_at_users(struct error *error)
{
    return capture_inspect(&source, &users_table, &seen, error);
}

static void check_what_was_seen(void)
{
    assert_true(seen.exists && seen.integer_key && !seen.is_view && !seen.is_virtual);
    assert_int_equal(seen.capture, CAPTURE_INTACT);
    assert_int_equal(seen.missing_count, 0);
    assert_string_equal(seen.extra, "");
    assert_string_equal(seen.key_problem, "");
    assert_string_equal(seen.why_scan, "");
    assert_int_equal(strlen(seen.layout), 24);
}

static bool look_at_pair(struct error *error)
{
    return capture_inspect(&source, &quoted_table, &seen, error);
}

static void check_what_was_seen_of_the_pair(void)
{
    assert_true(seen.exists && !seen.integer_key && !seen.nullable_key);
    assert_int_equal(seen.capture, CAPTURE_INTACT);
    assert_string_equal(seen.why_scan, "");
}

/* --- counting ----------------------------------------------------------------------------- */

static struct pending pending;
static struct capture_look look;
static bool keyless;
static int64_t row_count;

static void open_with_changes(void)
{
    open_captured();
    run(&source, "update bq_sync_capture set watermark = 3 where table_name = 'users';"
                 "update users set v = v + 10; insert into users(email) values ('d');"
                 "update bq_sync_dirty_users set bq_sync_sequence = 9223372036854775807"
                 " where bq_sync_key_1 = 2");
    seen = shape_of(&users_table);
}

static bool count(struct error *error)
{
    static const struct watermark watermark = {.found = true, .last_synced_row_id = 3};
    const struct source_table in = {&source, &users_table, &seen};

    return capture_pending(&in, &watermark, &pending, error) &&
           capture_look(&in, &watermark, &look, error) &&
           capture_has_keyless(&in, &watermark, &keyless, error) &&
           capture_count_rows(&in, &row_count, error);
}

static void check_the_counts(void)
{
    assert_int_equal(pending.new_rows, 2);
    assert_int_equal(pending.dirty_keys, 1);
    assert_int_equal(pending.rejected_keys, 1);
    assert_true(look.pending && !look.left_out && !keyless);
    assert_int_equal(look.rejected_keys, 1);
    assert_int_equal(row_count, 4);
}

/* --- sealing ------------------------------------------------------------------------------ */

static struct source_shape seen_pair;

static void open_seen(void)
{
    open_captured();
    seen = shape_of(&users_table);
    seen_pair = shape_of(&quoted_table);
}

static struct position positions[2];

static bool seal(struct error *error)
{
    struct snapshot_table tables[] = {
        {.table = &users_table, .shape = &seen},
        {.table = &quoted_table, .shape = &seen_pair},
    };

    if (!capture_seal(&source, tables, 2, error))
        return false;
    database_rollback(&source);
    positions[0] = tables[0].position;
    positions[1] = tables[1].position;
    return true;
}

static void check_the_seal(void)
{
    // A seal that failed may have raised the counters, which is no harm.
    for (int i = 0; i < 2; i++)
        assert_true(
            positions[i].sequence >= 1 &&
            positions[i].sealed_sequence == positions[i].sequence + 1);
    assert_int_equal(positions[0].row_id, 10);
    assert_int_equal(positions[1].row_id, 0);
    assert_int_equal(
        query_int(&source, "select sequence from bq_sync_capture where table_name = 'users'"),
        positions[0].sealed_sequence);
    assert_int_equal(
        query_int(&source, "select watermark from bq_sync_capture where table_name = 'users'"), 10);
}

static struct snapshot_table shown;

static bool show(struct error *error)
{
    shown = (struct snapshot_table){.table = &users_table, .shape = &seen};
    if (!capture_snapshot(&source, &shown, 1, error))
        return false;
    database_rollback(&source);
    return true;
}

static void check_what_was_shown(void)
{
    assert_int_equal(shown.position.sequence, 1);
    assert_int_equal(shown.position.sealed_sequence, 0);
    assert_int_equal(shown.position.row_id, 10);
}

/* --- touching and cleaning ---------------------------------------------------------------- */

static bool touch(struct error *error)
{
    cJSON *id = cJSON_CreateNumber(2);
    cJSON *pair = cJSON_Parse("[\"y\", \"2\"]");

    bool ok = capture_touch(&source, &users_table, id, error) &&
              capture_touch(&source, &quoted_table, pair, error);
    cJSON_Delete(pair);
    cJSON_Delete(id);
    return ok;
}

static void check_both_are_touched(void)
{
    assert_string_equal(dirty(), "2");
    assert_string_equal(dirty_pairs(), "y2");
}

/* More keys than one transaction deletes, and newer ones among them. */
static void open_dirty(void)
{
    open_captured();
    run(&source,
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)"
        " insert into \"bq_sync_dirty_it\"\"s\" select i % 70, i, 1 + (i = 2500) * 6 from n;"
        "insert into bq_sync_dirty_users values (1, 1), (2, 7)");
}

static bool clean(struct error *error)
{
    return capture_clean(&source, &quoted_table, 6, error) &&
           capture_clean(&source, &users_table, 6, error) &&
           capture_clean(&source, &orders_table, 6, error);
}

static void check_no_newer_key_is_lost(void)
{
    assert_int_equal(
        query_int(
            &source, "select count(*) from \"bq_sync_dirty_it\"\"s\" where"
                     " bq_sync_sequence = 7"),
        1);
}

static void check_only_newer_keys_are_left(void)
{
    assert_string_equal(dirty_pairs(), "502500");
    assert_string_equal(dirty(), "2");
}

/* --- removing ----------------------------------------------------------------------------- */

static bool remove_users(struct error *error)
{
    return capture_remove(&source, &users_table, error);
}

static void check_both_are_intact(void)
{
    assert_int_equal(shape_of(&users_table).capture, CAPTURE_INTACT);
    assert_int_equal(shape_of(&quoted_table).capture, CAPTURE_INTACT);
}

static void check_only_the_other_is_left(void)
{
    assert_int_equal(shape_of(&users_table).capture, CAPTURE_ABSENT);
    assert_int_equal(shape_of(&quoted_table).capture, CAPTURE_INTACT);
    assert_int_equal(
        query_int(&source, "select count(*) from sqlite_master where name like 'bq_sync%users%'"),
        0);
}

/* Its triggers are on a table of another name, and must not outlive its dirty set. */
static void open_renamed(void)
{
    open_captured();
    run(&source, "alter table users rename to people");
}

static void check_nothing_of_it_is_left(void)
{
    run(&source, "insert into people(email) values ('e')");
    assert_int_equal(
        query_int(&source, "select count(*) from sqlite_master where name like 'bq_sync%users%'"),
        0);
}

static bool remove_unknown(struct error *error)
{
    static const struct table *const tables[] = {&quoted_table};

    return capture_remove_unknown(&source, tables, 1, error);
}

static bool remove_all_unknown(struct error *error)
{
    return capture_remove_unknown(&source, NULL, 0, error);
}

static void check_nothing_is_left(void)
{
    assert_int_equal(objects(), 0);
}

static char *unknown;

static bool list_unknown(struct error *error)
{
    static const struct table *const tables[] = {&users_table};
    cJSON *names = cJSON_CreateArray();

    free(unknown);
    unknown = NULL;
    bool ok = capture_list_unknown(&source, tables, 1, names, error);
    if (ok)
        unknown = cJSON_PrintUnformatted(names);
    cJSON_Delete(names);
    return ok;
}

static void check_the_unknown(void)
{
    assert_string_equal(unknown, "[\"it\\\"s\"]");
    free(unknown);
    unknown = NULL;
}

static const struct failing_act acts[] = {
    {"install", open_source, install, check_one_is_not_installed, check_both_are_installed,
     close_source},
    {"repair", open_interrupted, install, check_it_is_still_interrupted, check_both_are_installed,
     close_source},
    {"inspect", open_captured, look_at_users, NULL, check_what_was_seen, close_source},
    {"inspect a pair", open_captured, look_at_pair, NULL, check_what_was_seen_of_the_pair,
     close_source},
    {"count", open_with_changes, count, NULL, check_the_counts, close_source},
    {"seal", open_seen, seal, NULL, check_the_seal, close_source},
    {"show", open_seen, show, NULL, check_what_was_shown, close_source},
    {"touch", open_captured, touch, NULL, check_both_are_touched, close_source},
    {"clean", open_dirty, clean, check_no_newer_key_is_lost, check_only_newer_keys_are_left,
     close_source},
    {"remove", open_captured, remove_users, check_both_are_intact, check_only_the_other_is_left,
     close_source},
    {"remove a renamed one", open_renamed, remove_users, NULL, check_nothing_of_it_is_left,
     close_source},
    {"remove unknown", open_captured, remove_unknown, check_both_are_intact,
     check_only_the_other_is_left, close_source},
    {"remove all unknown", open_captured, remove_all_unknown, check_both_are_intact,
     check_nothing_is_left, close_source},
    {"list unknown", open_captured, list_unknown, NULL, check_the_unknown, close_source},
};

static void test_wherever_the_disk_ends_nothing_is_half_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        check_every_failure(&acts[i], SCARCE_DISK);
}

static void test_wherever_the_memory_ends_nothing_is_half_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        // What it does is done by the others, too.
        if (strcmp(acts[i].name, "repair") == 0)
            continue;
        check_every_failure(&acts[i], SCARCE_MEMORY);
        check_every_failure(&acts[i], SCARCE_SQLITE_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wherever_the_disk_ends_nothing_is_half_done),
        cmocka_unit_test(test_wherever_the_memory_ends_nothing_is_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
