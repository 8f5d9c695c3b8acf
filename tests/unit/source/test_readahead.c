/* Reading ahead, on a VFS whose reads are counted and can fail: what is read from the file, when a
 * window ends, and that SQLite gets the same bytes and errors as without. That a snapshot stays one
 * while others write is test_readahead_writers.c. */
#include "source/readahead.h"
#include "source/sidecar.h"
#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PAGE  4096
#define PAGES 100

/* --- the VFS below ------------------------------------------------------------------------ */

/* Counts the reads of the default VFS. The methods below get its files, so they can be called. */
static struct {
    const sqlite3_io_methods *original;
    sqlite3_io_methods methods;
    int reads;
    int64_t bytes;
    int64_t broken_from; /* bytes that can't be read, or -1 */
    int broken_bytes;
    int closes;
} disk;

static int count_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    disk.reads++;
    disk.bytes += amount;
    if (disk.broken_from >= 0 && offset < disk.broken_from + disk.broken_bytes &&
        disk.broken_from < offset + amount)
        return SQLITE_IOERR_READ;
    return disk.original->xRead(file, out, amount, offset);
}

static int count_close(sqlite3_file *file)
{
    disk.closes++;
    return disk.original->xClose(file);
}

static int open_counted(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    sqlite3_vfs *standard = sqlite3_vfs_find("unix");
    int result = standard->xOpen(standard, name, file, flags, out_flags);

    if (result == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
        disk.original = file->pMethods;
        disk.methods = *file->pMethods;
        disk.methods.xRead = count_read;
        disk.methods.xClose = count_close;
        file->pMethods = &disk.methods;
    }
    return result;
}

static sqlite3_vfs below;
static sqlite3_vfs above;

static int open_above(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    return readahead_open(&below, name, file, flags, out_flags);
}

static int register_vfs(void **state)
{
    (void)state;
    below = *sqlite3_vfs_find("unix");
    below.xOpen = open_counted;
    above = *sqlite3_vfs_find("unix");
    above.xOpen = open_above;
    above.zName = "above";
    above.szOsFile += readahead_size();
    return sqlite3_vfs_register(&above, 0);
}

/* --- a file of numbered pages, opened without SQLite -------------------------------------- */

static struct folder folder;
static char path[300];
static sqlite3_file *file;

/* Page n has n in each byte. */
static void write_page(int number, uint8_t byte)
{
    uint8_t page[PAGE];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    memset(page, byte, sizeof page);
    assert_int_equal(pwrite(fd, page, sizeof page, (off_t)number * PAGE), PAGE);
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "app.db"));
    for (int i = 0; i < PAGES; i++)
        write_page(i, (uint8_t)i);
    file = calloc(1, (size_t)above.szOsFile);
    assert_int_equal(
        above.xOpen(&above, path, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB, NULL),
        SQLITE_OK);
    assert_int_equal(file->pMethods->xLock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    disk.reads = 0;
    disk.bytes = 0;
    disk.broken_from = -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (file->pMethods != NULL)
        file->pMethods->xClose(file);
    free(file);
    remove_folder(&folder);
    return 0;
}

static uint8_t read_page(int number)
{
    uint8_t page[PAGE];

    assert_int_equal(
        file->pMethods->xRead(file, page, PAGE, (sqlite3_int64)number * PAGE), SQLITE_OK);
    for (int i = 0; i < PAGE; i++)
        assert_int_equal(page[i], page[0]);
    return page[0];
}

static void read_pages(int first, int count)
{
    for (int i = first; i < first + count; i++)
        assert_int_equal(read_page(i), i);
}

/* Leaves page 20 in the window, unread. */
static void scan_to_20(void)
{
    read_pages(1, 19);
    int reads = disk.reads;
    assert_int_equal(read_page(20), 20);
    assert_int_equal(disk.reads, reads);
    write_page(20, 255);
}

static bool is_still_in_window(void)
{
    return read_page(20) == 20;
}

/* --- how far ------------------------------------------------------------------------------ */

static void test_a_scan_takes_few_reads(void **state)
{
    (void)state;
    read_pages(1, PAGES - 1);
    // Two pages alone, then 4, 8, 16 and 32, and smaller ones where 128 KiB are no longer there.
    assert_in_range(disk.reads, 6, 20);
    assert_true(disk.bytes < (int64_t)2 * PAGES * PAGE);
}

static void test_two_neighbours_are_no_scan(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        read_pages((i * 37) % 90 + 1, 2);
    assert_int_equal(disk.reads, 20);
    assert_int_equal(disk.bytes, 20 * PAGE);
}

static void test_single_pages_between_do_not_end_a_scan(void **state)
{
    (void)state;
    read_pages(30, 10);
    int reads = disk.reads;
    for (int i = 40; i < 70; i++) {
        assert_int_equal(read_page(i), i);
        if (i % 8 == 0)
            assert_int_equal(read_page(2), 2);
    }
    // Four of them, and windows of 8, 16 and 32 pages.
    assert_in_range(disk.reads - reads, 5, 8);
}

static void test_reading_ahead_stops_where_most_of_it_is_not_wanted(void **state)
{
    (void)state;
    read_pages(1, 8);
    disk.reads = 0;
    disk.bytes = 0;
    for (int i = 10; i < PAGES; i += 6)
        assert_int_equal(read_page(i), i);
    assert_in_range(disk.reads, 10, 16);
    assert_in_range(disk.bytes, 15 * PAGE, 15 * PAGE + 128 * 1024);
}

static void test_a_scan_of_parts_of_pages_is_answered_from_the_window(void **state)
{
    (void)state;
    read_pages(1, 8);
    for (int i = 9; i < 90; i++) {
        uint8_t part[1000];
        assert_int_equal(
            file->pMethods->xRead(file, part, sizeof part, (sqlite3_int64)i * PAGE), SQLITE_OK);
        assert_int_equal(part[0], i);
        assert_int_equal(part[sizeof part - 1], i);
    }
}

/* --- when a window ends ------------------------------------------------------------------- */

static void do_lock(void)
{
    assert_int_equal(file->pMethods->xLock(file, SQLITE_LOCK_RESERVED), SQLITE_OK);
}

static void do_unlock_to_shared(void)
{
    assert_int_equal(file->pMethods->xUnlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
}

static void do_unlock(void)
{
    assert_int_equal(file->pMethods->xUnlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
}

static void do_check_reserved(void)
{
    int reserved;
    assert_int_equal(file->pMethods->xCheckReservedLock(file, &reserved), SQLITE_OK);
}

static void do_write(void)
{
    uint8_t page[PAGE] = {0};
    assert_int_equal(file->pMethods->xWrite(file, page, PAGE, 0), SQLITE_OK);
}

static void do_truncate(void)
{
    assert_int_equal(file->pMethods->xTruncate(file, (sqlite3_int64)(PAGES - 1) * PAGE), SQLITE_OK);
}

static void do_sync(void)
{
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
}

static void do_file_size(void)
{
    sqlite3_int64 size;
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    assert_int_equal(size, PAGES * PAGE);
}

static void do_control(void)
{
    sqlite3_int64 size = 0;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &size);
}

static void do_read_header(void)
{
    uint8_t version[16];
    assert_int_equal(file->pMethods->xRead(file, version, sizeof version, 24), SQLITE_OK);
}

static void do_shm_map(void)
{
    void volatile *memory;
    assert_int_equal(file->pMethods->xShmMap(file, 0, 32768, 1, &memory), SQLITE_OK);
}

static void do_shm_lock(void)
{
    assert_int_equal(
        file->pMethods->xShmLock(file, 4, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED), SQLITE_OK);
}

static void do_shm_unlock(void)
{
    assert_int_equal(
        file->pMethods->xShmLock(file, 4, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED), SQLITE_OK);
}

static void do_shm_barrier(void)
{
    file->pMethods->xShmBarrier(file);
}

static void do_shm_unmap(void)
{
    assert_int_equal(file->pMethods->xShmUnmap(file, 1), SQLITE_OK);
}

static void do_fetch(void)
{
    void *page;
    assert_int_equal(file->pMethods->xFetch(file, PAGE, PAGE, &page), SQLITE_OK);
    file->pMethods->xUnfetch(file, PAGE, page);
}

static void do_nothing(void)
{
    file->pMethods->xSectorSize(file);
    file->pMethods->xDeviceCharacteristics(file);
}

static void test_each_call_but_a_read_ends_the_window(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        void (*call)(void);
        bool keeps;
    } calls[] = {
        {"nothing", do_nothing, true},
        {"xLock", do_lock, false},
        {"xUnlock to shared", do_unlock_to_shared, false},
        {"xCheckReservedLock", do_check_reserved, false},
        {"xWrite", do_write, false},
        {"xSync", do_sync, false},
        {"xFileSize", do_file_size, false},
        {"xFileControl", do_control, false},
        {"xFetch", do_fetch, false},
        {"a read of the header", do_read_header, false},
        {"xShmMap", do_shm_map, false},
        {"xShmLock", do_shm_lock, false},
        {"xShmBarrier", do_shm_barrier, false},
        {"xShmLock that unlocks", do_shm_unlock, false},
        {"xShmUnmap", do_shm_unmap, false},
        {"xTruncate", do_truncate, false},
        {"xUnlock", do_unlock, false},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        scan_to_20();
        calls[i].call();
        if (is_still_in_window() != calls[i].keeps)
            fail_msg("%s: the window is %s", calls[i].label, calls[i].keeps ? "gone" : "kept");
        write_page(20, 20);
        do_sync();
    }
}

static void test_without_a_lock_nothing_is_read_ahead(void **state)
{
    (void)state;
    do_unlock();
    read_pages(1, 50);
    assert_int_equal(disk.bytes, 50 * PAGE);
    assert_int_equal(file->pMethods->xLock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    read_pages(51, 40);
    assert_in_range(disk.reads, 52, 70);
}

/* --- what goes wrong ---------------------------------------------------------------------- */

static void test_the_end_of_the_file_is_reported_as_the_file_does(void **state)
{
    (void)state;
    uint8_t page[PAGE];

    read_pages(1, PAGES - 1);
    memset(page, 7, sizeof page);
    assert_int_equal(
        file->pMethods->xRead(file, page, PAGE, (sqlite3_int64)PAGES * PAGE),
        SQLITE_IOERR_SHORT_READ);
    assert_int_equal(page[0], 0);
    assert_int_equal(truncate(path, PAGES * PAGE - 100), 0);
    do_lock();
    assert_int_equal(
        file->pMethods->xRead(file, page, PAGE, (sqlite3_int64)(PAGES - 1) * PAGE),
        SQLITE_IOERR_SHORT_READ);
    assert_int_equal(page[0], PAGES - 1);
    assert_int_equal(page[PAGE - 1], 0);
}

static void test_a_bad_sector_ahead_is_no_error_until_it_is_wanted(void **state)
{
    (void)state;
    uint8_t page[PAGE];

    disk.broken_from = 50 * PAGE;
    disk.broken_bytes = 512;
    read_pages(1, 49);
    assert_int_equal(file->pMethods->xRead(file, page, PAGE, 50 * PAGE), SQLITE_IOERR_READ);
    read_pages(51, PAGES - 51);
    disk.broken_from = -1;
    read_pages(50, 1);
}

static void test_a_file_that_cannot_be_opened_is_not_closed_again(void **state)
{
    (void)state;
    sqlite3_file *missing = calloc(1, (size_t)above.szOsFile);

    assert_int_equal(
        above.xOpen(
            &above, path_in(&folder, "missing.db"), missing,
            SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, NULL),
        SQLITE_CANTOPEN);
    assert_null(missing->pMethods);
    free(missing);
}

static void test_the_file_below_is_closed_once(void **state)
{
    (void)state;
    read_pages(1, 20);
    disk.closes = 0;
    assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
    file->pMethods = NULL;
    assert_int_equal(disk.closes, 1);
}

static void test_what_the_file_below_cannot_do_is_not_offered(void **state)
{
    (void)state;
    static sqlite3_vfs *locks[2];
    sqlite3_vfs *before = sqlite3_vfs_find("unix");
    locks[0] = sqlite3_vfs_find("unix-dotfile");
    locks[1] = sqlite3_vfs_find("unix-none");

    for (int i = 0; i < 2; i++) {
        const char *name = path_in(&folder, "app.db");
        sqlite3_file *opened = calloc(1, (size_t)before->szOsFile + (size_t)readahead_size());
        assert_int_equal(
            readahead_open(
                locks[i], name, opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB, NULL),
            SQLITE_OK);
        assert_true(opened->pMethods->iVersion < 2 || opened->pMethods->xShmMap == NULL);
        opened->pMethods->xClose(opened);
        free(opened);
    }
}

/* --- as SQLite uses it -------------------------------------------------------------------- */

/* Everything that the tables hold, by the file's own VFS or by the one that reads ahead. */
static uint64_t contents(const char *name, const char *vfs, int64_t *out_rows)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    uint64_t sum = 1469598103934665603U;

    assert_int_equal(
        sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(
            db, "select a, b from t union all select a, b from w order by 1, 2", -1, &rows, NULL),
        SQLITE_OK);
    *out_rows = 0;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        ++*out_rows;
        for (int column = 0; column < 2; column++) {
            const uint8_t *bytes = sqlite3_column_blob(rows, column);
            for (int i = 0; i < sqlite3_column_bytes(rows, column); i++)
                sum = (sum ^ bytes[i]) * 1099511628211U;
        }
    }
    assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
    sqlite3_close(db);
    return sum;
}

#define CONTENT                                                                                    \
    "create table t(a integer primary key, b);"                                                    \
    "create table w(a text primary key, b) without rowid;"                                         \
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)"               \
    " insert into t select i * 3, randomblob(case when i % 100 then 10 + i % 300 else 9000 end)"   \
    " from n;"                                                                                     \
    "insert into w select hex(randomblob(8)), b from t where a % 2 = 0;"

static void test_tables_of_each_kind_of_file_read_the_same(void **state)
{
    (void)state;
    static const char *const modes[] = {"delete", "wal", "persist", "truncate"};

    for (int page = 512; page <= 65536; page *= 2) {
        for (size_t mode = 0; mode < 4; mode++) {
            struct database made;
            const char *name = path_in(&folder, "made.db");
            char text[200];
            int64_t rows = 0;
            int64_t rows_ahead = 0;
            expect_ok(database_open(name, DATABASE_CREATE, 0, &made, &err));
            snprintf(
                text, sizeof text,
                "pragma page_size = %d; pragma synchronous = off; pragma journal_mode = %s", page,
                modes[mode]);
            run(&made, text);
            run(&made, CONTENT);
            // Some in the WAL, some in the file, and one cached by the connection that wrote it.
            run(&made, "delete from t where a % 7 = 0; update w set b = zeroblob(50)");
            uint64_t sum = contents(name, NULL, &rows);
            assert_true(contents(name, sidecar_vfs(), &rows_ahead) == sum);
            assert_int_equal(rows_ahead, rows);
            database_close(&made);
            snprintf(text, sizeof text, "file:%s?immutable=1", name);
            assert_true(contents(text, sidecar_vfs(), &rows_ahead) == sum);
            unlink(name);
        }
    }
}

static void test_a_file_of_another_page_size_is_read_by_an_open_connection(void **state)
{
    (void)state;
    struct database reader;
    struct database writer;
    const char *name = path_in(&folder, "made.db");

    expect_ok(database_open(name, DATABASE_CREATE, 0, &writer, &err));
    run(&writer, "pragma synchronous = off");
    run(&writer, CONTENT);
    expect_ok(database_open(name, DATABASE_READ, 0, &reader, &err));
    int64_t bytes = query_int(&reader, "select sum(length(b)) from t");
    for (int page = 512; page <= 65536; page *= 4) {
        char text[100];
        snprintf(text, sizeof text, "pragma page_size = %d; vacuum", page);
        run(&writer, text);
        run(&writer, "update t set b = cast(b || 'x' as blob)");
        bytes += 3000;
        assert_int_equal(query_int(&reader, "select sum(length(b)) from t"), bytes);
    }
    database_close(&reader);
    database_close(&writer);
}

static void test_a_scan_in_an_own_transaction_sees_its_own_writes(void **state)
{
    (void)state;
    struct database database;
    const char *name = path_in(&folder, "made.db");

    for (int wal = 0; wal < 2; wal++) {
        expect_ok(database_open(name, DATABASE_CREATE, 0, &database, &err));
        run(&database, wal ? "pragma journal_mode = wal" : "pragma journal_mode = delete");
        // A small cache is written to the file before the commit.
        run(&database, "pragma synchronous = off; pragma cache_size = 10");
        run(&database, CONTENT);
        run(&database, "begin; update t set b = 'before'");
        assert_int_equal(query_int(&database, "select count(*) from t where b = 'before'"), 3000);
        run(&database, "savepoint s; update t set b = 'after'");
        assert_int_equal(query_int(&database, "select count(*) from t where b = 'after'"), 3000);
        run(&database, "rollback to s");
        assert_int_equal(query_int(&database, "select count(*) from t where b = 'before'"), 3000);
        run(&database, "rollback");
        assert_int_equal(query_int(&database, "select count(*) from t where b = 'before'"), 0);
        assert_string_equal(query_text(&database, "pragma integrity_check"), "ok");
        database_close(&database);
        unlink(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_scan_takes_few_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_neighbours_are_no_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_single_pages_between_do_not_end_a_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_reading_ahead_stops_where_most_of_it_is_not_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_scan_of_parts_of_pages_is_answered_from_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_each_call_but_a_read_ends_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_without_a_lock_nothing_is_read_ahead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_end_of_the_file_is_reported_as_the_file_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_bad_sector_ahead_is_no_error_until_it_is_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_file_that_cannot_be_opened_is_not_closed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_file_below_is_closed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_the_file_below_cannot_do_is_not_offered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_tables_of_each_kind_of_file_read_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_file_of_another_page_size_is_read_by_an_open_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_scan_in_an_own_transaction_sees_its_own_writes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, register_vfs, NULL);
}
