/* commits: whether somebody else has committed to the source since the last pass looked at it.
 * "Else" is everybody but this process, whose passes write their state into the same file.
 *
 * "pragma data_version" of a connection changes when another connection has committed (SQLite
 * documentation, "Pragma statements"). One connection is kept open for that and does nothing else:
 * it reads neither schema nor rows and holds no transaction open, so it keeps nobody from writing
 * or checkpointing. It knows commits, not their authors, so each write transaction of a pass stands
 * between commits_enter and commits_leave (database.c calls them). They compare the data version of
 * the writing connection too: that one does not change for its own commit. If it is the same before
 * and after, nobody else has committed meanwhile, and what the open connection sees is our own
 * commit. If it has changed, or cannot be read, the commit counts as somebody else's: an idle pass
 * costs one request, a commit that is not followed would be a row that is late.
 *
 * A file that takes the place of the database, as a restored backup does, is a commit. So is a
 * backup that is copied over the file in place, of which SQLite tells no connection: the data
 * version stays as it was, so the file's size and times are compared as well. A checkpoint, which
 * writes the file too, cannot be told from that; it costs one idle pass.
 *
 * A pass may also ask for a mark of what is committed when it begins. If a later pass finds the
 * same mark, nothing was committed in between, and a table that was read after the first one need
 * not be read again (sync/scan_memory.h).
 *
 * Thread-safe, but commits_new, commits_follow, commits_unfollow and commits_free. */
#ifndef BQSYNC_SOURCE_COMMITS_H
#define BQSYNC_SOURCE_COMMITS_H

#include "base/clock.h"
#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define COMMITS_NONE INT64_MAX

struct commits;

/* Watches the database of this path (as database_open takes it), and follows nothing yet. The
 * connection is opened by the first commits_look or commits_mark. writes: bqsync may write the
 * file; if it is the last one to close it, it then removes the -wal file as every program does. The
 * clock is borrowed. Returned owned. */
MUST_CHECK bool commits_new(
    const struct clock *clock, const char *path, bool writes, struct commits **out_commits,
    struct error *err);
void commits_free(struct commits *commits);

/* Follows from now on. What was committed before counts as a commit of now, because nobody knows.
 */
void commits_follow(struct commits *commits);
/* Follows no more. */
void commits_unfollow(struct commits *commits);

/* Looks for a commit. arrived_ms: monotonic; when the kernel reported a write to the file, or 0 if
 * it did not: the commit is not older than that and not older than the last look. Returns false if
 * the database cannot be read at the moment; *err says why. */
bool commits_look(struct commits *commits, int64_t arrived_ms, struct error *err);

/* When the first commit that is not covered came at the earliest, monotonic; COMMITS_NONE if there
 * is none. Never waits. */
int64_t commits_since_ms(const struct commits *commits);

/* What is committed at one moment. Two marks with the same `changes` have nothing in between that
 * somebody else has committed. */
struct commits_mark {
    bool known;      /* it could be looked */
    int64_t file;    /* changes when another file has taken the place of the database */
    int64_t changes; /* how many looks have found a commit, so far */
    /* The file's times tell of later writes (source/file_stamp.h). Else a backup that is copied
     * over the file right now might not be seen. */
    bool settled;
};

/* Looks, if commits are followed; if they are not, only when a mark is wanted, because the
 * connection that is opened for it stays open. Else, and if it cannot look, nothing is known. */
void commits_mark(struct commits *commits, bool wanted, struct commits_mark *out_mark);

/* A pass is about to plan all tables, with connections that it opened after this mark: commits up
 * to now are followed. Does nothing if another file has taken the place since. */
void commits_cover(struct commits *commits, const struct commits_mark *mark);

/* Around a write transaction of this process on the watched database: before it begins, and after
 * its end, however it ended. Between them no other thread enters. NULL: nobody watches. */
void commits_enter(struct commits *commits, sqlite3 *writer);
void commits_leave(struct commits *commits, sqlite3 *writer);

#endif
