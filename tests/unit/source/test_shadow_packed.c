/* Packed shadows: what a read finds is held against a list of what was sent, over random lives. */
#include "support/prelude.h"

#include "orders.h"
#include "source/shadow.h"
#include "source/siphash.h"
#include "support.h"
#include "support/intending.h"

/* Ids from both ends of the range to runs that are dense, and many more than one chunk takes. */
#define SLOTS  4000
#define ROUNDS 40

static struct folder folder;
static struct database source;
static char state_path[256];
static int64_t generation;

/* The v of each id: NONE without a row. */
#define NONE 0
static int now[SLOTS];  /* in SQLite */
static int sent[SLOTS]; /* in BigQuery */

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    generation = 0;
    memset(now, 0, sizeof now);
    memset(sent, 0, sizeof sent);
    snprintf(state_path, sizeof state_path, "%s", path_in(&folder, "state.db"));
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    run(&source, "create table orders(id integer primary key, v)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    database_close(&source);
    remove_folder(&folder);
    return 0;
}

static uint64_t seed;

static int random_below(int limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int)(seed % (uint64_t)limit);
}

/* Slots in the order of their ids. */
static int64_t id_of(int slot)
{
    if (slot == 0)
        return INT64_MIN;
    if (slot == SLOTS - 1)
        return INT64_MAX;
    if (slot < 500)
        return -((int64_t)1 << 62) + ((int64_t)slot << 50);
    return slot < 3500 ? slot - 2000 : (int64_t)slot * slot * slot * slot;
}

static int slot_of(int64_t id)
{
    int slot = 0;

    while (slot < SLOTS && id_of(slot) != id)
        slot++;
    assert_true(slot < SLOTS);
    return slot;
}

/* Every seventh value does not fit. */
static bool is_bad(int value)
{
    return value % 7 == 0;
}

static void put(int slot, int value)
{
    char sql[160];

    now[slot] = value;
    snprintf(
        sql, sizeof sql,
        value == NONE ? "delete from orders where id = %lld"
                      : "insert or replace into orders values (%lld, %d)",
        (long long)id_of(slot), value);
    run(&source, sql);
}

/* A few single rows, a run of them, or the end of the table. */
static void change_rows(void)
{
    bool run_of_rows = random_below(3) == 0;
    int count = run_of_rows ? random_below(1500) : random_below(40);
    int first = random_below(4) == 0 ? SLOTS - 1 - count : random_below(SLOTS - count);
    bool deletes = random_below(2) == 0;

    run(&source, "begin");
    for (int i = 0; i < count; i++)
        put(run_of_rows ? first + i : random_below(SLOTS),
            deletes && random_below(5) > 0 ? NONE : 1 + random_below(1000));
    run(&source, "commit");
}

static bool replaces(enum shadow_mode mode)
{
    return mode == SHADOW_REPLACE || mode == SHADOW_REPLACE_KEEP_KNOWN;
}

static bool visit_deleted(void *context, sqlite3_stmt *row, struct error *error)
{
    int slot = slot_of(sqlite3_column_int64(row, 0));

    (void)error;
    assert_int_equal(now[slot], NONE);
    assert_int_not_equal(sent[slot], NONE);
    ((int *)context)[slot] = NONE;
    return true;
}

/* Reads the table, asserts what is found of each row, and notes in `becomes` what BigQuery holds if
 * it is sent. */
static void read_table(struct shadow *shadow, enum shadow_mode mode, int *becomes)
{
    sqlite3_stmt *row = NULL;
    struct buffer sql;
    bool more = false;

    buffer_init(&sql, 1000);
    shadow_scan_sql(&orders_table, SHADOW_FORM_PACKED, &sql);
    expect_ok(database_prepare(&source, buffer_text(&sql), &row, &err));
    buffer_clear(&sql);
    for (int slot = 0;; slot++) {
        enum shadow_change change;
        bool kept = false;
        expect_ok(database_step(&source, row, &more, &err));
        for (; slot < SLOTS && now[slot] == NONE; slot++)
            ;
        if (!more)
            break;
        expect_ok(shadow_row(shadow, row, &change, &err));
        assert_int_equal(
            change, replaces(mode) || sent[slot] == NONE ? SHADOW_NEW
                    : sent[slot] == now[slot]            ? SHADOW_SAME
                                                         : SHADOW_CHANGED);
        if (change == SHADOW_SAME)
            continue;
        if (!is_bad(now[slot])) {
            becomes[slot] = now[slot];
            continue;
        }
        expect_ok(shadow_reject(shadow, true, (struct slice){0}, &kept, &err));
        assert_int_equal(kept, mode == SHADOW_REPLACE_KEEP_KNOWN && sent[slot] != NONE);
        // A value that no row has: what is kept is another version.
        becomes[slot] = kept ? -1 : mode == SHADOW_REPLACE ? NONE : sent[slot];
    }
    sqlite3_finalize(row);
    expect_ok(shadow_deleted(shadow, visit_deleted, becomes, &err));
    for (int slot = 0; slot < SLOTS; slot++)
        if (now[slot] == NONE && replaces(mode))
            becomes[slot] = NONE;
}

enum ending { ACKNOWLEDGED, WITHDRAWN, KILLED, ENDINGS };

static void send(struct shadow *shadow, enum ending ending)
{
    struct tracking tracking;
    struct intent intent = {.mode = SEND_MERGE, .generation = ++generation};

    snprintf(intent.table, sizeof intent.table, "%s", orders_table.name);
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    expect_ok(shadow_end(shadow, &err));
    expect_ok(tracking_open(state_path, &tracking, &err));
    intend_now(&tracking, &intent);
    if (ending == ACKNOWLEDGED)
        assert_null(acknowledge_at(&tracking, &intent, 0));
    if (ending == WITHDRAWN)
        expect_ok(tracking_withdraw(&tracking, &intent, 0, &err));
    tracking_close(&tracking);
}

static void pass(enum shadow_mode mode, enum ending ending)
{
    static int becomes[SLOTS];
    struct shadow *shadow;

    memcpy(becomes, sent, sizeof becomes);
    expect_ok(shadow_begin(
        (struct database_place){.path = state_path}, &orders_table, SHADOW_FORM_PACKED, mode,
        &shadow, &err));
    read_table(shadow, mode, becomes);
    // A deleted key that was not visited is one that was missed.
    for (int slot = 0; slot < SLOTS; slot++)
        assert_false(now[slot] == NONE && becomes[slot] != NONE);
    if (mode != SHADOW_COMPARE)
        send(shadow, ending);
    shadow_free(shadow);
    if (mode != SHADOW_COMPARE && ending == ACKNOWLEDGED)
        memcpy(sent, becomes, sizeof sent);
}

static void test_random_lives_find_what_differs_and_nothing_else(void **state)
{
    (void)state;
    for (int life = 1; life <= 2; life++) {
        seed = 0x9e3779b97f4a7c15u * (uint64_t)life;
        for (int round = 0; round < ROUNDS; round++) {
            static const enum shadow_mode modes[] = {SHADOW_CHANGES, SHADOW_CHANGES,
                                                     SHADOW_CHANGES, SHADOW_COMPARE,
                                                     SHADOW_REPLACE, SHADOW_REPLACE_KEEP_KNOWN};
            change_rows();
            pass(modes[random_below(6)], (enum ending)random_below(ENDINGS));
        }
    }
}

static int64_t state_int(const char *sql)
{
    struct database control;

    expect_ok(database_open(state_path, DATABASE_WRITE, 0, &control, &err));
    int64_t value = query_int(&control, sql);
    database_close(&control);
    return value;
}

static void test_a_row_takes_at_most_twelve_bytes_however_it_came(void **state)
{
    (void)state;
    for (int part = 0; part < 4; part++) {
        run(&source,
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 25000)"
            " insert into orders select (select coalesce(max(id), 0) from orders) + i, i"
            " from n");
        struct shadow *shadow;
        sqlite3_stmt *row = NULL;
        enum shadow_change change;
        bool more = false;
        expect_ok(shadow_begin(
            (struct database_place){.path = state_path}, &orders_table, SHADOW_FORM_PACKED,
            SHADOW_CHANGES, &shadow, &err));
        expect_ok(database_prepare(&source, orders_table.scan_sql, &row, &err));
        for (;;) {
            expect_ok(database_step(&source, row, &more, &err));
            if (!more)
                break;
            expect_ok(shadow_row(shadow, row, &change, &err));
        }
        sqlite3_finalize(row);
        expect_ok(shadow_deleted(shadow, NULL, NULL, &err));
        send(shadow, ACKNOWLEDGED);
        shadow_free(shadow);
    }
    expect_ok(shadow_complete(
        (struct database_place){.path = state_path}, &orders_table, SHADOW_FORM_PACKED, &err));

    int64_t bytes =
        state_int("select sum(pgsize) from dbstat where name = 'bq_sync_shadow_orders'");
    assert_true(bytes > 0 && bytes <= INT64_C(12) * 100000);
}

static void expect_unknown(const char *sql)
{
    struct database control;
    bool known = true;

    expect_ok(database_open(state_path, DATABASE_WRITE, 0, &control, &err));
    expect_ok(shadow_known(&control, &orders_table, SHADOW_FORM_PACKED, &known, &err));
    assert_true(known);
    run(&control, sql);
    expect_ok(shadow_known(&control, &orders_table, SHADOW_FORM_PACKED, &known, &err));
    assert_false(known);
    database_close(&control);
    memset(sent, 0, sizeof sent);
    pass(SHADOW_REPLACE, ACKNOWLEDGED);
    pass(SHADOW_CHANGES, ACKNOWLEDGED);
}

static void test_what_was_kept_in_another_form_or_hashed_in_another_way_is_not_known(void **state)
{
    (void)state;
    put(700, 1);
    put(701, 2);
    pass(SHADOW_REPLACE, ACKNOWLEDGED);
    pass(SHADOW_CHANGES, ACKNOWLEDGED);

    expect_unknown("update bq_sync_shadows set hash_version = 1");
    expect_unknown("alter table bq_sync_shadows drop column hash_version");
    expect_unknown("drop table bq_sync_shadow_orders;"
                   "create table bq_sync_shadow_orders(bq_sync_key_1, bq_sync_hash integer,"
                   " primary key (bq_sync_key_1)) without rowid");
}

static void test_a_damaged_chunk_is_an_error_that_names_it(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "update bq_sync_shadow_orders set bq_sync_entries = x'01'",
        "update bq_sync_shadow_orders set bq_sync_rows = bq_sync_rows + 1",
        "update bq_sync_shadow_orders set bq_sync_rows = 1",
        "update bq_sync_shadow_orders set bq_sync_entries = bq_sync_entries || x'ff'",
    };

    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct shadow *shadow;
        struct database control;
        put(700, 1);
        put(701, 2);
        memset(sent, 0, sizeof sent);
        pass(SHADOW_REPLACE, ACKNOWLEDGED);
        pass(SHADOW_CHANGES, ACKNOWLEDGED);
        expect_ok(database_open(state_path, DATABASE_WRITE, 0, &control, &err));
        run(&control, damages[i]);
        database_close(&control);

        bool ok = shadow_begin(
            (struct database_place){.path = state_path}, &orders_table, SHADOW_FORM_PACKED,
            SHADOW_CHANGES, &shadow, &err);
        if (ok) {
            ok = shadow_deleted(shadow, visit_deleted, sent, &err);
            shadow_free(shadow);
        }
        assert_false(ok);
        assert_int_equal(err.code, ERROR_SOURCE);
        assert_non_null(
            strstr(err.message, "bq_sync_shadow_orders in the state database is damaged"));
    }
}

/* Rust's standard library publishes the first two (library/core, test_siphash_1_3: key 00..0f, no
 * bytes and the bytes 00..07); the others are those of a program that computes SipHash-c-d and
 * gives the published values for 1-3 and for 2-4. */
static void test_siphash13_gives_the_published_values(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        uint64_t hash;
        uint64_t wide[2];
    } cases[] = {
        {0, 0xabac0158050fc4dc, {0}},
        {8, 0x369095118d299a8e, {0xb4dae3d5e1fe12aa, 0x99c7f935ab164f72}},
        {16, 0xcc4fdd1a7d908b66, {0xeb8e511557d9a8d0, 0x93179e3df8b013b5}},
        {40, 0xc1d2363299e41531, {0x13b4b93e54205750, 0x38f9eed9fa3c0bd5}},
    };
    unsigned char bytes[40];
    struct siphash hash;
    uint64_t wide[2];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        siphash_init(&hash, bytes);
        siphash13_bytes(&hash, bytes, cases[i].length);
        assert_true(siphash13_finish(&hash) == cases[i].hash);
        siphash_init_128(&hash, bytes);
        siphash13_bytes(&hash, bytes, cases[i].length);
        siphash13_finish_128(&hash, wide);
        assert_true(i == 0 || (wide[0] == cases[i].wide[0] && wide[1] == cases[i].wide[1]));
    }
    // The rest of the last word is zero bytes.
    siphash_init(&hash, bytes);
    siphash13_bytes(&hash, bytes, 11);
    assert_true(siphash13_finish(&hash) == 0x26c5252eebe8773a);
}

#define packed_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        packed_test(test_random_lives_find_what_differs_and_nothing_else),
        packed_test(test_a_row_takes_at_most_twelve_bytes_however_it_came),
        packed_test(test_what_was_kept_in_another_form_or_hashed_in_another_way_is_not_known),
        packed_test(test_a_damaged_chunk_is_an_error_that_names_it),
        cmocka_unit_test(test_siphash13_gives_the_published_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
