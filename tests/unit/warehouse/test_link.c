/* Tests of link: what chunks, alone and several at once, tell of its speed. */
#include "support/prelude.h"

#include "support/manual_clock.h"
#include "warehouse/link.h"

#define MIB (1 << 20)

static void pass_ms(struct manual_clock *clock, int64_t ms)
{
    clock->clock.sleep_ms(clock, ms);
}

static void send_chunk(struct link *link, struct manual_clock *clock, uint64_t bytes, int64_t ms)
{
    link_begin(link);
    pass_ms(clock, ms);
    link_end(link, bytes);
}

static void test_speed_is_bytes_in_the_time_of_sending(void **state)
{
    struct manual_clock clock;
    (void)state;

    manual_clock_init(&clock);
    struct link *link = link_new(&clock.clock);
    assert_int_equal(link_speed(link), 0);
    send_chunk(link, &clock, 8 * MIB, 1000);
    pass_ms(&clock, 3600000);
    send_chunk(link, &clock, 8 * MIB, 1000);

    assert_int_equal(link_speed(link), 8 * MIB);
    link_free(link);
}

static void test_chunks_at_once_share_the_link(void **state)
{
    struct manual_clock clock;
    (void)state;

    manual_clock_init(&clock);
    struct link *link = link_new(&clock.clock);
    link_begin(link);
    pass_ms(&clock, 500);
    link_begin(link);
    pass_ms(&clock, 1000);
    link_end(link, 8 * MIB);
    pass_ms(&clock, 500);
    link_end(link, 8 * MIB);

    assert_int_equal(link_speed(link), 8 * MIB);
    link_free(link);
}

static void test_a_chunk_that_is_lost_makes_the_link_slower(void **state)
{
    struct manual_clock clock;
    (void)state;

    manual_clock_init(&clock);
    struct link *link = link_new(&clock.clock);
    send_chunk(link, &clock, 8 * MIB, 1000);
    send_chunk(link, &clock, 0, 1000);

    assert_int_equal(link_speed(link), 4 * MIB);
    link_free(link);
}

static void test_the_speed_follows_a_link_that_changes(void **state)
{
    struct manual_clock clock;
    (void)state;

    manual_clock_init(&clock);
    struct link *link = link_new(&clock.clock);
    for (int i = 0; i < 100; i++)
        send_chunk(link, &clock, 8 * MIB, 10);
    for (int i = 0; i < 100; i++)
        send_chunk(link, &clock, 8 * MIB, 1000);

    assert_in_range(link_speed(link), 8 * MIB, 8 * MIB * 101 / 100);
    link_free(link);
}

static void test_what_is_restored_counts_until_chunks_say_more(void **state)
{
    struct manual_clock clock;
    (void)state;

    manual_clock_init(&clock);
    struct link *link = link_new(&clock.clock);
    link_restore(link, MIB);
    assert_in_range(link_speed(link), MIB - 1, MIB);
    for (int i = 0; i < 20; i++)
        send_chunk(link, &clock, 8 * MIB, 1000);
    assert_in_range(link_speed(link), 7 * MIB, 8 * MIB);
    link_restore(link, MIB);
    assert_in_range(link_speed(link), 7 * MIB, 8 * MIB);
    link_free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speed_is_bytes_in_the_time_of_sending),
        cmocka_unit_test(test_chunks_at_once_share_the_link),
        cmocka_unit_test(test_a_chunk_that_is_lost_makes_the_link_slower),
        cmocka_unit_test(test_the_speed_follows_a_link_that_changes),
        cmocka_unit_test(test_what_is_restored_counts_until_chunks_say_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
