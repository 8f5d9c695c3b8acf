/* A backup is restored while a connection is open; then the connection closes as the last one. */
#include "support.h"

#include "source/wal_guard.h"

#include <unistd.h>

struct world {
    struct folder folder;
    char *path;
    char *wal;
    char *backup;
    struct database ours;
};

static void make(const char *path, const char *content)
{
    struct database made;
    char sql[100];

    expect_ok(database_open(path, DATABASE_CREATE, 1000, &made, &err));
    expect_ok(database_exec(&made, "pragma journal_mode = wal", &err));
    snprintf(sql, sizeof sql, "create table t(v); insert into t values ('%s')", content);
    expect_ok(database_exec(&made, sql, &err));
    database_close(&made);
}

/* Our connection is the only one, and what it has committed is in the WAL alone. */
static void open_all(struct world *world)
{
    *world = (struct world){.folder = make_folder()};
    world->path = strdup(path_in(&world->folder, "app.db"));
    world->wal = strdup(path_in(&world->folder, "app.db-wal"));
    world->backup = strdup(path_in(&world->folder, "backup.db"));
    make(world->path, "before");
    make(world->backup, "backup");
    expect_ok(database_open(world->path, DATABASE_WRITE, 1000, &world->ours, &err));
    expect_ok(database_exec(&world->ours, "update t set v = 'in the WAL'", &err));
    assert_int_equal(access(world->wal, F_OK), 0);
}

static void close_all(struct world *world)
{
    remove_folder(&world->folder);
    free(world->path);
    free(world->wal);
    free(world->backup);
}

static void expect_content(const char *path, const char *expected)
{
    struct database database;
    char sql[100];
    int64_t count = 0;

    expect_ok(database_open(path, DATABASE_READ, 1000, &database, &err));
    snprintf(sql, sizeof sql, "select count(*) from t where v = '%s'", expected);
    expect_ok(database_query_int64(&database, sql, 0, &count, &err));
    assert_int_equal(count, 1);
    database_close(&database);
}

static void remove_wal(const struct world *world)
{
    assert_int_equal(unlink(world->wal), 0);
    assert_int_equal(unlink(path_in(&world->folder, "app.db-shm")), 0);
}

static void the_last_one_to_close_empties_the_wal(void **state)
{
    struct world world;

    (void)state;
    open_all(&world);
    database_close(&world.ours);
    assert_int_equal(access(world.wal, F_OK), -1);
    expect_content(world.path, "in the WAL");
    close_all(&world);
}

static void a_backup_copied_over_the_file_stays(void **state)
{
    struct world world;

    (void)state;
    open_all(&world);
    remove_wal(&world);
    copy_over(world.backup, world.path);
    database_close(&world.ours);
    expect_content(world.path, "backup");
    close_all(&world);
}

static void the_wal_of_another_database_at_the_path_stays(void **state)
{
    struct world world;
    struct database application;

    (void)state;
    open_all(&world);
    remove_wal(&world);
    assert_int_equal(rename(world.backup, world.path), 0);
    expect_ok(database_open(world.path, DATABASE_WRITE, 1000, &application, &err));
    expect_ok(database_exec(&application, "update t set v = 'committed'", &err));
    database_close(&world.ours);
    assert_int_equal(access(world.wal, F_OK), 0);
    // What another process sees; and what is there after the application has ended.
    expect_content(world.path, "committed");
    database_close(&application);
    assert_int_equal(access(world.wal, F_OK), -1);
    expect_content(world.path, "committed");
    close_all(&world);
}

static void a_file_that_was_moved_away_is_left_as_it_is(void **state)
{
    struct world world;

    (void)state;
    open_all(&world);
    assert_int_equal(rename(world.path, world.backup), 0);
    make(world.path, "another");
    database_close(&world.ours);
    expect_content(world.path, "another");
    close_all(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_to_close_empties_the_wal),
        cmocka_unit_test(a_backup_copied_over_the_file_stays),
        cmocka_unit_test(the_wal_of_another_database_at_the_path_stays),
        cmocka_unit_test(a_file_that_was_moved_away_is_left_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
