/* crash_shim: preloaded into bqsync by the crash tests (LD_PRELOAD). Kills the process with SIGKILL
 * right before or right after its n-th SQLite commit, so that every durable step of ours is tried.
 * The product knows nothing of it.
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
#include <strings.h>
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

static void end_commit(long number)
{
    if (is_due(number, "after"))
        kill(getpid(), SIGKILL);
}

int sqlite3_exec(
    sqlite3 *db, const char *sql, int (*callback)(void *, int, char **, char **), void *context,
    char **message)
{
    static int (*next)(
        sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_exec");
    if (strcasecmp(sql, "commit") != 0)
        return next(db, sql, callback, context, message);
    long number = begin_commit();
    int result = next(db, sql, callback, context, message);
    end_commit(number);
    return result;
}

/* A statement that writes outside of a transaction commits by itself. */
int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*next)(sqlite3_stmt *);

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_step");
    sqlite3 *db = sqlite3_db_handle(statement);
    if (sqlite3_stmt_readonly(statement) || !sqlite3_get_autocommit(db))
        return next(statement);
    long number = begin_commit();
    int result = next(statement);
    end_commit(number);
    return result;
}
