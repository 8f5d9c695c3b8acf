/* Tests of column: rows with several values: tombstones, problems, transforms, UTF-16. */
#include "support/prelude.h"

#include "conversion.h"

static void read_pair(const char *sql, bool tombstone, struct column_reader *in, sqlite3_stmt **row)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64, .key = true, .required = true},
        {.name = "name", .type = COLUMN_STRING, .required = true},
    };
    static const struct table table = {.name = "t", .columns = columns, .column_count = 2};
    sqlite3 *db = open_memory("UTF-8");
    struct error err;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(*row), SQLITE_ROW);
    expect_ok(column_reader_init(in, &table, *row, &err));
    column_reader_next(in, tombstone);
    (void)column_int64(in, 0);
    (void)column_string(in, 1);
}

static void clear_pair(struct column_reader *in, sqlite3_stmt *row)
{
    sqlite3 *db = sqlite3_db_handle(row);

    column_reader_clear(in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_a_tombstone_needs_only_its_key(void **state)
{
    struct column_reader in;
    sqlite3_stmt *row;
    (void)state;

    read_pair("SELECT 1, NULL", true, &in, &row);
    assert_true(column_reader_row_fits(&in));
    clear_pair(&in, row);

    read_pair("SELECT NULL, NULL", true, &in, &row);
    assert_int_equal(in.problem_count, 1);
    assert_int_equal(in.problems[0].column, 0);
    clear_pair(&in, row);
}

static void test_each_bad_value_of_a_row_is_one_problem_until_the_next_row(void **state)
{
    struct column_reader in;
    sqlite3_stmt *row;
    (void)state;

    read_pair("SELECT 'x', x'00'", false, &in, &row);

    assert_int_equal(in.problem_count, 2);
    assert_int_equal(in.problems[0].column, 0);
    assert_string_equal(in.problems[0].storage_class, "text");
    assert_string_equal(in.problems[0].reason, NOT_INT);
    assert_int_equal(in.problems[1].column, 1);
    assert_string_equal(in.problems[1].storage_class, "blob");
    column_reader_next(&in, false);
    assert_true(column_reader_row_fits(&in));
    clear_pair(&in, row);
}

static void test_more_problems_than_can_be_noted_do_no_harm(void **state)
{
    struct column_reader in;
    sqlite3_stmt *row;
    (void)state;

    read_pair("SELECT NULL, NULL", false, &in, &row);
    for (int i = 0; i < 3 * COLUMN_PROBLEMS_MAX; i++)
        (void)column_int64(&in, 0);

    assert_int_equal(in.problem_count, COLUMN_PROBLEMS_MAX);
    assert_false(column_reader_row_fits(&in));
    clear_pair(&in, row);
}

static void test_a_key_behind_many_problems_does_not_fit(void **state)
{
    struct column columns[COLUMN_PROBLEMS_MAX + 1];
    const struct table table = {
        .name = "t", .columns = columns, .column_count = COLUMN_PROBLEMS_MAX + 1};
    sqlite3 *db = open_memory("UTF-8");
    struct column_reader in;
    sqlite3_stmt *row;
    struct error err;
    char sql[256] = "SELECT 'x'";
    (void)state;

    for (size_t i = 0; i < table.column_count; i++) {
        columns[i] =
            (struct column){.name = "c", .type = COLUMN_INT64, .key = i + 1 == table.column_count};
        if (i > 0)
            strcat(sql, ", 'x'");
    }
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    expect_ok(column_reader_init(&in, &table, row, &err));
    column_reader_next(&in, false);
    for (size_t i = 0; i < table.column_count; i++)
        (void)column_int64(&in, i);

    assert_false(column_reader_key_fits(&in));
    column_reader_next(&in, false);
    assert_true(column_reader_key_fits(&in));
    clear_pair(&in, row);
}

static void test_transforms_replace_texts(void **state)
{
    static const struct conversion sha[] = {
        {"NULL", "NULL", NULL},
        {"'abc'", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL},
        {"''", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NULL},
        {"42", "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049", NULL},
        {"x'616263'", NULL, "is a blob, not a text"},
        {"cast(x'ff' as text)", NULL, NOT_UTF8},
    };
    static const struct conversion hmac[] = {
        {"NULL", "NULL", NULL},
        {"'what do ya want for nothing?'",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", NULL},
        {"'what do ya want for nothing?'",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", NULL},
    };
    static const struct conversion truncated[] = {
        {"NULL", "NULL", NULL},
        {"'ab'", "ab", NULL},
        {"'abc'", "abc", NULL},
        {"'abcd'", "abc", NULL},
        {"'\U0001f600\u65e5\u00efz'", "\U0001f600\u65e5\u00ef", NULL},
        {"12345", "123", NULL},
    };
    static const struct conversion redacted[] = {
        {"NULL", "NULL", NULL},
        {"'secret'", "[redacted]", NULL},
        {"x'00'", "[redacted]", NULL},
    };
    static const struct conversion redacted_number[] = {
        {"NULL", "NULL", NULL},
        {"42", "NULL", NULL},
        {"'not even a number'", "NULL", NULL},
    };
    (void)state;
    setenv("TEST_COLUMN_KEY", "Jefe", 1);
    CHECK_ALL(sha, .type = COLUMN_STRING, .transform = TRANSFORM_SHA256);
    CHECK_ALL(
        hmac, .type = COLUMN_STRING, .transform = TRANSFORM_HMAC_SHA256,
        .transform_key = "TEST_COLUMN_KEY");
    CHECK_ALL(truncated, .type = COLUMN_STRING, .transform = TRANSFORM_TRUNCATE, .truncate_to = 3);
    CHECK_ALL(redacted, .type = COLUMN_STRING, .transform = TRANSFORM_REDACT);
    CHECK_ALL(redacted_number, .type = COLUMN_INT64, .transform = TRANSFORM_REDACT);
}

static void test_two_digests_of_a_row_live_side_by_side(void **state)
{
    static const struct column columns[] = {
        {.name = "a", .type = COLUMN_STRING, .transform = TRANSFORM_SHA256},
        {.name = "b", .type = COLUMN_STRING, .transform = TRANSFORM_SHA256},
        {.name = "c", .type = COLUMN_JSON},
    };
    static const struct table table = {.name = "t", .columns = columns, .column_count = 3};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;
    (void)state;

    assert_int_equal(
        sqlite3_prepare_v2(
            db, "SELECT 'abc', '', 0.5 UNION ALL SELECT '', 'abc', 1.5", -1, &row, NULL),
        SQLITE_OK);
    expect_ok(column_reader_init(&in, &table, row, &err));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sqlite3_step(row), SQLITE_ROW);
        column_reader_next(&in, false);
        struct slice texts[] = {column_string(&in, 0), column_string(&in, 1), column_json(&in, 2)};
        assert_memory_equal(texts[i].data, "ba7816bf", 8);
        assert_memory_equal(texts[1 - i].data, "e3b0c442", 8);
        assert_memory_equal(texts[2].data, i == 0 ? "0.5" : "1.5", 3);
    }
    column_reader_clear(&in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_a_column_can_be_read_more_than_once(void **state)
{
    static const struct column columns[] = {
        {.name = "a", .type = COLUMN_STRING, .transform = TRANSFORM_SHA256},
    };
    static const struct table table = {.name = "t", .columns = columns, .column_count = 1};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;
    (void)state;

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT 'abc'", -1, &row, NULL), SQLITE_OK);
    expect_ok(column_reader_init(&in, &table, row, &err));
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    column_reader_next(&in, false);
    struct slice first = column_string(&in, 0);
    for (int i = 0; i < 3; i++)
        assert_true(slice_equals(column_string(&in, 0), first));
    assert_true(column_reader_row_fits(&in));
    column_reader_clear(&in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_a_missing_key_is_named(void **state)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64},
        {.name = "email",
         .type = COLUMN_STRING,
         .transform = TRANSFORM_HMAC_SHA256,
         .transform_key = "TEST_COLUMN_NO_KEY"},
    };
    static const struct table table = {.name = "users", .columns = columns, .column_count = 2};
    sqlite3 *db = open_memory("UTF-8");
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;
    (void)state;

    unsetenv("TEST_COLUMN_NO_KEY");
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT 1, 'x'", -1, &row, NULL), SQLITE_OK);

    expect_error(column_reader_init(&in, &table, row, &err), ERROR_CONFIG, "table users");
    assert_non_null(strstr(err.message, "email"));
    assert_non_null(strstr(err.message, "TEST_COLUMN_NO_KEY"));
    setenv("TEST_COLUMN_NO_KEY", "", 1);
    expect_error(column_reader_init(&in, &table, row, &err), ERROR_CONFIG, "TEST_COLUMN_NO_KEY");
    sqlite3_finalize(row);
    sqlite3_close(db);
}

/* Binds raw UTF-16 and reads it back as a STRING. */
static void check_utf16(
    const char *encoding, const char *bytes, size_t length, const char *text, const char *reason)
{
    static const struct column column = {.name = "c", .type = COLUMN_STRING};
    static const struct table table = {.name = "t", .columns = &column, .column_count = 1};
    bool big = strcmp(encoding, "UTF-16be") == 0;
    sqlite3 *db = open_memory(encoding);
    sqlite3_stmt *row;
    struct column_reader in;
    struct error err;

    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (c TEXT)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?)", -1, &row, NULL), SQLITE_OK);
    sqlite3_bind_text64(
        row, 1, bytes, length, SQLITE_STATIC, big ? SQLITE_UTF16BE : SQLITE_UTF16LE);
    assert_int_equal(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT c FROM t", -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    expect_ok(column_reader_init(&in, &table, row, &err));
    column_reader_next(&in, false);

    struct slice got = column_string(&in, 0);
    if (reason == NULL) {
        assert_true(column_reader_row_fits(&in));
        assert_true(slice_equals(got, slice_of(text)));
    } else {
        assert_null(got.data);
        assert_string_equal(in.problems[0].reason, reason);
    }
    column_reader_clear(&in);
    sqlite3_finalize(row);
    sqlite3_close(db);
}

static void test_lone_surrogates_of_utf16_databases_are_seen(void **state)
{
    (void)state;
    check_utf16("UTF-16le", "\x3d\xd8\x00\xde", 4, "\U0001f600", NULL);
    check_utf16("UTF-16be", "\xd8\x3d\xde\x00", 4, "\U0001f600", NULL);
    check_utf16("UTF-16le", "a\0\xef\0", 4, "a\u00ef", NULL);
    check_utf16(
        "UTF-16le",
        "\x3d\xd8"
        "a\0",
        4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16be", "\xd8\x3d\0a", 4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16le", "a\0\x3d\xd8", 4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16le", "\x00\xde\x3d\xd8", 4, NULL, "contains a lone surrogate");
    check_utf16("UTF-16le", "a\0\0\0b\0", 6, NULL, "contains U+0000");
}

static void test_a_text_without_memory_for_it_is_not_an_empty_one(void **state)
{
    static const struct column column = {.name = "c", .type = COLUMN_INT64, .empty_is_null = true};
    static const struct table table = {.name = "t", .columns = &column, .column_count = 1};
    sqlite3 *db = open_memory("UTF-16le");
    struct column_reader in;
    sqlite3_stmt *row;
    struct error err;
    (void)state;

    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT hex(zeroblob(50000))", -1, &row, NULL), SQLITE_OK);
    expect_ok(column_reader_init(&in, &table, row, &err));
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    column_reader_next(&in, false);
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1000);
    assert_true(column_int64(&in, 0).null);
    sqlite3_hard_heap_limit64(0);

    assert_false(column_reader_row_fits(&in));
    clear_pair(&in, row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tombstone_needs_only_its_key),
        cmocka_unit_test(test_each_bad_value_of_a_row_is_one_problem_until_the_next_row),
        cmocka_unit_test(test_more_problems_than_can_be_noted_do_no_harm),
        cmocka_unit_test(test_a_key_behind_many_problems_does_not_fit),
        cmocka_unit_test(test_transforms_replace_texts),
        cmocka_unit_test(test_two_digests_of_a_row_live_side_by_side),
        cmocka_unit_test(test_a_column_can_be_read_more_than_once),
        cmocka_unit_test(test_a_missing_key_is_named),
        cmocka_unit_test(test_lone_surrogates_of_utf16_databases_are_seen),
        cmocka_unit_test(test_a_text_without_memory_for_it_is_not_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
