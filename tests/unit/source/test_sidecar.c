/* Files beside a database of another user. tests/e2e/test_two_users.py has the users; here root
 * makes files for one. */
#include "support/prelude.h"

#include "source/sidecar.h"
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define OTHER_USER 4001

static struct folder folder;
static char path[256];
static char wal[300];

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "app.db"));
    snprintf(wal, sizeof wal, "%s-wal", path);
    fclose(fopen(path, "w"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static struct stat status_of(const char *name)
{
    struct stat file;

    assert_int_equal(stat(name, &file), 0);
    return file;
}

static int count_files(void)
{
    DIR *directory = opendir(folder.path);
    int count = 0;

    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void test_beside_a_database_of_ours_nothing_is_made_and_nothing_is_wrong(void **state)
{
    (void)state;
    expect_ok(sidecar_make(path, wal, &err));
    expect_ok(sidecar_check(path, &err));
    assert_int_equal(count_files(), 1);
}

static void test_root_makes_files_with_owner_group_and_mode_of_the_database(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, OTHER_USER, OTHER_USER + 1), 0);
    assert_int_equal(chmod(path, 0640), 0);

    expect_ok(sidecar_check(path, &err));
    assert_int_equal(count_files(), 1);
    expect_ok(sidecar_make(path, wal, &err));
    struct stat made = status_of(wal);
    assert_int_equal(made.st_uid, OTHER_USER);
    assert_int_equal(made.st_gid, OTHER_USER + 1);
    assert_int_equal(made.st_mode & 07777, 0640);
    assert_int_equal(made.st_size, 0);
    assert_int_equal(count_files(), 2);
    expect_ok(sidecar_make(path, wal, &err));
}

static void test_a_file_that_keeps_the_owner_out_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, OTHER_USER, OTHER_USER), 0);
    fclose(fopen(wal, "w"));

    expect_error(sidecar_check(path, &err), ERROR_SOURCE, "app.db-wal belongs to");
    assert_non_null(strstr(err.message, "chown --reference="));
    assert_int_equal(chmod(wal, 0666), 0);
    expect_ok(sidecar_check(path, &err));
}

static void test_a_database_made_by_root_belongs_to_the_owner_of_its_folder(void **state)
{
    (void)state;
    struct database database;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(folder.path, OTHER_USER, OTHER_USER), 0);

    const char *made = path_in(&folder, "state.db");
    expect_ok(database_open(made, DATABASE_CREATE, 0, &database, &err));
    run(&database, "pragma journal_mode = wal; create table t(a)");
    assert_int_equal(status_of(made).st_uid, OTHER_USER);
    assert_int_equal(status_of(path_in(&folder, "state.db-wal")).st_uid, OTHER_USER);
    assert_int_equal(status_of(path_in(&folder, "state.db-shm")).st_uid, OTHER_USER);
    database_close(&database);
}

static void test_a_file_with_a_second_name_is_not_given_away(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, OTHER_USER, OTHER_USER), 0);
    fclose(fopen(wal, "w"));
    const char *second = path_in(&folder, "second");
    assert_int_equal(link(wal, second), 0);
    int fd = open(wal, O_RDWR);

    sidecar_adopt(path, fd);
    assert_int_equal(status_of(wal).st_uid, 0);
    unlink(second);
    sidecar_adopt(path, fd);
    assert_int_equal(status_of(wal).st_uid, OTHER_USER);
    close(fd);
}

#define sidecar_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sidecar_test(test_beside_a_database_of_ours_nothing_is_made_and_nothing_is_wrong),
        sidecar_test(test_root_makes_files_with_owner_group_and_mode_of_the_database),
        sidecar_test(test_a_file_that_keeps_the_owner_out_is_named),
        sidecar_test(test_a_database_made_by_root_belongs_to_the_owner_of_its_folder),
        sidecar_test(test_a_file_with_a_second_name_is_not_given_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
