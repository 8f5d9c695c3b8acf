/* The fingerprint of rows: equal for the same rows in any order, and only for these. */
#include "support/prelude.h"

#include "source/fingerprint.h"
#include "source/siphash.h"
#include "support.h"
#include "support/scarce_sql.h"

/* The fingerprint of a query's rows under the key of `known`. */
static void read_all(const char *sql, const char *known, char out[static FINGERPRINT_SIZE])
{
    struct database database;
    struct fingerprint fingerprint;
    sqlite3_stmt *row = NULL;
    bool more = true;

    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &database, &err));
    fingerprint_begin(&fingerprint, known);
    expect_ok(database_prepare(&database, sql, &row, &err));
    for (;;) {
        expect_ok(database_step(&database, row, &more, &err));
        if (!more)
            break;
        expect_ok(fingerprint_add(&fingerprint, row, (size_t)sqlite3_column_count(row), &err));
    }
    sqlite3_finalize(row);
    database_close(&database);
    fingerprint_text(&fingerprint, 0, out);
}

static void test_the_order_of_rows_does_not_matter_and_their_number_does(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *sql;
        bool same;
    } cases[] = {
        {"another order", "values (2, 'b'), (1, 'a'), (1, 'a')", true},
        {"one fewer", "values (1, 'a'), (2, 'b')", false},
        {"one more", "values (1, 'a'), (1, 'a'), (1, 'a'), (2, 'b')", false},
        {"as many of others", "values (1, 'a'), (2, 'b'), (2, 'b')", false},
        {"values that changed places", "values ('a', 1), (1, 'a'), (2, 'b')", false},
        {"another storage class", "values (1.0, 'a'), (1, 'a'), (2, 'b')", false},
        {"no rows", "select 1, 'a' where false", false},
    };
    char known[FINGERPRINT_SIZE];
    char now[FINGERPRINT_SIZE];

    read_all("values (1, 'a'), (1, 'a'), (2, 'b')", "", known);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_all(cases[i].sql, known, now);
        if ((strcmp(known, now) == 0) != cases[i].same)
            fail_msg("%s: %s and %s", cases[i].label, known, now);
    }
}

static void test_each_is_made_under_a_key_of_its_own(void **state)
{
    (void)state;
    char one[FINGERPRINT_SIZE];
    char other[FINGERPRINT_SIZE];

    read_all("values (1)", "", one);
    read_all("values (1)", "00112233445566778899aabbccddeefg", other);
    assert_string_not_equal(one, other);
    assert_true(strlen(one) < FINGERPRINT_SIZE - 1);
}

/* The state database holds those of the last sync: with another value after an upgrade, each table
 * would be sent again. */
static void test_what_earlier_versions_have_stored_is_found_again(void **state)
{
    (void)state;
    char now[FINGERPRINT_SIZE];

    read_all(
        "values (1, 'a'), (2, 'b'), (3, null), (4.5, x'00ff')", "000102030405060708090a0b0c0d0e0f",
        now);
    assert_string_equal(
        now, "000102030405060708090a0b0c0d0e0f.4.2696ac36a7811e5b58c391a6ceb61402.0");
}

/* One whose read goes on after a value was lost would be that of other rows. */
static void test_wherever_the_memory_ends_the_read_fails(void **state)
{
    (void)state;
    struct database database;
    struct fingerprint fingerprint;
    sqlite3_stmt *row = NULL;
    bool failed = true;

    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &database, &err));
    run(&database, "pragma encoding = 'UTF-16be'; create table t(a, b as (zeroblob(a)));"
                   "insert into t(a) values ('30 bytes')");
    expect_ok(database_prepare(&database, "select 'text', zeroblob(30)", &row, &err));
    for (int n = 1; failed; n++) {
        bool more = false;
        fingerprint_begin(&fingerprint, "");
        expect_ok(database_step(&database, row, &more, &err));
        scarce_sql_fail(n);
        bool ok = fingerprint_add(&fingerprint, row, 2, &err) &&
                  database_step(&database, row, &more, &err);
        failed = scarce_sql_end();
        if (ok == failed || (failed && err.code != ERROR_MEMORY))
            fail_msg("allocation %d: %s", n, ok ? "read" : err.message);
        sqlite3_reset(row);
    }
    sqlite3_finalize(row);
    database_close(&database);
}

static void test_rejected_rows_count(void **state)
{
    (void)state;
    struct fingerprint fingerprint;
    char one[FINGERPRINT_SIZE];
    char other[FINGERPRINT_SIZE];

    fingerprint_begin(&fingerprint, "");
    fingerprint.rows = UINT64_MAX;
    fingerprint_text(&fingerprint, 0, one);
    fingerprint_text(&fingerprint, INT64_MAX, other);
    assert_string_not_equal(one, other);
    assert_true(strlen(other) < FINGERPRINT_SIZE);
}

/* The first vectors of the authors' reference code (vectors.h, vectors_sip128): key 00..0f, no
 * bytes and the byte 00. */
static void test_siphash_gives_the_published_128_bits(void **state)
{
    (void)state;
    static const uint64_t expected[][2] = {
        {0xe6a825ba047f81a3, 0x930255c71472f66d}, {0x44af996bd8c187da, 0x45fc229b11597634}};
    unsigned char key[16];

    for (unsigned char i = 0; i < 16; i++)
        key[i] = i;
    for (size_t length = 0; length < 2; length++) {
        struct siphash hash;
        uint64_t words[2];
        siphash_init_128(&hash, key);
        siphash_update(&hash, "", length);
        siphash_finish_128(&hash, words);
        assert_true(words[0] == expected[length][0] && words[1] == expected[length][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_of_rows_does_not_matter_and_their_number_does),
        cmocka_unit_test(test_each_is_made_under_a_key_of_its_own),
        cmocka_unit_test(test_what_earlier_versions_have_stored_is_found_again),
        cmocka_unit_test(test_wherever_the_memory_ends_the_read_fails),
        cmocka_unit_test(test_rejected_rows_count),
        cmocka_unit_test(test_siphash_gives_the_published_128_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
