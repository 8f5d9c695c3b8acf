/* The bounds of a batch's keys: whatever order the rows come in, they are the lowest and the
 * highest value as BigQuery orders them, exactly; and where they cannot be known, the statement has
 * none. */
#include "support/prelude.h"

#include "encode/avro.h"
#include "encode/avro_value.h"
#include "encode/civil.h"
#include "sync/bounds.h"

#include <stdio.h>
#include <string.h>

static const bool unions[] = {true, true, true, true};

/* A key of one column behind another column. */
struct one {
    struct column columns[2];
    size_t key[1];
    struct table table;
    struct bounds bounds;
};

static void begin(struct one *one, enum column_type type)
{
    *one = (struct one){
        .columns =
            {{.name = "other", .type = COLUMN_STRING},
             {.name = "k", .type = type, .key = true, .bounded = true}},
        .key = {1},
    };
    one->table = (struct table){
        .columns = one->columns,
        .column_count = 2,
        .key = one->key,
        .key_count = 1,
        .bounds_sql = "\n  and t.`k` between @low_1 and @high_1",
    };
    bounds_open(&one->bounds, &one->table, 0);
}

/* How a test writes one value. */
typedef void write_value(struct avro_writer *out, const void *value);

static void add(struct one *one, write_value *write, const void *value)
{
    struct buffer record;
    struct error err;

    buffer_init(&record, 1 << 20);
    struct avro_writer writer = {.out = &record, .nullable = unions};
    avro_string(&writer, slice_of("something before the key"));
    write(&writer, value);
    avro_bool(&writer, (struct value_bool){.value = true});
    expect_ok(bounds_add(&one->bounds, buffer_slice(&record), &err));
    buffer_clear(&record);
}

static void expect_bounds(struct one *one, const char *type, const char *low, const char *high)
{
    char wanted[600];
    struct buffer out;

    buffer_init(&out, 1 << 20);
    bounds_append_parameters(&out, &one->bounds);
    snprintf(
        wanted, sizeof wanted,
        "{\"name\":\"low_1\",\"parameterType\":{\"type\":\"%s\"},\"parameterValue\":{\"value\":\"%"
        "s\"}},"
        "{\"name\":\"high_1\",\"parameterType\":{\"type\":\"%s\"},\"parameterValue\":{\"value\":\"%"
        "s\"}}",
        type, low, type, high);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_reset(&out);
    bounds_append_condition(&out, &one->bounds);
    assert_string_equal(buffer_text(&out), "\n  and t.`k` between @low_1 and @high_1");
    buffer_clear(&out);
}

static void expect_none(struct one *one)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    bounds_append_condition(&out, &one->bounds);
    bounds_append_parameters(&out, &one->bounds);
    assert_string_equal(buffer_text(&out), "");
    buffer_clear(&out);
    bounds_clear(&one->bounds);
}

static void write_int64(struct avro_writer *out, const void *value)
{
    avro_int64(out, (struct value_int64){.value = *(const int64_t *)value});
}

static void write_null(struct avro_writer *out, const void *value)
{
    (void)value;
    avro_int64(out, (struct value_int64){.null = true});
}

static void write_text(struct avro_writer *out, const void *value)
{
    avro_string(out, slice_of(value));
}

static void write_decimal(struct avro_writer *out, const void *value)
{
    avro_decimal(out, *(const struct value_decimal *)value);
}

/* Adds all of an ascending list, beginning at each of its places in turn, and expects its ends. */
#define EXPECT_ENDS(type, write, values, name, low, high)                                          \
    do {                                                                                           \
        size_t count_ = sizeof(values) / sizeof(values)[0];                                        \
        for (size_t start_ = 0; start_ < count_; start_++) {                                       \
            struct one one_;                                                                       \
            begin(&one_, type);                                                                    \
            for (size_t i_ = 0; i_ < count_; i_++)                                                 \
                add(&one_, write, ITEM((values)[(start_ + i_) % count_]));                         \
            expect_bounds(&one_, name, low, high);                                                 \
            bounds_clear(&one_.bounds);                                                            \
        }                                                                                          \
    } while (0)

#define ITEM(item) (&(item))
static void test_integers_and_times_are_ordered_as_numbers(void **state)
{
    static const int64_t numbers[] = {INT64_MIN, -300, -64, -1, 0, 63, 64, 300, INT64_MAX};
    static const int64_t days[] = {-719162, -1, 0, 1, 2932896};
    static const int64_t moments[] = {-62135596800000000, -1, 0, 1, 253402300799999999};

    (void)state;
    EXPECT_ENDS(
        COLUMN_INT64, write_int64, numbers, "INT64", "-9223372036854775808", "9223372036854775807");
    EXPECT_ENDS(COLUMN_DATE, write_int64, days, "DATE", "0001-01-01", "9999-12-31");
    EXPECT_ENDS(
        COLUMN_DATETIME, write_int64, moments, "DATETIME", "0001-01-01T00:00:00.000000",
        "9999-12-31T23:59:59.999999");
    EXPECT_ENDS(
        COLUMN_TIMESTAMP, write_int64, moments, "TIMESTAMP", "0001-01-01 00:00:00.000000+00:00",
        "9999-12-31 23:59:59.999999+00:00");
}

static void test_decimals_are_ordered_as_numbers_whatever_their_length(void **state)
{
    static const struct value_decimal numbers[] = {
        {.bytes = {0x80, 0x00, 0x00}, .length = 3},
        {.bytes = {0xff, 0x00}, .length = 2},
        {.bytes = {0x80}, .length = 1},
        {.bytes = {0xff}, .length = 1},
        {.bytes = {0x00}, .length = 1},
        {.bytes = {0x7f}, .length = 1},
        {.bytes = {0x00, 0x80}, .length = 2},
        {.bytes = {0x01, 0x00, 0x00}, .length = 3},
    };
    static const struct value_decimal negative[] = {
        {.bytes = {0x80, 0x00}, .length = 2}, {.bytes = {0xff, 0x7f}, .length = 2}};

    (void)state;
    EXPECT_ENDS(COLUMN_NUMERIC, write_decimal, numbers, "NUMERIC", "-0.008388608", "0.000065536");
    EXPECT_ENDS(COLUMN_NUMERIC, write_decimal, negative, "NUMERIC", "-0.000032768", "-0.000000129");
    EXPECT_ENDS(
        COLUMN_BIGNUMERIC, write_decimal, negative, "BIGNUMERIC",
        "-0.00000000000000000000000000000000032768", "-0.00000000000000000000000000000000000129");
}
#undef ITEM

#define ITEM(item) (item)
static void test_texts_are_ordered_by_their_bytes(void **state)
{
    static const char *const texts[] = {"",   "A", "a",        "a ",           "a!",
                                        "aa", "b", "\xc3\xa9", "\xef\xbf\xbf", "\xf0\x9f\x98\x80"};

    (void)state;
    EXPECT_ENDS(COLUMN_STRING, write_text, texts, "STRING", "", "\xf0\x9f\x98\x80");
}
#undef ITEM

static void test_nothing_is_said_without_rows_or_of_keys_that_have_no_bounds(void **state)
{
    char text[BOUNDS_TEXT_MAX + 100];
    static const int64_t number = 7;
    struct one one;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    begin(&one, COLUMN_INT64);
    expect_none(&one);

    begin(&one, COLUMN_INT64);
    one.table.bounds_sql = NULL;
    one.columns[1].bounded = false;
    add(&one, write_int64, &number);
    expect_none(&one);

    // Once a key has no bound, the batch has none.
    begin(&one, COLUMN_INT64);
    add(&one, write_int64, &number);
    add(&one, write_null, NULL);
    add(&one, write_int64, &number);
    expect_none(&one);

    begin(&one, COLUMN_STRING);
    add(&one, write_text, "short");
    add(&one, write_text, text);
    add(&one, write_text, "short");
    expect_none(&one);
    begin(&one, COLUMN_STRING);
    add(&one, write_text, text);
    expect_none(&one);

    text[BOUNDS_TEXT_MAX] = '\0';
    begin(&one, COLUMN_STRING);
    add(&one, write_text, text);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    bounds_append_parameters(&out, &one.bounds);
    assert_true(out.length > 2 * (size_t)BOUNDS_TEXT_MAX);
    buffer_clear(&out);
    bounds_clear(&one.bounds);
}

static void test_each_column_of_a_key_has_its_own_bounds_and_a_script_its_own_names(void **state)
{
    static const struct column columns[] = {
        {.name = "n", .type = COLUMN_INT64, .key = true, .bounded = true},
        {.name = "v", .type = COLUMN_STRING},
        {.name = "s", .type = COLUMN_STRING, .key = true, .bounded = true},
        {.name = "y", .type = COLUMN_BYTES, .key = true},
    };
    static const size_t key[] = {2, 3, 0};
    static const struct table table = {
        .columns = columns,
        .column_count = 4,
        .key = key,
        .key_count = 3,
        .bounds_sql = " and t.`s` between @low_1 and @high_1 and t.`n` between @low_3 and @high_3",
    };
    static const char *const texts[] = {"b", "a", "c"};
    struct bounds bounds;
    struct buffer out;
    struct error err;

    (void)state;
    bounds_open(&bounds, &table, 12);
    for (int i = 0; i < 3; i++) {
        struct buffer record;
        buffer_init(&record, 1000);
        struct avro_writer writer = {.out = &record, .nullable = unions};
        avro_int64(&writer, (struct value_int64){.value = 10 - i});
        avro_string(&writer, slice_of("v"));
        avro_string(&writer, slice_of(texts[i]));
        avro_bytes(&writer, slice_of("y"));
        expect_ok(bounds_add(&bounds, buffer_slice(&record), &err));
        buffer_clear(&record);
    }

    buffer_init(&out, 10000);
    bounds_append_condition(&out, &bounds);
    assert_string_equal(
        buffer_text(&out), " and t.`s` between @t12_low_1 and @t12_high_1"
                           " and t.`n` between @t12_low_3 and @t12_high_3");
    buffer_reset(&out);
    bounds_append_parameters(&out, &bounds);
    static const char *const wanted[] = {
        "\"t12_low_1\",\"parameterType\":{\"type\":\"STRING\"},\"parameterValue\":{\"value\":"
        "\"a\"}",
        "\"t12_high_1\",\"parameterType\":{\"type\":\"STRING\"},\"parameterValue\":{\"value\":"
        "\"c\"}",
        "\"t12_low_3\",\"parameterType\":{\"type\":\"INT64\"},\"parameterValue\":{\"value\":\"8\"}",
        "\"t12_high_3\",\"parameterType\":{\"type\":\"INT64\"},\"parameterValue\":{\"value\":"
        "\"10\"}",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_non_null(strstr(buffer_text(&out), wanted[i]));
    assert_null(strstr(buffer_text(&out), "_2"));
    buffer_clear(&out);
    bounds_clear(&bounds);
}

/* An id and a day by which the table is partitioned. */
static void add_day(struct bounds *bounds, int64_t id, const int64_t *day, bool deleted)
{
    struct buffer record;
    struct error err;

    buffer_init(&record, 1 << 10);
    struct avro_writer writer = {.out = &record, .nullable = unions};
    avro_int64(&writer, (struct value_int64){.value = id});
    avro_int64(
        &writer,
        day == NULL ? (struct value_int64){.null = true} : (struct value_int64){.value = *day});
    avro_bool(&writer, (struct value_bool){.value = deleted});
    expect_ok(bounds_add(bounds, buffer_slice(&record), &err));
    buffer_clear(&record);
}

static void test_an_immutable_column_bounds_rows_none_of_which_is_deleted_or_null(void **state)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64, .key = true, .bounded = true},
        {.name = "day", .type = COLUMN_DATE, .immutable = true}};
    static const size_t key[] = {0};
    static const int64_t days[] = {19000, 18999, 19001};
    const struct table table = {
        .columns = columns,
        .column_count = 2,
        .key = key,
        .key_count = 1,
        .bounds_sql = "\n  and t.`id` between @low_1 and @high_1",
        .merge_within_sql = "merge",
    };

    (void)state;
    for (int end = 0; end < 3; end++) {
        struct bounds bounds;
        struct buffer out;
        bounds_open(&bounds, &table, 0);
        bounds_begin_within(&bounds, 41);
        for (int64_t i = 0; i < 3; i++)
            add_day(&bounds, i, &days[i], false);
        if (end > 0)
            add_day(&bounds, 9, end == 1 ? NULL : &days[0], end == 2);
        buffer_init(&out, 1 << 12);
        bounds_append_parameters(&out, &bounds);
        const char *text = buffer_text(&out);
        assert_int_equal(bounds.within, end == 0);
        assert_int_equal(strstr(text, "\"low_2\"") != NULL, end == 0);
        assert_int_equal(strstr(text, "{\"value\":\"2022-01-07\"}") != NULL, end == 0);
        assert_int_equal(strstr(text, "{\"value\":\"2022-01-09\"}") != NULL, end == 0);
        assert_int_equal(strstr(text, "\"known\"") != NULL, end == 0);
        assert_non_null(strstr(text, end == 0 ? "{\"value\":\"2\"}" : "{\"value\":\"9\"}"));
        buffer_clear(&out);
        bounds_clear(&bounds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_and_times_are_ordered_as_numbers),
        cmocka_unit_test(test_decimals_are_ordered_as_numbers_whatever_their_length),
        cmocka_unit_test(test_texts_are_ordered_by_their_bytes),
        cmocka_unit_test(test_nothing_is_said_without_rows_or_of_keys_that_have_no_bounds),
        cmocka_unit_test(test_an_immutable_column_bounds_rows_none_of_which_is_deleted_or_null),
        cmocka_unit_test(test_each_column_of_a_key_has_its_own_bounds_and_a_script_its_own_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
