#include "source/commits.h"

#include "base/url.h"
#include "source/sidecar.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How long a look waits for somebody who commits at this moment. */
#define BUSY_MS 100

#define UNKNOWN (-1)

struct commits {
    const struct clock *clock;
    atomic_int_fast64_t since_ms;

    pthread_mutex_t
        mutex;      /* protects the members below; held from commits_enter to commits_leave */
    char *path;     /* of the file itself; NULL: nothing is followed */
    bool immutable; /* it only changes by being replaced */
    bool writes;
    sqlite3 *watch; /* NULL: not open, or the file is immutable */
    sqlite3_stmt *version;
    bool open; /* on this file: */
    dev_t device;
    ino_t inode;
    int64_t files;     /* how often it was opened */
    int64_t seen;      /* the data version that is accounted for */
    int64_t looked_ms; /* when that was read */
    int64_t writer;    /* the data version of the connection that writes, before it began */
};

static int64_t now_ms(const struct commits *commits)
{
    return commits->clock->monotonic_ms(commits->clock->context);
}

bool commits_new(const struct clock *clock, struct commits **out_commits, struct error *err)
{
    struct commits *commits = calloc(1, sizeof *commits);

    if (commits == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    commits->clock = clock;
    atomic_init(&commits->since_ms, COMMITS_NONE);
    pthread_mutex_init(&commits->mutex, NULL);
    *out_commits = commits;
    return true;
}

static void close_watch(struct commits *commits)
{
    sqlite3_finalize(commits->version);
    sqlite3_close_v2(commits->watch);
    commits->version = NULL;
    commits->watch = NULL;
    commits->open = false;
}

void commits_free(struct commits *commits)
{
    if (commits == NULL)
        return;
    close_watch(commits);
    free(commits->path);
    pthread_mutex_destroy(&commits->mutex);
    free(commits);
}

bool commits_follow(struct commits *commits, const char *path, bool writes, struct error *err)
{
    struct slice file;
    char *copy = NULL;
    bool immutable = path != NULL && url_is_immutable_file(path, &file);

    if (path != NULL) {
        copy = immutable ? strndup(file.data, file.length) : strdup(path);
        if (copy == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory");
    }
    pthread_mutex_lock(&commits->mutex);
    close_watch(commits);
    free(commits->path);
    commits->path = copy;
    commits->immutable = immutable;
    commits->writes = writes;
    commits->looked_ms = now_ms(commits);
    atomic_store(&commits->since_ms, path == NULL ? COMMITS_NONE : commits->looked_ms);
    pthread_mutex_unlock(&commits->mutex);
    return true;
}

int64_t commits_since_ms(const struct commits *commits)
{
    return atomic_load(&commits->since_ms);
}

/* --- the open connection. The caller holds the mutex. ------------------------------------- */

static bool fail(struct commits *commits, struct error *err)
{
    int result = sqlite3_extended_errcode(commits->watch);
    bool busy = (result & 0xff) == SQLITE_BUSY;

    error_set(
        err, busy ? ERROR_BUSY : ERROR_SOURCE, "cannot look for commits: %s (%s)",
        sqlite3_errmsg(commits->watch), commits->path);
    // A connection that cannot wait for its turn is as good as any; another one may be broken.
    if (!busy)
        close_watch(commits);
    return false;
}

/* Opened without reading: a schema takes memory. */
static bool open_watch(struct commits *commits, struct error *err)
{
    int access = commits->writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;

    if (sqlite3_open_v2(
            commits->path, &commits->watch, access | SQLITE_OPEN_NOMUTEX, sidecar_vfs()) !=
        SQLITE_OK) {
        if (commits->watch != NULL)
            return fail(commits, err);
        return error_set(err, ERROR_MEMORY, "out of memory opening %s", commits->path);
    }
    sqlite3_extended_result_codes(commits->watch, 1);
    sqlite3_busy_timeout(commits->watch, BUSY_MS);
    if (sqlite3_prepare_v3(
            commits->watch, "pragma data_version", -1, SQLITE_PREPARE_PERSISTENT, &commits->version,
            NULL) == SQLITE_OK)
        return true;
    return fail(commits, err);
}

/* Steps "pragma data_version"; UNKNOWN if that fails. */
static int64_t step_version(sqlite3_stmt *statement)
{
    int64_t version = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0)
                                                            : (int64_t)UNKNOWN;

    sqlite3_reset(statement);
    return version;
}

/* The same on the connection that writes. */
static int64_t writer_version(sqlite3 *writer)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(writer, "pragma data_version", -1, &statement, NULL) != SQLITE_OK)
        return UNKNOWN;
    int64_t version = step_version(statement);
    sqlite3_finalize(statement);
    return version;
}

static void note_commit(struct commits *commits, int64_t at_ms)
{
    if (atomic_load(&commits->since_ms) == COMMITS_NONE)
        atomic_store(&commits->since_ms, at_ms);
}

/* Opens the connection if it is not open on the file of that path. */
static bool open_file(struct commits *commits, struct error *err)
{
    struct stat file;

    if (stat(commits->path, &file) != 0) {
        close_watch(commits);
        return error_set(
            err, ERROR_SOURCE, "cannot look for commits: %s: %s", commits->path, strerror(errno));
    }
    if (commits->open && file.st_dev == commits->device && file.st_ino == commits->inode)
        return true;
    close_watch(commits);
    if (!commits->immutable && !open_watch(commits, err))
        return false;
    commits->open = true;
    commits->device = file.st_dev;
    commits->inode = file.st_ino;
    commits->files++;
    // No version is this one, so the comparison finds a commit.
    commits->seen = UNKNOWN;
    return true;
}

static bool look(struct commits *commits, int64_t arrived_ms, struct error *err)
{
    int64_t at_ms = now_ms(commits);

    if (!open_file(commits, err))
        return false;
    int64_t version = commits->immutable ? 0 : step_version(commits->version);
    if (version == UNKNOWN)
        return fail(commits, err);
    if (version != commits->seen)
        note_commit(commits, arrived_ms > commits->looked_ms ? arrived_ms : commits->looked_ms);
    commits->seen = version;
    commits->looked_ms = at_ms;
    return true;
}

bool commits_look(struct commits *commits, int64_t arrived_ms, struct error *err)
{
    pthread_mutex_lock(&commits->mutex);
    bool ok = commits->path == NULL || look(commits, arrived_ms, err);
    pthread_mutex_unlock(&commits->mutex);
    return ok;
}

/* --- passes ------------------------------------------------------------------------------ */

int64_t commits_file(struct commits *commits)
{
    struct error ignored;

    pthread_mutex_lock(&commits->mutex);
    bool ok = commits->path != NULL && look(commits, 0, &ignored);
    int64_t files = ok ? commits->files : UNKNOWN;
    pthread_mutex_unlock(&commits->mutex);
    return files;
}

void commits_cover(struct commits *commits, int64_t file)
{
    struct error ignored;

    pthread_mutex_lock(&commits->mutex);
    if (commits->path != NULL && look(commits, 0, &ignored) && commits->files == file)
        atomic_store(&commits->since_ms, COMMITS_NONE);
    pthread_mutex_unlock(&commits->mutex);
}

/* The writer's version is read first: a commit between the two readings is then seen by both. */
void commits_enter(struct commits *commits, sqlite3 *writer)
{
    struct error ignored;

    if (commits == NULL)
        return;
    pthread_mutex_lock(&commits->mutex);
    if (commits->path == NULL)
        return;
    commits->writer = writer_version(writer);
    if (!look(commits, 0, &ignored))
        note_commit(commits, commits->looked_ms);
}

/* The writer's version is read last, for the same reason. */
void commits_leave(struct commits *commits, sqlite3 *writer)
{
    if (commits == NULL)
        return;
    if (commits->path != NULL && commits->watch != NULL) {
        int64_t version = step_version(commits->version);
        int64_t after = writer_version(writer);
        if (version == UNKNOWN || after == UNKNOWN || after != commits->writer)
            note_commit(commits, commits->looked_ms);
        else
            commits->seen = version;
        commits->looked_ms = now_ms(commits);
    }
    pthread_mutex_unlock(&commits->mutex);
}
