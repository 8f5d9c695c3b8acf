#include "support/prelude.h"

#include "base/base64.h"

#include <string.h>

static const struct {
    const char *bytes;
    size_t length;
    const char *text;
    const char *url;
} cases[] = {
    {NULL, 0, "", ""},
    {"f", 1, "Zg==", "Zg"},
    {"fo", 2, "Zm8=", "Zm8"},
    {"foo", 3, "Zm9v", "Zm9v"},
    {"foobar", 6, "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", 3, "+//+", "-__-"},
    {"\x00\x00", 2, "AAA=", "AAA"},
};

static void test_bytes_become_digits_in_either_alphabet(void **state)
{
    struct buffer out;
    (void)state;

    buffer_init(&out, 100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct slice bytes = {cases[i].bytes, cases[i].length};
        buffer_reset(&out);
        base64_append(&out, bytes);
        assert_string_equal(buffer_text(&out), cases[i].text);
        buffer_reset(&out);
        buffer_append_text(&out, "x");
        base64_append_url(&out, bytes);
        assert_string_equal(buffer_text(&out) + 1, cases[i].url);
    }
    buffer_clear(&out);
}

static void test_a_buffer_without_room_fails(void **state)
{
    struct buffer out;
    (void)state;

    buffer_init(&out, 7);
    base64_append(&out, slice_of("foobar"));
    assert_int_equal(out.failure, BUFFER_LIMIT);
    assert_int_equal(out.length, 0);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_become_digits_in_either_alphabet),
        cmocka_unit_test(test_a_buffer_without_room_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
