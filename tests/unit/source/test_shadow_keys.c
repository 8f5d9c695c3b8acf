/* Shadows with converted keys, where two keys of SQLite can be one in BigQuery: what a read finds
 * is held against a list of what was sent, over random lives. */
#include "support/prelude.h"

#include "quoted.h"
#include "source/shadow.h"
#include "support.h"
#include "support/every_failure.h"
#include "support/intending.h"

/* Keys of SQLite are the pairs of x, X, y, Y and of 1, 2. In BigQuery letters have no case, but 1
 * and 1.0 are two keys. */
#define KEYS      8
#define CONVERTED 8
#define ROUNDS    200

struct row {
    bool there;
    bool real; /* its number is 1.0, not 1 */
    int v;
};

struct held {
    int key; /* of the row that was sent, -1 if there is none */
    int v;
};

static struct folder folder;
static struct database source;
static char state_path[256];
static int64_t generation;
static struct row now[KEYS]; /* in SQLite */
static bool dirty[KEYS];     /* changed since a pass was acknowledged, or not sent */
static struct held held[CONVERTED];

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    generation = 0;
    memset(now, 0, sizeof now);
    memset(dirty, 0, sizeof dirty);
    for (int i = 0; i < CONVERTED; i++)
        held[i].key = -1;
    snprintf(state_path, sizeof state_path, "%s", path_in(&folder, "state.db"));
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &source, &err));
    run(&source, "create table \"it\"\"s\"(a, b, v, primary key (a, b))");
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

static int converted_of(int key, bool real)
{
    return key / 4 * 4 + key % 2 * 2 + real;
}

static bool is_bad(int value)
{
    return value % 7 == 0;
}

/* Every eleventh value is in a row whose key does not fit either. */
static bool key_fits(int value)
{
    return value % 11 != 0;
}

static void put(int key, struct row row)
{
    char sql[160];

    now[key] = row;
    dirty[key] = true;
    snprintf(
        sql, sizeof sql,
        row.there ? "insert or replace into \"it\"\"s\" values ('%c', %d%s, %d)"
                  : "delete from \"it\"\"s\" where a = '%c' and b = %d",
        "xXyY"[key / 2], key % 2 + 1, row.real ? ".0" : "", row.v);
    run(&source, sql);
}

static int key_at(sqlite3_stmt *row)
{
    const char *letter = strchr("xXyY", sqlite3_column_text(row, 0)[0]);

    return (int)(letter - "xXyY") * 2 + sqlite3_column_int(row, 1) - 1;
}

/* What a pass makes of it, if it is acknowledged. */
struct outcome {
    struct held held[CONVERTED];
    bool refused[KEYS];
    int sent;
    int deleted;
};

static bool visit_deleted(void *context, sqlite3_stmt *row, struct error *error)
{
    struct outcome *outcome = context;
    int key = key_at(row);
    int converted = converted_of(key, sqlite3_column_type(row, 1) == SQLITE_FLOAT);

    (void)error;
    assert_int_equal(held[converted].key, key);
    assert_int_equal(sqlite3_column_type(row, 2), SQLITE_NULL);
    assert_int_equal(sqlite3_column_int(row, 3), 1);
    outcome->held[converted].key = -1;
    outcome->deleted++;
    return true;
}

static void refuse(
    struct shadow *shadow, enum shadow_mode mode, int key, struct slice converted,
    struct outcome *outcome)
{
    int number = converted_of(key, now[key].real);
    bool fits = key_fits(now[key].v);
    bool kept = false;

    expect_ok(shadow_reject(shadow, fits, fits ? converted : (struct slice){0}, &kept, &err));
    assert_int_equal(kept, shadow_replaces(mode) && fits && held[number].key == key);
    if (kept)
        outcome->held[number] = held[number];
    outcome->refused[key] = true;
}

static void read_row(
    struct shadow *shadow, enum shadow_mode mode, sqlite3_stmt *row, struct outcome *outcome)
{
    int key = key_at(row);
    int number = converted_of(key, now[key].real);
    char byte = (char)('a' + number);
    const struct slice converted = {&byte, 1};
    enum shadow_change change;
    enum shadow_claim claim;
    struct buffer other;

    expect_ok(shadow_row(shadow, row, &change, &err));
    if (change == SHADOW_SAME && mode == SHADOW_CHANGES) {
        assert_int_equal(held[number].key, key);
        assert_int_equal(held[number].v, now[key].v);
        return;
    }
    if (is_bad(now[key].v)) {
        refuse(shadow, mode, key, converted, outcome);
        return;
    }
    buffer_init(&other, 1000);
    expect_ok(shadow_claim(shadow, &source, converted, &claim, &other, &err));
    if (claim == SHADOW_CLAIM_TAKEN) {
        // The other row is there, and it is another one.
        const char *text = buffer_text(&other);
        int owner =
            (int)(strchr("xXyY", text[5]) - "xXyY") * 2 + text[strlen("a = 'x', b = ")] - '1';
        assert_true(owner != key && now[owner].there);
        assert_int_equal(converted_of(owner, now[owner].real), number);
        refuse(shadow, mode, key, converted, outcome);
    } else {
        outcome->held[number] = (struct held){key, now[key].v};
        outcome->sent++;
    }
    buffer_clear(&other);
}

static void read_table(struct shadow *shadow, enum shadow_mode mode, struct outcome *outcome)
{
    bool listed = mode == SHADOW_LISTED;
    sqlite3_stmt *row = NULL;
    bool more = false;

    // In either order of the rows that want one key.
    expect_ok(database_prepare(
        &source,
        random_below(2) == 0 ? "select a, b, v, 0 from \"it\"\"s\" order by 1, 2"
                             : "select a, b, v, 0 from \"it\"\"s\" order by 1 desc, 2 desc",
        &row, &err));
    for (;;) {
        expect_ok(database_step(&source, row, &more, &err));
        if (!more)
            break;
        if (!listed || dirty[key_at(row)])
            read_row(shadow, mode, row, outcome);
    }
    sqlite3_finalize(row);
    for (int key = 0; listed && key < KEYS; key++) {
        if (!dirty[key] || now[key].there)
            continue;
        char sql[64];
        snprintf(sql, sizeof sql, "select '%c', %d, null, 1", "xXyY"[key / 2], key % 2 + 1);
        expect_ok(database_prepare(&source, sql, &row, &err));
        expect_ok(database_step(&source, row, &more, &err));
        expect_ok(shadow_gone(shadow, row, &err));
        sqlite3_finalize(row);
    }
    expect_ok(shadow_deleted(shadow, visit_deleted, outcome, &err));
}

static void settle(const struct outcome *outcome, bool acknowledged)
{
    struct tracking tracking;
    struct intent intent = {.mode = SEND_REPLACE, .content_hash = "00000000c0de"};

    snprintf(intent.table, sizeof intent.table, "%s", quoted_table.name);
    intent.generation = ++generation;
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    expect_ok(tracking_open(state_path, &tracking, &err));
    intend_now(&tracking, &intent);
    if (acknowledged) {
        assert_null(acknowledge_at(&tracking, &intent, 0));
        memcpy(held, outcome->held, sizeof held);
        memcpy(dirty, outcome->refused, sizeof dirty);
    } else {
        expect_ok(tracking_withdraw(&tracking, &intent, 0, &err));
    }
    tracking_close(&tracking);
}

static struct outcome pass(enum shadow_mode mode, bool acknowledged)
{
    struct outcome outcome = {0};
    struct shadow *shadow;

    for (int i = 0; i < CONVERTED; i++)
        outcome.held[i] = shadow_replaces(mode) ? (struct held){.key = -1} : held[i];
    expect_ok(shadow_begin(
        (struct database_place){.path = state_path}, &quoted_table, SHADOW_FORM_KEYS, mode, &shadow,
        &err));
    assert_true(shadow_keeps_keys(shadow));
    read_table(shadow, mode, &outcome);
    expect_ok(shadow_end(shadow, &err));
    shadow_free(shadow);
    settle(&outcome, acknowledged);
    return outcome;
}

/* Each key of BigQuery has a row that is there, as it is unless that does not fit; and no row that
 * fits lacks its key. */
static void check_what_is_held(void)
{
    for (int i = 0; i < CONVERTED; i++) {
        int key = held[i].key;
        if (key >= 0 && (!now[key].there || converted_of(key, now[key].real) != i ||
                         (!is_bad(now[key].v) && held[i].v != now[key].v)))
            fail_msg("seed %llu: key %d holds what is not there", (unsigned long long)seed, i);
    }
    for (int key = 0; key < KEYS; key++) {
        if (now[key].there && !is_bad(now[key].v) && held[converted_of(key, now[key].real)].key < 0)
            fail_msg("seed %llu: row %d is missing", (unsigned long long)seed, key);
    }
}

static void test_one_key_of_bigquery_stands_for_one_row_that_is_there(void **state)
{
    static const enum shadow_mode modes[] = {
        SHADOW_CHANGES, SHADOW_CHANGES, SHADOW_LISTED, SHADOW_LISTED, SHADOW_REPLACE_KEEP_KNOWN};

    (void)state;
    seed = 7;
    pass(SHADOW_REPLACE, true);
    for (int round = 0; round < ROUNDS; round++) {
        for (int changes = random_below(5); changes > 0; changes--)
            put(random_below(KEYS),
                (struct row){random_below(3) > 0, random_below(3) == 0, 1 + random_below(40)});
        bool acknowledged = random_below(4) > 0;
        pass(modes[random_below(sizeof modes / sizeof modes[0])], acknowledged);
        if (acknowledged)
            check_what_is_held();
    }
}

static void test_what_was_sent_is_not_sent_again(void **state)
{
    (void)state;
    put(0, (struct row){true, false, 1});
    put(2, (struct row){true, false, 2});
    put(5, (struct row){true, true, 3});
    struct outcome first = pass(SHADOW_REPLACE, true);
    struct outcome second = pass(SHADOW_CHANGES, true);

    assert_int_equal(first.sent, 2);
    assert_int_equal(second.sent + second.deleted, 0);
    // The row that had no place takes that of a row that goes.
    assert_true(second.refused[2]);
    put(0, (struct row){0});
    struct outcome third = pass(SHADOW_CHANGES, true);
    assert_int_equal(third.sent, 1);
    assert_int_equal(third.deleted, 0);
    check_what_is_held();
}

#define keys_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        keys_test(test_one_key_of_bigquery_stands_for_one_row_that_is_there),
        keys_test(test_what_was_sent_is_not_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
