/* Tests of text: the bytes that are valid UTF-8, wherever they lie in a text. */
#include "support/prelude.h"

#include "encode/text.h"

#include <string.h>

struct sequence {
    const char *label;
    const char *bytes;
    size_t length;
    bool valid;
};

#define SEQUENCE(label, bytes, valid)                                                              \
    {                                                                                              \
        label, bytes, sizeof(bytes) - 1, valid                                                     \
    }

static const struct sequence sequences[] = {
    SEQUENCE("first of two bytes", "\xc2\x80", true),
    SEQUENCE("last of two bytes", "\xdf\xbf", true),
    SEQUENCE("first of three bytes", "\xe0\xa0\x80", true),
    SEQUENCE("last before the surrogates", "\xed\x9f\xbf", true),
    SEQUENCE("first behind the surrogates", "\xee\x80\x80", true),
    SEQUENCE("last of three bytes", "\xef\xbf\xbf", true),
    SEQUENCE("first of four bytes", "\xf0\x90\x80\x80", true),
    SEQUENCE("last code point", "\xf4\x8f\xbf\xbf", true),
    SEQUENCE("overlong of two bytes", "\xc0\x80", false),
    SEQUENCE("overlong of two bytes, highest", "\xc1\xbf", false),
    SEQUENCE("overlong of three bytes", "\xe0\x9f\xbf", false),
    SEQUENCE("overlong of four bytes", "\xf0\x8f\xbf\xbf", false),
    SEQUENCE("first surrogate", "\xed\xa0\x80", false),
    SEQUENCE("last surrogate", "\xed\xbf\xbf", false),
    SEQUENCE("above the last code point", "\xf4\x90\x80\x80", false),
    SEQUENCE("five bytes", "\xf8\x88\x80\x80\x80", false),
    SEQUENCE("continuation alone", "\x80", false),
    SEQUENCE("two bytes cut off", "\xc3", false),
    SEQUENCE("three bytes cut off", "\xe2\x82", false),
    SEQUENCE("four bytes cut off", "\xf0\x9f\x98", false),
    SEQUENCE("second byte is none", "\xe2\x41\x82", false),
    SEQUENCE("third byte is none", "\xe2\x82\x41", false),
    SEQUENCE("fourth byte is none", "\xf0\x9f\x98\x41", false),
    SEQUENCE("never a byte", "\xff", false),
};

static void test_sequences_are_judged_the_same_anywhere(void **state)
{
    char text[96];
    (void)state;

    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        const struct sequence *sequence = &sequences[i];
        for (size_t at = 0; at < 50; at++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, sequence->bytes, sequence->length);
            const char *inside = text_check((struct slice){text, sizeof text});
            const char *last = text_check((struct slice){text, at + sequence->length});
            const char *expected = sequence->valid ? NULL : "is not valid UTF-8";
            if (inside == NULL ? expected != NULL : strcmp(inside, "is not valid UTF-8") != 0)
                fail_msg("%s at %zu: %s", sequence->label, at, inside);
            if (last == NULL ? expected != NULL : strcmp(last, "is not valid UTF-8") != 0)
                fail_msg("%s at %zu, last: %s", sequence->label, at, last);
            assert_true((inside == NULL) == sequence->valid);
        }
    }
}

static void test_a_zero_is_found_anywhere(void **state)
{
    char text[64];
    (void)state;

    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'a', sizeof text);
        text[at] = '\0';
        assert_string_equal(text_check((struct slice){text, sizeof text}), "contains U+0000");
    }
}

static void test_every_code_point_is_valid_but_surrogates(void **state)
{
    (void)state;

    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char bytes[4];
        size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
        uint32_t rest = c;
        for (size_t i = length; i-- > 1; rest >>= 6)
            bytes[i] = (char)(0x80 | (rest & 0x3f));
        bytes[0] = (char)(marks[length] | rest);
        bool surrogate = c >= 0xd800 && c < 0xe000;
        if ((text_check((struct slice){bytes, length}) == NULL) == surrogate)
            fail_msg("U+%04X", c);
    }
}

static void test_the_empty_text_is_valid(void **state)
{
    (void)state;
    assert_null(text_check(slice_of("")));
}

static void test_a_prefix_ends_between_code_points(void **state)
{
    const char *text = "a\u00e9\u65e5\U0001f600z";
    static const size_t lengths[] = {0, 1, 3, 6, 10, 11, 11, 11};
    (void)state;

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct slice prefix = text_prefix(slice_of(text), i);
        assert_ptr_equal(prefix.data, text);
        assert_int_equal(prefix.length, lengths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences_are_judged_the_same_anywhere),
        cmocka_unit_test(test_a_zero_is_found_anywhere),
        cmocka_unit_test(test_every_code_point_is_valid_but_surrogates),
        cmocka_unit_test(test_the_empty_text_is_valid),
        cmocka_unit_test(test_a_prefix_ends_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
