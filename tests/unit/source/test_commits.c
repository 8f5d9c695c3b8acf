#include "watched.h"

#include <pthread.h>
#include <sys/stat.h>

#define ROUNDS 200

static const char *const modes[] = {"wal", "delete", "truncate", "persist"};
#define MODES (sizeof modes / sizeof modes[0])

static void a_commit_of_the_application_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        struct world world;
        open_all(&world, modes[i]);
        // What was committed before it was followed is not known.
        assert_true(waits(&world));
        cover(&world);
        commit_as(&world.application);
        assert_true(waits(&world));
        // It waits until a pass covers it.
        assert_true(waits(&world));
        cover(&world);
        close_all(&world);
    }
}

static void our_own_commits_are_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        struct world world;
        open_all(&world, modes[i]);
        cover(&world);
        commit_as(&world.ours);
        assert_false(waits(&world));
        // Nor is a statement that commits by itself, a transaction that is rolled back, and one
        // that cannot begin.
        expect_ok(
            statement_run(&world.ours, "insert into t(v) values (?1)", &err, "i", INT64_C(2)));
        assert_false(waits(&world));
        expect_ok(database_begin(&world.ours, &err));
        expect_ok(database_exec(&world.ours, "delete from t", &err));
        database_rollback(&world.ours);
        assert_false(waits(&world));
        sqlite3_busy_timeout(world.ours.handle, 0);
        expect_ok(database_begin(&world.application, &err));
        expect_error(database_begin(&world.ours, &err), ERROR_BUSY, "locked");
        database_rollback(&world.application);
        assert_false(waits(&world));
        commit_as(&world.ours);
        assert_false(waits(&world));
        close_all(&world);
    }
}

static void a_commit_right_before_and_right_after_ours_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        struct world world;
        open_all(&world, modes[i]);
        // As if it came before our transaction began, after commits_enter has looked.
        cover(&world);
        commits_enter(world.commits, world.ours.handle);
        commit_as(&world.application);
        expect_ok(database_exec(&world.ours, "insert into t(v) values (1)", &err));
        commits_leave(world.commits, world.ours.handle);
        assert_true(waits(&world));
        // And after it ended, before commits_leave looks.
        cover(&world);
        commits_enter(world.commits, world.ours.handle);
        expect_ok(database_exec(&world.ours, "insert into t(v) values (1)", &err));
        commit_as(&world.application);
        commits_leave(world.commits, world.ours.handle);
        assert_true(waits(&world));
        // And before we enter at all.
        cover(&world);
        commit_as(&world.application);
        commit_as(&world.ours);
        assert_true(waits(&world));
        close_all(&world);
    }
}

/* An application that commits while our transactions run. It checks after each of its commits. */
static void *commit_many(void *context)
{
    struct world *world = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct commits_mark mark = mark_of(world);
        commits_cover(world->commits, &mark);
        struct error ignored;
        bool ok = database_begin(&world->application, &ignored) &&
                  database_exec(&world->application, "insert into t(v) values (1)", &ignored) &&
                  database_commit(&world->application, &ignored) &&
                  commits_look(world->commits, 0, &ignored);
        if (!ok || commits_since_ms(world->commits) == COMMITS_NONE)
            return "a commit was taken for ours";
    }
    return NULL;
}

static void no_commit_is_lost_among_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        pthread_t thread;
        void *failure = NULL;
        open_all(&world, modes[i]);
        cover(&world);
        assert_int_equal(pthread_create(&thread, NULL, commit_many, &world), 0);
        for (int j = 0; j < ROUNDS; j++)
            commit_as(&world.ours);
        pthread_join(thread, &failure);
        assert_null(failure);
        cover(&world);
        for (int j = 0; j < ROUNDS; j++)
            commit_as(&world.ours);
        assert_false(waits(&world));
        close_all(&world);
    }
}

static void the_clock_of_a_commit_starts_no_later_than_it(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "wal");
    cover(&world);
    world.clock.ms = 5000;
    assert_false(waits(&world));
    world.clock.ms = 9000;
    commit_as(&world.application);
    // Without a word from the kernel it may be as old as the last look.
    assert_true(waits(&world));
    assert_int_equal(commits_since_ms(world.commits), 5000);
    cover(&world);
    commit_as(&world.application);
    expect_ok(commits_look(world.commits, 9500, &err));
    assert_int_equal(commits_since_ms(world.commits), 9500);
    // The first one counts.
    commit_as(&world.application);
    expect_ok(commits_look(world.commits, 9800, &err));
    assert_int_equal(commits_since_ms(world.commits), 9500);
    close_all(&world);
}

static void a_file_in_its_place_is_a_commit(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "wal");
    cover(&world);
    struct commits_mark mark = mark_of(&world);
    char *backup = path_in(&world.folder, "backup.db");
    make(backup, "delete");
    assert_int_equal(rename(backup, world.path), 0);
    assert_true(waits(&world));
    // A pass that opened the old file does not cover it.
    commits_cover(world.commits, &mark);
    assert_true(waits(&world));
    cover(&world);
    close_all(&world);
}

static void a_backup_copied_over_the_file_is_a_commit(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        struct world world;
        open_all(&world, modes[i]);
        commit_as(&world.application);
        database_close(&world.application);
        database_close(&world.ours);
        char *backup = path_in(&world.folder, "backup.db");
        // With nobody else there it is the whole database, as long as nobody commits to it.
        FILE *made = fopen(backup, "wb");
        assert_non_null(made);
        fclose(made);
        copy_over(world.path, backup);
        cover(&world);
        struct commits_mark before = mark_of(&world);
        wait_for_tick();
        copy_over(backup, world.path);
        // The content is the same, so SQLite's data version is, too.
        assert_true(waits(&world));
        assert_int_not_equal(mark_of(&world).changes, before.changes);
        cover(&world);
        expect_ok(database_open(world.path, DATABASE_WRITE, 5000, &world.application, &err));
        expect_ok(database_open(world.path, DATABASE_WRITE, 5000, &world.ours, &err));
        close_all(&world);
    }
}

static void a_mark_changes_with_commits_of_others_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        for (int follows = 0; follows < 2; follows++) {
            struct world world;
            open_all(&world, modes[i]);
            if (follows != 0)
                commits_follow(world.commits);
            else
                commits_unfollow(world.commits);
            struct commits_mark first;
            commits_mark(world.commits, false, &first);
            assert_int_equal(first.known, follows != 0);
            first = mark_of(&world);
            assert_true(first.known);
            assert_int_equal(mark_of(&world).changes, first.changes);
            commit_as(&world.ours);
            assert_int_equal(mark_of(&world).changes, first.changes);
            commit_as(&world.application);
            struct commits_mark second = mark_of(&world);
            assert_int_not_equal(second.changes, first.changes);
            commit_as(&world.ours);
            assert_int_equal(mark_of(&world).changes, second.changes);
            assert_int_equal(waits(&world), follows != 0);
            close_all(&world);
        }
    }
}

static void a_mark_is_settled_when_a_later_write_gets_another_time(void **state)
{
    struct world world;
    struct stat file;

    (void)state;
    open_all(&world, "delete");
    assert_int_equal(stat(world.path, &file), 0);
    int64_t written_ms = (file.st_ctim.tv_sec - MANUAL_CLOCK_START_S) * 1000;
    world.clock.ms = written_ms;
    assert_false(mark_of(&world).settled);
    // Whole seconds may be all that the file system keeps.
    world.clock.ms = written_ms + 3000;
    assert_true(mark_of(&world).settled);
    // A clock that was put back tells nothing.
    world.clock.ms = written_ms - 5000;
    assert_false(mark_of(&world).settled);
    close_all(&world);
}

static void a_file_that_is_missing_has_no_mark(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "delete");
    int64_t changes = mark_of(&world).changes;
    char *away = path_in(&world.folder, "away.db");
    assert_int_equal(rename(world.path, away), 0);
    assert_false(mark_of(&world).known);
    // It may have been written while it was away.
    assert_int_equal(rename(away, world.path), 0);
    assert_true(mark_of(&world).known);
    assert_int_not_equal(mark_of(&world).changes, changes);
    close_all(&world);
}

static void a_file_that_is_missing_is_followed_when_it_is_back(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "delete");
    cover(&world);
    char *away = path_in(&world.folder, "away.db");
    assert_int_equal(rename(world.path, away), 0);
    expect_error(commits_look(world.commits, 0, &err), ERROR_SOURCE, "No such file");
    assert_non_null(strstr(err.message, world.path));
    assert_int_equal(commits_since_ms(world.commits), COMMITS_NONE);
    assert_int_equal(rename(away, world.path), 0);
    assert_true(waits(&world));
    cover(&world);
    close_all(&world);
}

static void an_immutable_file_is_followed_by_its_replacement(void **state)
{
    struct world world;
    char path[256];

    (void)state;
    open_all(&world, "wal");
    database_close(&world.ours);
    database_close(&world.application);
    snprintf(path, sizeof path, "file:%s?immutable=1", world.path);
    commits_free(world.commits);
    expect_ok(commits_new(&world.clock.clock, path, false, &world.commits, &err));
    commits_follow(world.commits);
    assert_true(waits(&world));
    cover(&world);
    char *copy = path_in(&world.folder, "copy.db");
    make(copy, "wal");
    assert_int_equal(rename(copy, world.path), 0);
    assert_true(waits(&world));
    cover(&world);
    assert_int_equal(access(path_in(&world.folder, "app.db-wal"), F_OK), -1);
    close_all(&world);
}

static void the_application_is_not_hindered(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        struct world world;
        int64_t busy = 0;
        open_all(&world, modes[i]);
        database_close(&world.ours);
        cover(&world);
        commit_as(&world.application);
        assert_true(waits(&world));
        sqlite3_busy_timeout(world.application.handle, 0);
        expect_ok(database_exec(&world.application, "begin exclusive", &err));
        expect_ok(database_exec(&world.application, "commit", &err));
        expect_ok(database_query_int64(
            &world.application, "pragma wal_checkpoint(truncate)", 0, &busy, &err));
        assert_int_equal(busy, 0);
        expect_ok(database_exec(&world.application, "vacuum", &err));
        close_all(&world);
    }
}

static void the_last_one_to_close_leaves_no_file(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "wal");
    assert_true(waits(&world));
    database_close(&world.ours);
    database_close(&world.application);
    commits_unfollow(world.commits);
    assert_int_equal(access(path_in(&world.folder, "app.db-wal"), F_OK), -1);
    assert_false(waits(&world));
    close_all(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_of_the_application_is_seen),
        cmocka_unit_test(our_own_commits_are_none),
        cmocka_unit_test(a_commit_right_before_and_right_after_ours_is_seen),
        cmocka_unit_test(no_commit_is_lost_among_ours),
        cmocka_unit_test(the_clock_of_a_commit_starts_no_later_than_it),
        cmocka_unit_test(a_file_in_its_place_is_a_commit),
        cmocka_unit_test(a_backup_copied_over_the_file_is_a_commit),
        cmocka_unit_test(a_mark_changes_with_commits_of_others_alone),
        cmocka_unit_test(a_mark_is_settled_when_a_later_write_gets_another_time),
        cmocka_unit_test(a_file_that_is_missing_has_no_mark),
        cmocka_unit_test(a_file_that_is_missing_is_followed_when_it_is_back),
        cmocka_unit_test(an_immutable_file_is_followed_by_its_replacement),
        cmocka_unit_test(the_application_is_not_hindered),
        cmocka_unit_test(the_last_one_to_close_leaves_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
