/* Tests of what becomes of warnings that come again and again. */
#include "support/prelude.h"

#include "base/log.h"
#include "base/log_repeat.h"
#include "support/manual_clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char captured[1 << 20];

struct world {
    struct manual_clock clock;
    int real_stderr;
    FILE *file;
};

/* Standard error goes to a file, and time is ours. */
static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    manual_clock_init(&world->clock);
    log_use_clock(&world->clock.clock);
    world->file = tmpfile();
    world->real_stderr = dup(STDERR_FILENO);
    *state = world;
    return world->file != NULL && dup2(fileno(world->file), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *world = *state;

    log_flush();
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_use_clock(NULL);
    dup2(world->real_stderr, STDERR_FILENO);
    close(world->real_stderr);
    fclose(world->file);
    free(world);
    return 0;
}

static void pass_ms(struct world *world, int64_t ms)
{
    world->clock.ms += ms;
}

/* What has been written, without the times in front; later lines replace it. */
static void expect_written(struct world *world, const char *expected)
{
    char shown[4096] = "";
    char line[1024];

    rewind(world->file);
    while (fgets(line, sizeof line, world->file) != NULL)
        strncat(shown, line + 25, sizeof shown - strlen(shown) - 1);
    rewind(world->file);
    assert_int_equal(ftruncate(fileno(world->file), 0), 0);
    assert_string_equal(shown, expected);
}

static void fail_table(const char *table, int64_t pause_ms)
{
    log_warn("failed", LOG_TEXT("table", table), LOG_NUMBER("pause_ms", pause_ms));
}

static void test_a_warning_that_comes_again_is_counted_and_told_with_the_next(void **state)
{
    struct world *world = *state;

    fail_table("a", 1);
    expect_written(world, "warn failed table=a pause_ms=1\n");
    for (int i = 0; i < 7; i++)
        fail_table("a", 2 + i);
    expect_written(world, "");
    pass_ms(world, LOG_REPEAT_WINDOW_MS - 1);
    fail_table("a", 10);
    expect_written(world, "");
    pass_ms(world, 1);
    fail_table("a", 11);
    expect_written(world, "warn failed table=a pause_ms=11 repeated=8\n");
    pass_ms(world, LOG_REPEAT_WINDOW_MS);
    fail_table("a", 12);
    expect_written(world, "warn failed table=a pause_ms=12\n");
}

static void test_what_differs_in_any_text_or_the_event_is_written(void **state)
{
    struct world *world = *state;

    fail_table("a", 1);
    fail_table("b", 1);
    log_warn("failed", LOG_TEXT("job", "a"), LOG_NUMBER("pause_ms", 1));
    log_warn("failed again", LOG_TEXT("table", "a"), LOG_NUMBER("pause_ms", 1));
    log_warn("failed", LOG_TEXT("table", "a"), LOG_TEXT("why", ""));
    log_warn("failed", LOG_TEXT("x", "ab"), LOG_TEXT("y", "c"));
    log_warn("failed", LOG_TEXT("x", "a"), LOG_TEXT("y", "bc"));
    expect_written(
        world, "warn failed table=a pause_ms=1\nwarn failed table=b pause_ms=1\n"
               "warn failed job=a pause_ms=1\nwarn failed again table=a pause_ms=1\n"
               "warn failed table=a why=\"\"\nwarn failed x=ab y=c\nwarn failed x=a y=bc\n");
}

static void test_times_and_sizes_within_a_text_make_no_difference(void **state)
{
    struct world *world = *state;

    log_warn("failed", LOG_TEXT("error", "port 80 after 0 ms: refused"));
    log_warn("failed", LOG_TEXT("error", "port 80 after 137 ms: refused"));
    log_warn("failed", LOG_TEXT("error", "port 81 after 137 ms: refused"));
    log_warn("failed", LOG_TEXT("error", "1 bytes of users_1"));
    log_warn("failed", LOG_TEXT("error", "20 bytes of users_1"));
    log_warn("failed", LOG_TEXT("error", "20 bytes of users_2"));
    expect_written(
        world, "warn failed error=\"port 80 after 0 ms: refused\"\n"
               "warn failed error=\"port 81 after 137 ms: refused\"\n"
               "warn failed error=\"1 bytes of users_1\"\n"
               "warn failed error=\"20 bytes of users_2\"\n");
}

static void test_only_warnings_are_limited(void **state)
{
    struct world *world = *state;

    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
    for (int i = 0; i < 2; i++) {
        log_debug("d", LOG_TEXT("k", "v"));
        log_info("i", LOG_TEXT("k", "v"));
        log_error("e", LOG_TEXT("k", "v"));
    }
    expect_written(
        world, "debug d k=v\ninfo i k=v\nerror e k=v\ndebug d k=v\ninfo i k=v\nerror e k=v\n");
}

static void test_a_count_that_no_line_carries_gets_one_after_the_minute(void **state)
{
    struct world *world = *state;

    fail_table("a", 1);
    fail_table("b", 1);
    fail_table("a", 1);
    pass_ms(world, LOG_REPEAT_WINDOW_MS - 1);
    log_info("other", LOG_NUMBER("n", 1));
    expect_written(
        world, "warn failed table=a pause_ms=1\nwarn failed table=b pause_ms=1\ninfo other n=1\n");
    pass_ms(world, 1);
    log_info("other", LOG_NUMBER("n", 2));
    log_info("other", LOG_NUMBER("n", 3));
    expect_written(
        world, "warn failed repeated=1 since=2026-01-02T03:04:05.000Z\ninfo other n=2\n"
               "info other n=3\n");
}

static void test_the_end_of_the_process_tells_what_is_left(void **state)
{
    struct world *world = *state;

    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    fail_table("a", 1);
    pass_ms(world, 1500);
    fail_table("b", 1);
    fail_table("a", 1);
    fail_table("b", 1);
    fail_table("b", 1);
    rewind(world->file);
    assert_int_equal(ftruncate(fileno(world->file), 0), 0);
    log_flush();
    log_flush();

    // {"time":"2026-01-02T03:04:0 and so on are cut.
    expect_written(
        world, ":06.500Z\",\"level\":\"warn\",\"event\":\"failed\",\"repeated\":1,"
               "\"since\":\"2026-01-02T03:04:05.000Z\"}\n"
               ":06.500Z\",\"level\":\"warn\",\"event\":\"failed\",\"repeated\":2,"
               "\"since\":\"2026-01-02T03:04:06.500Z\"}\n");
}

static void test_more_lines_than_can_be_remembered_are_written_as_often_as_they_come(void **state)
{
    static struct log_repeat repeat;
    uint64_t repeated = 0;
    char table[16];
    (void)state;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < LOG_REPEAT_LINES + 10; i++) {
            snprintf(table, sizeof table, "t%d", i);
            bool admitted = log_repeat_admit(
                &repeat, "failed", LOG_FIELDS(LOG_TEXT("table", table)), 0, 0, &repeated);
            assert_int_equal(admitted, round == 0 || i >= LOG_REPEAT_LINES);
            assert_int_equal(repeated, 0);
        }
    }
    // After the minute they are forgotten, and there is room again.
    struct log_repeat_line line;
    int told = 0;
    while (log_repeat_take(&repeat, LOG_REPEAT_WINDOW_MS, &line))
        told += (int)line.repeated;
    assert_int_equal(told, LOG_REPEAT_LINES);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            log_repeat_admit(
                &repeat, "failed", LOG_FIELDS(LOG_TEXT("table", "new")), LOG_REPEAT_WINDOW_MS, 0,
                &repeated),
            i == 0);
}

static void *warn_often(void *context)
{
    for (int i = 0; i < 500; i++)
        log_warn("storm", LOG_TEXT("kind", i % 2 == 0 ? "even" : context), LOG_NUMBER("n", i));
    return NULL;
}

static void test_no_repetition_is_lost_between_threads(void **state)
{
    char names[4][2] = {"a", "b", "c", "d"};
    struct world *world = *state;
    pthread_t threads[4];
    long told = 0;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, warn_often, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_flush();

    rewind(world->file);
    captured[fread(captured, 1, sizeof captured - 1, world->file)] = '\0';
    int lines = 0;
    char *rest = captured;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        const char *repeated = strstr(line, "repeated=");
        told += repeated == NULL ? 1 : strtol(repeated + 9, NULL, 10);
        lines += repeated == NULL ? 1 : 0;
    }
    assert_int_equal(lines, 5);
    assert_int_equal(told, 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_warning_that_comes_again_is_counted_and_told_with_the_next),
        TEST(test_what_differs_in_any_text_or_the_event_is_written),
        TEST(test_times_and_sizes_within_a_text_make_no_difference),
        TEST(test_only_warnings_are_limited),
        TEST(test_a_count_that_no_line_carries_gets_one_after_the_minute),
        TEST(test_the_end_of_the_process_tells_what_is_left),
        TEST(test_more_lines_than_can_be_remembered_are_written_as_often_as_they_come),
        TEST(test_no_repetition_is_lost_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
