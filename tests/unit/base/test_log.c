/* Tests of log: the lines that reach standard error. */
#include "support/prelude.h"

#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char captured[1 << 20];
static int real_stderr;
static FILE *file;

/* From here to stop_capture, standard error goes to a file. */
static void start_capture(void)
{
    file = tmpfile();
    assert_non_null(file);
    real_stderr = dup(STDERR_FILENO);
    assert_true(real_stderr >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
}

static void stop_capture(void)
{
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    close(real_stderr);
    rewind(file);
    captured[fread(captured, 1, sizeof captured - 1, file)] = '\0';
    fclose(file);
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
}

static void test_text_lines_are_time_level_event_and_fields(void **state)
{
    (void)state;
    start_capture();
    log_info("merge done", LOG_TEXT("table", "orders"), LOG_NUMBER("rows", 1204));
    stop_capture();

    // 2026-01-02T03:04:05.678Z and a space
    assert_string_equal(captured + 25, "info merge done table=orders rows=1204\n");
    assert_int_equal(captured[10], 'T');
    assert_int_equal(captured[23], 'Z');
}

static void test_texts_that_would_break_a_line_are_quoted(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        {"plain-1.2/x:y", "plain-1.2/x:y"},   {"", "\"\""},
        {"two words", "\"two words\""},       {"a=b", "\"a=b\""},
        {"say \"hi\"", "\"say \\\"hi\\\"\""}, {"back\\slash", "\"back\\\\slash\""},
        {"line\nbreak", "\"line\\nbreak\""},  {"\x1b[31m\x7f", "\"\\u001b[31m\\u007f\""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char expected[64];
        start_capture();
        log_warn("event", LOG_TEXT("key", rows[i].text));
        stop_capture();
        snprintf(expected, sizeof expected, "warn event key=%s\n", rows[i].shown);
        assert_string_equal(captured + 25, expected);
    }
}

static void test_json_lines_are_one_object_each(void **state)
{
    (void)state;
    start_capture();
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
    log_debug("say \"hi\"", LOG_TEXT("key", "a\tb"), LOG_NUMBER("count", -5));
    stop_capture();

    // {"time":"2026-01-02T03:04:05.678Z" before it
    assert_memory_equal(captured, "{\"time\":\"", 9);
    assert_string_equal(
        captured + 34,
        ",\"level\":\"debug\",\"event\":\"say \\\"hi\\\"\",\"key\":\"a\\u0009b\",\"count\":-5}\n");
}

static void test_lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    start_capture();
    log_configure(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    bool info = log_enabled(LOG_LEVEL_INFO);
    bool warn = log_enabled(LOG_LEVEL_WARN);
    log_info("quiet", LOG_NUMBER("n", 1));
    log_warn("loud", LOG_NUMBER("n", 2));
    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    log_error("off", LOG_NUMBER("n", 3));
    stop_capture();

    assert_false(info);
    assert_true(warn);
    assert_string_equal(captured + 25, "warn loud n=2\n");
}

static void test_an_error_message_of_any_length_is_written(void **state)
{
    struct error err;
    char text[2000];
    (void)state;

    memset(text, '\x01', sizeof text);
    text[sizeof text - 1] = '\0';
    error_set(&err, ERROR_CONFIG, "%s", text);
    start_capture();
    log_error("failed", LOG_TEXT("error", err.message));
    stop_capture();

    // Each of the characters is six when escaped; the quotes and the line's end are three more.
    assert_int_equal(
        strlen(captured), 25 + strlen("error failed error=") + 6 * strlen(err.message) + 3);
}

static void *write_lines(void *context)
{
    for (int i = 0; i < 200; i++)
        log_info("from a thread", LOG_TEXT("who", context), LOG_NUMBER("line", i));
    return NULL;
}

static void test_lines_of_several_threads_stay_whole(void **state)
{
    char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    int lines = 0;
    (void)state;

    start_capture();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    stop_capture();

    char *rest = captured;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; lines++)
        assert_memory_equal(line + 25, "info from a thread who=", 23);
    assert_int_equal(lines, 800);
}

/* --- a reader who stays away ---------------------------------------------------------------- */

/* From here to read_pipe, standard error is a pipe of one page. */
static void start_pipe(int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    real_stderr = dup(STDERR_FILENO);
    assert_true(real_stderr >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
}

/* What is in the pipe now, up to size - 1 bytes of it. */
static void read_pipe(int reading, char *out, size_t size)
{
    ssize_t length = read(reading, out, size - 1);

    assert_true(length >= 0);
    out[length] = '\0';
}

static void stop_pipe(int reading)
{
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    close(real_stderr);
    close(reading);
}

static void test_lines_that_nobody_reads_are_counted(void **state)
{
    char first[4097];
    char told[4097];
    char last[4097];
    int ends[2];
    (void)state;

    start_pipe(ends);
    log_info("first", LOG_NUMBER("n", 1));
    for (int i = 0; i < 100; i++)
        log_info("lost", LOG_NUMBER("n", i));
    read_pipe(ends[0], first, sizeof first);
    log_flush();
    read_pipe(ends[0], told, sizeof told);
    log_info("last", LOG_NUMBER("n", 2));
    read_pipe(ends[0], last, sizeof last);
    stop_pipe(ends[0]);

    assert_string_equal(first + 25, "info first n=1\n");
    static const char expected[] =
        "warn log lines lost lines=100 reason=\"nobody read them\" since=";
    told[25 + sizeof expected - 1] = '\0';
    assert_string_equal(told + 25, expected);
    assert_string_equal(last + 25, "info last n=2\n");
}

/* A line longer than what a pipe takes in one piece. */
static void test_a_line_that_nobody_reads_to_its_end_does_not_spoil_the_next(void **state)
{
    char text[6000];
    char torn[6000];
    char told[4097];
    int ends[2];
    (void)state;

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    start_pipe(ends);
    log_info("long", LOG_TEXT("text", text));
    read_pipe(ends[0], torn, sizeof torn);
    log_flush();
    read_pipe(ends[0], told, sizeof told);
    stop_pipe(ends[0]);

    assert_int_equal(strlen(torn), 4096);
    assert_int_equal(told[0], '\n');
    assert_memory_equal(told + 1 + 25, "warn log lines lost lines=1 ", 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_lines_are_time_level_event_and_fields),
        cmocka_unit_test(test_texts_that_would_break_a_line_are_quoted),
        cmocka_unit_test(test_json_lines_are_one_object_each),
        cmocka_unit_test(test_lines_below_the_level_are_not_written),
        cmocka_unit_test(test_an_error_message_of_any_length_is_written),
        cmocka_unit_test(test_lines_of_several_threads_stay_whole),
        cmocka_unit_test(test_lines_that_nobody_reads_are_counted),
        cmocka_unit_test(test_a_line_that_nobody_reads_to_its_end_does_not_spoil_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
