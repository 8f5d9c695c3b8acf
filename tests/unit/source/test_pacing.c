/* Large writes as short transactions that leave the lock to others in between. */
#include "support/prelude.h"

#include "source/pacing.h"
#include "support.h"
#include "support/manual_clock.h"

static struct folder folder;
static struct database database;
static struct manual_clock manual;

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    manual_clock_init(&manual);
    expect_ok(database_open(path_in(&folder, "app.db"), DATABASE_CREATE, 0, &database, &err));
    run(&database, "create table t(a)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&database);
    remove_folder(&folder);
    return 0;
}

static struct pacing paced(void)
{
    struct pacing pacing = pacing_of(&database);

    pacing.clock = &manual.clock;
    return pacing;
}

/* One transaction that holds the lock for so long. */
static void hold(struct pacing *pacing, int ms)
{
    expect_ok(pacing_begin(pacing, &err));
    run(&database, "insert into t values (1)");
    manual.ms += ms;
    expect_ok(pacing_commit(pacing, &err));
}

static void test_the_lock_is_left_alone_for_as_long_as_it_was_held(void **state)
{
    (void)state;
    struct pacing pacing = paced();
    struct database other;
    expect_ok(database_open(path_in(&folder, "app.db"), DATABASE_WRITE, 0, &other, &err));

    hold(&pacing, 60);
    int64_t released_ms = manual.ms;
    expect_ok(database_begin(&other, &err));
    database_rollback(&other);
    expect_ok(pacing_begin(&pacing, &err));
    assert_true(manual.ms - released_ms >= 60);
    expect_error(database_begin(&other, &err), ERROR_BUSY, "kept it locked");
    assert_false(pacing_fail(&pacing));
    expect_ok(database_begin(&other, &err));
    database_close(&other);
}

static void test_long_transactions_get_fewer_rows_down_to_a_least_number(void **state)
{
    (void)state;
    struct pacing pacing = paced();
    int64_t before = pacing.rows;

    hold(&pacing, 30);
    assert_int_equal(pacing.rows, before / 2);
    for (int i = 0; i < 6; i++)
        hold(&pacing, 30);
    assert_true(pacing.rows > 0);
    assert_true(pacing.rows < 100);
}

static void test_short_transactions_get_up_to_2000_rows(void **state)
{
    (void)state;
    struct pacing pacing = paced();

    // An odd number of rows to begin with.
    for (int i = 0; i < 4; i++)
        hold(&pacing, 30);
    for (int i = 0; i < 50; i++) {
        hold(&pacing, 0);
        assert_true(pacing.rows <= 2000);
    }
    assert_int_equal(pacing.rows, 2000);
}

#define pacing_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pacing_test(test_the_lock_is_left_alone_for_as_long_as_it_was_held),
        pacing_test(test_long_transactions_get_fewer_rows_down_to_a_least_number),
        pacing_test(test_short_transactions_get_up_to_2000_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
