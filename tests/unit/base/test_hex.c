#include "support/prelude.h"

#include "base/hex.h"

#include <string.h>

static void test_each_byte_is_two_lower_case_digits(void **state)
{
    const unsigned char bytes[] = {0x00, 0x0f, 0xa0, 0xff};
    char text[9] = "--------";

    (void)state;
    hex_write(bytes, sizeof bytes, text);
    assert_string_equal(text, "000fa0ff");
}

static void test_digits_are_appended_to_a_buffer(void **state)
{
    struct buffer out;

    (void)state;
    buffer_init(&out, 100);
    buffer_append_text(&out, "x'");
    hex_append(&out, "\x7f\x80", 2);
    hex_append(&out, NULL, 0);
    assert_string_equal(buffer_text(&out), "x'7f80");
    buffer_clear(&out);
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const unsigned char one = (unsigned char)byte;
        char text[2];
        hex_write(&one, 1, text);
        assert_int_equal(hex_digit(text[0]) << 4 | hex_digit(text[1]), byte);
    }
}

static void test_digits_have_either_case_and_nothing_else_is_one(void **state)
{
    const char digits[] = "0123456789abcdefABCDEF";
    int found = 0;

    (void)state;
    for (int c = -128; c < 128; c++) {
        bool is_digit = c != 0 && strchr(digits, c) != NULL;
        assert_int_equal(hex_digit((char)c) >= 0, is_digit);
        found += is_digit ? 1 : 0;
    }
    assert_int_equal(found, 22);
    assert_int_equal(hex_digit('F'), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_byte_is_two_lower_case_digits),
        cmocka_unit_test(test_digits_are_appended_to_a_buffer),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_digits_have_either_case_and_nothing_else_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
