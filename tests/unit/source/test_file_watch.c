#include "support.h"

#include "source/file_watch.h"

#include <fcntl.h>

static void write_to(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, "x", 1), 1);
    close(file);
}

static enum file_watch_news news(struct file_watch *watch)
{
    return file_watch_wait(watch, 0);
}

static void writes_to_the_database_and_its_wal_are_reported(void **state)
{
    struct folder folder = make_folder();
    char *path = path_in(&folder, "app.db");
    char *wal = path_in(&folder, "app.db-wal");
    struct file_watch watch;

    (void)state;
    expect_ok(file_watch_open(&watch, &err));
    assert_false(file_watch_set(&watch, path));
    assert_false(file_watch_sees(&watch));
    write_to(path);
    assert_true(file_watch_set(&watch, path));
    assert_true(file_watch_sees(&watch));
    assert_int_equal(news(&watch), FILE_WATCH_NOTHING);
    write_to(path);
    write_to(path);
    // A wait that does not want writes leaves them for one that does.
    assert_int_equal(file_watch_pause(&watch, 0), FILE_WATCH_NOTHING);
    assert_int_equal(news(&watch), FILE_WATCH_WRITE);
    assert_int_equal(news(&watch), FILE_WATCH_NOTHING);
    write_to(wal);
    assert_true(file_watch_set(&watch, path));
    assert_false(file_watch_set(&watch, path));
    write_to(wal);
    assert_int_equal(news(&watch), FILE_WATCH_WRITE);
    // Reading is no news.
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    assert_int_equal(read(file, &byte, 1), 1);
    close(file);
    assert_int_equal(news(&watch), FILE_WATCH_NOTHING);
    file_watch_close(&watch);
    remove_folder(&folder);
}

static void a_file_that_is_replaced_is_watched_again(void **state)
{
    struct folder folder = make_folder();
    char *path = path_in(&folder, "app.db");
    char *other = path_in(&folder, "other.db");
    struct file_watch watch;

    (void)state;
    expect_ok(file_watch_open(&watch, &err));
    write_to(path);
    write_to(other);
    assert_true(file_watch_set(&watch, path));
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(news(&watch), FILE_WATCH_WRITE);
    assert_true(file_watch_set(&watch, path));
    write_to(path);
    assert_int_equal(news(&watch), FILE_WATCH_WRITE);
#ifndef BQSYNC_FILE_WATCH_STAT
    // Also if the new one has the number of the old one, as happens when that is deleted first.
    for (int i = 0; i < 50; i++) {
        assert_int_equal(unlink(path), 0);
        write_to(path);
        assert_int_equal(news(&watch), FILE_WATCH_WRITE);
        assert_true(file_watch_set(&watch, path));
        write_to(path);
        assert_int_equal(news(&watch), FILE_WATCH_WRITE);
    }
#endif
    assert_int_equal(unlink(path), 0);
    assert_int_equal(news(&watch), FILE_WATCH_WRITE);
    file_watch_set(&watch, path);
    assert_false(file_watch_sees(&watch));
    file_watch_close(&watch);
    remove_folder(&folder);
}

static void a_link_is_watched_where_it_leads(void **state)
{
    struct folder folder = make_folder();
    char *path = path_in(&folder, "app.db");
    char *link = path_in(&folder, "link.db");
    struct file_watch watch;

    (void)state;
    expect_ok(file_watch_open(&watch, &err));
    write_to(path);
    write_to(path_in(&folder, "app.db-wal"));
    assert_int_equal(symlink(path, link), 0);
    assert_true(file_watch_set(&watch, link));
    write_to(path_in(&folder, "app.db-wal"));
    assert_int_equal(news(&watch), FILE_WATCH_WRITE);
    file_watch_close(&watch);
    remove_folder(&folder);
}

static void a_wake_ends_one_wait(void **state)
{
    struct file_watch watch;

    (void)state;
    expect_ok(file_watch_open(&watch, &err));
    file_watch_wake(&watch);
    file_watch_wake(&watch);
    assert_int_equal(file_watch_pause(&watch, -1), FILE_WATCH_WOKEN);
    assert_int_equal(news(&watch), FILE_WATCH_NOTHING);
    file_watch_close(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_to_the_database_and_its_wal_are_reported),
        cmocka_unit_test(a_file_that_is_replaced_is_watched_again),
        cmocka_unit_test(a_link_is_watched_where_it_leads),
        cmocka_unit_test(a_wake_ends_one_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
