/* Tests of readahead: it reads what the default VFS reads, and never two versions of the data in
 * one transaction, whatever another process writes meanwhile. */
#include "source/readahead.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A file of many windows, and one that is within a single window from its first page to its last:
 * whatever is not forgotten in time is read again there. */
#define MANY 3000
#define FEW  150

static char folder[] = "/tmp/test_readahead.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void exec(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static sqlite3 *open_with(const char *vfs, int flags)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(path, &db, flags, vfs), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    return db;
}

static sqlite3 *open_ahead(void)
{
    assert_non_null(readahead_vfs());
    return open_with(readahead_vfs(), SQLITE_OPEN_READONLY);
}

static void remove_table(void)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char name[96];

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, tails[i]);
        unlink(name);
    }
}

/* A table of so many rows, all of version 0, some with overflow pages. */
static void make_table(const char *journal_mode, int rows)
{
    char sql[512];

    snprintf(path, sizeof path, "%s/db", folder);
    remove_table();
    sqlite3 *db = open_with(NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    snprintf(
        sql, sizeof sql,
        "PRAGMA journal_mode = %s; PRAGMA synchronous = off;"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, filler TEXT);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        "INSERT INTO t SELECT i, 0, hex(randomblob(CASE i %% 50 WHEN 0 THEN 5000 ELSE 150 END))"
        " FROM n",
        journal_mode, rows);
    exec(db, sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A number that depends on each value of each row and their order. */
static uint64_t fingerprint(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *row;
    uint64_t sum = 1469598103934665603u;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    while (sqlite3_step(row) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(row); i++) {
            const unsigned char *text = sqlite3_column_text(row, i);
            for (int j = 0; j < sqlite3_column_bytes(row, i); j++)
                sum = (sum ^ text[j]) * 1099511628211u;
        }
    }
    assert_int_equal(sqlite3_finalize(row), SQLITE_OK);
    return sum;
}

static void test_it_reads_what_the_default_vfs_reads(void **state)
{
    static const char *const queries[] = {
        "SELECT * FROM t",
        "SELECT * FROM t ORDER BY id DESC",
        "SELECT * FROM t ORDER BY (id * 7919) % 3001",
        "SELECT * FROM t WHERE id BETWEEN 1000 AND 1500",
        "SELECT * FROM sqlite_schema",
        "SELECT a.id, b.filler FROM t a JOIN t b ON b.id = 3001 - a.id",
    };
    (void)state;

    make_table("delete", MANY);
    sqlite3 *plain = open_with(NULL, SQLITE_OPEN_READONLY);
    sqlite3 *ahead = open_ahead();
    // So small a page cache that pages are read again and again.
    exec(ahead, "PRAGMA cache_size = 5");
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        assert_true(fingerprint(plain, queries[i]) == fingerprint(ahead, queries[i]));
    sqlite3_close(plain);
    sqlite3_close(ahead);
    remove_table();
}

static void test_it_sees_what_was_written_between_two_reads(void **state)
{
    static const char *const modes[] = {"delete", "truncate", "persist", "wal"};
    (void)state;

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        make_table(modes[i], FEW);
        sqlite3 *ahead = open_ahead();
        sqlite3 *writer = open_with(NULL, SQLITE_OPEN_READWRITE);
        for (int round = 0; round < 5; round++) {
            exec(writer, "UPDATE t SET version = version + 1, filler = filler || 'x'");
            if (round % 2 == 0)
                exec(writer, "PRAGMA wal_checkpoint(truncate)");
            assert_true(
                fingerprint(writer, "SELECT * FROM t") == fingerprint(ahead, "SELECT * FROM t"));
        }
        exec(writer, "DELETE FROM t WHERE id > 50; VACUUM; PRAGMA wal_checkpoint(truncate)");
        assert_true(
            fingerprint(writer, "SELECT * FROM t") == fingerprint(ahead, "SELECT * FROM t"));
        sqlite3_close(ahead);
        sqlite3_close(writer);
        remove_table();
    }
}

static void test_its_own_writes_are_seen(void **state)
{
    (void)state;
    make_table("delete", FEW);
    sqlite3 *ahead = open_with(readahead_vfs(), SQLITE_OPEN_READWRITE);
    exec(ahead, "PRAGMA cache_size = 5");
    (void)fingerprint(ahead, "SELECT * FROM t");
    exec(ahead, "BEGIN; UPDATE t SET version = 7");
    uint64_t inside = fingerprint(ahead, "SELECT * FROM t");
    exec(ahead, "COMMIT");

    sqlite3 *plain = open_with(NULL, SQLITE_OPEN_READONLY);
    assert_true(fingerprint(plain, "SELECT * FROM t") == inside);
    sqlite3_close(plain);
    sqlite3_close(ahead);
    remove_table();
}

/* Gives every row the next version, over and over, until it is killed. */
static void rewrite_forever(void)
{
    static const char *const checkpoints[] = {
        "", "PRAGMA wal_checkpoint(passive)", "PRAGMA wal_checkpoint(full)",
        "PRAGMA wal_checkpoint(restart)", "PRAGMA wal_checkpoint(truncate)"};
    sqlite3 *db;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        _exit(1);
    sqlite3_busy_timeout(db, 60000);
    sqlite3_exec(db, "PRAGMA synchronous = off", NULL, NULL, NULL);
    // Ever larger and smaller rows move over the pages.
    for (size_t i = 0;; i++) {
        int status = sqlite3_exec(
            db,
            "UPDATE t SET version = version + 1, filler = CASE WHEN (version + id) % 7 = 0"
            " THEN hex(randomblob(abs(random()) % 400)) ELSE filler END",
            NULL, NULL, NULL);
        if (status != SQLITE_OK && status != SQLITE_BUSY)
            _exit(2);
        sqlite3_exec(db, checkpoints[i % 5], NULL, NULL, NULL);
    }
}

/* Two scans in one transaction: all rows have one version, the same in both. */
static int64_t read_version(sqlite3 *db, int expected_rows)
{
    int64_t version = -1;

    exec(db, "BEGIN");
    for (int scan = 0; scan < 2; scan++) {
        sqlite3_stmt *row;
        int rows = 0;
        int status;
        assert_int_equal(
            sqlite3_prepare_v2(db, "SELECT version, filler FROM t", -1, &row, NULL), SQLITE_OK);
        while ((status = sqlite3_step(row)) == SQLITE_ROW) {
            int64_t found = sqlite3_column_int64(row, 0);
            (void)sqlite3_column_text(row, 1);
            if (version >= 0 && found != version)
                fail_msg(
                    "row %d has version %lld instead of %lld", rows, (long long)found,
                    (long long)version);
            version = found;
            rows++;
        }
        sqlite3_finalize(row);
        if (status == SQLITE_BUSY) {
            exec(db, "ROLLBACK");
            return -1;
        }
        assert_int_equal(status, SQLITE_DONE);
        assert_int_equal(rows, expected_rows);
    }
    exec(db, "COMMIT");
    return version;
}

static void stress(const char *journal_mode, int rows, int transactions)
{
    int64_t before = -1;
    int changes = 0;
    int reads = 0;

    make_table(journal_mode, rows);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0)
        rewrite_forever();

    sqlite3 *db = open_ahead();
    exec(db, "PRAGMA cache_size = 5");
    while (reads < transactions) {
        int64_t version = read_version(db, rows);
        if (version < 0)
            continue;
        assert_true(version >= before);
        changes += version != before;
        before = version;
        reads++;
    }
    exec(db, "PRAGMA integrity_check");
    sqlite3_close(db);

    int status;
    assert_int_equal(waitpid(writer, &status, WNOHANG), 0);
    kill(writer, SIGKILL);
    waitpid(writer, &status, 0);
    print_message("%s: %d transactions saw %d versions\n", journal_mode, reads, changes);
    // Otherwise the writer had no part in it.
    assert_true(changes > 3);
    remove_table();
}

static void test_a_transaction_sees_one_version_next_to_a_writer_with_a_wal(void **state)
{
    (void)state;
    stress("wal", MANY, 100);
    stress("wal", FEW, 2000);
}

static void test_a_transaction_sees_one_version_next_to_a_writer_with_a_journal(void **state)
{
    (void)state;
    stress("delete", MANY, 30);
    stress("delete", FEW, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_reads_what_the_default_vfs_reads),
        cmocka_unit_test(test_it_sees_what_was_written_between_two_reads),
        cmocka_unit_test(test_its_own_writes_are_seen),
        cmocka_unit_test(test_a_transaction_sees_one_version_next_to_a_writer_with_a_wal),
        cmocka_unit_test(test_a_transaction_sees_one_version_next_to_a_writer_with_a_journal),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
