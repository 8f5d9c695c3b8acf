/* The bills of tables and days, and how they are added to. */
#include "support/prelude.h"

#include "source/tracking_bill.h"
#include "support.h"
#include "support/intending.h"

#define HOUR_US INT64_C(3600000000)
#define DAY_US  (24 * HOUR_US)
#define NOON    1767355200000000 /* 2026-01-02T12:00:00Z */

static struct folder folder;
static struct tracking tracking;
static char path[256];
static char seen[1024];

static int open_state(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "state.db"));
    expect_ok(tracking_open(path, &tracking, &err));
    return 0;
}

static int close_state(void **state)
{
    (void)state;
    tracking_close(&tracking);
    remove_folder(&folder);
    return 0;
}

static void note(void *context, const struct table_bill *bill)
{
    size_t used = strlen(seen);

    (void)context;
    snprintf(
        seen + used, sizeof seen - used, "%s %s %lld/%lld;", bill->table, bill->day,
        (long long)bill->bytes, (long long)bill->queries);
}

/* All bills since a day, as one text. */
static const char *bills(const char *first_day)
{
    seen[0] = '\0';
    expect_ok(tracking_bill_each(&tracking, first_day, "9999", note, NULL, &err));
    return seen;
}

static void add(const char *table, int64_t now_us, int64_t bytes)
{
    expect_ok(tracking_bill_add(&tracking, table, now_us, bytes, &err));
}

/* Ends an intent of users that has billed so much. */
static void sync_once(int64_t generation, int64_t bytes, bool succeeds, int times)
{
    struct intent intent = {
        .table = "users",
        .mode = SEND_MERGE,
        .generation = generation,
        .nonce = "0123456789abcdef"};

    intend_now(&tracking, &intent);
    intent.bytes_billed = bytes;
    while (times-- > 0)
        if (succeeds)
            acknowledge_at(&tracking, &intent, NOON);
        else
            expect_ok(tracking_withdraw(&tracking, &intent, NOON, &err));
}

static void test_bills_add_up_by_table_and_day(void **state)
{
    (void)state;
    add("users", NOON, 100);
    add("users", NOON + 11 * HOUR_US, 20);
    add("users", NOON + 12 * HOUR_US, 3);
    add("posts", NOON, INT64_C(9007199254740993));

    assert_string_equal(
        bills("2026-01-02"), "posts 2026-01-02 9007199254740993/1;users 2026-01-02 120/2;"
                             "users 2026-01-03 3/1;");
    assert_string_equal(bills("2026-01-03"), "users 2026-01-03 3/1;");
}

static void test_nothing_billed_writes_nothing(void **state)
{
    (void)state;
    int64_t before = query_int(&tracking.database, "select total_changes()");

    add("users", NOON, 0);

    assert_int_equal(query_int(&tracking.database, "select total_changes()"), before);
}

static void test_days_are_kept_for_two_months(void **state)
{
    (void)state;
    add("users", NOON, 1);
    add("posts", NOON + DAY_US, 2);
    add("users", NOON + 62 * DAY_US, 4);
    assert_string_equal(
        bills("2026-01-01"), "posts 2026-01-03 2/1;users 2026-01-02 1/1;users 2026-03-05 4/1;");

    add("users", NOON + 63 * DAY_US, 8);

    assert_string_equal(
        bills("2026-01-01"), "posts 2026-01-03 2/1;users 2026-03-05 4/1;users 2026-03-06 8/1;");
}

static void test_the_bill_of_an_intent_counts_once_however_it_ends(void **state)
{
    (void)state;
    sync_once(1, 10, true, 2);
    assert_string_equal(bills("2026-01-01"), "users 2026-01-02 10/1;");

    sync_once(2, 5, false, 2);
    assert_string_equal(bills("2026-01-01"), "users 2026-01-02 15/2;");
}

static void test_what_is_reserved_is_not_left_for_others(void **state)
{
    (void)state;
    const struct bill_reservation query = {.table = "users", .since_us = NOON, .bytes = 60};
    struct intent intent = {
        .table = "posts", .mode = SEND_MERGE, .generation = 1, .nonce = "n", .bytes_reserved = 30};
    struct watermark never = {0};
    struct tracking_basis basis = {
        .watermark = &never, .limit = {.bytes_a_day = 100, .now_us = NOON}};
    const char *changed = NULL;
    struct bill_use use;

    add("users", NOON, 20);
    expect_ok(tracking_bill_reserve(&tracking, &query, 100, &err));
    expect_error(
        tracking_intend(&tracking, &intent, &basis, &changed, &err), ERROR_BUDGET,
        "BQ_MAX_BYTES_BILLED_PER_DAY");
    assert_int_equal(query_int(&tracking.database, "select count(*) from bq_sync_intents"), 0);
    intent.bytes_reserved = 20;
    expect_ok(tracking_intend(&tracking, &intent, &basis, &changed, &err));
    expect_error(
        tracking_bill_reserve(&tracking, &(struct bill_reservation){"users", NOON, 1}, 100, &err),
        ERROR_BUDGET, "BQ_MAX_BYTES_BILLED_PER_DAY");

    expect_ok(tracking_bill_use(&tracking, NOON, &use, &err));
    assert_int_equal(use.billed, 20);
    assert_int_equal(use.queries, 60);
    assert_int_equal(use.intents, 20);
    assert_int_equal(bill_left(&use, 100), 0);

    // The bill of a query that ends on the next day is the next day's.
    expect_ok(tracking_bill_settle(&tracking, &query, NOON + DAY_US, 55, &err));
    expect_ok(tracking_bill_use(&tracking, NOON, &use, &err));
    assert_int_equal(use.queries, 0);
    assert_int_equal(use.billed, 20);
    expect_ok(tracking_bill_use(&tracking, NOON + DAY_US, &use, &err));
    assert_int_equal(use.billed, 55);
    assert_int_equal(use.intents, 20);
}

static void test_a_reservation_that_nobody_ends_counts_for_one_more_day(void **state)
{
    (void)state;
    const struct bill_reservation query = {.table = "users", .since_us = NOON, .bytes = 60};
    struct bill_use use;

    expect_ok(tracking_bill_reserve(&tracking, &query, 100, &err));
    expect_ok(tracking_bill_use(&tracking, NOON + DAY_US, &use, &err));
    assert_int_equal(use.queries, 60);
    expect_ok(tracking_bill_use(&tracking, NOON + 2 * DAY_US, &use, &err));
    assert_int_equal(use.queries, 0);
}

static void test_what_a_query_needs_is_known_for_the_day(void **state)
{
    (void)state;
    int64_t needed = 7;

    expect_ok(tracking_bill_note_need(&tracking, "users", NOON, 40, &err));
    expect_ok(tracking_bill_need(&tracking, "users", NOON, &needed, &err));
    assert_int_equal(needed, 40);
    expect_ok(tracking_bill_need(&tracking, "users", NOON + DAY_US, &needed, &err));
    assert_int_equal(needed, 0);
    assert_string_equal(bills("2026-01-01"), "");
}

static void test_a_database_without_the_table_has_no_bills(void **state)
{
    (void)state;
    run(&tracking.database, "drop table bq_sync_billed");

    assert_string_equal(bills("2026-01-01"), "");
    tracking_close(&tracking);
    expect_ok(tracking_open(path, &tracking, &err));
    add("users", NOON, 1);
    assert_string_equal(bills("2026-01-01"), "users 2026-01-02 1/1;");
}

static void test_the_first_of_the_month(void **state)
{
    (void)state;
    char day[BILL_DAY_SIZE];

    assert_string_equal(tracking_bill_month(NOON, day), "2026-01-01");
    assert_string_equal(tracking_bill_month(NOON + 30 * DAY_US, day), "2026-02-01");
    assert_string_equal(tracking_bill_day(NOON + 12 * HOUR_US - 1, day), "2026-01-02");
    assert_string_equal(tracking_bill_day(NOON + 12 * HOUR_US, day), "2026-01-03");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_bills_add_up_by_table_and_day, open_state, close_state),
        cmocka_unit_test_setup_teardown(
            test_nothing_billed_writes_nothing, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_days_are_kept_for_two_months, open_state, close_state),
        cmocka_unit_test_setup_teardown(
            test_the_bill_of_an_intent_counts_once_however_it_ends, open_state, close_state),
        cmocka_unit_test_setup_teardown(
            test_a_database_without_the_table_has_no_bills, open_state, close_state),
        cmocka_unit_test_setup_teardown(
            test_what_is_reserved_is_not_left_for_others, open_state, close_state),
        cmocka_unit_test_setup_teardown(
            test_a_reservation_that_nobody_ends_counts_for_one_more_day, open_state, close_state),
        cmocka_unit_test_setup_teardown(
            test_what_a_query_needs_is_known_for_the_day, open_state, close_state),
        cmocka_unit_test(test_the_first_of_the_month),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
