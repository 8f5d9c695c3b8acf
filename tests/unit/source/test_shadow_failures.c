/* Shadows when the disk or the memory ends within a pass: the error says so, and the next pass
 * finds what that one would have found. */
#include "support/prelude.h"

#include "orders.h"
#include "quoted.h"
#include "source/shadow.h"
#include "support.h"
#include "support/every_failure.h"
#include "support/intending.h"

static struct folder folder;
static struct database source;
static char state_path[256];

static const struct table *table;
static enum shadow_form form;
static enum shadow_mode mode;
static int64_t generation;
static struct buffer found;

static const char *read_sql(void)
{
    return table == &orders_table ? "select id, v, 0 from orders order by id"
                                  : "select a, b, v, 0 from \"it\"\"s\" order by a, b";
}

static bool note_deleted(void *context, sqlite3_stmt *row, struct error *error)
{
    (void)context;
    (void)error;
    buffer_printf(&found, "-%s ", sqlite3_column_text(row, 0));
    return true;
}

/* With converted keys, the letters of a are one key whatever their case. */
static bool send(
    struct shadow *shadow, sqlite3_stmt *row, enum shadow_change change, struct error *error)
{
    const char *name = statement_borrow_text(row, 0);
    const char *value = (const char *)sqlite3_column_text(row, table == &orders_table ? 1 : 2);
    char letter = (char)(name[0] | 0x20);
    const struct slice converted = {&letter, 1};
    enum shadow_claim claim = SHADOW_CLAIM_OWN;
    struct buffer other;
    bool kept = false;

    buffer_init(&other, 1000);
    bool bad = value != NULL && strcmp(value, "bad") == 0;
    bool ok = bad || form != SHADOW_FORM_KEYS ||
              shadow_claim(shadow, &source, converted, &claim, &other, error);
    if (ok && (bad || claim == SHADOW_CLAIM_TAKEN)) {
        ok = buffer_check(&other, "other", error) &&
             shadow_reject(shadow, true, converted, &kept, error);
        buffer_printf(&found, "%s%s(%s) ", kept ? "=" : "!", name, buffer_text(&other));
    } else if (ok) {
        buffer_printf(&found, "%s%s ", change == SHADOW_NEW ? "+" : "~", name);
    }
    buffer_clear(&other);
    return ok;
}

static bool read_rows(struct shadow *shadow, struct error *error)
{
    sqlite3_stmt *row = NULL;
    bool more = true;
    bool ok = database_prepare(&source, read_sql(), &row, error);

    while (ok && more) {
        enum shadow_change change;
        ok = database_step(&source, row, &more, error) &&
             (!more || (shadow_row(shadow, row, &change, error) &&
                        (change == SHADOW_SAME || send(shadow, row, change, error))));
    }
    sqlite3_finalize(row);
    return ok && shadow_deleted(shadow, note_deleted, NULL, error);
}

static bool pass(struct error *error)
{
    struct shadow *shadow = NULL;

    buffer_reset(&found);
    if (!shadow_begin(
            (struct database_place){.path = state_path}, table, form, mode, &shadow, error))
        return false;
    bool ok = read_rows(shadow, error) && shadow_end(shadow, error);
    shadow_free(shadow);
    return ok;
}

static void settle(void)
{
    struct tracking tracking;
    struct intent intent = {.mode = SEND_REPLACE, .content_hash = "00000000c0de"};

    snprintf(intent.table, sizeof intent.table, "%s", table->name);
    intent.generation = ++generation;
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    expect_ok(tracking_open(state_path, &tracking, &err));
    intend_now(&tracking, &intent);
    assert_null(acknowledge_at(&tracking, &intent, 0));
    tracking_close(&tracking);
}

/* --- the state ---------------------------------------------------------------------------- */

/* Copies of the state, with which attempts begin. */
enum moment { FIRST_SENT, CHANGES_SENT, ALL_SENT_AGAIN, MOMENTS };

static struct database moments[MOMENTS];

static void copy_database(struct database *to, struct database *from)
{
    sqlite3_backup *copy = sqlite3_backup_init(to->handle, "main", from->handle, "main");

    assert_int_equal(sqlite3_backup_step(copy, -1), SQLITE_DONE);
    sqlite3_backup_finish(copy);
}

static void pass_and_keep(enum shadow_mode kind, enum moment moment)
{
    struct database written;

    mode = kind;
    expect_ok(pass(&err));
    settle();
    expect_ok(database_open(state_path, DATABASE_READ, 2000, &written, &err));
    copy_database(&moments[moment], &written);
    database_close(&written);
}

static void begin(enum moment moment)
{
    struct database fresh;

    generation = moment + 1;
    mode = SHADOW_CHANGES;
    unlink(state_path);
    expect_ok(database_open(state_path, DATABASE_CREATE, 2000, &fresh, &err));
    run(&fresh, "pragma synchronous = off; pragma journal_mode = memory");
    copy_database(&fresh, &moments[moment]);
    database_close(&fresh);
}

static void end(void)
{
}

static void keep_moments(void)
{
    run(&source,
        "insert into orders values (1, 'one'), (2, 'two'), (3, 'three'), (7, 'seven');"
        "insert into \"it\"\"s\" values ('a', 1, 'one'), ('b', 1, 'two'), ('c', 1, 'three'),"
        " ('g', 1, 'seven')");
    generation = 0;
    pass_and_keep(SHADOW_REPLACE, FIRST_SENT);
    run(&source,
        "update orders set v = 'uno' where id = 1; delete from orders where id = 2;"
        "update orders set v = 'bad' where id = 3; insert into orders values (5, 'five');"
        "update \"it\"\"s\" set v = 'uno' where a = 'a'; delete from \"it\"\"s\" where a = 'b';"
        "update \"it\"\"s\" set v = 'bad' where a = 'c';"
        "insert into \"it\"\"s\" values ('B', 1, 'five'), ('G', 1, 'other')");
    pass_and_keep(SHADOW_CHANGES, CHANGES_SENT);
    pass_and_keep(SHADOW_REPLACE_KEEP_KNOWN, ALL_SENT_AGAIN);
}

/* --- what is tried ------------------------------------------------------------------------ */

static void begin_changed(void)
{
    begin(FIRST_SENT);
}

static void begin_acknowledged(void)
{
    begin(CHANGES_SENT);
}

static void begin_replaced(void)
{
    begin(ALL_SENT_AGAIN);
}

static bool complete(struct error *error)
{
    return shadow_complete((struct database_place){.path = state_path}, table, form, error);
}

static bool drop(struct error *error)
{
    return shadow_drop((struct database_place){.path = state_path}, table, error);
}

/* What was not sent is found again, and no more. */
static void check_the_rest_is_found_again(void)
{
    expect_ok(pass(&err));
    assert_string_equal(
        buffer_text(&found), table == &orders_table     ? "!3() "
                             : form == SHADOW_FORM_ROWS ? "!c() "
                                                        : "!G(a = 'g', b = 1) !c() ");
}

static void check_the_changes(void)
{
    assert_string_equal(
        buffer_text(&found), table == &orders_table     ? "~1 !3() +5 -2 "
                             : form == SHADOW_FORM_ROWS ? "+B +G ~a !c() -b "
                                                        : "+B !G(a = 'g', b = 1) ~a !c() ");
    settle();
    check_the_rest_is_found_again();
}

static void check_it_is_dropped(void)
{
    struct database written;
    bool known = true;

    expect_ok(database_open(state_path, DATABASE_READ, 2000, &written, &err));
    expect_ok(shadow_known(&written, table, form, &known, &err));
    assert_false(known);
    assert_int_equal(
        query_int(
            &written, "select count(*) from sqlite_master where name in"
                      " ('bq_sync_shadow_orders', 'bq_sync_pending_orders',"
                      " 'bq_sync_shadow_it\"s', 'bq_sync_pending_it\"s')"),
        0);
    database_close(&written);
}

static const struct failing_act acts[] = {
    {"pass", begin_changed, pass, NULL, check_the_changes, end},
    {"complete", begin_acknowledged, complete, NULL, check_the_rest_is_found_again, end},
    {"complete a replacement", begin_replaced, complete, NULL, check_the_rest_is_found_again, end},
    {"drop", begin_acknowledged, drop, NULL, check_it_is_dropped, end},
};

/* The first so many of them: the later ones are the same code in several forms. */
static void try_acts(const struct table *of, enum shadow_form kind, size_t count)
{
    table = of;
    form = kind;
    keep_moments();
    for (size_t i = 0; i < count; i++)
        check_every_failure(&acts[i], SCARCE_DISK);
    check_every_failure(&acts[0], SCARCE_SQLITE_MEMORY);
    if (kind == SHADOW_FORM_KEYS)
        check_every_failure(&acts[0], SCARCE_MEMORY);
}

static int set_up(void **context)
{
    (void)context;
    folder = make_folder();
    snprintf(state_path, sizeof state_path, "%s", path_in(&folder, "state.db"));
    buffer_init(&found, 10000);
    for (int i = 0; i < MOMENTS; i++)
        expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &moments[i], &err));
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    run(&source, "create table orders(id integer primary key, v);"
                 "create table \"it\"\"s\"(a text, b, v, primary key (a, b))");
    return 0;
}

static int tear_down(void **context)
{
    (void)context;
    buffer_clear(&found);
    for (int i = 0; i < MOMENTS; i++)
        database_close(&moments[i]);
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

static void test_wherever_a_shadow_of_rows_fails_nothing_is_lost(void **context)
{
    (void)context;
    try_acts(&quoted_table, SHADOW_FORM_ROWS, sizeof acts / sizeof acts[0]);
}

static void test_wherever_a_shadow_with_converted_keys_fails_nothing_is_lost(void **context)
{
    (void)context;
    try_acts(&quoted_table, SHADOW_FORM_KEYS, 1);
}

static void test_wherever_a_packed_shadow_fails_nothing_is_lost(void **context)
{
    (void)context;
    try_acts(&orders_table, SHADOW_FORM_PACKED, 2);
}

#define failure_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        failure_test(test_wherever_a_shadow_of_rows_fails_nothing_is_lost),
        failure_test(test_wherever_a_shadow_with_converted_keys_fails_nothing_is_lost),
        failure_test(test_wherever_a_packed_shadow_fails_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
