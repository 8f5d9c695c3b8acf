/* No change is ever lost between the application and the mirror: a writer in another process
 * changes rows as fast as it can while this one seals, reads, applies to a shadow table in memory,
 * acknowledges and cleans, with passes that fail in between. When the writer has stopped, one more
 * pass must make the shadow equal to the table. Built once for each kind of key that the definition
 * of t has (schemas/int64, schemas/text). */
#include "support/prelude.h"

#include "t.h"
#include "unit/source/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define PASSES 600

/* A small generator, so that a failure can be repeated by its seed. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

struct kind {
    const char *label;
    const char *create;
    const char *journal;
    bool integer;
    const char *key; /* printf format of the n-th key */
};

static const struct kind kinds[] = {
    {"integer key in wal mode", "create table t(id integer primary key, email text unique, v)",
     "wal", true, "%d"},
    {"integer key in rollback mode", "create table t(id integer primary key, email text unique, v)",
     "delete", true, "%d"},
    {"text key without rowid",
     "create table t(id text primary key, email text unique, v) without rowid", "wal", false,
     "'k%d'"},
    {"text key without case", "create table t(id text collate nocase primary key, email, v)", "wal",
     false, "'k%d'"},
};

static void write_transaction(
    const struct kind *kind, const char *key, int v, char *sql, size_t size)
{
    if (kind->integer)
        snprintf(
            sql, size,
            "begin immediate; insert or ignore into t(email, v) values ('y%d', 1), ('z%d', 2);"
            " update t set v = v + 1 where id = %s; %s",
            v, v, key, v % 3 == 0 ? "rollback" : "commit");
    else
        snprintf(sql, size, "update t set v = %d where v > %d", v, v);
}

/* One random statement of the application. Keys are few, so that the same ones come again and
 * again, deleted, used again and moved; ids above the present maximum come by inserts without an
 * id. */
static void write_statement(uint64_t *seed, const struct kind *kind, char *sql, size_t size)
{
    static const char *const clauses[] = {"", "or replace", "or ignore"};
    char key[32];
    char other[32];
    int n = (int)(next_random(seed) % 60) + 1;
    int m = (int)(next_random(seed) % 60) + 1;
    int v = (int)(next_random(seed) % 1000000);
    const char *clause = clauses[next_random(seed) % 3];

    snprintf(key, sizeof key, kind->key, n);
    snprintf(other, sizeof other, kind->key, m);
    switch (next_random(seed) % 12) {
    case 0:
    case 1:
        snprintf(
            sql, size, "insert %s into t(id, email, v) values (%s, 'e%d', %d)", clause,
            kind->integer ? "null" : key, m, v);
        break;
    case 2:
        snprintf(
            sql, size, "insert or replace into t(id, email, v) values (%s, 'e%d', %d)", key, m, v);
        break;
    case 3:
        snprintf(
            sql, size,
            "insert into t(id, email, v) values (%s, 'x%d', %d) on conflict(id) do update set"
            " v = excluded.v",
            key, v, v);
        break;
    case 4:
        snprintf(sql, size, "update or replace t set id = %s where id = %s", key, other);
        break;
    case 5:
        snprintf(sql, size, "update or replace t set email = 'e%d' where id = %s", m, key);
        break;
    case 6:
        snprintf(sql, size, "delete from t where id = %s", key);
        break;
    case 7:
        snprintf(
            sql, size,
            v % 3 == 0 ? "delete from t where id = (select max(id) from t)"
                       : "update t set v = v + 1 where id = (select max(id) from t)");
        break;
    case 8:
        write_transaction(kind, key, v, sql, size);
        break;
    case 9:
        if (v % 50 == 0)
            snprintf(sql, size, "delete from t");
        else
            snprintf(sql, size, "update t set v = %d where id = %s", v, key);
        break;
    default:
        snprintf(sql, size, "update t set v = %d where id = %s", v, key);
    }
}

static void write_until_stopped(
    const char *path, const struct kind *kind, uint64_t seed, int stop_fd)
{
    struct database database;
    char byte;

    if (!database_open(path, DATABASE_WRITE, 20000, &database, &err))
        _exit(2);
    sqlite3_exec(database.handle, "pragma synchronous = off", NULL, NULL, NULL);
    while (read(stop_fd, &byte, 1) < 0 && errno == EAGAIN) {
        char sql[512];
        write_statement(&seed, kind, sql, sizeof sql);
        int result = sqlite3_exec(database.handle, sql, NULL, NULL, NULL) & 0xff;
        database_rollback(&database);
        if (result != SQLITE_OK && result != SQLITE_CONSTRAINT && result != SQLITE_BUSY) {
            fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database.handle));
            _exit(3);
        }
    }
    database_close(&database);
    _exit(0);
}

/* Writes at the worst of moments: after each commit of this process, so between a seal and its
 * snapshot, too. SQLite calls it in WAL mode only. */
struct intruder {
    struct database database;
    const struct kind *kind;
    uint64_t seed;
};

static int intrude(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct intruder *intruder = context;
    char sql[512];

    (void)handle;
    (void)name;
    (void)pages;
    for (int i = (int)(next_random(&intruder->seed) % 4); i > 0; i--) {
        write_statement(&intruder->seed, intruder->kind, sql, sizeof sql);
        sqlite3_exec(intruder->database.handle, sql, NULL, NULL, NULL);
        database_rollback(&intruder->database);
    }
    return SQLITE_OK;
}

struct mirror {
    struct database database; /* in memory: t as the warehouse would hold it */
    struct watermark watermark;
};

static void apply_row(struct mirror *mirror, sqlite3_stmt *row, bool deleted, bool may_exist)
{
    sqlite3_stmt *statement = NULL;
    bool ignored;
    const char *sql = deleted     ? "delete from t where id = ?1"
                      : may_exist ? "insert or replace into t(id, email, v) values (?1, ?2, ?3)"
                                  : "insert into t(id, email, v) values (?1, ?2, ?3)";

    expect_ok(database_prepare(&mirror->database, sql, &statement, &err));
    for (int i = 0; i < (deleted ? 1 : 3); i++)
        sqlite3_bind_value(statement, i + 1, sqlite3_column_value(row, i));
    expect_ok(database_step(&mirror->database, statement, &ignored, &err));
    sqlite3_finalize(statement);
}

static void read_rows(
    struct database *source, struct mirror *mirror, const char *sql, int64_t first, int64_t second,
    bool changes)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    expect_ok(database_prepare(source, sql, &statement, &err));
    if (sqlite3_bind_parameter_count(statement) >= 1)
        sqlite3_bind_int64(statement, 1, first);
    if (sqlite3_bind_parameter_count(statement) >= 2)
        sqlite3_bind_int64(statement, 2, second);
    for (;;) {
        expect_ok(database_step(source, statement, &row, &err));
        if (!row)
            break;
        // A MERGE matches by key, so rows that are sent again do no harm.
        apply_row(mirror, statement, changes && sqlite3_column_int(statement, 3) == 1, true);
    }
    sqlite3_finalize(statement);
}

#define CONTENT_SQL                                                                                \
    "select group_concat(r, char(10)) from (select quote(id) || quote(email) || quote(v) as r "    \
    "from t"                                                                                       \
    " order by r)"

/* The mirror must equal the very snapshot that the pass has read. */
static void assert_equal_tables(struct database *source, struct mirror *mirror, int pass)
{
    char expected[1 << 15];

    snprintf(expected, sizeof expected, "%s", query_text(source, CONTENT_SQL));
    const char *actual = query_text(&mirror->database, CONTENT_SQL);
    if (strcmp(expected, actual) != 0)
        fail_msg("pass %d: the source has\n%s\nthe mirror has\n%s", pass, expected, actual);
}

/* A pass as sync runs it: changes, then new rows, in one snapshot. fails: it ends after the seal.
 */
static void run_pass(
    const struct source_table *in, struct mirror *mirror, bool replace, bool fails, int pass)
{
    struct database *source = in->source;
    const struct table *table = in->table;
    const struct source_shape *shape = in->shape;
    struct watermark *watermark = &mirror->watermark;
    struct snapshot_table sealed = {.table = table, .shape = shape};

    expect_ok(capture_seal(source, &sealed, 1, &err));
    const struct position position = sealed.position;
    if (fails) {
        database_rollback(source);
        return;
    }
    run(&mirror->database, "begin");
    if (replace) {
        run(&mirror->database, "delete from t");
        read_rows(source, mirror, "select id, email, v from t", 0, 0, false);
    } else {
        read_rows(
            source, mirror, table->changes_sql, watermark->synced_sequence,
            shape->integer_key ? watermark->last_synced_row_id : INT64_MAX, true);
        if (shape->integer_key)
            read_rows(source, mirror, table->new_rows_sql, watermark->last_synced_row_id, 0, false);
    }
    run(&mirror->database, "commit");
    assert_equal_tables(source, mirror, pass);
    database_rollback(source);
    watermark->synced_sequence = position.sequence;
    if (position.row_id > watermark->last_synced_row_id)
        watermark->last_synced_row_id = position.row_id;
    expect_ok(capture_clean(source, table, position.sequence, &err));
}

static pid_t start_writer(const char *path, const struct kind *kind, uint64_t seed, int *out_stop)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        close(ends[1]);
        write_until_stopped(path, kind, seed, ends[0]);
    }
    close(ends[0]);
    *out_stop = ends[1];
    return writer;
}

static void stop_writer(pid_t writer, int stop)
{
    int status;

    close(stop);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
}

static void stress(const struct kind *kind, uint64_t seed)
{
    struct folder folder = make_folder();
    struct mirror mirror = {0};
    struct database source;
    struct source_shape shape;
    char path[256];
    char sql[64];
    int stop;

    snprintf(path, sizeof path, "%s", path_in(&folder, "source.db"));
    expect_ok(database_open(path, DATABASE_CREATE, 20000, &source, &err));
    snprintf(sql, sizeof sql, "pragma journal_mode = %s; pragma synchronous = off", kind->journal);
    run(&source, sql);
    run(&source, kind->create);
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, &mirror.database, &err));
    run(&mirror.database, "create table t(id primary key, email, v)");
    expect_ok(capture_install(&source, &t_table, &err));
    expect_ok(capture_inspect(&source, &t_table, &shape, &err));
    assert_int_equal(shape.integer_key, kind->integer);

    const struct source_table in = {&source, &t_table, &shape};
    struct intruder intruder = {.kind = kind, .seed = seed + 1};
    pid_t writer = start_writer(path, kind, seed, &stop);
    expect_ok(database_open(path, DATABASE_WRITE, 20000, &intruder.database, &err));
    run(&intruder.database, "pragma synchronous = off");
    sqlite3_wal_hook(source.handle, intrude, &intruder);
    run_pass(&in, &mirror, true, false, 0);
    for (int pass = 0; pass < PASSES; pass++) {
        bool fails = next_random(&seed) % 5 == 0;
        // A capture that is installed anew needs a replacement, as after the very first one.
        bool reinstalled = next_random(&seed) % 40 == 0;
        if (reinstalled)
            expect_ok(capture_install(&source, &t_table, &err));
        run_pass(&in, &mirror, reinstalled, fails && !reinstalled, pass);
    }
    stop_writer(writer, stop);
    sqlite3_wal_hook(source.handle, NULL, NULL);
    database_close(&intruder.database);
    run_pass(&in, &mirror, false, false, PASSES);

    assert_int_equal(query_int(&source, "select count(*) from bq_sync_dirty_t"), 0);
    database_close(&source);
    database_close(&mirror.database);
    remove_folder(&folder);
}

static void test_no_change_is_lost_while_a_writer_never_rests(void **state)
{
    (void)state;
    const char *given = getenv("BQSYNC_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761U;

    print_message("seed %llu (set BQSYNC_SEED to repeat it)\n", (unsigned long long)seed);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].integer != (t_table.new_rows_sql != NULL))
            continue;
        print_message("%s\n", kinds[i].label);
        stress(&kinds[i], seed + i * 7919 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_change_is_lost_while_a_writer_never_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
