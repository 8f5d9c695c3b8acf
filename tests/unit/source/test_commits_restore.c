/* A backup is restored while the database is followed and nobody else has it open. */
#include "watched.h"

#include <unistd.h>

/* Leaves the database to the connection that watches it, which has seen all commits. */
static void leave(struct world *world)
{
    cover(world);
    database_close(&world->ours);
    database_close(&world->application);
    wait_for_tick();
}

static void back_up(struct world *world, const char *backup)
{
    char sql[200];

    snprintf(sql, sizeof sql, "vacuum into '%s'", backup);
    expect_ok(database_exec(&world->application, sql, &err));
}

static void remove_wal(struct world *world)
{
    assert_int_equal(unlink(path_in(&world->folder, "app.db-wal")), 0);
    assert_int_equal(unlink(path_in(&world->folder, "app.db-shm")), 0);
}

static void expect_rows(const char *path, int64_t expected)
{
    struct database database;
    int64_t count = 0;

    expect_ok(database_open(path, DATABASE_READ, 1000, &database, &err));
    expect_ok(database_query_int64(&database, "select count(*) from t", 0, &count, &err));
    assert_int_equal(count, expected);
    database_close(&database);
}

static void a_backup_outlives_a_wal_that_came_after_the_watch(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "delete");
    commit_as(&world.application);
    char *backup = path_in(&world.folder, "backup.db");
    back_up(&world, backup);
    cover(&world);
    expect_ok(database_exec(&world.application, "pragma journal_mode = wal", &err));
    commit_as(&world.application);
    leave(&world);
    remove_wal(&world);
    copy_over(backup, world.path);
    assert_true(waits(&world));
    expect_rows(world.path, 1);
    commits_unfollow(world.commits);
    expect_rows(world.path, 1);
    close_all(&world);
}

static void a_backup_outlives_a_wal_that_is_deleted_later(void **state)
{
    (void)state;
    // Somebody looks between the two, or nobody does.
    for (int looks = 0; looks < 2; looks++) {
        struct world world;
        open_all(&world, "wal");
        commit_as(&world.application);
        char *backup = path_in(&world.folder, "backup.db");
        back_up(&world, backup);
        commit_as(&world.application);
        leave(&world);
        copy_over(backup, world.path);
        if (looks == 1)
            cover(&world);
        struct commits_mark before = mark_of(&world);
        remove_wal(&world);
        assert_int_equal(mark_of(&world).changes, before.changes + 1);
        expect_rows(world.path, 1);
        commits_unfollow(world.commits);
        expect_rows(world.path, 1);
        close_all(&world);
    }
}

/* What a pass committed before the backup is there would be applied to it. */
static void a_wal_that_is_deleted_starts_no_pass(void **state)
{
    struct world world;

    (void)state;
    open_all(&world, "wal");
    commit_as(&world.application);
    char *backup = path_in(&world.folder, "backup.db");
    back_up(&world, backup);
    commit_as(&world.application);
    leave(&world);
    struct commits_mark before = mark_of(&world);
    remove_wal(&world);
    assert_false(waits(&world));
    // But another pass reads what is left.
    assert_int_equal(mark_of(&world).changes, before.changes + 1);
    copy_over(backup, world.path);
    assert_true(waits(&world));
    expect_rows(world.path, 1);
    close_all(&world);
}

static void a_backup_outlives_the_end_of_the_watch(void **state)
{
    (void)state;
    for (int looks = 0; looks < 2; looks++) {
        struct world world;
        open_all(&world, "wal");
        commit_as(&world.application);
        char *backup = path_in(&world.folder, "backup.db");
        back_up(&world, backup);
        commit_as(&world.application);
        leave(&world);
        copy_over(backup, world.path);
        if (looks == 1)
            cover(&world);
        commits_unfollow(world.commits);
        remove_wal(&world);
        expect_rows(world.path, 1);
        close_all(&world);
    }
}

static void a_wal_that_is_restored_over_the_wal_is_a_commit(void **state)
{
    (void)state;
    // The file before the WAL, with a look between the two; and the WAL before the file.
    for (int first = 0; first < 2; first++) {
        struct world world;
        open_all(&world, "wal");
        char *backup = path_in(&world.folder, "backup.db");
        char *backup_wal = path_in(&world.folder, "backup.db-wal");
        char *wal = path_in(&world.folder, "app.db-wal");
        make(backup, "delete");
        commit_as(&world.application);
        commit_as(&world.application);
        copy_over(world.path, backup);
        FILE *made = fopen(backup_wal, "wb");
        assert_non_null(made);
        fclose(made);
        copy_over(wal, backup_wal);
        expect_ok(database_exec(&world.application, "pragma wal_checkpoint(truncate)", &err));
        commit_as(&world.application);
        leave(&world);
        copy_over(first == 0 ? backup : backup_wal, first == 0 ? world.path : wal);
        cover(&world);
        wait_for_tick();
        copy_over(first == 0 ? backup_wal : backup, first == 0 ? wal : world.path);
        assert_true(waits(&world));
        expect_rows(world.path, 2);
        commits_unfollow(world.commits);
        expect_rows(world.path, 2);
        close_all(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_outlives_a_wal_that_came_after_the_watch),
        cmocka_unit_test(a_backup_outlives_a_wal_that_is_deleted_later),
        cmocka_unit_test(a_wal_that_is_deleted_starts_no_pass),
        cmocka_unit_test(a_backup_outlives_the_end_of_the_watch),
        cmocka_unit_test(a_wal_that_is_restored_over_the_wal_is_a_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
