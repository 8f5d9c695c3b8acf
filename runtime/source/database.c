#include "source/database.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text_fit.h"
#include "base/url.h"
#include "source/commits.h"
#include "source/database_error.h"
#include "source/lent_collation.h"
#include "source/one_name.h"
#include "source/sidecar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_PATH ":memory:"
#define URI_CEILING 16384

/* Few enough to be looked through one by one. */
struct kept_statements {
    sqlite3_stmt **items;
    size_t count;
};

/* How long the n-th wait for a lock lasts. Short at first: most locks are held for a few
 * milliseconds. */
static const int waits_ms[] = {1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100};
#define WAIT_COUNT (int)(sizeof waits_ms / sizeof waits_ms[0])

/* Waits as sqlite3_busy_timeout does, but gives up at once when the process was asked to stop. */
static int wait_for_lock(void *context, int attempt)
{
    int limit_ms = (int)(intptr_t)context;
    int waited_ms = 0;

    for (int i = 0; i < attempt && i < WAIT_COUNT; i++)
        waited_ms += waits_ms[i];
    if (attempt > WAIT_COUNT)
        waited_ms += (attempt - WAIT_COUNT) * waits_ms[WAIT_COUNT - 1];
    if (waited_ms >= limit_ms || clock_stopped())
        return 0;

    int wait_ms = waits_ms[attempt < WAIT_COUNT ? attempt : WAIT_COUNT - 1];
    sqlite3_sleep(wait_ms < limit_ms - waited_ms ? wait_ms : limit_ms - waited_ms);
    return 1;
}

static bool check_directory(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

    if (directory == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory opening %s", path);
    bool ok = access(directory, W_OK | X_OK) == 0;
    if (!ok)
        error_set(
            err, error_code_of_errno(errno, ERROR_SOURCE), "cannot create %s: its directory: %s",
            path, strerror(errno));
    free(directory);
    return ok;
}

/* What other programs' settings take for a path. Returns NULL for any other missing file. */
static const char *path_advice(const char *path, enum database_access access_wanted)
{
    if (path[0] == '~')
        return ": only a shell expands ~; write the whole path";
    if (strncmp(path, "sqlite:", strlen("sqlite:")) == 0 || strstr(path, "://") != NULL)
        return ": it is a URL; write the path of the file alone";
    // A file of that name may be made, but hardly is one that is missing.
    if (access_wanted != DATABASE_CREATE && strncmp(path, "file:", strlen("file:")) == 0)
        return ": the only URL that is known is file:FILE?immutable=1; write the path of the file "
               "alone";
    return NULL;
}

/* Says what is wrong with the file in words that SQLite's "unable to open database file" lacks. */
static bool check_file(const char *path, enum database_access access_wanted, struct error *err)
{
    struct stat status;

    if (path[0] == '\0')
        return error_set(err, ERROR_SOURCE, "no database: its path is empty");
    if (stat(path, &status) != 0) {
        const char *advice = errno == ENOENT ? path_advice(path, access_wanted) : NULL;
        if (advice != NULL)
            return error_set(err, ERROR_SOURCE, "cannot open %s%s", path, advice);
        if (errno == ENOENT && access_wanted == DATABASE_CREATE)
            return check_directory(path, err);
        return error_set(
            err, error_code_of_errno(errno, ERROR_SOURCE), "cannot open %s: %s", path,
            strerror(errno));
    }
    if (S_ISDIR(status.st_mode))
        return error_set(err, ERROR_SOURCE, "%s is a directory, not a SQLite database file", path);
    if (access(path, R_OK) != 0)
        return error_set(err, ERROR_SOURCE, "no right to read %s: %s", path, strerror(errno));
    if (access_wanted != DATABASE_READ && access(path, W_OK) != 0)
        return error_set(
            err, ERROR_SOURCE,
            "no right to write %s (%s): give it, or keep bqsync's control tables elsewhere with "
            "BQ_STATE_PATH",
            path, strerror(errno));
    return true;
}

static bool fail(struct database *database, const char *doing, struct error *err)
{
    return database_fail(database->handle, database->path, doing, err);
}

static bool configure(
    struct database *database, enum database_access access_wanted, int busy_timeout_ms,
    struct error *err)
{
    sqlite3_extended_result_codes(database->handle, 1);
    // A double-quoted name that no column has is an error, never a string: a filter `"deleted" = 0`
    // would otherwise be false for every row once the column is renamed.
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
    sqlite3_busy_handler(database->handle, wait_for_lock, (void *)(intptr_t)busy_timeout_ms);
    // Temporary tables go to a file: what they collect is bounded by the data, not by memory.
    if (!database_exec(database, "pragma temp_store = file", err))
        return false;
    if (access_wanted == DATABASE_READ && !database_exec(database, "pragma query_only = 1", err))
        return false;
    // SQLite opens a file for reading if it cannot be opened for writing.
    if (access_wanted != DATABASE_READ && sqlite3_db_readonly(database->handle, "main") == 1)
        return database_fail_confined(database->path, "could be opened only for reading", err);
    // Prepared now, because a transaction that cannot be ended for lack of memory would keep its
    // locks.
    if (!database_prepare(database, "rollback", &database->rollback, err))
        return false;
    // The first read finds out whether it is a database at all.
    int64_t ignored;
    return database_query_int64(
        database, "select count(*) from (select 1 from sqlite_master limit 1)", 0, &ignored, err);
}

/* SQLite's URI of an immutable file; its path is percent-encoded here. */
static char *immutable_uri(struct slice path)
{
    struct buffer uri;

    buffer_init(&uri, URI_CEILING);
    buffer_append_text(&uri, "file:");
    for (size_t i = 0; i < path.length; i++) {
        if (strchr("%?#", path.data[i]) != NULL)
            buffer_printf(&uri, "%%%02X", (unsigned char)path.data[i]);
        else
            buffer_append_byte(&uri, (uint8_t)path.data[i]);
    }
    buffer_append_text(&uri, "?immutable=1");
    char *text = uri.failure == BUFFER_OK ? sqlite3_mprintf("%s", buffer_text(&uri)) : NULL;
    buffer_clear(&uri);
    return text;
}

/* An immutable file is read without its -wal, so changes that are only there would be missing. */
static bool check_immutable(const char *file, enum database_access access_wanted, struct error *err)
{
    struct stat status;
    char *wal = sqlite3_mprintf("%s-wal", file);

    if (wal == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory opening %s", file);
    bool pending = stat(wal, &status) == 0 && status.st_size > 0;
    sqlite3_free(wal);
    if (access_wanted != DATABASE_READ)
        return error_set(
            err, ERROR_SOURCE, "%s is declared as immutable and cannot be written", file);
    if (pending)
        return error_set(
            err, ERROR_SOURCE,
            "%s is declared as immutable, but the -wal file next to it holds changes: make the "
            "copy with `vacuum into` or the backup API, or checkpoint it, or leave out "
            "?immutable=1",
            file);
    return check_file(file, access_wanted, err);
}

/* The name by which SQLite opens the file, after checking it; owned by SQLite. */
static char *name_for_sqlite(
    const char *path, enum database_access access_wanted, struct error *err)
{
    struct slice file;
    char *name = NULL;

    if (url_is_immutable_file(path, &file)) {
        char *plain = sqlite3_mprintf("%.*s", (int)file.length, file.data);
        bool refused = plain != NULL && !check_immutable(plain, access_wanted, err);
        if (plain != NULL && !refused)
            name = immutable_uri(file);
        sqlite3_free(plain);
        if (refused)
            return NULL;
    } else if (
        strcmp(path, MEMORY_PATH) != 0 &&
        (!check_file(path, access_wanted, err) || !one_name_check(path, err))) {
        return NULL;
    } else {
        // "file:" at the start of a name would make it a URI where SQLite is built so.
        name = sqlite3_mprintf("%s%s", strncmp(path, "file:", 5) == 0 ? "./" : "", path);
    }
    if (name == NULL)
        error_set(err, ERROR_MEMORY, "out of memory opening %s", path);
    return name;
}

bool database_open(
    const char *path, enum database_access access_wanted, int busy_timeout_ms,
    struct database *out_database, struct error *err)
{
    static const int flags[] = {
        [DATABASE_READ] = SQLITE_OPEN_READONLY,
        [DATABASE_WRITE] = SQLITE_OPEN_READWRITE,
        [DATABASE_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    struct database opened = {0};
    struct slice file;
    int uri = url_is_immutable_file(path, &file) ? SQLITE_OPEN_URI : 0;

    opened.path = name_for_sqlite(path, access_wanted, err);
    if (opened.path == NULL)
        return false;
    opened.kept = calloc(1, sizeof *opened.kept);
    opened.lent = calloc(1, sizeof *opened.lent);
    if (opened.kept == NULL || opened.lent == NULL) {
        database_close(&opened);
        return error_set(err, ERROR_MEMORY, "out of memory opening %s", path);
    }
    const char *vfs = sidecar_vfs();
    // Another VFS would make files that the owner of the database cannot use.
    if (vfs == NULL) {
        database_close(&opened);
        return error_set(err, ERROR_MEMORY, "out of memory opening %s", path);
    }
    int result = sqlite3_open_v2(
        opened.path, &opened.handle, flags[access_wanted] | SQLITE_OPEN_NOMUTEX | uri, vfs);
    if (result != SQLITE_OK) {
        if (opened.handle != NULL)
            fail(&opened, "cannot open the database", err);
        else
            error_set(err, ERROR_MEMORY, "out of memory opening %s", path);
        database_close(&opened);
        return false;
    }
    lent_collations_offer(opened.lent, opened.handle);
    if (!configure(&opened, access_wanted, busy_timeout_ms, err)) {
        error_wrap(err, "cannot use the database");
        database_close(&opened);
        return false;
    }
    wal_guard_note(opened.handle, &opened.guard);
    *out_database = opened;
    return true;
}

/* --- who commits ------------------------------------------------------------------------- */

static void enter(struct database *database)
{
    if (database->commits == NULL)
        return;
    commits_enter(database->commits, database->handle);
    database->entered = true;
}

static void leave(struct database *database)
{
    if (!database->entered)
        return;
    commits_leave(database->commits, database->handle);
    database->entered = false;
}

/* Whether the statement commits by itself. */
static bool is_transaction(const struct database *database, sqlite3_stmt *statement)
{
    return database->commits != NULL && !database->entered &&
           sqlite3_get_autocommit(database->handle) != 0 && sqlite3_stmt_readonly(statement) == 0;
}

/* --- statements -------------------------------------------------------------------------- */

void database_close(struct database *database)
{
    leave(database);
    for (size_t i = 0; database->kept != NULL && i < database->kept->count; i++)
        sqlite3_finalize(database->kept->items[i]);
    if (database->kept != NULL)
        free(database->kept->items);
    free(database->kept);
    sqlite3_finalize(database->rollback);
    // Statements that an error path left open must not keep the file open.
    wal_guard_close(database->handle, &database->guard);
    free(database->lent);
    sqlite3_free(database->path);
    *database = (struct database){0};
}

bool database_exec(struct database *database, const char *sql, struct error *err)
{
    if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    char doing[96];
    text_format(doing, sizeof doing, "%.*s", TEXT_FIT(sql, 80));
    return fail(database, doing, err);
}

bool database_prepare(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL) != SQLITE_OK) {
        char doing[160];
        text_format(doing, sizeof doing, "%.*s", TEXT_FIT(sql, 140));
        return fail(database, doing, err);
    }
    *out_statement = statement;
    return true;
}

bool database_keep(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err)
{
    struct kept_statements *kept = database->kept;

    for (size_t i = 0; i < kept->count; i++) {
        sqlite3_stmt *statement = kept->items[i];
        if (sqlite3_stmt_busy(statement) == 0 && strcmp(sqlite3_sql(statement), sql) == 0) {
            *out_statement = statement;
            return true;
        }
    }
    sqlite3_stmt **items = realloc(kept->items, (kept->count + 1) * sizeof *items);
    if (items == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory keeping a statement");
    kept->items = items;
    if (!database_prepare(database, sql, &items[kept->count], err))
        return false;
    *out_statement = items[kept->count++];
    return true;
}

void database_give_back(sqlite3_stmt *statement)
{
    if (statement == NULL)
        return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

bool database_bound(struct database *database, int result, struct error *err)
{
    return result == SQLITE_OK || fail(database, "binding a parameter", err);
}

bool database_is_own_fault(const struct database *database)
{
    return (sqlite3_errcode(database->handle) & 0xff) == SQLITE_ERROR;
}

/* What SQLite says about a value ends before what it quotes of it ("JSON path error near 'x'"). */
const char *database_words(const struct database *database, char *out, size_t size)
{
    const char *words = sqlite3_errmsg(database->handle);
    size_t length = strcspn(words, "'\"`:");

    while (length > 0 && words[length - 1] == ' ')
        length--;
    return text_format(out, size, "%.*s", (int)length, words);
}

static bool fail_step(struct database *database, sqlite3_stmt *statement, struct error *err)
{
    char doing[160];
    char words[512];

    text_format(doing, sizeof doing, "%.*s", TEXT_FIT(sqlite3_sql(statement), 140));
    if (!database_is_own_fault(database))
        return fail(database, doing, err);
    return error_set(
        err, ERROR_SOURCE, "%s: %s (%s)", doing, database_words(database, words, sizeof words),
        database->path);
}

/* Ends the statement, of which no row is right. */
static bool fail_comparison(struct database *database, sqlite3_stmt *statement, struct error *err)
{
    sqlite3_reset(statement);
    return error_wrap(err, "%s: %.*s", database->path, TEXT_FIT(sqlite3_sql(statement), 140));
}

bool database_step(
    struct database *database, sqlite3_stmt *statement, bool *out_row, struct error *err)
{
    if (is_transaction(database, statement))
        enter(database);
    int result = sqlite3_step(statement);
    bool ok = result == SQLITE_ROW || result == SQLITE_DONE;
    if (!ok)
        fail_step(database, statement, err);
    else if (!lent_collations_check(database->lent, err))
        ok = fail_comparison(database, statement, err);
    else
        *out_row = result == SQLITE_ROW;
    if (sqlite3_get_autocommit(database->handle) != 0)
        leave(database);
    return ok;
}

bool database_query_int64(
    struct database *database, const char *sql, int64_t fallback, int64_t *out_value,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!database_prepare(database, sql, &statement, err))
        return false;
    bool ok = database_step(database, statement, &row, err);
    if (ok)
        *out_value = row && sqlite3_column_type(statement, 0) != SQLITE_NULL
                         ? sqlite3_column_int64(statement, 0)
                         : fallback;
    sqlite3_finalize(statement);
    return ok;
}

/* Looks in the schema as SQLite has parsed it, which costs a hundredth of a query. Any statement
 * that is stepped before sees to it that this is the present one. column: NULL for the table
 * itself. A view is no table. */
static bool find_in_schema(
    struct database *database, const char *table, const char *column, bool *out_exists,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool ignored = false;

    if (!database_keep(database, "select 1 from sqlite_master limit 1", &statement, err))
        return false;
    bool ok = database_step(database, statement, &ignored, err);
    database_give_back(statement);
    if (!ok)
        return false;
    int result = sqlite3_table_column_metadata(
        database->handle, "main", table, column, NULL, NULL, NULL, NULL, NULL);
    *out_exists = result == SQLITE_OK;
    return result == SQLITE_OK || (result & 0xff) == SQLITE_ERROR ||
           fail(database, "the schema", err);
}

bool database_has_table(
    struct database *database, const char *name, bool *out_exists, struct error *err)
{
    return find_in_schema(database, name, NULL, out_exists, err);
}

bool database_has_column(
    struct database *database, const char *table, const char *column, bool *out_exists,
    struct error *err)
{
    return find_in_schema(database, table, column, out_exists, err);
}

bool database_read_encoding(
    sqlite3 *handle, enum database_encoding *out_encoding, struct error *err)
{
    const char *name = sqlite3_db_filename(handle, "main");
    struct database database = {.handle = handle, .path = (char *)(name == NULL ? "" : name)};
    int64_t encoding = 0;

    bool ok = database_query_int64(
        &database,
        "select case encoding when 'UTF-16le' then 1 when 'UTF-16be' then 2 else 0 end"
        " from pragma_encoding",
        0, &encoding, err);
    if (ok)
        *out_encoding = encoding == 1   ? DATABASE_UTF16LE
                        : encoding == 2 ? DATABASE_UTF16BE
                                        : DATABASE_UTF8;
    return ok;
}

bool database_begin(struct database *database, struct error *err)
{
    enter(database);
    if (database_exec(database, "begin immediate", err))
        return true;
    leave(database);
    return false;
}

bool database_commit(struct database *database, struct error *err)
{
    if (!database_exec(database, "commit", err))
        return false;
    leave(database);
    return true;
}

void database_rollback(struct database *database)
{
    if (database->handle != NULL && sqlite3_get_autocommit(database->handle) == 0) {
        sqlite3_step(database->rollback);
        sqlite3_reset(database->rollback);
    }
    leave(database);
}

bool database_begin_snapshot(struct database *database, struct error *err)
{
    int64_t ignored;

    if (!database_exec(database, "begin", err))
        return false;
    if (!database_query_int64(
            database, "select count(*) from (select 1 from sqlite_master limit 1)", 0, &ignored,
            err)) {
        database_rollback(database);
        return false;
    }
    return true;
}

bool database_journal_mode(struct database *database, char out_mode[16], struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!database_prepare(database, "pragma journal_mode", &statement, err))
        return false;
    bool ok = database_step(database, statement, &row, err);
    const char *mode = ok && row ? (const char *)sqlite3_column_text(statement, 0) : "";
    if (mode == NULL)
        ok = error_set(err, ERROR_MEMORY, "out of memory");
    else
        sqlite3_snprintf(16, out_mode, "%s", mode);
    sqlite3_finalize(statement);
    return ok;
}
