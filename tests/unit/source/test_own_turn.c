/* Threads of one process that read and write a database, beside an application that nothing of this
 * may keep waiting: its connection is opened without our VFS. */
#include "source/own_turn.h"
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ROUNDS 60

static struct folder folder;
static const char *path;

static void make(const char *journal)
{
    struct database database;
    char text[64];

    folder = make_folder();
    path = path_in(&folder, "app.db");
    expect_ok(database_open(path, DATABASE_CREATE, 0, &database, &err));
    snprintf(text, sizeof text, "pragma journal_mode = %s", journal);
    run(&database, text);
    run(&database, "create table t(n integer); insert into t values (0);"
                   "create table u(n integer); insert into u values (0)");
    database_close(&database);
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static struct database open_impatient(enum database_access access)
{
    struct database database;

    expect_ok(database_open(path, access, 0, &database, &err));
    return database;
}

static sqlite3 *open_application(int timeout_ms)
{
    sqlite3 *application = NULL;

    assert_int_equal(sqlite3_open(path, &application), SQLITE_OK);
    sqlite3_busy_timeout(application, timeout_ms);
    return application;
}

/* What another thread is asked to do with a connection of its own, and what comes of it. */
struct work {
    bool writes;
    bool done;
    struct error why;
};

static void *work_elsewhere(void *context)
{
    struct work *work = context;
    struct database database;
    int64_t ignored;

    if (!database_open(
            path, work->writes ? DATABASE_WRITE : DATABASE_READ, 0, &database, &work->why))
        return NULL;
    work->done = work->writes
                     ? database_begin(&database, &work->why)
                     : database_query_int64(&database, "select n from t", 0, &ignored, &work->why);
    database_rollback(&database);
    database_close(&database);
    return NULL;
}

static struct work elsewhere(bool writes)
{
    struct work work = {.writes = writes};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, work_elsewhere, &work), 0);
    pthread_join(thread, NULL);
    return work;
}

static void test_who_waits_to_write_holds_nothing(void **state)
{
    (void)state;
    make("delete");
    struct database reader = open_impatient(DATABASE_READ);
    struct database beside = open_impatient(DATABASE_READ);
    struct database writer = open_impatient(DATABASE_WRITE);
    sqlite3 *application = open_application(0);

    expect_ok(database_begin_snapshot(&reader, &err));
    expect_error(
        database_begin(&writer, &err), ERROR_BUSY,
        "another part of this bqsync, such as a verification, kept it locked");
    assert_false(elsewhere(true).done);

    // The application could write as soon as nobody reads, and the reader may look further.
    assert_int_equal(
        sqlite3_exec(application, "begin immediate; rollback", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(query_int(&beside, "select n from u"), 0);

    database_rollback(&reader);
    expect_ok(database_begin(&writer, &err));
    run(&writer, "update t set n = 1");
    expect_ok(database_commit(&writer, &err));
    sqlite3_close(application);
    database_close(&writer);
    database_close(&beside);
    database_close(&reader);
}

static void test_nobody_begins_to_read_while_another_thread_writes(void **state)
{
    (void)state;
    make("delete");
    struct database writer = open_impatient(DATABASE_WRITE);
    struct database beside = open_impatient(DATABASE_READ);

    expect_ok(database_begin(&writer, &err));
    struct work refused = elsewhere(false);
    assert_false(refused.done);
    assert_int_equal(refused.why.code, ERROR_BUSY);
    assert_non_null(strstr(refused.why.message, "another part of this bqsync"));
    assert_int_equal(query_int(&beside, "select n from t"), 0);
    run(&writer, "update t set n = 1");
    expect_ok(database_commit(&writer, &err));

    assert_true(elsewhere(false).done);
    database_close(&beside);
    database_close(&writer);
}

static void test_a_lock_of_another_process_is_called_so(void **state)
{
    (void)state;
    make("delete");
    struct database writer = open_impatient(DATABASE_WRITE);
    sqlite3 *application = open_application(0);

    assert_int_equal(sqlite3_exec(application, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    expect_error(database_begin(&writer, &err), ERROR_BUSY, "another process kept it locked");
    sqlite3_close(application);
    expect_ok(database_begin(&writer, &err));
    database_close(&writer);
}

static void test_with_a_wal_nobody_waits(void **state)
{
    (void)state;
    make("wal");
    struct database reader = open_impatient(DATABASE_READ);
    struct database writer = open_impatient(DATABASE_WRITE);

    expect_ok(database_begin_snapshot(&reader, &err));
    expect_ok(database_begin(&writer, &err));
    run(&writer, "update t set n = 1");
    assert_true(elsewhere(false).done);
    expect_ok(database_commit(&writer, &err));
    assert_int_equal(query_int(&reader, "select n from t"), 0);
    database_close(&writer);
    database_close(&reader);
}

/* --- all at once --------------------------------------------------------------------------- */

struct crowd {
    atomic_bool ended;
    atomic_int failures;
};

static bool look_twice(struct database *source, struct database *state, struct error *why)
{
    int64_t first = 0;
    int64_t second = 0;

    bool ok = database_begin_snapshot(source, why) &&
              database_query_int64(source, "select n from t", 0, &first, why) &&
              database_query_int64(state, "select n from u", 0, &second, why);
    // Long enough for somebody to arrive who wants to write.
    sqlite3_sleep(2);
    ok = ok && database_query_int64(state, "select n from u", 0, &second, why);
    database_rollback(source);
    return ok;
}

/* As a verification does: a snapshot, beside which the state is read, and a pause. */
static void *keep_reading(void *context)
{
    struct crowd *crowd = context;
    struct database source;
    struct database state;
    struct error why;

    if (!database_open(path, DATABASE_READ, DATABASE_PATIENCE_MS, &source, &why) ||
        !database_open(path, DATABASE_READ, DATABASE_PATIENCE_MS, &state, &why)) {
        crowd->failures++;
        return NULL;
    }
    while (!crowd->ended) {
        crowd->failures += look_twice(&source, &state, &why) ? 0 : 1;
        sqlite3_sleep(2);
    }
    database_close(&state);
    database_close(&source);
    return NULL;
}

static bool write_once(struct database *database, const char *sql, struct error *why)
{
    if (database_begin(database, why) && database_exec(database, sql, why) &&
        database_commit(database, why))
        return true;
    database_rollback(database);
    return false;
}

static void *keep_writing(void *context)
{
    struct crowd *crowd = context;
    struct database database;
    struct error why;

    if (!database_open(path, DATABASE_WRITE, DATABASE_PATIENCE_MS, &database, &why)) {
        crowd->failures++;
        return NULL;
    }
    for (int i = 0; i < ROUNDS; i++)
        crowd->failures += write_once(&database, "update u set n = n + 1", &why) ? 0 : 1;
    database_close(&database);
    return NULL;
}

/* The application, in a process of its own. */
static pid_t start_application(const char *journal)
{
    char text[80];
    pid_t child = fork();

    assert_true(child >= 0);
    if (child > 0)
        return child;
    // A test that fails does not leave it behind.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sqlite3 *application = open_application(DATABASE_PATIENCE_MS);
    snprintf(text, sizeof text, "pragma synchronous = off; pragma journal_mode = %s", journal);
    bool ok = sqlite3_exec(application, text, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; ok && i < ROUNDS; i++)
        ok = sqlite3_exec(application, "update t set n = n + 1", NULL, NULL, NULL) == SQLITE_OK;
    _exit(ok ? 0 : 1);
}

static void live(const char *journal)
{
    struct crowd crowd = {0};
    pthread_t readers[2];
    pthread_t writers[2];
    int status = -1;

    make(journal);
    pid_t application = start_application(journal);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, keep_reading, &crowd), 0);
        assert_int_equal(pthread_create(&writers[i], NULL, keep_writing, &crowd), 0);
    }
    assert_int_equal(waitpid(application, &status, 0), application);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    crowd.ended = true;
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);

    assert_int_equal(status, 0);
    assert_int_equal(crowd.failures, 0);
    struct database database = open_impatient(DATABASE_READ);
    assert_int_equal(query_int(&database, "select n from t"), ROUNDS);
    assert_int_equal(query_int(&database, "select n from u"), 2 * ROUNDS);
    database_close(&database);
}

static void test_nobody_fails_with_a_journal_that_is_deleted(void **state)
{
    (void)state;
    live("delete");
}

static void test_nobody_fails_with_a_journal_that_is_truncated(void **state)
{
    (void)state;
    live("truncate");
}

static void test_nobody_fails_with_a_journal_that_stays(void **state)
{
    (void)state;
    live("persist");
}

static void test_nobody_fails_with_a_wal(void **state)
{
    (void)state;
    live("wal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_who_waits_to_write_holds_nothing, tear_down),
        cmocka_unit_test_teardown(
            test_nobody_begins_to_read_while_another_thread_writes, tear_down),
        cmocka_unit_test_teardown(test_a_lock_of_another_process_is_called_so, tear_down),
        cmocka_unit_test_teardown(test_with_a_wal_nobody_waits, tear_down),
        cmocka_unit_test_teardown(test_nobody_fails_with_a_journal_that_is_deleted, tear_down),
        cmocka_unit_test_teardown(test_nobody_fails_with_a_journal_that_is_truncated, tear_down),
        cmocka_unit_test_teardown(test_nobody_fails_with_a_journal_that_stays, tear_down),
        cmocka_unit_test_teardown(test_nobody_fails_with_a_wal, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
