#include "source/database_error.h"

#include "base/clock.h"
#include "source/own_turn.h"
#include "source/sidecar.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether SQLite failed to write, or to make what it wrote durable ("Result and Error Codes"). */
static bool is_write(int io_error)
{
    switch (io_error) {
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_TRUNCATE:
    case SQLITE_IOERR_DELETE:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_GETTEMPPATH:
        return true;
    default:
        return false;
    }
}

static enum error_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_BUSY;
    case SQLITE_NOMEM:
        return ERROR_MEMORY;
    case SQLITE_FULL:
        return ERROR_DISK;
    case SQLITE_INTERRUPT:
        return ERROR_STOPPED;
    case SQLITE_IOERR:
        return is_write(result) ? ERROR_DISK : ERROR_SOURCE;
    default:
        return ERROR_SOURCE;
    }
}

#define WAL_ADVICE                                                                                 \
    "; a database in WAL mode can be read only where its -wal and -shm files are, or can be "      \
    "created next to it. Give the right to write its directory, or, if it is a copy that nobody "  \
    "changes, say so: BQ_SQLITE_PATH=file:PATH?immutable=1"

/* What a person can do about it; "" where SQLite's own words are enough. */
static const char *advice_for(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        if ((result & 0xff) == SQLITE_BUSY && own_turn_was_refused())
            return "; another part of this bqsync, such as a verification, kept it locked for "
                   "longer than bqsync waits";
        return "; another process kept it locked for longer than bqsync waits";
    case SQLITE_NOTADB:
        return "; it is not a SQLite database, or it is encrypted";
    case SQLITE_CORRUPT:
        return "; check it with `PRAGMA integrity_check`, and recover it with the sqlite3 shell's "
               ".recover or from a backup";
    case SQLITE_FULL:
        return "; free some disk space";
    case SQLITE_READONLY:
        if (result == SQLITE_READONLY_DIRECTORY || result == SQLITE_READONLY_CANTINIT)
            return WAL_ADVICE;
        return "; give the right to write the file and its directory, or keep bqsync's control "
               "tables elsewhere with BQ_STATE_PATH";
    case SQLITE_CANTOPEN:
        return WAL_ADVICE;
    default:
        return "";
    }
}

/* Whether a disk that cannot be read answers so: SQLite then says that the database is malformed
 * (SQLITE_IOERR_CORRUPTFS becomes SQLITE_CORRUPT), which nobody could repair. */
static bool is_device_error(int reason)
{
    return reason == EIO || reason == ENXIO || reason == ENODEV;
}

/* The errno of the last failed read of the database, or of its -wal or journal. */
static int read_errno(sqlite3 *handle)
{
    sqlite3_file *journal = NULL;
    int reason = 0;

    sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &reason);
    if (is_device_error(reason))
        return reason;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
    if (journal != NULL && journal->pMethods != NULL)
        journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &reason);
    return reason;
}

static int last_errno(sqlite3 *handle, const char *schema)
{
    int reason = 0;

    sqlite3_file_control(handle, schema, SQLITE_FCNTL_LAST_ERRNO, &reason);
    return reason;
}

/* The errno of a failed call. SQLite keeps none of a write to its -wal or journal, or to a
 * temporary table, where a limit of the size of files is met first. */
static int system_errno(sqlite3 *handle)
{
    int reason = sqlite3_system_errno(handle);
    bool at_limit =
        reason == 0 && (read_errno(handle) == EFBIG || last_errno(handle, "main") == EFBIG ||
                        last_errno(handle, "temp") == EFBIG);

    return at_limit ? EFBIG : reason;
}

bool database_fail_confined(const char *path, const char *what, struct error *err)
{
    char *real = realpath(path, NULL);
    bool leads = real != NULL && strcmp(real, path) != 0;

    error_set(
        err, ERROR_SOURCE,
        "%s%s%s %s, although its rights allow more; if the path led elsewhere when `bqsync serve` "
        "started, or its folder was made again, restart it: its sandbox keeps to the folders of "
        "the start",
        path, leads ? ", now " : "", leads ? real : "", what);
    free(real);
    return false;
}

/* Whether rights allow all that SQLite opens; what the sandbox allows does not count for access(2).
 */
static bool has_rights(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char *real = realpath(path, NULL);
    char name[PATH_MAX + 16];
    bool allowed = real != NULL;

    for (size_t i = 0; allowed && i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", real, suffixes[i]);
        allowed = access(name, R_OK | W_OK) == 0 || (i > 0 && errno == ENOENT);
    }
    if (allowed)
        *strrchr(real, '/') = '\0';
    allowed = allowed && access(real[0] == '\0' ? "/" : real, W_OK | X_OK) == 0;
    free(real);
    return allowed;
}

bool database_fail(sqlite3 *handle, const char *path, const char *doing, struct error *err)
{
    int result = sqlite3_extended_errcode(handle);
    int kind = result & 0xff;
    int reason = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN ? system_errno(handle) : 0;

    if (kind == SQLITE_BUSY && clock_stopped())
        return error_set(err, ERROR_STOPPED, "%s: asked to stop (%s)", doing, path);
    if (kind == SQLITE_CORRUPT && is_device_error(read_errno(handle)))
        return error_set(
            err, ERROR_SOURCE, "%s: the disk cannot be read: %s (%s)", doing,
            strerror(read_errno(handle)), path);
    if (kind == SQLITE_CANTOPEN && (reason == EMFILE || reason == ENFILE))
        return error_set(
            err, ERROR_SOURCE, "%s: %s (%s)%s", doing, strerror(reason), path,
            error_limit_advice(reason));
    if (kind == SQLITE_CANTOPEN && !sidecar_check(path, err))
        return false;
    if (kind == SQLITE_CANTOPEN && reason == EACCES && has_rights(path))
        return database_fail_confined(path, "cannot be opened: Permission denied", err);
    const char *advice = error_limit_advice(reason);
    return error_set(
        err, error_code_of_errno(reason, code_of(result)), "%s: %s%s%s (%s)%s", doing,
        sqlite3_errmsg(handle), reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason), path,
        *advice != '\0' ? advice : advice_for(result));
}
