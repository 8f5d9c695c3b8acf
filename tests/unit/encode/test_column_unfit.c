/* Tests of column: values that do not fit their columns, beside the row that they belong to. */
#include "support/prelude.h"

#include "base/buffer.h"
#include "encode/column.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { ID, CODE, AGE, NAME, MAIL, AT, DOC, PAY, UNFIT, COUNT };

static const struct column columns[COUNT] = {
    [ID] = {.name = "id", .source = "id", .type = COLUMN_INT64, .key = true},
    [CODE] = {.name = "code", .source = "code", .type = COLUMN_INT64, .required = true},
    [AGE] = {.name = "age", .source = "age", .type = COLUMN_INT64},
    [NAME] = {.name = "name", .source = "name", .type = COLUMN_STRING},
    [MAIL] =
        {.name = "mail", .source = "mail", .type = COLUMN_STRING, .transform = TRANSFORM_SHA256},
    [AT] = {.name = "at", .source = "at", .type = COLUMN_TIMESTAMP},
    [DOC] = {.name = "doc", .source = "doc", .type = COLUMN_JSON, .blob = BLOB_JSONB},
    [PAY] = {.name = "pay", .source = "pay", .type = COLUMN_NUMERIC, .tagged = true},
    [UNFIT] =
        {.name = "_bqsync_unfit", .source = "_bqsync_unfit", .type = COLUMN_JSON, .unfit = true},
};
static const struct table table = {.name = "t", .columns = columns, .column_count = COUNT};

static void read_row(struct column_reader *in)
{
    column_int64(in, ID);
    column_int64(in, CODE);
    column_int64(in, AGE);
    column_string(in, NAME);
    column_string(in, MAIL);
    column_timestamp(in, AT);
    column_json(in, DOC);
    column_numeric(in, PAY);
}

static const char *shown(struct slice value, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)value.length, value.data == NULL ? "" : value.data);
    return value.data == NULL ? "NULL" : out;
}

struct opened {
    sqlite3 *db;
    sqlite3_stmt *row;
    struct column_reader in;
};

/* values: what stands behind the id. */
static void open_row(const char *encoding, const char *values, struct opened *out)
{
    char sql[1024];
    struct error err;

    assert_int_equal(sqlite3_open(":memory:", &out->db), SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA encoding = '%s'", encoding);
    assert_int_equal(sqlite3_exec(out->db, sql, NULL, NULL, NULL), SQLITE_OK);
    snprintf(sql, sizeof sql, "SELECT 1, %s, NULL", values);
    assert_int_equal(sqlite3_prepare_v2(out->db, sql, -1, &out->row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(out->row), SQLITE_ROW);
    expect_ok(column_reader_init(&out->in, &table, out->row, &err));
    column_reader_next(&out->in, false);
}

static void close_row(struct opened *opened)
{
    column_reader_clear(&opened->in);
    sqlite3_finalize(opened->row);
    sqlite3_close(opened->db);
}

struct example {
    const char *label; /* the values from code on, as SQL */
    const char *unfit; /* "NULL": all fit */
};

static void check(const char *encoding, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct opened opened;
        char room[1024];

        open_row(encoding, examples[i].label, &opened);
        read_row(&opened.in);
        const char *unfit = shown(column_unfit(&opened.in, UNFIT), room, sizeof room);

        if (strcmp(unfit, examples[i].unfit) != 0)
            fail_msg("%s: %s, not %s", examples[i].label, unfit, examples[i].unfit);
        if (!column_reader_row_fits(&opened.in))
            fail_msg("%s: the row is rejected", examples[i].label);
        close_row(&opened);
    }
}

#define CHECK_EXAMPLES(encoding, examples)                                                         \
    check(encoding, examples, sizeof(examples) / sizeof(examples)[0])

static void test_a_value_stands_exactly_beside_its_row(void **state)
{
    static const struct example examples[] = {
        {"7, 30, 'a', 'b', '2024-01-01', '{}', NULL", "NULL"},
        {"7, NULL, NULL, NULL, NULL, NULL, NULL", "NULL"},
        {"7, 'n/a', 'a', 'b', NULL, NULL, NULL",
         "{\"age\":{\"class\":\"text\",\"value\":\"n/a\"}}"},
        {"7, '', 'a', 'b', NULL, NULL, NULL", "{\"age\":{\"class\":\"text\",\"value\":\"\"}}"},
        {"7, 'a\"b\\c' || char(10) || 'd\u00e9', 'a', 'b', NULL, NULL, NULL",
         "{\"age\":{\"class\":\"text\",\"value\":\"a\\\"b\\\\c\\u000ad\u00e9\"}}"},
        {"7, 1.5, 'a', 'b', NULL, NULL, NULL", "{\"age\":{\"class\":\"real\",\"value\":\"1.5\"}}"},
        {"7, 0.1 + 0.2, 'a', 'b', NULL, NULL, NULL",
         "{\"age\":{\"class\":\"real\",\"value\":\"0.30000000000000004\"}}"},
        {"7, 9e999, 'a', 'b', NULL, NULL, NULL",
         "{\"age\":{\"class\":\"real\",\"value\":\"Inf\"}}"},
        {"7, -9e999, 'a', 'b', NULL, NULL, NULL",
         "{\"age\":{\"class\":\"real\",\"value\":\"-Inf\"}}"},
        {"7, NULL, NULL, NULL, 9223372036854775807, NULL, NULL",
         "{\"at\":{\"class\":\"integer\",\"value\":\"9223372036854775807\"}}"},
        {"7, x'00ff10', NULL, NULL, NULL, NULL, NULL",
         "{\"age\":{\"class\":\"blob\",\"value\":\"AP8Q\"}}"},
        {"7, x'', NULL, NULL, NULL, NULL, NULL", "{\"age\":{\"class\":\"blob\",\"value\":\"\"}}"},
        {"7, NULL, cast(x'61ff62' as text), NULL, NULL, NULL, NULL",
         "{\"name\":{\"class\":\"text\",\"base64\":\"Yf9i\"}}"},
        {"7, NULL, 'a' || char(0) || 'b', NULL, NULL, NULL, NULL",
         "{\"name\":{\"class\":\"text\",\"base64\":\"YQBi\"}}"},
        {"7, NULL, NULL, NULL, NULL, '{\"a\":', NULL",
         "{\"doc\":{\"class\":\"text\",\"value\":\"{\\\"a\\\":\"}}"},
        {"7, NULL, NULL, NULL, NULL, x'ff', NULL",
         "{\"doc\":{\"class\":\"blob\",\"value\":\"/w==\"}}"},
    };
    (void)state;

    CHECK_EXAMPLES("UTF-8", examples);
}

static void test_several_values_stand_in_the_order_of_the_columns(void **state)
{
    static const struct example examples[] = {
        {"7, 'n/a', x'01', 'b', 'noon', 'x', NULL",
         "{\"age\":{\"class\":\"text\",\"value\":\"n/a\"},"
         "\"name\":{\"class\":\"blob\",\"value\":\"AQ==\"},"
         "\"at\":{\"class\":\"text\",\"value\":\"noon\"},"
         "\"doc\":{\"class\":\"text\",\"value\":\"x\"}}"},
    };
    (void)state;

    CHECK_EXAMPLES("UTF-8", examples);
}

static void test_a_text_of_utf16_keeps_its_code_units(void **state)
{
    // "a", a high surrogate alone, "b".
    static const struct example examples[] = {
        {"7, NULL, cast(x'610000d86200' as text), NULL, NULL, NULL, NULL",
         "{\"name\":{\"class\":\"text\",\"base64\":\"YQAA2GIA\",\"encoding\":\"UTF-16LE\"}}"},
        {"7, cast(x'610000d86200' as text), NULL, NULL, NULL, NULL, NULL",
         "{\"age\":{\"class\":\"text\",\"base64\":\"YQAA2GIA\",\"encoding\":\"UTF-16LE\"}}"},
        {"7, NULL, NULL, NULL, cast(x'610000d86200' as text), NULL, NULL",
         "{\"at\":{\"class\":\"text\",\"base64\":\"YQAA2GIA\",\"encoding\":\"UTF-16LE\"}}"},
        {"7, 'd\u00e9', NULL, NULL, NULL, NULL, NULL",
         "{\"age\":{\"class\":\"text\",\"value\":\"d\u00e9\"}}"},
        {"7, NULL, 'a' || char(0) || 'b', NULL, NULL, NULL, NULL",
         "{\"name\":{\"class\":\"text\",\"base64\":\"YQBi\"}}"},
    };
    (void)state;

    CHECK_EXAMPLES("UTF-16le", examples);
}

static void test_what_a_transform_hides_or_a_tag_guards_shows_its_class_alone(void **state)
{
    static const struct example examples[] = {
        {"7, NULL, NULL, x'736563726574', NULL, NULL, NULL", "{\"mail\":{\"class\":\"blob\"}}"},
        {"7, NULL, NULL, cast(x'ff' as text), NULL, NULL, NULL", "{\"mail\":{\"class\":\"text\"}}"},
        {"7, NULL, NULL, NULL, NULL, NULL, '12 EUR'", "{\"pay\":{\"class\":\"text\"}}"},
    };
    (void)state;

    CHECK_EXAMPLES("UTF-8", examples);
}

static void test_a_key_or_a_required_value_rejects_the_row(void **state)
{
    static const char *const rows[] = {
        "NULL, 'n/a', NULL, NULL, NULL, NULL, NULL",
        "'seven', 'n/a', NULL, NULL, NULL, NULL, NULL"};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct opened opened;

        open_row("UTF-8", rows[i], &opened);
        read_row(&opened.in);

        assert_int_equal(opened.in.problem_count, 1);
        assert_int_equal(opened.in.problems[0].column, CODE);
        close_row(&opened);
    }
}

static void test_reading_a_column_again_changes_nothing(void **state)
{
    struct opened opened;
    char first[256];
    char second[256];
    (void)state;

    open_row("UTF-8", "7, 'n/a', x'01', NULL, 5, 6, NULL", &opened);
    read_row(&opened.in);
    shown(column_json(&opened.in, UNFIT), first, sizeof first);
    read_row(&opened.in);
    shown(column_unfit(&opened.in, UNFIT), second, sizeof second);

    assert_int_equal(first[0], '{');
    assert_string_equal(first, second);
    assert_int_equal(opened.in.unfit_count, 3);
    close_row(&opened);
}

static void test_the_next_row_starts_anew(void **state)
{
    struct opened opened;
    (void)state;

    open_row("UTF-8", "7, 'n/a', NULL, NULL, NULL, NULL, NULL", &opened);
    read_row(&opened.in);
    column_reader_next(&opened.in, false);
    column_int64(&opened.in, CODE);

    assert_null(column_unfit(&opened.in, UNFIT).data);
    close_row(&opened);
}

static void test_a_tombstone_has_none(void **state)
{
    struct opened opened;
    (void)state;

    open_row("UTF-8", "7, 'n/a', NULL, NULL, NULL, NULL, NULL", &opened);
    column_reader_next(&opened.in, true);
    read_row(&opened.in);

    assert_null(column_unfit(&opened.in, UNFIT).data);
    assert_true(column_reader_row_fits(&opened.in));
    close_row(&opened);
}

static void test_values_that_there_is_no_room_for_reject_the_row(void **state)
{
    struct opened opened;
    (void)state;

    open_row("UTF-8", "7, zeroblob(1000), NULL, NULL, NULL, NULL, NULL", &opened);
    opened.in.texts[UNFIT].ceiling = 100;
    read_row(&opened.in);

    assert_null(column_unfit(&opened.in, UNFIT).data);
    assert_int_equal(opened.in.problem_count, 1);
    assert_int_equal(opened.in.problems[0].column, UNFIT);
    close_row(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_stands_exactly_beside_its_row),
        cmocka_unit_test(test_several_values_stand_in_the_order_of_the_columns),
        cmocka_unit_test(test_a_text_of_utf16_keeps_its_code_units),
        cmocka_unit_test(test_what_a_transform_hides_or_a_tag_guards_shows_its_class_alone),
        cmocka_unit_test(test_a_key_or_a_required_value_rejects_the_row),
        cmocka_unit_test(test_reading_a_column_again_changes_nothing),
        cmocka_unit_test(test_the_next_row_starts_anew),
        cmocka_unit_test(test_a_tombstone_has_none),
        cmocka_unit_test(test_values_that_there_is_no_room_for_reject_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
