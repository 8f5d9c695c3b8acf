/* Small files of others, which may be pipes. */
#include "support/prelude.h"

#include "base/clock.h"
#include "base/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_small_file_XXXXXX";
static char path[64];
static struct buffer text;

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    buffer_init(&text, 100000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_clear(&text);
    unlink(path);
    return rmdir(folder);
}

static int64_t now_ms(void)
{
    return clock_system()->monotonic_ms(NULL);
}

/* Opens the pipe, which waits for a reader, and writes into it in two parts. */
static void *write_pipe(void *context)
{
    int pause_ms = *(int *)context;
    int fd = open(path, O_WRONLY);

    assert_int_equal(write(fd, "A=1\n", 4), 4);
    usleep((useconds_t)pause_ms * 1000);
    assert_int_equal(write(fd, "B=2\n", 4), 4);
    close(fd);
    return NULL;
}

static void test_a_regular_file_is_read_whole(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 3000; i++)
        fputs("0123456789", file);
    fclose(file);

    assert_int_equal(small_file_read(path, &text), 0);
    assert_int_equal(text.length, 30000);
}

static void test_a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    pthread_t writer;
    int pause_ms = 300;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_pipe, &pause_ms), 0);

    assert_int_equal(small_file_read(path, &text), 0);
    pthread_join(writer, NULL);
    assert_string_equal(buffer_text(&text), "A=1\nB=2\n");
}

static void test_a_pipe_into_which_nobody_writes_is_given_up(void **state)
{
    (void)state;
    char words[SMALL_FILE_TEXT_SIZE];
    assert_int_equal(mkfifo(path, 0600), 0);
    int64_t start_ms = now_ms();

    int reason = small_file_read(path, &text);

    assert_true(now_ms() - start_ms >= 5000);
    assert_true(now_ms() - start_ms < 9000);
    assert_non_null(strstr(small_file_text(reason, words), "named pipe, and nobody wrote"));
    assert_int_equal(small_file_code(reason, ERROR_CONFIG), ERROR_CONFIG);
}

static void test_a_writer_that_does_not_end_is_given_up_too(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR);
    assert_int_equal(write(fd, "A=1\n", 4), 4);

    assert_int_not_equal(small_file_read(path, &text), 0);
    close(fd);
}

static void test_what_the_system_says_is_kept(void **state)
{
    (void)state;
    char words[SMALL_FILE_TEXT_SIZE];

    assert_int_equal(small_file_read(path, &text), ENOENT);
    assert_int_equal(small_file_read(folder, &text), EISDIR);
    assert_string_equal(small_file_text(EISDIR, words), "Is a directory");
    assert_non_null(strstr(small_file_text(EMFILE, words), "ulimit -n"));
    assert_int_equal(small_file_code(EMFILE, ERROR_CONFIG), ERROR_LIMIT);
}

/* The last one: the process stays asked to stop. */
static void test_who_is_asked_to_stop_waits_for_no_writer(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    int64_t start_ms = now_ms();
    clock_stop();

    int reason = small_file_read(path, &text);

    assert_true(now_ms() - start_ms < 2000);
    assert_int_equal(small_file_code(reason, ERROR_CONFIG), ERROR_STOPPED);
}

#define small_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        small_test(test_a_regular_file_is_read_whole),
        small_test(test_a_pipe_is_read_to_its_end),
        small_test(test_a_pipe_into_which_nobody_writes_is_given_up),
        small_test(test_a_writer_that_does_not_end_is_given_up_too),
        small_test(test_what_the_system_says_is_kept),
        small_test(test_who_is_asked_to_stop_waits_for_no_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
