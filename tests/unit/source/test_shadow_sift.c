/* Reading only the rows that differ from a shadow, by a statement that passes over the others and
 * where there can be none. */
#include "support/prelude.h"

#include "orders.h"
#include "source/shadow_sift.h"
#include "support.h"
#include "support/intending.h"

#define ROWS 10000

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
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

/* What a read has found, and how far each call of look was. */
struct found {
    char rows[256];
    char looks[64];
    int64_t rows_read;
    int64_t stop_at;
};

static bool look(void *context, int64_t rows_read, struct error *error)
{
    struct found *found = context;
    size_t used = strlen(found->looks);

    snprintf(found->looks + used, sizeof found->looks - used, "%lld ", (long long)rows_read);
    return rows_read != found->stop_at || error_set(error, ERROR_STOPPED, "asked to stop");
}

static bool visit_deleted(void *context, sqlite3_stmt *row, struct error *error)
{
    struct found *found = context;
    size_t used = strlen(found->rows);

    (void)error;
    snprintf(
        found->rows + used, sizeof found->rows - used, "-%lld ",
        (long long)sqlite3_column_int64(row, 0));
    return true;
}

static bool read_rows(struct shadow_sift *sift, struct found *found, struct error *error)
{
    enum shadow_change change;
    bool row = false;

    for (;;) {
        if (!shadow_sift_next(sift, &row, &change, error))
            return false;
        if (!row)
            return true;
        size_t used = strlen(found->rows);
        if (used < sizeof found->rows - 32)
            snprintf(
                found->rows + used, sizeof found->rows - used, "%c%lld=%s ",
                change == SHADOW_NEW ? '+' : '~', (long long)sqlite3_column_int64(sift->row, 0),
                sqlite3_column_text(sift->row, 1));
    }
}

static bool read_table(enum shadow_mode mode, struct found *found, bool *out_by_function)
{
    struct shadow *shadow = NULL;
    struct shadow_sift sift = {
        .source = &source,
        .table = &orders_table,
        .form = SHADOW_FORM_PACKED,
        .mode = mode,
        .look = look,
        .context = found,
    };

    expect_ok(shadow_begin(
        (struct database_place){.path = state_path}, &orders_table, SHADOW_FORM_PACKED, mode,
        &shadow, &err));
    sift.shadow = shadow;
    expect_ok(shadow_sift_open(&sift, &err));
    *out_by_function = sift.by_function;
    bool ok = read_rows(&sift, found, &err);
    found->rows_read = sift.rows;
    shadow_sift_close(&sift);
    if (ok) {
        expect_ok(shadow_deleted(shadow, visit_deleted, found, &err));
        expect_ok(shadow_end(shadow, &err));
    }
    shadow_free(shadow);
    return ok;
}

static void send_all(void)
{
    struct tracking tracking;
    struct found found = {0};
    struct intent intent = {.mode = SEND_REPLACE, .content_hash = "00000000c0de"};
    bool by_function = true;

    assert_true(read_table(SHADOW_REPLACE, &found, &by_function));
    assert_false(by_function);
    assert_int_equal(found.rows_read, ROWS);
    snprintf(intent.table, sizeof intent.table, "%s", orders_table.name);
    intent.generation = ++generation;
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    expect_ok(tracking_open(state_path, &tracking, &err));
    intend_now(&tracking, &intent);
    assert_null(acknowledge_at(&tracking, &intent, 0));
    tracking_close(&tracking);
}

static const char fill[] =
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)"
    " insert into %s select i, 'v' || i from n";

static void fill_table(const char *name)
{
    char sql[256];

    snprintf(sql, sizeof sql, fill, name);
    run(&source, sql);
}

static void check_changes_are_found(bool function)
{
    struct found found = {0};
    bool by_function = !function;

    assert_true(read_table(SHADOW_CHANGES, &found, &by_function));

    assert_string_equal(found.rows, "~2=two ~9999=null +10001=new -7 ");
    assert_string_equal(found.looks, "4096 8192 ");
    assert_int_equal(found.rows_read, ROWS);
    assert_int_equal(by_function, function);
}

static void test_only_rows_that_differ_are_stepped_to(void **state)
{
    (void)state;
    run(&source, "create table orders(id integer primary key, v)");
    fill_table("orders");
    send_all();
    run(&source,
        "update orders set v = 'two' where id = 2; delete from orders where id = 7;"
        "update orders set v = 'null' where id = 9999; insert into orders values (10001, 'new')");

    check_changes_are_found(true);

    // The function is ours alone.
    sqlite3_stmt *statement = NULL;
    expect_error(
        database_prepare(&source, "select bq_sync_differs(1, 2)", &statement, &err), ERROR_SOURCE,
        "no such function");
}

static void test_rows_that_sqlite_would_sort_are_stepped_to_one_by_one(void **state)
{
    (void)state;
    run(&source, "create table held(id, v); create view orders as select id, v from held");
    fill_table("held");
    send_all();
    run(&source,
        "update held set v = 'two' where id = 2; delete from held where id = 7;"
        "update held set v = 'null' where id = 9999; insert into held values (10001, 'new')");

    check_changes_are_found(false);
}

static void test_a_look_ends_the_read_with_its_own_error(void **state)
{
    (void)state;
    run(&source, "create table orders(id integer primary key, v)");
    fill_table("orders");
    send_all();
    struct found found = {.stop_at = 8192};
    bool by_function = false;

    expect_error(read_table(SHADOW_CHANGES, &found, &by_function), ERROR_STOPPED, "asked to stop");

    assert_string_equal(found.looks, "4096 8192 ");
    assert_int_equal(found.rows_read, 8192);
}

#define sift_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sift_test(test_only_rows_that_differ_are_stepped_to),
        sift_test(test_rows_that_sqlite_would_sort_are_stepped_to_one_by_one),
        sift_test(test_a_look_ends_the_read_with_its_own_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
