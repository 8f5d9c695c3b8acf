/* Tests of utf8: vectors and single steps judge alike, wherever a text lies, and as RFC 3629 says.
 */
#include "support/prelude.h"

#include "encode/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Longer than every step of the functions, on both sides of a damaged place. */
#define LENGTH_MAX 160

/* A text that ends where memory ends: to read a byte behind it is a crash. Bytes in front of it
 * would make a text invalid that they were read with. */
struct edge {
    unsigned char *pages;
    size_t page;
    unsigned char *end;
};

static void edge_make(struct edge *edge)
{
    edge->page = (size_t)sysconf(_SC_PAGESIZE);
    void *pages =
        mmap(NULL, 2 * edge->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    edge->pages = pages;
    edge->end = edge->pages + edge->page;
    assert_int_equal(mprotect(edge->end, edge->page, PROT_NONE), 0);
    memset(edge->pages, 0xff, edge->page);
}

static void edge_free(struct edge *edge)
{
    munmap(edge->pages, 2 * edge->page);
}

/* Well-formed sequences by the table of RFC 3629, section 4: length, then the bounds of each byte.
 */
static size_t reference_length(const unsigned char *at, size_t left)
{
    static const unsigned char rows[][9] = {
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
        size_t good = 0;
        while (good < rows[i][0] && good < left && at[good] >= rows[i][1 + 2 * good] &&
               at[good] <= rows[i][2 + 2 * good])
            good++;
        if (good == rows[i][0])
            return good;
    }
    return 0;
}

/* Of a text whose first `from` bytes are ASCII. */
static size_t reference_valid_length(const unsigned char *text, size_t from, size_t length)
{
    size_t at = from;
    size_t step;

    while (at < length && (step = reference_length(text + at, length - at)) > 0)
        at += step;
    return at;
}

static void check(const unsigned char *bytes, size_t plain, size_t length)
{
    struct slice text = {(const char *)bytes, length};
    size_t valid = reference_valid_length(bytes, plain, length);

    if (utf8_valid_length(text) != valid)
        fail_msg(
            "%zu bytes: %zu valid in single steps, not %zu", length, utf8_valid_length(text),
            valid);
    if (utf8_is_valid(text) != (valid == length))
        fail_msg("%zu bytes, of which %zu are valid: the whole is judged otherwise", length, valid);
}

/* Each sequence alone, which has no room for a vector, and across the border of two vectors. */
static void test_every_sequence_of_three_bytes(void **state)
{
    static const size_t fronts[] = {0, 14};
    (void)state;

    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        unsigned char text[48];
        unsigned char *at = text + fronts[i];
        memset(text, 'a', sizeof text);
        for (uint32_t bytes = 0; bytes < 1U << 24; bytes++) {
            at[0] = (unsigned char)(bytes >> 16);
            at[1] = (unsigned char)(bytes >> 8);
            at[2] = (unsigned char)bytes;
            check(text, fronts[i], fronts[i] + (fronts[i] == 0 ? 3 : 20));
        }
    }
}

/* All bytes that a rule of the RFC tells apart from their neighbours, in every order. */
static void test_sequences_of_four_bytes_at_every_place(void **state)
{
    static const unsigned char kinds[] = {0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                          0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                          0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff};
    const size_t count = sizeof kinds;
    (void)state;

    // From the last place within one vector to the first within the next.
    for (size_t front = 12; front <= 16; front++) {
        unsigned char text[40];
        memset(text, 'a', sizeof text);
        for (size_t i = 0; i < count * count * count * count; i++) {
            text[front] = kinds[i % count];
            text[front + 1] = kinds[i / count % count];
            text[front + 2] = kinds[i / count / count % count];
            text[front + 3] = kinds[i / count / count / count];
            check(text, front, front + 4);
        }
    }
}

/* A text of each length whose last byte is the last of its page, with each of these in each place;
 * what does not fit is cut off. */
static void test_nothing_is_read_outside_of_the_text(void **state)
{
    static const char *const sequences[] = {"a",    "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                            "\x80", "\xff",     "\xed\xa0\x80"};
    struct edge edge;
    (void)state;

    edge_make(&edge);
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        unsigned char *text = edge.end - length;
        for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
            for (size_t at = 0; at < length; at++) {
                size_t size = strlen(sequences[i]);
                memset(text, 'a', length);
                memcpy(text + at, sequences[i], size < length - at ? size : length - at);
                check(text, at, length);
                assert_true(utf8_is_ascii((struct slice){(char *)text, length}) == (i == 0));
            }
        }
        check(text, 0, length);
        memset(text, 0xff, length);
    }
    edge_free(&edge);
}

static void test_a_zero_is_neither_ascii_nor_valid(void **state)
{
    unsigned char text[LENGTH_MAX];
    (void)state;

    for (size_t length = 1; length <= sizeof text; length++) {
        for (size_t at = 0; at < length; at++) {
            memset(text, 'a', sizeof text);
            text[at] = 0;
            check(text, at, length);
            assert_false(utf8_is_ascii((struct slice){(char *)text, length}));
        }
    }
}

static void test_every_ascii_byte_but_zero_is_ascii(void **state)
{
    (void)state;

    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t length = 1; length < 100; length++) {
            unsigned char text[100];
            memset(text, (int)byte, sizeof text);
            bool ascii = utf8_is_ascii((struct slice){(char *)text, length});
            if (ascii != (byte >= 0x01 && byte <= 0x7f))
                fail_msg("%zu times %02x", length, byte);
        }
    }
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
        valid += reference_valid_length(text, 0, length) == length;
        check(text, 0, length);
    }
    // Both kinds occur often enough to mean something.
    assert_in_range(valid, 20000, 180000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sequence_of_three_bytes),
        cmocka_unit_test(test_sequences_of_four_bytes_at_every_place),
        cmocka_unit_test(test_random_texts_are_judged_as_the_rfc_says),
        cmocka_unit_test(test_nothing_is_read_outside_of_the_text),
        cmocka_unit_test(test_a_zero_is_neither_ascii_nor_valid),
        cmocka_unit_test(test_every_ascii_byte_but_zero_is_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
