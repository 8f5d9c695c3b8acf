/* Tests of container: files of any number of blocks and threads hold each row once, large rows get
 * blocks of their own, and a sink's failure is told. */
#include "support/prelude.h"

#include "encode/container.h"
#include "support/avro_read.h"
#include "support/memory_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "{\"type\":\"record\",\"name\":\"row\",\"fields\":["
                             "{\"name\":\"id\",\"type\":\"long\"},"
                             "{\"name\":\"text\",\"type\":[\"null\",\"string\"]}]}";
static const bool nullable[] = {false, true};

struct shape {
    const char *label;
    enum codec codec;
    int level;
    int threads;
    size_t block_bytes;
};

static const struct shape shapes[] = {
    {"null", CODEC_NULL, 0, 0, 0},
    {"null with threads", CODEC_NULL, 0, 3, 2000},
    {"null, a row a block", CODEC_NULL, 0, 0, 1},
    {"deflate", CODEC_DEFLATE, 0, 0, 0},
    {"deflate, a row a block", CODEC_DEFLATE, 0, 0, 1},
    {"deflate, one helper", CODEC_DEFLATE, 0, 1, 2000},
    {"deflate, one helper, a row a block", CODEC_DEFLATE, 0, 1, 1},
    {"deflate, four helpers", CODEC_DEFLATE, 0, 4, 500},
    {"deflate, more helpers than there can be", CODEC_DEFLATE, 0, 1000, 500},
    {"zstd", CODEC_ZSTD, 0, 0, 0},
    {"zstd, level 1", CODEC_ZSTD, 1, 0, 2000},
    {"zstd, level 6, a row a block", CODEC_ZSTD, 6, 0, 1},
    {"zstd, four helpers, changing levels", CODEC_ZSTD, 0, 4, 500},
    {"zstd, more helpers than there can be", CODEC_ZSTD, 0, 1000, 500},
};

#define SHAPES (sizeof shapes / sizeof shapes[0])

static struct container *open_shape(const struct shape *shape, struct sink sink)
{
    struct container *container;
    struct error err;
    const struct container_options options = {
        .schema_json = schema,
        .nullable = nullable,
        .codec = shape->codec,
        .level = shape->level,
        .block_bytes = shape->block_bytes,
        .threads = shape->threads,
    };

    expect_ok(container_open(&options, sink, &container, &err));
    return container;
}

/* The text of a row is made from its id, so that a row can be checked alone. */
static struct slice text_of(int64_t id, char out[256])
{
    int length = snprintf(out, 256, "row %lld ", (long long)id);

    for (int64_t i = 0; i < id % 97; i++)
        out[length++] = (char)('a' + (id * i) % 26);
    return (struct slice){id % 11 == 0 ? NULL : out, (size_t)length};
}

static void put_row(struct container *container, int64_t id)
{
    struct avro_writer *out = container_begin_row(container);
    char text[256];

    avro_int64(out, (struct value_int64){.value = id});
    avro_string(out, text_of(id, text));
}

static void check_file(struct slice file, int64_t rows)
{
    bool *seen = calloc((size_t)rows + 1, sizeof *seen);
    struct avro_read in;
    int64_t count = 0;

    assert_non_null(seen);
    avro_read_open(&in, file);
    for (; avro_read_next(&in); count++) {
        avro_value_t value;
        const char *got = NULL;
        size_t length = 1;
        char text[256];
        int64_t id;
        assert_true(avro_read_field(&in, 0, &value));
        assert_int_equal(avro_value_get_long(&value, &id), 0);
        assert_in_range(id, 0, rows - 1);
        assert_false(seen[id]);
        seen[id] = true;
        if (avro_read_field(&in, 1, &value))
            assert_int_equal(avro_value_get_string(&value, &got, &length), 0);
        struct slice expected = text_of(id, text);
        assert_int_equal(got == NULL, expected.data == NULL);
        assert_true(got == NULL || slice_equals((struct slice){got, length - 1}, expected));
    }
    avro_read_close(&in);
    free(seen);
    assert_int_equal(count, rows);
}

static void test_every_row_is_there_once(void **state)
{
    static const int64_t counts[] = {1, 2, 100, 3000};
    (void)state;

    for (size_t i = 0; i < SHAPES; i++) {
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++) {
            struct memory_sink to;
            struct container_stats stats;
            struct error err;
            struct container *container = open_shape(&shapes[i], memory_sink_init(&to, 0));
            for (int64_t id = 0; id < counts[j]; id++) {
                put_row(container, id);
                expect_ok(container_end_row(container, &err));
            }
            expect_ok(container_close(container, &stats, &err));

            assert_int_equal(stats.rows, counts[j]);
            assert_int_equal(stats.written_bytes, to.bytes.length);
            check_file(buffer_slice(&to.bytes), counts[j]);
            buffer_clear(&to.bytes);
        }
    }
}

static void test_a_file_without_rows_has_only_a_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        struct memory_sink to;
        struct container_stats stats;
        struct error err;
        struct container *container = open_shape(&shapes[i], memory_sink_init(&to, 0));
        expect_ok(container_close(container, &stats, &err));

        assert_int_equal(stats.rows, 0);
        assert_int_equal(stats.raw_bytes, 0);
        assert_int_equal(to.writes, 1);
        check_file(buffer_slice(&to.bytes), 0);
        buffer_clear(&to.bytes);
    }
}

static void test_an_abandoned_row_leaves_no_trace(void **state)
{
    struct memory_sink to;
    struct container_stats stats;
    struct error err;
    struct container *container = open_shape(&shapes[0], memory_sink_init(&to, 0));
    (void)state;

    for (int64_t id = 0; id < 10; id++) {
        put_row(container, 1000 + id);
        container_abandon_row(container);
        put_row(container, id);
        expect_ok(container_end_row(container, &err));
    }
    put_row(container, 2000);
    container_abandon_row(container);
    expect_ok(container_close(container, &stats, &err));

    assert_int_equal(stats.rows, 10);
    check_file(buffer_slice(&to.bytes), 10);
    buffer_clear(&to.bytes);
}

/* Bytes that no compressor makes smaller. */
static void fill_noise(char *bytes, size_t length)
{
    uint64_t x = 88172645463325252;

    for (size_t i = 0; i < length; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (char)(x >> 56);
    }
}

static void put_large(struct container *container, int64_t id, struct slice text)
{
    struct avro_writer *out = container_begin_row(container);

    avro_int64(out, (struct value_int64){.value = id});
    avro_string(out, text);
}

#define LIMIT 16000000

/* The largest text of a row: 1 byte of id, 1 of the union's branch, 4 of length. */
#define TEXT_MAX (LIMIT - 6)

/* Reads ids and lengths of texts. */
static void check_lengths(struct slice file, const size_t *lengths, size_t count)
{
    struct avro_read in;
    size_t seen = 0;

    avro_read_open(&in, file);
    while (avro_read_next(&in)) {
        avro_value_t value;
        const char *text;
        size_t length;
        int64_t id;
        assert_true(avro_read_field(&in, 0, &value));
        assert_int_equal(avro_value_get_long(&value, &id), 0);
        assert_in_range(id, 0, count - 1);
        assert_true(avro_read_field(&in, 1, &value));
        assert_int_equal(avro_value_get_string(&value, &text, &length), 0);
        assert_int_equal(length - 1, lengths[id]);
        seen++;
    }
    avro_read_close(&in);
    assert_int_equal(seen, count);
}

/* No block of a file is larger than BigQuery takes, packed or not. */
static void check_block_sizes(struct slice file)
{
    const uint8_t *at = (const uint8_t *)file.data + file.length;
    const uint8_t *start = (const uint8_t *)file.data;
    size_t blocks = 0;

    // The sync marker is the last of the file, and between all blocks.
    const uint8_t *sync = at - 16;
    const uint8_t *from = memmem(start, file.length, sync, 16);
    assert_non_null(from);
    for (from += 16; from < at; blocks++) {
        const uint8_t *next = memmem(from, (size_t)(at - from), sync, 16);
        assert_non_null(next);
        assert_in_range(next - from, 1, LIMIT + 5000);
        from = next + 16;
    }
    assert_true(blocks >= 2);
}

static void test_rows_up_to_the_limit_get_blocks_of_their_own(void **state)
{
    static const size_t lengths[] = {10, TEXT_MAX, 20, 1000000, TEXT_MAX, TEXT_MAX - 1, 30};
    char *noise = malloc(TEXT_MAX);
    (void)state;

    assert_non_null(noise);
    fill_noise(noise, TEXT_MAX);
    for (size_t i = 0; i < SHAPES; i += 3) {
        struct memory_sink to;
        struct error err;
        struct container *container = open_shape(&shapes[i], memory_sink_init(&to, 0));
        for (size_t id = 0; id < sizeof lengths / sizeof lengths[0]; id++) {
            put_large(container, (int64_t)id, (struct slice){noise, lengths[id]});
            expect_ok(container_end_row(container, &err));
        }
        expect_ok(container_close(container, NULL, &err));

        check_lengths(buffer_slice(&to.bytes), lengths, sizeof lengths / sizeof lengths[0]);
        check_block_sizes(buffer_slice(&to.bytes));
        buffer_clear(&to.bytes);
    }
    free(noise);
}

static void test_a_row_beyond_the_limit_is_refused_and_the_file_goes_on(void **state)
{
    static const size_t over[] = {TEXT_MAX + 1, LIMIT + 300000, 3 * LIMIT};
    char *noise = calloc(1, 3 * LIMIT);
    struct memory_sink to;
    struct error err;
    (void)state;

    assert_non_null(noise);
    memset(noise, 'x', 3 * LIMIT);
    struct container *container = open_shape(&shapes[5], memory_sink_init(&to, 0));
    for (int64_t id = 0; id < 30; id++) {
        put_large(container, 99, (struct slice){noise, over[id % 3]});
        expect_error(container_end_row(container, &err), ERROR_LIMIT, "16 MB");
        put_row(container, id);
        expect_ok(container_end_row(container, &err));
    }
    expect_ok(container_close(container, NULL, &err));

    check_file(buffer_slice(&to.bytes), 30);
    buffer_clear(&to.bytes);
    free(noise);
}

/* Writes rows until something fails or there are enough; whether all went well. */
static bool write_rows(struct container *container, int64_t rows, struct error *err)
{
    for (int64_t id = 0; id < rows; id++) {
        put_row(container, id);
        if (!container_end_row(container, err)) {
            // The first error stays.
            struct error again;
            put_row(container, id);
            assert_false(container_end_row(container, &again));
            assert_string_equal(again.message, err->message);
            struct error last;
            assert_false(container_close(container, NULL, &last));
            assert_string_equal(last.message, err->message);
            return false;
        }
    }
    return container_close(container, NULL, err);
}

static void test_any_failing_write_is_the_error_of_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        const struct shape *shape = &shapes[i];
        if (shape->block_bytes == 1)
            continue;
        for (int fail_at = 2;; fail_at++) {
            struct memory_sink to;
            struct error err;
            char message[32];
            struct container *container = open_shape(shape, memory_sink_init(&to, fail_at));
            bool ok = write_rows(container, 300, &err);
            buffer_clear(&to.bytes);
            if (to.writes < fail_at) {
                if (!ok)
                    fail_msg("%s: %s", shape->label, err.message);
                break;
            }
            assert_false(ok);
            assert_int_equal(err.code, ERROR_DISK);
            snprintf(message, sizeof message, "write %d failed", fail_at);
            assert_string_equal(err.message, message);
            // Nothing follows into a broken file.
            assert_int_equal(to.writes, fail_at);
        }
    }
}

static void test_a_header_that_cannot_be_written_opens_no_file(void **state)
{
    struct memory_sink to;
    struct container *container = NULL;
    struct error err;
    const struct container_options options = {
        .schema_json = schema, .nullable = nullable, .codec = CODEC_DEFLATE, .threads = 2};
    (void)state;

    expect_error(
        container_open(&options, memory_sink_init(&to, 1), &container, &err), ERROR_DISK,
        "write 1 failed");
    assert_null(container);
    buffer_clear(&to.bytes);
}

static void test_a_file_can_be_abandoned_at_any_time(void **state)
{
    (void)state;
    container_abandon(NULL);
    for (size_t i = 0; i < SHAPES; i++) {
        for (int64_t rows = 0; rows <= 400; rows += 200) {
            struct memory_sink to;
            struct error err;
            struct container *container = open_shape(&shapes[i], memory_sink_init(&to, 0));
            for (int64_t id = 0; id < rows; id++) {
                put_row(container, id);
                expect_ok(container_end_row(container, &err));
            }
            container_abandon(container);
            buffer_clear(&to.bytes);
        }
    }
}

static void test_no_two_files_share_a_sync_marker(void **state)
{
    char markers[2][16];
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct memory_sink to;
        struct error err;
        struct container *container = open_shape(&shapes[0], memory_sink_init(&to, 0));
        expect_ok(container_close(container, NULL, &err));
        memcpy(markers[i], to.bytes.data + to.bytes.length - 16, 16);
        buffer_clear(&to.bytes);
    }
    assert_memory_not_equal(markers[0], markers[1], 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_there_once),
        cmocka_unit_test(test_a_file_without_rows_has_only_a_header),
        cmocka_unit_test(test_an_abandoned_row_leaves_no_trace),
        cmocka_unit_test(test_rows_up_to_the_limit_get_blocks_of_their_own),
        cmocka_unit_test(test_a_row_beyond_the_limit_is_refused_and_the_file_goes_on),
        cmocka_unit_test(test_any_failing_write_is_the_error_of_the_file),
        cmocka_unit_test(test_a_header_that_cannot_be_written_opens_no_file),
        cmocka_unit_test(test_a_file_can_be_abandoned_at_any_time),
        cmocka_unit_test(test_no_two_files_share_a_sync_marker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
