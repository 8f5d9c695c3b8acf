#include "source/commits.h"

#include "base/url.h"
#include "source/file_stamp.h"
#include "source/sidecar.h"
#include "source/wal_guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How long a look waits for somebody who commits at this moment. */
#define BUSY_MS 100

#define UNKNOWN (-1)

struct commits {
    const struct clock *clock;
    atomic_int_fast64_t since_ms;

    /* Protects the members below; held from commits_enter to commits_leave. */
    pthread_mutex_t mutex;
    char *path;     /* of the file itself */
    bool immutable; /* it only changes by being replaced */
    bool writes;
    bool follows;
    sqlite3 *watch; /* NULL: not open, or the file is immutable */
    sqlite3_stmt *version;
    struct wal_guard guard; /* the WAL of the version that is accounted for */
    bool doubtful;          /* since then, something else than a commit has become of them */
    bool open;              /* on a file: */
    int64_t files;          /* how often one was opened */
    int64_t seen;           /* the data version that is accounted for */
    struct file_stamp at;   /* and the file's state */
    int64_t changes;        /* commits of others that were found */
    int64_t looked_ms;      /* when that was */
    int64_t writer;         /* the data version of the connection that writes, before it began */
};

static int64_t now_ms(const struct commits *commits)
{
    return commits->clock->monotonic_ms(commits->clock->context);
}

bool commits_new(
    const struct clock *clock, const char *path, bool writes, struct commits **out_commits,
    struct error *err)
{
    struct commits *commits = calloc(1, sizeof *commits);
    struct slice file = slice_of(path);

    if (commits == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    commits->immutable = url_is_immutable_file(path, &file);
    commits->path = strndup(file.data, file.length);
    if (commits->path == NULL) {
        free(commits);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    commits->clock = clock;
    commits->writes = writes;
    atomic_init(&commits->since_ms, COMMITS_NONE);
    pthread_mutex_init(&commits->mutex, NULL);
    *out_commits = commits;
    return true;
}

/* Whether the file and its WAL are as they were when the version was accounted for. */
static bool is_as_seen(const struct commits *commits, const struct file_stamp *stamp)
{
    return file_stamp_same(stamp, &commits->at) &&
           (commits->watch == NULL || wal_guard_holds(commits->watch, &commits->guard));
}

/* A connection copies the WAL into the file only where all that became of them is commits: what
 * else has changed them may be half of a restore. */
static void close_watch(struct commits *commits)
{
    struct file_stamp stamp;

    sqlite3_finalize(commits->version);
    if (commits->doubtful || !file_stamp_read(commits->path, &stamp) ||
        !is_as_seen(commits, &stamp))
        wal_guard_keep(commits->watch);
    wal_guard_close(commits->watch, &commits->guard);
    commits->guard = (struct wal_guard){0};
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

static void set_following(struct commits *commits, bool follow)
{
    pthread_mutex_lock(&commits->mutex);
    close_watch(commits);
    commits->follows = follow;
    commits->looked_ms = now_ms(commits);
    atomic_store(&commits->since_ms, follow ? commits->looked_ms : COMMITS_NONE);
    pthread_mutex_unlock(&commits->mutex);
}

void commits_follow(struct commits *commits)
{
    set_following(commits, true);
}

void commits_unfollow(struct commits *commits)
{
    set_following(commits, false);
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
    if (!busy) {
        commits->doubtful = true;
        close_watch(commits);
    }
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
    commits->changes++;
    if (commits->follows && atomic_load(&commits->since_ms) == COMMITS_NONE)
        atomic_store(&commits->since_ms, at_ms);
}

static bool read_stamp(
    const struct commits *commits, struct file_stamp *out_stamp, struct error *err)
{
    return file_stamp_read(commits->path, out_stamp) ||
           error_set(
               err, ERROR_SOURCE, "cannot look for commits: %s: %s", commits->path,
               strerror(errno));
}

/* Opens the connection if it is not open on the file of that path. */
static bool open_file(struct commits *commits, struct error *err)
{
    struct file_stamp stamp;

    if (!read_stamp(commits, &stamp, err)) {
        close_watch(commits);
        return false;
    }
    if (commits->open && file_stamp_same_file(&stamp, &commits->at))
        return true;
    close_watch(commits);
    if (!file_stamp_same_file(&stamp, &commits->at))
        commits->doubtful = false;
    if (!commits->immutable && !open_watch(commits, err))
        return false;
    commits->open = true;
    commits->at = stamp;
    commits->files++;
    // No version is this one, so the comparison finds a commit.
    commits->seen = UNKNOWN;
    return true;
}

static bool read_version(struct commits *commits, int64_t *out_version, struct error *err)
{
    *out_version = commits->immutable ? 0 : step_version(commits->version);
    return *out_version != UNKNOWN || fail(commits, err);
}

/* The data version and the state of the file, in this order: a commit between the two is found by
 * its version, at the next look. A writer with a rollback journal writes the file before it
 * commits, but lets nobody read meanwhile: if only the file has changed, the version is read once
 * more, which fails during such a write. */
static bool read_state(
    struct commits *commits, int64_t *out_version, struct file_stamp *out_stamp, struct error *err)
{
    if (!read_version(commits, out_version, err) || !read_stamp(commits, out_stamp, err))
        return false;
    if (*out_version != commits->seen || is_as_seen(commits, out_stamp))
        return true;
    return read_version(commits, out_version, err);
}

static bool look(struct commits *commits, int64_t arrived_ms, struct error *err)
{
    int64_t at_ms = now_ms(commits);
    int64_t version = UNKNOWN;
    bool waits = false;
    struct file_stamp stamp;

    if (!open_file(commits, err) || !read_state(commits, &version, &stamp, err))
        return false;
    if (version == commits->seen && !is_as_seen(commits, &stamp)) {
        // All connections of all processes share what SQLite knows of the WAL. If the file or the
        // WAL was copied over, that is out of date as long as one of them is open.
        struct file_stamp before = commits->at;
        waits = wal_guard_is_missing(commits->watch, &commits->guard);
        close_watch(commits);
        commits->doubtful = true;
        if (!open_file(commits, err) || !read_state(commits, &version, &stamp, err))
            return false;
        waits = waits && file_stamp_same(&stamp, &before);
    } else if (commits->seen != UNKNOWN && version != commits->seen) {
        commits->doubtful = false;
    }
    if (version != commits->seen)
        wal_guard_note(commits->watch, &commits->guard);
    // A WAL is deleted in front of a backup that is on its way. What a pass wrote into a new WAL
    // until it is there would become a part of it, so none is started.
    if (waits)
        commits->changes++;
    else if (version != commits->seen || !file_stamp_same(&stamp, &commits->at))
        note_commit(commits, arrived_ms > commits->looked_ms ? arrived_ms : commits->looked_ms);
    // The connection is open on a file that is gone by now.
    if (!file_stamp_same_file(&stamp, &commits->at))
        close_watch(commits);
    commits->seen = version;
    commits->at = stamp;
    commits->looked_ms = at_ms;
    return true;
}

bool commits_look(struct commits *commits, int64_t arrived_ms, struct error *err)
{
    pthread_mutex_lock(&commits->mutex);
    bool ok = !commits->follows || look(commits, arrived_ms, err);
    pthread_mutex_unlock(&commits->mutex);
    return ok;
}

/* --- passes ------------------------------------------------------------------------------ */

static bool is_settled(const struct commits *commits)
{
    const struct clock *clock = commits->clock;

    return file_stamp_is_settled(&commits->at, clock->wall_us(clock->context));
}

void commits_mark(struct commits *commits, bool wanted, struct commits_mark *out_mark)
{
    struct error ignored;

    *out_mark = (struct commits_mark){0};
    pthread_mutex_lock(&commits->mutex);
    if ((commits->follows || wanted) && look(commits, 0, &ignored))
        *out_mark =
            (struct commits_mark){true, commits->files, commits->changes, is_settled(commits)};
    pthread_mutex_unlock(&commits->mutex);
}

void commits_cover(struct commits *commits, const struct commits_mark *mark)
{
    struct error ignored;

    pthread_mutex_lock(&commits->mutex);
    if (commits->follows && mark->known && look(commits, 0, &ignored) &&
        commits->files == mark->file)
        atomic_store(&commits->since_ms, COMMITS_NONE);
    pthread_mutex_unlock(&commits->mutex);
}

/* The writer's version is read first: a commit between the two readings is then seen by both.
 * Nothing is opened for this: what no open connection has seen is a commit to the next look. */
void commits_enter(struct commits *commits, sqlite3 *writer)
{
    struct error ignored;

    if (commits == NULL)
        return;
    pthread_mutex_lock(&commits->mutex);
    if (!commits->follows && !commits->open)
        return;
    commits->writer = writer_version(writer);
    if (!look(commits, 0, &ignored))
        note_commit(commits, commits->looked_ms);
}

/* The writer's version is read last, for the same reason. What is not surely our own is left for
 * the next look. */
void commits_leave(struct commits *commits, sqlite3 *writer)
{
    struct error ignored;

    if (commits == NULL)
        return;
    if (commits->watch != NULL) {
        int64_t version = step_version(commits->version);
        struct file_stamp stamp;
        bool stamped = read_stamp(commits, &stamp, &ignored);
        int64_t after = writer_version(writer);
        if (version == UNKNOWN || !stamped || !file_stamp_same_file(&stamp, &commits->at) ||
            after == UNKNOWN || after != commits->writer) {
            note_commit(commits, commits->looked_ms);
        } else {
            commits->seen = version;
            commits->at = stamp;
            wal_guard_note(commits->watch, &commits->guard);
        }
        commits->looked_ms = now_ms(commits);
    }
    pthread_mutex_unlock(&commits->mutex);
}
