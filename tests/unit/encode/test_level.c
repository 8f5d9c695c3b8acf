/* Tests of level: on simulated machines and links, a file lands nearly as soon as with the best
 * fixed level, and the level follows the link. */
#include "support/prelude.h"

#include "encode/level.h"

#include <math.h>
#include <string.h>

#define BLOCKS      400
#define BLOCK_BYTES (512 * 1024)
#define MBIT        125000.0

/* What zstd makes of a table, at 0 DEFLATE. */
struct table_of_rates {
    const char *label;
    double read_ns;
    struct level_rate rates[LEVEL_MAX + 1];
};

/* The first three were measured; the others are nothing like what level.c expects. */
static const struct table_of_rates tables[] = {
    {"words",
     1.1,
     {{3.0, .399}, {4.4, .372}, {4.9, .359}, {5.8, .342}, {6.3, .340}, {10.5, .334}, {16.1, .327}}},
    {"repetitions",
     1.4,
     {{2.1, .275}, {2.2, .177}, {2.4, .181}, {2.3, .138}, {2.3, .137}, {4.7, .140}, {6.3, .129}}},
    {"a machine ten times as slow",
     13,
     {{30, .399}, {44, .372}, {49, .359}, {58, .342}, {63, .340}, {105, .334}, {161, .327}}},
    {"noise",
     0.5,
     {{9, 1.0}, {1.5, 1.0}, {1.5, 1.0}, {1.6, 1.0}, {1.8, 1.0}, {2.5, 1.0}, {2.5, 1.0}}},
    {"high levels gain much",
     1.1,
     {{3.0, .5}, {3.2, .5}, {3.3, .48}, {3.4, .46}, {3.5, .42}, {4.0, .38}, {4.5, .3}}},
};

#define TABLES (sizeof tables / sizeof tables[0])

/* Beside time, what a file became. */
struct sent {
    double ns;
    double bytes;
    int level; /* most blocks have at the end */
};

static double work_ns(const struct table_of_rates *table, double packing, int workers)
{
    double shared = (table->read_ns + packing) / workers;

    return shared > table->read_ns ? shared : table->read_ns;
}

/* Writes a file, then sends it. fixed: the level of all blocks, 0: as level says. */
static struct sent send_file(
    const struct table_of_rates *table, double told, double link, int workers, int fixed)
{
    struct level level;
    struct sent sent = {0};

    level_begin(&level, told, workers);
    for (int i = 0; i < BLOCKS; i++) {
        int used = fixed != 0 ? fixed : level_choose(&level);
        const struct level_rate *rate = &table->rates[used];
        uint64_t packed = (uint64_t)(rate->size * BLOCK_BYTES);
        level_saw_reading(&level, BLOCK_BYTES, (int64_t)(table->read_ns * BLOCK_BYTES));
        level_saw_block(&level, used, BLOCK_BYTES, packed, (int64_t)(rate->ns * BLOCK_BYTES));
        sent.ns += work_ns(table, rate->ns, workers) * BLOCK_BYTES;
        sent.bytes += (double)packed;
    }
    sent.level = level.now;
    sent.ns += sent.bytes * 1e9 / link;
    return sent;
}

static const double links[] = {1 * MBIT,   10 * MBIT,   50 * MBIT,  100 * MBIT,
                               300 * MBIT, 1000 * MBIT, 3000 * MBIT};
#define LINKS (sizeof links / sizeof links[0])

static void test_a_file_lands_nearly_as_soon_as_with_the_best_fixed_level(void **state)
{
    (void)state;
    for (size_t t = 0; t < TABLES; t++)
        for (size_t l = 0; l < LINKS; l++)
            for (int workers = 1; workers <= 5; workers++) {
                double least = INFINITY;
                for (int fixed = LEVEL_MIN; fixed <= LEVEL_MAX; fixed++)
                    least =
                        fmin(least, send_file(&tables[t], links[l], links[l], workers, fixed).ns);
                double got = send_file(&tables[t], links[l], links[l], workers, 0).ns;
                if (got > least * 1.10)
                    fail_msg(
                        "%s, %.0f Mbit/s, %d workers: %.2f times the best", tables[t].label,
                        links[l] / MBIT, workers, got / least);
            }
}

static void test_a_slower_link_never_gets_more_bytes(void **state)
{
    (void)state;
    for (size_t t = 0; t < TABLES; t++)
        for (size_t l = 1; l < LINKS; l++) {
            double slower = send_file(&tables[t], links[l - 1], links[l - 1], 2, 0).bytes;
            double faster = send_file(&tables[t], links[l], links[l], 2, 0).bytes;
            if (slower > faster * 1.01)
                fail_msg("%s: more at %.0f Mbit/s", tables[t].label, links[l - 1] / MBIT);
        }
}

static void test_a_machine_that_is_slower_than_expected_lowers_the_level(void **state)
{
    (void)state;
    struct sent fast = send_file(&tables[0], 300 * MBIT, 300 * MBIT, 2, 0);
    struct sent slow = send_file(&tables[2], 300 * MBIT, 300 * MBIT, 2, 0);

    assert_true(slow.level < fast.level);
}

static void test_the_codec_is_deflate_on_a_link_like_memory_alone(void **state)
{
    static const struct {
        const char *label;
        double link;
        enum codec codec;
    } cases[] = {
        {"nothing is known", 0, CODEC_ZSTD},
        {"a telephone", 1 * MBIT, CODEC_ZSTD},
        {"gigabit Ethernet", 1000 * MBIT, CODEC_ZSTD},
        {"loopback", 8000 * MBIT, CODEC_DEFLATE},
    };
    struct level level;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        level_begin(&level, cases[i].link, 2);
        if (level_codec(&level) != cases[i].codec)
            fail_msg("%s", cases[i].label);
    }
}

static void test_the_first_level_is_3_while_nothing_is_known(void **state)
{
    struct level level;
    (void)state;

    level_begin(&level, 0, 2);

    assert_int_equal(level_choose(&level), 3);
}

static void test_a_clock_that_stands_still_does_no_harm(void **state)
{
    struct level level;
    (void)state;

    level_begin(&level, 50 * MBIT, 2);
    for (int i = 0; i < 50; i++) {
        int used = level_choose(&level);
        assert_in_range(used, LEVEL_MIN, LEVEL_MAX);
        level_saw_reading(&level, BLOCK_BYTES, 0);
        level_saw_block(&level, used, BLOCK_BYTES, BLOCK_BYTES / 2, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_lands_nearly_as_soon_as_with_the_best_fixed_level),
        cmocka_unit_test(test_a_slower_link_never_gets_more_bytes),
        cmocka_unit_test(test_a_machine_that_is_slower_than_expected_lowers_the_level),
        cmocka_unit_test(test_the_codec_is_deflate_on_a_link_like_memory_alone),
        cmocka_unit_test(test_the_first_level_is_3_while_nothing_is_known),
        cmocka_unit_test(test_a_clock_that_stands_still_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
