/* Tests of buffer: it grows to its ceiling, and past that it fails and stays as it is. */
#include "support/prelude.h"

#include "base/buffer.h"
#include "support/freed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_appends_follow_each_other(void **state)
{
    struct buffer buffer;
    struct error err;
    (void)state;

    buffer_init(&buffer, 1000);
    buffer_append(&buffer, "ab\0", 3);
    buffer_append_text(&buffer, "cd");
    buffer_append_slice(&buffer, slice_of("ef"));
    buffer_append_byte(&buffer, 0xff);
    buffer_printf(&buffer, "%d-%s", 42, "x");

    expect_ok(buffer_check(&buffer, "it", &err));
    assert_true(slice_equals(
        buffer_slice(&buffer), (struct slice){
                                   "ab\0cdef\xff"
                                   "42-x",
                                   12}));
    buffer_clear(&buffer);
}

static void test_content_reaches_the_ceiling_and_not_past_it(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 300; ceiling++) {
        struct buffer buffer;
        struct error err;
        buffer_init(&buffer, ceiling);
        for (size_t i = 0; i < ceiling; i++)
            buffer_append_byte(&buffer, 'a');
        expect_ok(buffer_check(&buffer, "it", &err));
        buffer_append_byte(&buffer, 'b');
        expect_error(buffer_check(&buffer, "the thing", &err), ERROR_LIMIT, "the thing");
        assert_int_equal(buffer.length, ceiling);
        buffer_clear(&buffer);
    }
}

static void test_a_failed_buffer_refuses_what_would_fit(void **state)
{
    struct buffer buffer;
    (void)state;

    buffer_init(&buffer, 10);
    buffer_append_text(&buffer, "123456");
    buffer_append_text(&buffer, "78901");
    buffer_append_text(&buffer, "7");
    buffer_append_byte(&buffer, '7');
    buffer_printf(&buffer, "%d", 7);

    assert_int_equal(buffer.failure, BUFFER_LIMIT);
    assert_int_equal(buffer.length, 6);
    assert_null(buffer_reserve(&buffer, 0));
    assert_string_equal(buffer_text(&buffer), "");
    assert_null(buffer_take(&buffer));
    // What could not be taken is gone, and the buffer is usable again.
    buffer_append_text(&buffer, "ok");
    assert_string_equal(buffer_text(&buffer), "ok");
    buffer_clear(&buffer);
}

static void test_a_reset_forgets_the_failure_and_keeps_the_memory(void **state)
{
    struct buffer buffer;
    (void)state;

    buffer_init(&buffer, 100);
    buffer_append_text(&buffer, "some");
    buffer_printf(&buffer, "%200d", 1);
    const char *memory = buffer.data;
    buffer_reset(&buffer);
    buffer_append_text(&buffer, "more");

    assert_int_equal(buffer.failure, BUFFER_OK);
    assert_ptr_equal(buffer.data, memory);
    assert_string_equal(buffer_text(&buffer), "more");
    buffer_clear(&buffer);
}

static void test_reserved_room_is_added_by_its_user(void **state)
{
    struct buffer buffer;
    (void)state;

    buffer_init(&buffer, 100);
    buffer_append_text(&buffer, "ab");
    char *room = buffer_reserve(&buffer, 50);
    assert_non_null(room);
    memcpy(room, "cd", 2);
    buffer.length += 2;

    assert_string_equal(buffer_text(&buffer), "abcd");
    assert_null(buffer_reserve(&buffer, 97));
    buffer_clear(&buffer);
}

static void test_taken_content_belongs_to_the_taker(void **state)
{
    struct buffer buffer;
    (void)state;

    buffer_init(&buffer, 100);
    char *empty = buffer_take(&buffer);
    buffer_append_text(&buffer, "mine");
    char *text = buffer_take(&buffer);

    assert_string_equal(empty, "");
    assert_string_equal(text, "mine");
    assert_int_equal(buffer.length, 0);
    assert_null(buffer.data);
    free(empty);
    free(text);
}

static void test_an_empty_buffer_is_an_empty_text(void **state)
{
    struct buffer buffer;
    (void)state;

    buffer_init(&buffer, 100);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_append(&buffer, NULL, 0);
    buffer_append_slice(&buffer, slice_of(NULL));
    assert_int_equal(buffer.length, 0);
    buffer_clear(&buffer);
    buffer_clear(&buffer);
}

static void test_a_secret_buffer_leaves_nothing_behind(void **state)
{
    struct buffer buffer;

    (void)state;
    if (!freed_watch("sesame"))
        skip();

    buffer_init_secret(&buffer, 100000);
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&buffer, "sesame");
    assert_int_equal(6000, buffer.length);
    buffer_clear(&buffer);
    buffer_append_text(&buffer, "sesame again");
    buffer_clear(&buffer);

    assert_int_equal(0, freed_holding());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_follow_each_other),
        cmocka_unit_test(test_content_reaches_the_ceiling_and_not_past_it),
        cmocka_unit_test(test_a_failed_buffer_refuses_what_would_fit),
        cmocka_unit_test(test_a_reset_forgets_the_failure_and_keeps_the_memory),
        cmocka_unit_test(test_reserved_room_is_added_by_its_user),
        cmocka_unit_test(test_taken_content_belongs_to_the_taker),
        cmocka_unit_test(test_an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(test_a_secret_buffer_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
