#include "bqlocal/store/store_database.h"

#include "bqlocal/store/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* No fsync: data survives a killed process, not a crashed machine. A write-ahead log, because the
 * reader does not wait for a writer then, nor a writer for it. */
static const char opening[] =
    "pragma journal_mode = wal;"
    "pragma synchronous = off;"
    "pragma cache_size = -65536;"
    "create table if not exists bqlocal_datasets("
    "  name text primary key, resource text not null, version integer not null) without rowid;"
    "create table if not exists bqlocal_tables("
    "  dataset text not null, name text not null, resource text not null,"
    "  version integer not null, created_ms integer not null, modified_ms integer not null,"
    "  expires_ms integer, discarded_rows integer not null default 0,"
    "  modification_day integer not null default 0, modifications integer not null default 0,"
    "  primary key(dataset, name)) without rowid;"
    "create table if not exists bqlocal_routines("
    "  dataset text not null, name text not null, resource text not null,"
    "  version integer not null, created_ms integer not null, modified_ms integer not null,"
    "  primary key(dataset, name)) without rowid;"
    "create index if not exists bqlocal_tables_by_expiration"
    "  on bqlocal_tables(expires_ms) where expires_ms is not null;";

int64_t store_now_ms(const struct store *store)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + store->clock_skew_ms;
}

int64_t store_next_version(struct store *store)
{
    int64_t now = store_now_ms(store) * 1000;

    store->last_version = now > store->last_version ? now : store->last_version + 1;
    return store->last_version;
}

bool store_sqlite_failed(struct store *store, struct error *err)
{
    return store_handle_failed(store->handle, err);
}

bool store_handle_failed(sqlite3 *handle, struct error *err)
{
    int code = sqlite3_errcode(handle) & 0xFF;
    bool passes = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY;

    failure_set(
        err, passes ? "backendError" : "internalError", "sqlite: %s", sqlite3_errmsg(handle));
    if (code == SQLITE_FULL)
        err->code = ERROR_DISK;
    return false;
}

bool store_step(struct store *store, sqlite3_stmt *statement, bool *out_row, struct error *err)
{
    int status = sqlite3_step(statement);

    *out_row = status == SQLITE_ROW;
    return status == SQLITE_ROW || status == SQLITE_DONE || store_sqlite_failed(store, err);
}

bool store_execute(struct store *store, const char *sql, struct error *err)
{
    if (sqlite3_exec(store->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_sqlite_failed(store, err);
    return true;
}

bool store_executef(struct store *store, struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (sql == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a statement");
    bool ok = store_execute(store, sql, err);
    sqlite3_free(sql);
    return ok;
}

bool store_prepare(
    struct store *store, const char *sql, sqlite3_stmt **out_statement, struct error *err, ...)
{
    sqlite3_stmt *statement = NULL;
    const char *text;
    va_list args;
    int index = 0;

    if (sqlite3_prepare_v2(store->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return store_sqlite_failed(store, err);
    va_start(args, err);
    while ((text = va_arg(args, const char *)) != NULL)
        sqlite3_bind_text(statement, ++index, text, -1, SQLITE_TRANSIENT);
    va_end(args);
    *out_statement = statement;
    return true;
}

bool store_begin(struct store *store, struct error *err)
{
    return store_execute(store, "savepoint bqlocal_store", err);
}

bool store_end(struct store *store, bool ok, struct error *err)
{
    if (ok && store_execute(store, "release bqlocal_store", err))
        return true;
    // Where SQLite has rolled back everything itself (disk full), nothing is left to undo; where it
    // cannot undo a part, all of it goes.
    const char *undo = "rollback to bqlocal_store; release bqlocal_store";
    if (sqlite3_exec(store->handle, undo, NULL, NULL, NULL) != SQLITE_OK &&
        sqlite3_get_autocommit(store->handle) == 0)
        sqlite3_exec(store->handle, "rollback", NULL, NULL, NULL);
    return false;
}

struct store store_take_writer(struct store *store)
{
    struct store writer = *store;

    writer.handle = store->writer;
    store->writing = true;
    return writer;
}

void store_give_back_writer(struct store *store, const struct store *writer)
{
    // A COMMIT that fails (disk full) leaves the transaction open.
    if (sqlite3_get_autocommit(writer->handle) == 0)
        sqlite3_exec(writer->handle, "rollback", NULL, NULL, NULL);
    store->writing = false;
    store->last_version = writer->last_version;
}

static bool open_handle(const char *path, sqlite3 **out_handle, struct error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(path, out_handle, flags, NULL) != SQLITE_OK)
        return error_set(
            err, ERROR_SOURCE, "cannot open %s: %s", path,
            *out_handle == NULL ? "out of memory" : sqlite3_errmsg(*out_handle));
    sqlite3_busy_timeout(*out_handle, 5000);
    return true;
}

/* A connection has opened everything once it has read. */
static bool open_beside(
    const char *path, const char *setting, sqlite3 **out_handle, struct error *err)
{
    static const char reading[] = "select count(*) from sqlite_master";

    if (!open_handle(path, out_handle, err))
        return false;
    return (sqlite3_exec(*out_handle, setting, NULL, NULL, NULL) == SQLITE_OK &&
            sqlite3_exec(*out_handle, reading, NULL, NULL, NULL) == SQLITE_OK) ||
           error_set(err, ERROR_SOURCE, "%s", sqlite3_errmsg(*out_handle));
}

/* SQLite sorts rows (GROUP BY, ORDER BY) in pieces of its cache's size. Pieces of 2 MB stay in the
 * processor's cache: verify's checksums of a million rows take a third less. Pages are mapped, so
 * that tables that are read again and again need no larger one. */
static const char for_reader[] = "pragma cache_size = -2048; pragma mmap_size = 1073741824;";
static const char for_writer[] = "pragma cache_size = -65536; pragma synchronous = off;";

static bool open_all(struct store *store, const char *path, struct error *err)
{
    return open_handle(path, &store->handle, err) && store_execute(store, opening, err) &&
           open_beside(path, for_reader, &store->reader, err) &&
           open_beside(path, for_writer, &store->writer, err);
}

/* All connections keep their files, which vanish with the process. */
static void unlink_all(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[64];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

bool store_open(const char *path, const char *project, struct store *out_store, struct error *err)
{
    struct store store = {.project = strdup(project)};
    char scratch[] = "/tmp/bqlocal-XXXXXX";

    if (store.project == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    // Statistics would cost a lock at each allocation. Refused, and no matter, once SQLite is in
    // use.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    int file = path == NULL ? mkstemp(scratch) : -1;
    bool ok = path != NULL || file >= 0 ||
              error_set(err, ERROR_DISK, "cannot make a file in /tmp: %s", strerror(errno));
    ok = ok && open_all(&store, path == NULL ? scratch : path, err);
    if (file >= 0) {
        close(file);
        unlink_all(scratch);
    }
    if (!ok) {
        error_wrap(err, "%s", path == NULL ? scratch : path);
        store_close(&store);
        return false;
    }
    *out_store = store;
    return true;
}

void store_close(struct store *store)
{
    sqlite3_close(store->writer);
    sqlite3_close(store->reader);
    sqlite3_close(store->handle);
    free(store->project);
    *store = (struct store){0};
}

void store_merge_patch(cJSON *resource, const cJSON *patch)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, patch)
    {
        cJSON *labels = cJSON_GetObjectItemCaseSensitive(resource, "labels");
        if (cJSON_IsNull(item)) {
            cJSON_DeleteItemFromObjectCaseSensitive(resource, item->string);
        } else if (
            strcmp(item->string, "labels") == 0 && cJSON_IsObject(labels) && cJSON_IsObject(item)) {
            store_merge_patch(labels, item);
        } else {
            cJSON_DeleteItemFromObjectCaseSensitive(resource, item->string);
            cJSON_AddItemToObject(resource, item->string, cJSON_Duplicate(item, true));
        }
    }
}
