/* Opening databases, good and bad, and what is said of the bad ones. */
#include "support/prelude.h"

#include "source/statement.h"
#include "support.h"
#include "support/scarce_sql.h"

#include <sys/stat.h>

static struct folder folder;

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static const char *write_file(const char *name, const char *bytes, size_t length)
{
    const char *path = path_in(&folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    return path;
}

static const char *make_database(const char *name, const char *sql)
{
    const char *path = path_in(&folder, name);
    struct database database;

    expect_ok(database_open(path, DATABASE_CREATE, 0, &database, &err));
    run(&database, sql);
    database_close(&database);
    return path;
}

static void test_a_missing_file_is_not_created_by_a_reader_or_writer(void **state)
{
    (void)state;
    struct database database;
    const char *path = path_in(&folder, "none.db");

    expect_error(
        database_open(path, DATABASE_READ, 0, &database, &err), ERROR_SOURCE,
        "none.db: No such file");
    expect_error(
        database_open(path, DATABASE_WRITE, 0, &database, &err), ERROR_SOURCE, "No such file");

    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_what_is_not_a_path_is_explained(void **state)
{
    (void)state;
    struct database database;

    expect_error(
        database_open("~/app.db", DATABASE_READ, 0, &database, &err), ERROR_SOURCE,
        "only a shell expands ~");
    expect_error(
        database_open("sqlite:///srv/app.db", DATABASE_READ, 0, &database, &err), ERROR_SOURCE,
        "is a URL");
    expect_error(
        database_open("sqlite:app.db", DATABASE_CREATE, 0, &database, &err), ERROR_SOURCE,
        "is a URL");
    expect_error(
        database_open("file:app.db?mode=ro", DATABASE_READ, 0, &database, &err), ERROR_SOURCE,
        "the only URL that is known is file:FILE?immutable=1; write the path of the file alone");
}

static void test_what_is_no_database_is_told_apart(void **state)
{
    (void)state;
    struct database database;
    static const char text[] = "this is a letter and not a database, whatever its name may say";
    const char *letter = write_file("letter.db", text, sizeof text);

    expect_error(
        database_open(letter, DATABASE_WRITE, 0, &database, &err), ERROR_SOURCE,
        "not a SQLite database");
    expect_error(
        database_open(folder.path, DATABASE_READ, 0, &database, &err), ERROR_SOURCE,
        "is a directory");
    expect_error(
        database_open("", DATABASE_READ, 0, &database, &err), ERROR_SOURCE, "its path is empty");
    expect_error(
        database_open(path_in(&folder, "no/such/state.db"), DATABASE_CREATE, 0, &database, &err),
        ERROR_SOURCE, "its directory");
}

static void test_a_damaged_page_is_called_damage(void **state)
{
    (void)state;
    struct database database;
    int64_t value;
    const char *path = make_database(
        "damaged.db",
        "create table t(a); with recursive n(i) as (select 1 union all select i + 1 from n"
        " where i < 5000) insert into t select hex(randomblob(50)) from n");
    FILE *file = fopen(path, "r+");
    fseek(file, 4096, SEEK_SET);
    for (int i = 0; i < 4096; i++)
        fputc(0xa5, file);
    fclose(file);

    expect_ok(database_open(path, DATABASE_READ, 0, &database, &err));
    expect_error(
        database_query_int64(&database, "select count(a) from t", 0, &value, &err), ERROR_SOURCE,
        "malformed");
    assert_non_null(strstr(err.message, "integrity_check"));
    database_close(&database);
}

static void test_a_reader_cannot_write(void **state)
{
    (void)state;
    struct database database;
    const char *path = make_database("source.db", "create table t(a)");

    expect_ok(database_open(path, DATABASE_READ, 0, &database, &err));
    expect_error(
        database_exec(&database, "insert into t values (1)", &err), ERROR_SOURCE, "readonly");
    database_close(&database);
}

static void test_a_quoted_name_without_a_column_is_an_error(void **state)
{
    (void)state;
    struct database database;
    sqlite3_stmt *statement = NULL;
    const char *path = make_database("names.db", "create table t(id, removed)");

    expect_ok(database_open(path, DATABASE_WRITE, 0, &database, &err));
    expect_error(
        database_prepare(&database, "select 1 from t where \"deleted\" = 0", &statement, &err),
        ERROR_SOURCE, "no such column: ");
    expect_error(
        database_exec(&database, "create index i on t(id) where \"deleted\" = 0", &err),
        ERROR_SOURCE, "no such column: ");

    database_close(&database);
}

static void test_a_file_without_rights_names_them(void **state)
{
    (void)state;
    struct database database;
    if (geteuid() == 0)
        skip(); // root may read and write everything
    const char *path = make_database("source.db", "create table t(a)");

    assert_int_equal(chmod(path, 0444), 0);
    expect_error(
        database_open(path, DATABASE_WRITE, 0, &database, &err), ERROR_SOURCE, "BQ_STATE_PATH");
    assert_int_equal(chmod(path, 0), 0);
    expect_error(
        database_open(path, DATABASE_READ, 0, &database, &err), ERROR_SOURCE, "no right to read");
}

static void test_a_lock_is_waited_for_and_then_reported_as_busy(void **state)
{
    (void)state;
    struct database holder;
    struct database waiter;
    const char *path = make_database("source.db", "create table t(a)");
    expect_ok(database_open(path, DATABASE_WRITE, 0, &holder, &err));
    expect_ok(database_open(path, DATABASE_WRITE, 40, &waiter, &err));
    expect_ok(database_begin(&holder, &err));

    expect_error(database_begin(&waiter, &err), ERROR_BUSY, "another part of this bqsync");
    database_rollback(&holder);
    expect_ok(database_begin(&waiter, &err));

    database_rollback(&waiter);
    database_close(&holder);
    database_close(&waiter);
}

static void test_a_snapshot_is_taken_at_once(void **state)
{
    (void)state;
    struct database writer;
    struct database reader;
    char mode[16];
    const char *path = make_database("source.db", "pragma journal_mode = wal; create table t(a)");
    expect_ok(database_open(path, DATABASE_WRITE, 0, &writer, &err));
    expect_ok(database_open(path, DATABASE_READ, 0, &reader, &err));

    expect_ok(database_begin_snapshot(&reader, &err));
    run(&writer, "insert into t values (1)");

    assert_int_equal(query_int(&reader, "select count(*) from t"), 0);
    database_rollback(&reader);
    assert_int_equal(query_int(&reader, "select count(*) from t"), 1);
    expect_ok(database_journal_mode(&reader, mode, &err));
    assert_string_equal(mode, "wal");
    database_close(&writer);
    database_close(&reader);
}

static void test_a_full_disk_is_called_so(void **state)
{
    (void)state;
    struct database database;
    expect_ok(database_open(
        make_database("small.db", "create table t(a)"), DATABASE_WRITE, 0, &database, &err));
    run(&database, "pragma max_page_count = 4");

    expect_error(
        database_exec(&database, "insert into t values (zeroblob(100000))", &err), ERROR_DISK,
        "disk space");
    database_close(&database);
}

static void test_an_immutable_file_is_read_without_files_beside_it(void **state)
{
    (void)state;
    struct database database;
    char uri[300];
    char beside[300];
    const char *path = make_database(
        "50%#.db", "pragma journal_mode = wal; create table t(a); insert into t values (7);");

    snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    snprintf(beside, sizeof beside, "%s-shm", path);
    expect_ok(database_open(uri, DATABASE_READ, 0, &database, &err));
    expect_ok(database_begin_snapshot(&database, &err));

    assert_int_equal(query_int(&database, "select a from t"), 7);
    assert_int_not_equal(access(beside, F_OK), 0);
    database_close(&database);

    expect_error(
        database_open(uri, DATABASE_WRITE, 0, &database, &err), ERROR_SOURCE,
        "50%#.db is declared as immutable and cannot be written");
}

static void test_an_immutable_file_with_changes_in_its_wal_is_refused(void **state)
{
    (void)state;
    struct database database;
    struct database writer;
    char uri[300];
    const char *path = make_database("copied.db", "pragma journal_mode = wal; create table t(a);");

    snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    expect_ok(database_open(path, DATABASE_WRITE, 0, &writer, &err));
    run(&writer, "insert into t values (1)");

    expect_error(
        database_open(uri, DATABASE_READ, 0, &database, &err), ERROR_SOURCE,
        "the -wal file next to it holds changes");
    database_close(&writer);
    expect_ok(database_open(uri, DATABASE_READ, 0, &database, &err));
    database_close(&database);
}

/* Without the check, what is only in the WAL would be missing. */
static void test_wherever_the_memory_ends_such_a_file_is_refused(void **state)
{
    (void)state;
    struct database writer;
    struct database reader;
    char uri[300];
    const char *path = make_database("app.db", "pragma journal_mode = wal; create table t(a)");
    bool failed = true;

    expect_ok(database_open(path, DATABASE_WRITE, 0, &writer, &err));
    run(&writer, "insert into t values (1)");
    snprintf(uri, sizeof uri, "file:%s?immutable=1", path);
    for (int n = 1; failed; n++) {
        scarce_sql_fail(n);
        bool ok = database_open(uri, DATABASE_READ, 0, &reader, &err);
        failed = scarce_sql_end();
        assert_false(ok);
    }
    database_close(&writer);
}

static void test_a_name_that_looks_like_a_uri_is_a_file(void **state)
{
    (void)state;
    struct database database;
    char before[256];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder.path), 0);

    expect_ok(database_open("file:x?mode=memory", DATABASE_CREATE, 0, &database, &err));
    run(&database, "create table t(a)");
    database_close(&database);

    assert_int_equal(access("./file:x?mode=memory", F_OK), 0);
    assert_int_equal(chdir(before), 0);
}

static void test_tables_that_others_make_and_drop_are_seen(void **state)
{
    (void)state;
    const char *path = make_database("schema.db", "create table t(a); create view v as select 1");
    struct database database;
    struct database other;
    bool exists = true;
    expect_ok(database_open(path, DATABASE_READ, 0, &database, &err));
    expect_ok(database_open(path, DATABASE_WRITE, 0, &other, &err));

    expect_ok(database_has_table(&database, "new", &exists, &err));
    assert_false(exists);
    expect_ok(database_has_table(&database, "v", &exists, &err));
    assert_false(exists);
    run(&other, "create table New(a)");
    expect_ok(database_has_table(&database, "new", &exists, &err));
    assert_true(exists);
    expect_ok(database_has_column(&database, "new", "b", &exists, &err));
    assert_false(exists);
    run(&other, "alter table new add column b");
    expect_ok(database_has_column(&database, "new", "b", &exists, &err));
    assert_true(exists);
    run(&other, "drop table new");
    expect_ok(database_has_table(&database, "new", &exists, &err));
    assert_false(exists);

    database_close(&other);
    database_close(&database);
}

static int64_t kept_value(struct database *database, sqlite3_stmt **out_statement)
{
    bool row = false;

    expect_ok(database_keep(database, "select count(*) from t", out_statement, &err));
    expect_ok(database_step(database, *out_statement, &row, &err));
    return sqlite3_column_int64(*out_statement, 0);
}

static void test_a_kept_statement_is_prepared_once_and_holds_nothing(void **state)
{
    (void)state;
    struct database database;
    struct database other;
    sqlite3_stmt *first = NULL;
    sqlite3_stmt *second = NULL;
    const char *path = make_database("kept.db", "create table t(a); insert into t values (1)");
    expect_ok(database_open(path, DATABASE_READ, 0, &database, &err));
    expect_ok(database_open(path, DATABASE_WRITE, 0, &other, &err));

    assert_int_equal(kept_value(&database, &first), 1);
    // While one is in use, the same text gets another.
    assert_int_equal(kept_value(&database, &second), 1);
    assert_ptr_not_equal(first, second);
    database_give_back(second);
    database_give_back(first);
    run(&other, "insert into t values (2); alter table t add column b");
    assert_int_equal(kept_value(&database, &second), 2);
    assert_ptr_equal(first, second);
    database_give_back(second);

    database_close(&other);
    database_close(&database);
}

static void test_a_transaction_is_rolled_back_without_memory(void **state)
{
    (void)state;
    struct database database;
    const char *path = make_database("app.db", "create table t(a)");

    expect_ok(database_open(path, DATABASE_WRITE, 0, &database, &err));
    // The memory that a connection reserves, which support/scarce_sql turns off.
    sqlite3_db_config(database.handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, 1200, 40);
    run(&database, "begin immediate; insert into t values (1)");
    sqlite3_hard_heap_limit64(1);
    database_rollback(&database);
    sqlite3_hard_heap_limit64(0);

    assert_int_not_equal(sqlite3_get_autocommit(database.handle), 0);
    database_close(&database);
}

static void test_a_text_without_memory_makes_the_next_step_fail(void **state)
{
    (void)state;
    struct database database;
    // Every SQLite allocates to convert it to UTF-8, and more than a connection has set aside.
    const char *path = make_database(
        "app.db", "pragma encoding = 'UTF-16le'; create table t(a);"
                  "insert into t values (hex(zeroblob(2000))), (2)");
    sqlite3_stmt *statement = NULL;
    bool row = false;

    expect_ok(database_open(path, DATABASE_READ, 0, &database, &err));
    expect_ok(database_prepare(&database, "select a from t", &statement, &err));
    expect_ok(database_step(&database, statement, &row, &err));
    sqlite3_hard_heap_limit64(1);
    const char *text = statement_borrow_text(statement, 0);
    sqlite3_hard_heap_limit64(0);

    assert_string_equal(text, "");
    expect_error(database_step(&database, statement, &row, &err), ERROR_MEMORY, "select a from t");
    sqlite3_finalize(statement);
    database_close(&database);
}

#define database_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        database_test(test_a_missing_file_is_not_created_by_a_reader_or_writer),
        database_test(test_what_is_not_a_path_is_explained),
        database_test(test_what_is_no_database_is_told_apart),
        database_test(test_a_damaged_page_is_called_damage),
        database_test(test_a_reader_cannot_write),
        database_test(test_a_quoted_name_without_a_column_is_an_error),
        database_test(test_a_file_without_rights_names_them),
        database_test(test_a_lock_is_waited_for_and_then_reported_as_busy),
        database_test(test_a_snapshot_is_taken_at_once),
        database_test(test_a_full_disk_is_called_so),
        database_test(test_an_immutable_file_is_read_without_files_beside_it),
        database_test(test_an_immutable_file_with_changes_in_its_wal_is_refused),
        database_test(test_wherever_the_memory_ends_such_a_file_is_refused),
        database_test(test_a_name_that_looks_like_a_uri_is_a_file),
        database_test(test_tables_that_others_make_and_drop_are_seen),
        database_test(test_a_kept_statement_is_prepared_once_and_holds_nothing),
        database_test(test_a_transaction_is_rolled_back_without_memory),
        database_test(test_a_text_without_memory_makes_the_next_step_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
