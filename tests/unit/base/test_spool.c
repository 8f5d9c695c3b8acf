/* Tests of spool: the same bytes come back from memory and from a file, and a full or missing
 * folder is told. */
#include "support/prelude.h"

#include "base/spool.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_spool.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    return setenv("TMPDIR", folder, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static char byte_at(uint64_t offset)
{
    return (char)(offset * 7 + offset / 251);
}

/* Writes size bytes in pieces of different lengths. */
static void fill(struct spool *spool, uint64_t size)
{
    struct error err;
    char piece[1000];

    for (uint64_t at = 0, round = 0; at < size; round++) {
        size_t length = (size_t)(round * 37 % sizeof piece);
        if (length > size - at)
            length = (size_t)(size - at);
        for (size_t i = 0; i < length; i++)
            piece[i] = byte_at(at + i);
        expect_ok(spool_write(spool, (struct slice){piece, length}, &err));
        at += length;
    }
    assert_int_equal(spool_size(spool), size);
}

static void check(const struct spool *spool, uint64_t offset, size_t length)
{
    struct error err;
    char *bytes = malloc(length + 1);

    assert_non_null(bytes);
    expect_ok(spool_read(spool, offset, bytes, length, &err));
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != byte_at(offset + i))
            fail_msg("byte %zu behind %llu differs", i, (unsigned long long)offset);
    }
    free(bytes);
}

static void check_spool(size_t memory_bytes, uint64_t size)
{
    struct spool *spool;
    struct error err;

    expect_ok(spool_new(memory_bytes, &spool, &err));
    fill(spool, size);
    check(spool, 0, (size_t)size);
    check(spool, size, 0);
    check(spool, size / 3, (size_t)size / 2);
    check(spool, size - 1, 1);
    spool_free(spool);
}

static void test_small_content_comes_back(void **state)
{
    (void)state;
    check_spool(1 << 20, 100000);
}

static void test_content_beyond_memory_comes_back(void **state)
{
    (void)state;
    check_spool(1 << 16, 1000000);
    check_spool(0, 5000);
    check_spool(99999, 100000);
    check_spool(100000, 100000);
}

static void test_the_file_has_no_name(void **state)
{
    struct spool *spool;
    struct error err;
    (void)state;

    expect_ok(spool_new(10, &spool, &err));
    fill(spool, 5000);

    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        assert_int_equal(entry->d_name[0], '.');
    closedir(listing);
    spool_free(spool);
}

static void test_an_empty_spool_reads_nothing(void **state)
{
    struct spool *spool;
    struct error err;
    (void)state;

    expect_ok(spool_new(10, &spool, &err));
    assert_int_equal(spool_size(spool), 0);
    check(spool, 0, 0);
    spool_free(spool);
    spool_free(NULL);
}

static void test_a_folder_that_is_not_there_is_named(void **state)
{
    struct spool *spool;
    struct error err;
    (void)state;

    setenv("TMPDIR", "/nowhere/at all", 1);
    expect_ok(spool_new(4, &spool, &err));
    expect_ok(spool_write(spool, slice_of("abcd"), &err));

    expect_error(spool_write(spool, slice_of("e"), &err), ERROR_DISK, "/nowhere/at all");
    assert_non_null(strstr(err.message, "TMPDIR"));

    // What was written before is still there, and the spool goes on once the folder is.
    setenv("TMPDIR", folder, 1);
    expect_ok(spool_write(spool, slice_of("e"), &err));
    char bytes[5];
    expect_ok(spool_read(spool, 0, bytes, 5, &err));
    assert_memory_equal(bytes, "abcde", 5);
    spool_free(spool);
}

static void test_a_full_disk_is_told(void **state)
{
    struct rlimit before;
    struct spool *spool;
    struct error err;
    (void)state;

    // A file that may not grow answers like a disk without room.
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 2000, .rlim_max = before.rlim_max});
    expect_ok(spool_new(1000, &spool, &err));
    fill(spool, 1999);

    bool failed = !spool_write(spool, slice_of("four"), &err);

    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(failed);
    assert_int_equal(err.code, ERROR_DISK);
    assert_non_null(strstr(err.message, folder));
    assert_int_equal(spool_size(spool), 1999);
    check(spool, 0, 1999);
    spool_free(spool);
}

static void test_the_sink_appends(void **state)
{
    struct spool *spool;
    struct error err;
    char bytes[6];
    (void)state;

    expect_ok(spool_new(3, &spool, &err));
    struct sink sink = spool_sink(spool);
    expect_ok(sink.write(sink.context, slice_of("abc"), &err));
    expect_ok(sink.write(sink.context, slice_of("def"), &err));

    expect_ok(spool_read(spool, 0, bytes, 6, &err));
    assert_memory_equal(bytes, "abcdef", 6);
    spool_free(spool);
}

static void test_room_is_told_of_the_folder_that_would_be_used(void **state)
{
    const char *used = NULL;
    uint64_t bytes = 0;
    struct error err;
    (void)state;

    expect_ok(spool_room(&used, &bytes, &err));
    assert_string_equal(used, folder);
    assert_true(bytes > 0);

    setenv("TMPDIR", "/no/such/folder", 1);
    expect_error(spool_room(&used, &bytes, &err), ERROR_DISK, "set TMPDIR to a folder");
    setenv("TMPDIR", folder, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_content_comes_back),
        cmocka_unit_test(test_content_beyond_memory_comes_back),
        cmocka_unit_test(test_the_file_has_no_name),
        cmocka_unit_test(test_an_empty_spool_reads_nothing),
        cmocka_unit_test(test_a_folder_that_is_not_there_is_named),
        cmocka_unit_test(test_a_full_disk_is_told),
        cmocka_unit_test(test_the_sink_appends),
        cmocka_unit_test(test_room_is_told_of_the_folder_that_would_be_used),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
