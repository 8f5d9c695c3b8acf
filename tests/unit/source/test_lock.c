/* One bqsync at a time on a state database. */
#include "support/prelude.h"

#include "source/lock.h"
#include "support.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct folder folder;
static char path[256];

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "state.db"));
    FILE *file = fopen(path, "w");
    fclose(file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static void test_a_second_holder_is_refused_and_told_of_the_first(void **state)
{
    (void)state;
    struct lock first;
    struct lock second = {.fd = -1};
    char pid[32];
    snprintf(pid, sizeof pid, "pid %ld on ", (long)getpid());

    expect_ok(lock_acquire(path, "sync --full", &first, &err));
    expect_error(lock_acquire(path, "sync", &second, &err), ERROR_LOCKED, "`sync --full`, since 2");
    assert_non_null(strstr(err.message, pid));

    lock_release(&first);
    expect_ok(lock_acquire(path, "sync", &second, &err));
    lock_release(&second);
}

static void test_a_link_to_the_database_is_the_same_lock(void **state)
{
    (void)state;
    struct lock first;
    struct lock second;
    const char *link = path_in(&folder, "link.db");
    assert_int_equal(symlink(path, link), 0);

    expect_ok(lock_acquire(path, "sync", &first, &err));
    expect_error(lock_acquire(link, "sync", &second, &err), ERROR_LOCKED, "works on");
    lock_release(&first);
}

static void test_a_killed_holder_leaves_it_free(void **state)
{
    (void)state;
    struct lock lock;
    struct lock_run run;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t holder = fork();
    if (holder == 0) {
        if (!lock_acquire(path, "sync", &lock, &err))
            _exit(1);
        lock_tell_run(&lock, "20260102-030405-1f2e3d", "full", "2026-01-02T03:04:05.678Z");
        if (write(ends[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    expect_error(lock_acquire(path, "sync", &lock, &err), ERROR_LOCKED, "another bqsync (pid ");
    assert_true(lock_find_run(path, &run));
    assert_string_equal(run.run_id, "20260102-030405-1f2e3d");
    assert_string_equal(run.kind, "full");
    assert_string_equal(run.started_at, "2026-01-02T03:04:05.678Z");
    assert_non_null(strstr(run.holder, "`sync`, since 2"));

    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, NULL, 0), holder);

    assert_false(lock_find_run(path, &run));
    expect_ok(lock_acquire(path, "sync", &lock, &err));
    lock_release(&lock);
    close(ends[0]);
    close(ends[1]);
}

static void expect_idle(const char *expected)
{
    char *idle = lock_read_idle(path);

    if (expected == NULL)
        assert_null(idle);
    else
        assert_string_equal(idle, expected);
    free(idle);
}

static void test_documents_of_idle_passes_outlive_holders_that_leave_them(void **state)
{
    (void)state;
    struct lock lock;
    struct lock_run run;
    const char *two = "{\"run_id\":\"b\"}\n{\"run_id\":\"a\"}\n";
    expect_idle(NULL);

    expect_ok(lock_acquire(path, "sync", &lock, &err));
    expect_idle(NULL);
    lock_keep_idle(&lock, strdup(two));
    lock_release(&lock);
    expect_idle(two);

    expect_ok(lock_acquire(path, "sync", &lock, &err));
    expect_idle(two);
    lock_tell_run(&lock, "20260102-030405-1f2e3d", "full", "2026-01-02T03:04:05.678Z");
    expect_idle(two);
    assert_true(lock_find_run(path, &run));
    assert_string_equal(run.run_id, "20260102-030405-1f2e3d");
    lock_release(&lock);
    assert_false(lock_find_run(path, &run));
    expect_idle(two);

    expect_ok(lock_acquire(path, "sync", &lock, &err));
    lock_keep_idle(&lock, NULL);
    lock_release(&lock);
    expect_idle(NULL);
}

static void test_where_no_service_can_say_that_it_runs_none_is_denied(void **state)
{
    (void)state;
    const char *file = path_in(&folder, "state.db.bqsync-serve");
    struct lock service = {.fd = -1};

    expect_ok(lock_can_show_service(path, &err));
    expect_ok(lock_acquire_service(path, &service, &err));
    expect_ok(lock_can_show_service(path, &err));
    lock_release(&service);
    expect_ok(lock_can_show_service(path, &err));

    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0700), 0);
    expect_error(lock_can_show_service(path, &err), ERROR_SOURCE, file);
    assert_int_equal(rmdir(file), 0);
    expect_error(
        lock_can_show_service("/nowhere/state.db", &err), ERROR_SOURCE,
        "/nowhere/state.db.bqsync-serve: No such file");
}

static void test_a_service_is_found_while_it_runs_and_beside_passes(void **state)
{
    (void)state;
    struct lock service = {.fd = -1};
    struct lock second = {.fd = -1};
    struct lock pass = {.fd = -1};
    struct lock_service found;
    assert_false(lock_find_service(path, &found));

    expect_ok(lock_acquire_service(path, &service, &err));
    assert_true(lock_find_service(path, &found));
    assert_int_equal(found.pid, getpid());
    assert_int_equal(strlen(found.since), strlen("2026-01-02T03:04:05.678Z"));
    expect_error(lock_acquire_service(path, &second, &err), ERROR_LOCKED, "`serve`, since 2");
    expect_ok(lock_acquire(path, "sync", &pass, &err));
    lock_release(&pass);

    lock_release(&service);
    assert_false(lock_find_service(path, &found));
    expect_ok(lock_acquire_service(path, &second, &err));
    lock_release(&second);
}

static void test_a_lock_file_that_cannot_be_made_is_said(void **state)
{
    (void)state;
    struct lock lock;

    expect_error(
        lock_acquire("/nonexistent/state.db", "sync", &lock, &err), ERROR_SOURCE,
        "/nonexistent/state.db.bqsync-lock");
}

static const char *lock_file(void)
{
    return path_in(&folder, "state.db.bqsync-lock");
}

static mode_t mode_of(const char *name)
{
    struct stat file;

    assert_int_equal(lstat(name, &file), 0);
    return file.st_mode & 07777;
}

static void test_its_files_have_the_mode_of_the_database_under_any_umask(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0640, 0660};
    static const mode_t masks[] = {0, 022, 0777};
    struct lock lock;
    struct lock service = {.fd = -1};
    char served[300];
    snprintf(served, sizeof served, "%s.bqsync-serve", path);

    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(chmod(path, modes[i / 3]), 0);
        mode_t old = umask(masks[i % 3]);
        expect_ok(lock_acquire(path, "sync", &lock, &err));
        expect_ok(lock_acquire_service(path, &service, &err));
        umask(old);
        assert_int_equal(mode_of(lock_file()), modes[i / 3]);
        assert_int_equal(mode_of(served), modes[i / 3]);
        lock_release(&lock);
        lock_release(&service);
        assert_int_equal(unlink(lock_file()), 0);
        assert_int_equal(unlink(served), 0);
    }
}

static void test_a_file_with_more_rights_than_the_database_loses_them(void **state)
{
    (void)state;
    struct lock lock;
    assert_int_equal(chmod(path, 0640), 0);
    fclose(fopen(lock_file(), "w"));
    assert_int_equal(chmod(lock_file(), 0666), 0);

    expect_ok(lock_acquire(path, "sync", &lock, &err));
    assert_int_equal(mode_of(lock_file()), 0640);
    lock_release(&lock);
    // What was narrowed by hand stays so.
    assert_int_equal(chmod(lock_file(), 0600), 0);
    expect_ok(lock_acquire(path, "sync", &lock, &err));
    assert_int_equal(mode_of(lock_file()), 0600);
    lock_release(&lock);
}

/* Neither a lock nor a look touches what stands in the place of the file. */
static void expect_untouched(const char *words)
{
    struct lock lock = {.fd = -1};
    struct lock_run run;
    struct lock_service service;

    expect_error(lock_acquire(path, "sync", &lock, &err), ERROR_SOURCE, words);
    assert_non_null(strstr(err.message, "delete"));
    expect_error(lock_check(path, &err), ERROR_SOURCE, words);
    assert_false(lock_find_run(path, &run));
    assert_false(lock_find_service(path, &service));
    expect_idle(NULL);
}

static void test_what_is_no_lock_file_is_neither_written_nor_cut(void **state)
{
    (void)state;
    struct stat file;
    char victim[300];
    snprintf(victim, sizeof victim, "%s", path_in(&folder, "victim"));
    FILE *text = fopen(victim, "w");
    fputs("precious", text);
    fclose(text);
    assert_int_equal(chmod(victim, 0666), 0);

    assert_int_equal(link(victim, lock_file()), 0);
    expect_untouched("has 2 names (hard links)");
    assert_int_equal(unlink(lock_file()), 0);
    assert_int_equal(symlink("victim", lock_file()), 0);
    expect_untouched("is a symbolic link");
    assert_int_equal(unlink(lock_file()), 0);
    assert_int_equal(mkfifo(lock_file(), 0600), 0);
    expect_untouched("is no regular file");
    assert_int_equal(stat(victim, &file), 0);
    assert_int_equal(file.st_size, strlen("precious"));
    assert_int_equal(file.st_mode & 07777, 0666);
}

static void test_a_file_of_a_third_user_is_refused_unless_the_owner_can_write_it(void **state)
{
    (void)state;
    struct lock lock;
    if (geteuid() != 0)
        skip();
    fclose(fopen(lock_file(), "w"));
    assert_int_equal(chmod(lock_file(), 0644), 0);
    assert_int_equal(chown(lock_file(), 4001, 4001), 0);

    expect_untouched("belongs to uid 4001, who neither runs bqsync nor owns the database");
    assert_int_equal(chmod(lock_file(), 0666), 0);
    expect_ok(lock_acquire(path, "sync", &lock, &err));
    lock_release(&lock);
}

#define lock_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lock_test(test_a_second_holder_is_refused_and_told_of_the_first),
        lock_test(test_a_link_to_the_database_is_the_same_lock),
        lock_test(test_a_killed_holder_leaves_it_free),
        lock_test(test_documents_of_idle_passes_outlive_holders_that_leave_them),
        lock_test(test_where_no_service_can_say_that_it_runs_none_is_denied),
        lock_test(test_its_files_have_the_mode_of_the_database_under_any_umask),
        lock_test(test_a_file_with_more_rights_than_the_database_loses_them),
        lock_test(test_what_is_no_lock_file_is_neither_written_nor_cut),
        lock_test(test_a_file_of_a_third_user_is_refused_unless_the_owner_can_write_it),
        lock_test(test_a_service_is_found_while_it_runs_and_beside_passes),
        lock_test(test_a_lock_file_that_cannot_be_made_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
