/* Tests of text: the bytes that are valid UTF-8, wherever they lie in a text. */
#include "support/prelude.h"

#include "encode/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* One code point's length by the table of RFC 3629, section 4, row by row; 0 if it is none. */
static size_t reference_length(const unsigned char *at, size_t left)
{
    static const unsigned char rows[][9] = {
        // length, then the bounds of each byte
        {1, 0x01, 0x7f},
        {2, 0xc2, 0xdf, 0x80, 0xbf},
        {3, 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf},
        {3, 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf},
        {3, 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf},
        {3, 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {4, 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length = rows[i][0];
        size_t good = 0;
        while (good < length && good < left && at[good] >= rows[i][1 + 2 * good] &&
               at[good] <= rows[i][2 + 2 * good])
            good++;
        if (good == length)
            return length;
    }
    return 0;
}

static bool reference_valid(const unsigned char *at, size_t left)
{
    while (left > 0) {
        size_t length = reference_length(at, left);
        if (length == 0)
            return false;
        at += length;
        left -= length;
    }
    return true;
}

/* Texts of all kinds of code points, most of them damaged in one place. */
static void test_random_texts_are_judged_as_the_rfc_says(void **state)
{
    const char *given = getenv("TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    int valid = 0;
    (void)state;

    print_message("TEST_SEED=%u\n", seed);
    srandom(seed);
    for (int round = 0; round < 200000; round++) {
        unsigned char text[260];
        size_t size = (size_t)random() % 250 + 1;
        size_t length = 0;
        while (length < size) {
            static const unsigned char firsts[] = {'a',  0xc2, 0xdf, 0xe0, 0xe1,
                                                   0xed, 0xef, 0xf0, 0xf3, 0xf4};
            long kind = random() % 10;
            unsigned char *at = text + length;
            at[0] = kind == 0 || round % 3 == 0 ? 'a' : firsts[kind];
            at[1] = (unsigned char)(0x80 + random() % 64);
            at[2] = (unsigned char)(0x80 + random() % 64);
            at[3] = (unsigned char)(0x80 + random() % 64);
            if (at[0] == 0xe0 || at[0] == 0xf0)
                at[1] |= 0x30;
            if (at[0] == 0xed || at[0] == 0xf4)
                at[1] &= 0x8f;
            length += reference_length(at, 4);
        }
        if (random() % 2 == 0)
            text[(size_t)random() % length] = (unsigned char)random();
        if (random() % 8 == 0)
            length -= (size_t)random() % length;
        bool expected = reference_valid(text, length);
        valid += expected;
        struct slice slice = {(const char *)text, length};
        if ((text_check(slice) == NULL) != expected)
            fail_msg("round %d is judged %s", round, expected ? "invalid" : "valid");
    }
    // Both kinds occur often enough to mean something.
    assert_in_range(valid, 20000, 180000);
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
        cmocka_unit_test(test_random_texts_are_judged_as_the_rfc_says),
        cmocka_unit_test(test_the_empty_text_is_valid),
        cmocka_unit_test(test_a_prefix_ends_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
