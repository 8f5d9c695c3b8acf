/* Snapshots that are read ahead while others write: turn by turn, and while another process
 * rewrites every row and checkpoints. Each must show one version. */
#include "source/readahead.h"
#include "support.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SNAPSHOTS 80
#define ROWS      8000

/* The rows of t stay where they are, so that a scan of t goes through the file in order. Those of u
 * move, free pages and shorten the file. */
static void write_versions(const char *path, int version)
{
    static const char *const checkpoints[] = {
        "pragma wal_checkpoint(passive)", "pragma wal_checkpoint(full)",
        "pragma wal_checkpoint(restart)", "pragma wal_checkpoint(truncate)",
        "pragma incremental_vacuum"};
    struct database database;
    char text[200];

    // A test that fails does not leave it behind.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!database_open(path, DATABASE_WRITE, 20000, &database, &err))
        _exit(1);
    sqlite3_exec(database.handle, "pragma synchronous = off", NULL, NULL, NULL);
    for (;; version++) {
        snprintf(
            text, sizeof text,
            "begin; update t set version = 1000000 + %d;"
            "update u set version = 1000000 + %d, filler = zeroblob((id * 7 + %d * 131) %% 600); "
            "commit",
            version, version, version);
        // Readers may keep a checkpoint, or the commit in rollback mode, waiting for too long.
        if (sqlite3_exec(database.handle, text, NULL, NULL, NULL) != SQLITE_OK)
            sqlite3_exec(database.handle, "rollback", NULL, NULL, NULL);
        sqlite3_exec(database.handle, checkpoints[version % 5], NULL, NULL, NULL);
    }
}

static void make_rows(const char *path, const char *mode)
{
    struct database database;
    char text[100];

    expect_ok(database_open(path, DATABASE_CREATE, 0, &database, &err));
    snprintf(text, sizeof text, "pragma auto_vacuum = incremental; pragma journal_mode = %s", mode);
    run(&database, text);
    run(&database, "pragma wal_autocheckpoint = 100;"
                   "create table t(id integer primary key, version integer, filler);"
                   "create table u(id integer primary key, version integer, filler);"
                   "with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000)"
                   " insert into t select i, 1000000, zeroblob(400) from n;"
                   "insert into u select id, version, filler from t where id <= 500");
    database_close(&database);
}

/* The least and the greatest version of these rows. */
static void expect_version(
    struct database *reader, int64_t version, const char *table, int first, int last)
{
    char text[100];

    snprintf(
        text, sizeof text, "select min(version) from %s where id between %d and %d", table, first,
        last);
    assert_int_equal(query_int(reader, text), version);
    snprintf(
        text, sizeof text, "select max(version) from %s where id between %d and %d", table, first,
        last);
    assert_int_equal(query_int(reader, text), version);
}

static void write_version(struct database *writer, const char *mode, int version)
{
    char text[200];

    snprintf(text, sizeof text, "update t set version = %d", version);
    run(writer, text);
    if (strcmp(mode, "wal") == 0)
        run(writer, "pragma wal_checkpoint(truncate)");
}

/* What a snapshot has read ahead is not what the next one reads. */
static void read_between_commits(const char *mode)
{
    struct folder folder = make_folder();
    const char *path = path_in(&folder, "app.db");
    struct database reader;
    struct database writer;

    make_rows(path, mode);
    expect_ok(database_open(path, DATABASE_WRITE, 20000, &writer, &err));
    run(&writer, "pragma synchronous = off");
    expect_ok(database_open(path, DATABASE_READ, 20000, &reader, &err));
    run(&reader, "pragma cache_size = 10");
    for (int version = 1; version < 10; version++) {
        write_version(&writer, mode, version);
        expect_version(&reader, version, "t", version * 300, version * 300 + 299);
    }
    database_close(&reader);
    database_close(&writer);
    remove_folder(&folder);
}

/* Commits and checkpoints during a snapshot, of which its end sees nothing. */
static void test_checkpoints_do_not_reach_into_a_snapshot(void **state)
{
    (void)state;
    struct folder folder = make_folder();
    const char *path = path_in(&folder, "app.db");
    struct database reader;
    struct database writer;

    make_rows(path, "wal");
    expect_ok(database_open(path, DATABASE_WRITE, 20000, &writer, &err));
    run(&writer, "pragma synchronous = off");
    expect_ok(database_open(path, DATABASE_READ, 20000, &reader, &err));
    run(&reader, "pragma cache_size = 10");
    // Of the first snapshot all is in the file; of the second some rows are in the WAL.
    for (int snapshot = 0; snapshot < 2; snapshot++) {
        int64_t version = query_int(&writer, "select version from t where id = 1");
        expect_ok(database_begin_snapshot(&reader, &err));
        for (int i = 0; i < 5; i++) {
            expect_version(&reader, version, "t", i * 300 + 1, i * 300 + 300);
            run(&writer, "update t set version = version + 1; pragma wal_checkpoint(passive)");
            run(&writer, "delete from u where id % 3 = 0; pragma incremental_vacuum");
        }
        expect_version(&reader, version, "t", 1, ROWS);
        database_rollback(&reader);
        run(&writer, "pragma wal_checkpoint(truncate); update t set version = 7 where id % 50 = 0");
        run(&writer, "update t set version = 7; pragma wal_checkpoint(passive)");
    }
    database_close(&reader);
    database_close(&writer);
    remove_folder(&folder);
}

static void test_a_snapshot_of_a_wal_is_not_the_one_before(void **state)
{
    (void)state;
    read_between_commits("wal");
}

static void test_a_snapshot_in_rollback_mode_is_not_the_one_before(void **state)
{
    (void)state;
    read_between_commits("delete");
}

/* A snapshot goes on reading where the one before has stopped, within what that has read ahead. The
 * cache holds less than a window. */
static void read_snapshots(const char *path)
{
    struct database reader;
    int64_t versions = 0;
    int64_t last = -1;

    expect_ok(database_open(path, DATABASE_READ, 20000, &reader, &err));
    run(&reader, "pragma cache_size = 10");
    for (int i = 0; i < SNAPSHOTS; i++) {
        int at = i * 500 % ROWS;
        expect_ok(database_begin_snapshot(&reader, &err));
        int64_t version = query_int(&reader, "select version from t where id = 1");
        expect_version(&reader, version, "t", at + 1, at + 500);
        expect_version(&reader, version, "u", 1, 500);
        if (i % 8 == 7)
            expect_version(&reader, version, "t", 1, ROWS);
        expect_version(&reader, version, "t", at + 300, at + 500);
        database_rollback(&reader);
        versions += version != last;
        last = version;
        // In rollback mode a writer gets its turn only when no reader is there.
        usleep(2000);
    }
    database_close(&reader);
    assert_true(versions > 1);
}

static void read_beside_a_writer(const char *mode)
{
    struct folder folder = make_folder();
    const char *path = path_in(&folder, "app.db");
    int status;

    make_rows(path, mode);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0)
        write_versions(path, 1);
    read_snapshots(path);
    kill(writer, SIGKILL);
    waitpid(writer, &status, 0);
    assert_true(WIFSIGNALED(status));
    remove_folder(&folder);
}

static void test_a_snapshot_of_a_wal_is_one_version(void **state)
{
    (void)state;
    read_beside_a_writer("wal");
}

static void test_a_snapshot_in_rollback_mode_is_one_version(void **state)
{
    (void)state;
    read_beside_a_writer("delete");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_snapshot_of_a_wal_is_not_the_one_before),
        cmocka_unit_test(test_a_snapshot_in_rollback_mode_is_not_the_one_before),
        cmocka_unit_test(test_checkpoints_do_not_reach_into_a_snapshot),
        cmocka_unit_test(test_a_snapshot_of_a_wal_is_one_version),
        cmocka_unit_test(test_a_snapshot_in_rollback_mode_is_one_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
