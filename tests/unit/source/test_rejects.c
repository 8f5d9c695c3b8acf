/* Rows that could not be encoded: collected, published, kept since when, listed for another try. */
#include "support/prelude.h"

#include "quoted.h"
#include "source/rejects.h"
#include "support.h"
#include "users.h"

#define NOW   1767323045678000
#define LATER (NOW + 3600000000)

static struct folder folder;
static struct tracking tracking;
static struct buffer shown;

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    expect_ok(tracking_open(path_in(&folder, "state.db"), &tracking, &err));
    run(&tracking.database, "create table users(id integer primary key, email, v);"
                            "insert into users values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
    buffer_init(&shown, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_clear(&shown);
    tracking_close(&tracking);
    remove_folder(&folder);
    return 0;
}

static void reject(const char *row_sql, size_t column, const char *reason)
{
    sqlite3_stmt *row = NULL;
    bool found = false;
    const struct bad_value value = {.column = column, .storage_class = "text", .reason = reason};

    expect_ok(database_prepare(&tracking.database, row_sql, &row, &err));
    expect_ok(database_step(&tracking.database, row, &found, &err));
    assert_true(found);
    expect_ok(rejects_add(&tracking, &users_table, row, &value, &err));
    sqlite3_finalize(row);
}

static bool changed; /* by the last publication */

static int64_t publish(int64_t now_us)
{
    const struct rejects_pass pass = {.by = CAPTURE_TRIGGERS, .sequence = 7, .now_us = now_us};
    int64_t rows = -1;

    expect_ok(rejects_publish(&tracking, &users_table, &pass, &changed, &err));
    expect_ok(rejects_count(&tracking, "users", &rows, &err));
    return rows;
}

static bool show(void *context, const struct reject *one)
{
    buffer_printf(
        context, "%s %s %s %s %s %s\n", one->table, one->key_json, one->column, one->storage_class,
        one->reason, one->since);
    return true;
}

static const char *all_of(const char *table)
{
    buffer_reset(&shown);
    expect_ok(rejects_each(&tracking, table, show, &shown, &err));
    return buffer_text(&shown);
}

static void test_bad_values_are_shown_by_key_and_column(void **state)
{
    (void)state;
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 2", 2, "not a number");
    reject("select * from users where id = 2", 1, "NULL in a REQUIRED column");
    reject("select * from users where id = 1", 2, "out of range");

    assert_int_equal(publish(NOW), 2);

    assert_string_equal(
        all_of("users"), "users {\"id\":1} v text out of range 2026-01-02T03:04:05.678Z\n"
                         "users {\"id\":2} email text NULL in a REQUIRED column"
                         " 2026-01-02T03:04:05.678Z\n"
                         "users {\"id\":2} v text not a number 2026-01-02T03:04:05.678Z\n");
    assert_string_equal(all_of("orders"), "");
    int64_t rows;
    expect_ok(rejects_count(&tracking, "users", &rows, &err));
    assert_int_equal(rows, 2);
}

static void test_a_key_of_two_columns_is_kept_whole(void **state)
{
    static const char *const listed_sql =
        "select group_concat(bq_sync_key_1 || bq_sync_key_2 || (bq_sync_sequence > 7), ' ')"
        " from \"bq_sync_dirty_it\"\"s\"";
    const struct rejects_pass pass = {.by = CAPTURE_TRIGGERS, .sequence = 7, .now_us = NOW};
    const struct bad_value value = {.column = 2, .storage_class = "text", .reason = "bad"};
    struct database *database = &tracking.database;
    sqlite3_stmt *row = NULL;
    bool found = false;

    (void)state;
    run(database,
        "create table \"it\"\"s\"(a text not null, b text not null, v, primary key (a, b));"
        "insert into \"it\"\"s\" values ('x', '1', 'v')");
    expect_ok(capture_install(database, &quoted_table, &err));
    expect_ok(rejects_begin(&tracking, &quoted_table, &err));
    expect_ok(database_prepare(database, "select * from \"it\"\"s\"", &row, &err));
    expect_ok(database_step(database, row, &found, &err));
    expect_ok(rejects_add(&tracking, &quoted_table, row, &value, &err));
    sqlite3_finalize(row);
    expect_ok(rejects_publish(&tracking, &quoted_table, &pass, &changed, &err));

    assert_string_equal(
        all_of("it\"s"), "it\"s {\"a\":\"x\",\"b\":\"1\"} v text bad 2026-01-02T03:04:05.678Z\n");
    assert_string_equal(query_text(database, listed_sql), "x11");

    // Now it fits, and is a change of this pass.
    expect_ok(rejects_begin(&tracking, &quoted_table, &err));
    expect_ok(rejects_publish(&tracking, &quoted_table, &pass, &changed, &err));
    assert_string_equal(query_text(database, listed_sql), "x10");
}

static void test_a_value_rejected_again_keeps_its_since_and_a_fixed_one_is_deleted(void **state)
{
    (void)state;
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 1", 2, "old");
    reject("select * from users where id = 2", 2, "old");
    publish(NOW);

    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 2", 2, "new");
    reject("select * from users where id = 3", 2, "new");
    publish(LATER);

    assert_string_equal(
        all_of(NULL), "users {\"id\":2} v text new 2026-01-02T03:04:05.678Z\n"
                      "users {\"id\":3} v text new 2026-01-02T04:04:05.678Z\n");
}

static void test_what_is_published_already_changes_nothing(void **state)
{
    (void)state;
    for (int64_t now = NOW; now <= LATER; now += LATER - NOW) {
        expect_ok(rejects_begin(&tracking, &users_table, &err));
        reject("select * from users where id = 1", 2, "old");
        publish(now);
        assert_int_equal(changed, now == NOW);
    }
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    publish(LATER);
    assert_true(changed);
}

static void test_keys_that_a_dirty_set_can_list_are_counted(void **state)
{
    int64_t rows = -1;

    (void)state;
    run(&tracking.database,
        "insert into bq_sync_rejects values ('users', '{\"a\":1,\"b\":2}', 'v', 'text', 'r', 's'),"
        " ('users', '{\"a\":1,\"b\":2}', 'w', 'text', 'r', 's'),"
        " ('users', '{\"a\":1,\"b\":null}', 'v', 'text', 'r', 's'),"
        " ('orders', '{\"a\":\"null\"}', 'v', 'text', 'r', 's')");
    expect_ok(rejects_count_listed(&tracking, "users", &rows, &err));
    assert_int_equal(rows, 1);
    expect_ok(rejects_count_listed(&tracking, "orders", &rows, &err));
    assert_int_equal(rows, 1);
}

static void test_nothing_collected_clears_the_table_and_no_other(void **state)
{
    (void)state;
    run(&tracking.database,
        "insert into bq_sync_rejects values ('users', '{}', 'v', 'text', 'r', 's'),"
        " ('orders', '{}', 'v', 'text', 'r', 's')");
    expect_ok(rejects_begin(&tracking, &users_table, &err));

    assert_int_equal(publish(NOW), 0);

    assert_string_equal(all_of(NULL), "orders {} v text r s\n");
}

static const char *dirty_keys(void)
{
    return query_text(
        &tracking.database, "select group_concat(bq_sync_key_1 || '@' || case bq_sync_sequence"
                            " when 9223372036854775807 then 'all' else bq_sync_sequence end, ' ')"
                            " from (select * from bq_sync_dirty_users order by 1)");
}

static void test_rejected_keys_are_listed_to_be_tried_at_every_pass(void **state)
{
    (void)state;
    expect_ok(capture_install(&tracking.database, &users_table, &err));
    run(&tracking.database, "insert into bq_sync_dirty_users values (2, 3), (3, 12), (4, 12)");
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 1", 2, "r");
    reject("select * from users where id = 2", 2, "r");
    reject("select * from users where id = 2", 1, "r");
    reject("select * from users where id = 3", 2, "r");
    reject("select null, 'x', 'y'", 0, "NULL key");

    assert_int_equal(publish(NOW), 4);

    // What changed after the pass had read up to 7 stays a change.
    assert_string_equal(dirty_keys(), "1@all 2@all 3@12 4@12");
}

static void test_a_key_that_is_not_rejected_any_longer_is_a_change_of_its_pass(void **state)
{
    (void)state;
    expect_ok(capture_install(&tracking.database, &users_table, &err));
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 1", 2, "r");
    reject("select * from users where id = 2", 2, "r");
    publish(NOW);
    run(&tracking.database, "update users set v = 3 where id = 2");
    assert_string_equal(dirty_keys(), "1@all 2@1");

    expect_ok(rejects_begin(&tracking, &users_table, &err));
    assert_int_equal(publish(LATER), 0);

    assert_string_equal(dirty_keys(), "1@7 2@1");
}

static void test_the_same_rejects_again_write_nothing(void **state)
{
    (void)state;
    struct database other = {0};
    int64_t before = 0;
    int64_t after = 0;
    expect_ok(capture_install(&tracking.database, &users_table, &err));
    expect_ok(database_open(path_in(&folder, "state.db"), DATABASE_READ, 0, &other, &err));
    for (int i = 0; i < 2; i++) {
        expect_ok(rejects_begin(&tracking, &users_table, &err));
        reject("select * from users where id = 1", 2, "r");
        reject("select * from users where id = 2", 1, "r");
        before = query_int(&other, "pragma data_version");
        publish(NOW);
        after = query_int(&other, "pragma data_version");
    }
    database_close(&other);

    assert_int_equal(after, before);
}

static void test_the_first_reason_names_no_key_and_no_value(void **state)
{
    (void)state;
    char reason[200];
    expect_ok(rejects_first_reason(&tracking, "users", reason, sizeof reason, &err));
    assert_string_equal(reason, "");
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 2", 1, "is too long");
    reject("select * from users where id = 1", 2, "is not an integer");
    publish(NOW);

    expect_ok(rejects_first_reason(&tracking, "users", reason, sizeof reason, &err));
    assert_string_equal(reason, "v: text value is not an integer");

    expect_ok(rejects_begin(&tracking, &users_table, &err));
    reject("select * from users where id = 1", 0, REJECTS_OTHER_ROW "id = 7" REJECTS_ONE_KEY);
    publish(NOW);
    expect_ok(rejects_first_reason(&tracking, "users", reason, sizeof reason, &err));
    assert_string_equal(reason, "id: text value and that of another row are one key in BigQuery");
}

static void test_many_rejects_are_published_in_chunks(void **state)
{
    (void)state;
    sqlite3_stmt *row = NULL;
    bool more = false;
    expect_ok(capture_install(&tracking.database, &users_table, &err));
    expect_ok(rejects_begin(&tracking, &users_table, &err));
    expect_ok(database_prepare(
        &tracking.database,
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5001)"
        " select i, 'e', 'v' from n",
        &row, &err));
    for (;;) {
        expect_ok(database_step(&tracking.database, row, &more, &err));
        if (!more)
            break;
        expect_ok(rejects_add(
            &tracking, &users_table, row, &(struct bad_value){2, "text", "r", 0}, &err));
    }
    sqlite3_finalize(row);

    assert_int_equal(publish(NOW), 5001);

    assert_int_equal(query_int(&tracking.database, "select count(*) from bq_sync_rejects"), 5001);
    assert_int_equal(
        query_int(&tracking.database, "select count(*) from bq_sync_dirty_users"), 5001);
}

static void test_keys_of_every_storage_class_are_valid_json(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *json;
    } cases[] = {
        {"select -9223372036854775808, 1, 1", "{\"id\":-9223372036854775808}"},
        {"select 0.1, 1, 1", "{\"id\":0.10000000000000001}"},
        {"select 9e999, 1, 1", "{\"id\":\"Infinity\"}"},
        {"select 'a\"\\' || char(10) || 'é', 1, 1", "{\"id\":\"a\\\"\\\\\\u000aé\"}"},
        {"select ' a b' || char(31) || '!', 1, 1", "{\"id\":\" a b\\u001f!\"}"},
        {"select cast(x'61ff62edA080' as text), 1, 1",
         "{\"id\":\"cast(x'61ff62eda080' as text)\"}"},
        {"select cast(x'4dfc' as text), 1, 1", "{\"id\":\"cast(x'4dfc' as text)\"}"},
        {"select cast(x'4df6' as text), 1, 1", "{\"id\":\"cast(x'4df6' as text)\"}"},
        {"select 'x00', 1, 1", "{\"id\":\"x00\"}"},
        {"select 'x''00''', 1, 1", "{\"id\":\"cast(x'7827303027' as text)\"}"},
        {"select 'Infinity', 1, 1", "{\"id\":\"cast(x'496e66696e697479' as text)\"}"},
        {"select 1, 1, 1", "{\"id\":1}"},
        {"select 1.0, 1, 1", "{\"id\":1.0}"},
        {"select '1.0', 1, 1", "{\"id\":\"1.0\"}"},
        {"select x'00ff', 1, 1", "{\"id\":\"x'00ff'\"}"},
        {"select null, 1, 1", "{\"id\":null}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_ok(rejects_begin(&tracking, &users_table, &err));
        reject(cases[i].sql, 1, "r");
        publish(NOW);
        assert_string_equal(
            query_text(&tracking.database, "select key_json from bq_sync_rejects"), cases[i].json);
    }
}

/* In UTF-8, SQLite makes one character of a lone surrogate and what follows it, and the same one of
 * several such pairs. */
static void test_keys_of_utf_16_are_shown_as_they_are_stored(void **state)
{
    (void)state;
    static const struct {
        const char *encoding;
        const char *literal;
        const char *json;
    } cases[] = {
        {"UTF-16le", "x'61003dd862dc'", "{\"id\":\"a\xf0\x9f\x91\xa2\"}"},
        {"UTF-16le", "x'61003dd86200'", "{\"id\":\"cast(x'61003dd86200' as text)\"}"},
        {"UTF-16le", "x'61003dd86204'", "{\"id\":\"cast(x'61003dd86204' as text)\"}"},
        {"UTF-16be", "x'0061d83d0062'", "{\"id\":\"cast(x'0061d83d0062' as text)\"}"},
        {"UTF-16be", "x'0061d83d0462'", "{\"id\":\"cast(x'0061d83d0462' as text)\"}"},
        {"UTF-16be", "x'0061d83d'", "{\"id\":\"cast(x'0061d83d' as text)\"}"},
        {"UTF-16be", "x'00780027'", "{\"id\":\"cast(x'00780027' as text)\"}"},
        {"UTF-16be", "x'006100e9'", "{\"id\":\"a\xc3\xa9\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct database wide;
        sqlite3_stmt *row = NULL;
        bool found = false;
        char sql[128];
        expect_ok(database_open(path_in(&folder, "wide.db"), DATABASE_CREATE, 2000, &wide, &err));
        snprintf(sql, sizeof sql, "pragma encoding = '%s'", cases[i].encoding);
        run(&wide, sql);
        run(&wide, "create table t(a)");
        snprintf(sql, sizeof sql, "select cast(%s as text), 1, 1", cases[i].literal);
        expect_ok(database_prepare(&wide, sql, &row, &err));
        expect_ok(database_step(&wide, row, &found, &err));
        expect_ok(rejects_begin(&tracking, &users_table, &err));
        expect_ok(rejects_add(
            &tracking, &users_table, row, &(struct bad_value){1, "text", "r", 0}, &err));
        sqlite3_finalize(row);
        database_close(&wide);
        assert_int_equal(unlink(path_in(&folder, "wide.db")), 0);
        publish(NOW);
        assert_string_equal(
            query_text(&tracking.database, "select key_json from bq_sync_rejects"), cases[i].json);
    }
}

static void test_rows_without_a_key_of_their_own_have_an_entry_each(void **state)
{
    (void)state;
    int64_t rows = 0;
    sqlite3_stmt *row = NULL;
    bool found = false;

    expect_ok(rejects_begin(&tracking, &users_table, &err));
    expect_ok(database_prepare(&tracking.database, "select null, 'x', 'y'", &row, &err));
    expect_ok(database_step(&tracking.database, row, &found, &err));
    for (int64_t number = 1; number <= 2; number++)
        for (size_t column = 0; column < 2; column++)
            expect_ok(rejects_add(
                &tracking, &users_table, row, &(struct bad_value){column, "null", "r", number},
                &err));
    sqlite3_finalize(row);
    publish(NOW);
    expect_ok(rejects_count(&tracking, "users", &rows, &err));
    assert_int_equal(rows, 2);
    assert_string_equal(
        query_text(&tracking.database, "select max(key_json) from bq_sync_rejects"),
        "{\"id\":null,\"row_number\":2}");
}

static void test_a_database_without_the_table_has_no_rejects(void **state)
{
    (void)state;
    int64_t rows = 1;
    run(&tracking.database, "drop table bq_sync_rejects");

    expect_ok(rejects_count(&tracking, "users", &rows, &err));
    assert_int_equal(rows, 0);
    assert_string_equal(all_of(NULL), "");
}

#define rejects_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rejects_test(test_bad_values_are_shown_by_key_and_column),
        rejects_test(test_a_key_of_two_columns_is_kept_whole),
        rejects_test(test_a_value_rejected_again_keeps_its_since_and_a_fixed_one_is_deleted),
        rejects_test(test_nothing_collected_clears_the_table_and_no_other),
        rejects_test(test_what_is_published_already_changes_nothing),
        rejects_test(test_keys_that_a_dirty_set_can_list_are_counted),
        rejects_test(test_rejected_keys_are_listed_to_be_tried_at_every_pass),
        rejects_test(test_a_key_that_is_not_rejected_any_longer_is_a_change_of_its_pass),
        rejects_test(test_the_same_rejects_again_write_nothing),
        rejects_test(test_the_first_reason_names_no_key_and_no_value),
        rejects_test(test_many_rejects_are_published_in_chunks),
        rejects_test(test_keys_of_every_storage_class_are_valid_json),
        rejects_test(test_keys_of_utf_16_are_shown_as_they_are_stored),
        rejects_test(test_rows_without_a_key_of_their_own_have_an_entry_each),
        rejects_test(test_a_database_without_the_table_has_no_rejects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
