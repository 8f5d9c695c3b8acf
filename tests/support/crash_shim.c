/* crash_shim: preloaded into bqsync by the crash tests (LD_PRELOAD). Kills the process with SIGKILL
 * right before or right after its n-th SQLite commit, so that every durable step of ours is tried.
 * The product knows nothing of it, and sets no commit hook of its own.
 *
 * BQSYNC_CRASH_COMMIT=n       which one, from 1
 * BQSYNC_CRASH_SIDE=before|after
 * BQSYNC_COMMIT_COUNT=FILE    instead of crashing, counts: the file gets a byte a commit */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long commits;

static bool is_due(long number, const char *side)
{
    const char *at = getenv("BQSYNC_CRASH_COMMIT");
    const char *wanted = getenv("BQSYNC_CRASH_SIDE");

    return at != NULL && wanted != NULL && strtol(at, NULL, 10) == number &&
           strcmp(wanted, side) == 0;
}

static long begin_commit(void)
{
    long number = atomic_fetch_add(&commits, 1) + 1;
    const char *count = getenv("BQSYNC_COMMIT_COUNT");

    if (count != NULL) {
        int fd = open(count, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd >= 0 && write(fd, "c", 1) == 1)
            close(fd);
    }
    if (is_due(number, "before"))
        kill(getpid(), SIGKILL);
    return number;
}

/* Set from the moment SQLite is about to commit until the call that made it do so returns. */
static _Thread_local long committing;

/* Called by SQLite before a transaction that wrote is made durable. Temporary tables are of no
 * account: they end with the process. */
static int on_commit(void *context)
{
    if (sqlite3_txn_state(context, "main") == SQLITE_TXN_WRITE)
        committing = begin_commit();
    return 0;
}

static void end_commit(void)
{
    long number = committing;

    committing = 0;
    if (number != 0 && is_due(number, "after"))
        kill(getpid(), SIGKILL);
}

int sqlite3_open_v2(const char *path, sqlite3 **out_db, int flags, const char *vfs)
{
    static int (*next)(const char *, sqlite3 **, int, const char *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    int result = next(path, out_db, flags, vfs);
    if (result == SQLITE_OK)
        sqlite3_commit_hook(*out_db, on_commit, *out_db);
    return result;
}

int sqlite3_exec(
    sqlite3 *db, const char *sql, int (*callback)(void *, int, char **, char **), void *context,
    char **message)
{
    static int (*next)(
        sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_exec");
    int result = next(db, sql, callback, context, message);
    end_commit();
    return result;
}

/* A statement that writes outside of a transaction commits by itself. */
int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*next)(sqlite3_stmt *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_step");
    int result = next(statement);
    end_commit();
    return result;
}
