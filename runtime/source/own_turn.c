#include "source/own_turn.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

/* How long after its last attempt a connection still counts as one that waits. Attempts are at most
 * 100 ms apart (database.c, and sqlite3_busy_timeout), on a busy machine more. One that has given
 * up keeps others waiting for no longer than this. */
#define WAITS_MS 400

/* A database file that is open, whatever its name. */
struct file {
    dev_t device;
    ino_t inode;
    struct own_turn *turns; /* of all its connections */
    struct file *next;
};

struct own_turn {
    struct file *file;
    struct own_turn *next;
    pthread_t thread; /* that has taken the lock, or waits for it */
    int level;        /* SQLITE_LOCK_NONE, SHARED or RESERVED; what is above counts as RESERVED */
    int wanted;       /* the same of the lock that it waits for; NONE: it does not wait */
    int64_t since_ms; /* since when, monotonic */
    int64_t until_ms; /* when it has given up, unless it tries again */
};

/* Protects all files and their turns. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;

static _Thread_local bool was_refused;

static int64_t now_ms(void)
{
    const struct clock *clock = clock_system();

    return clock->monotonic_ms(clock->context);
}

/* --- files. The caller holds the mutex. ---------------------------------------------------- */

static struct file *find_file(const struct stat *status)
{
    // A file that is gone already, or has no name, is nobody else's.
    struct file *file = status->st_ino == 0 ? NULL : files;

    while (file != NULL && (file->device != status->st_dev || file->inode != status->st_ino))
        file = file->next;
    if (file != NULL)
        return file;
    file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->device = status->st_dev;
    file->inode = status->st_ino;
    file->next = files;
    files = file;
    return file;
}

static void forget_file(struct file *file)
{
    struct file **place = &files;

    while (*place != file)
        place = &(*place)->next;
    *place = file->next;
    free(file);
}

struct own_turn *own_turn_new(const char *path)
{
    struct own_turn *turn = calloc(1, sizeof *turn);
    struct stat status = {0};

    if (turn == NULL)
        return NULL;
    (void)stat(path, &status);
    pthread_mutex_lock(&mutex);
    turn->file = find_file(&status);
    if (turn->file != NULL) {
        turn->next = turn->file->turns;
        turn->file->turns = turn;
    }
    pthread_mutex_unlock(&mutex);
    if (turn->file == NULL) {
        free(turn);
        return NULL;
    }
    return turn;
}

void own_turn_free(struct own_turn *turn)
{
    if (turn == NULL)
        return;
    pthread_mutex_lock(&mutex);
    struct own_turn **place = &turn->file->turns;
    while (*place != turn)
        place = &(*place)->next;
    *place = turn->next;
    if (turn->file->turns == NULL)
        forget_file(turn->file);
    pthread_mutex_unlock(&mutex);
    free(turn);
}

/* --- turns. The caller holds the mutex. ---------------------------------------------------- */

/* What other connections of this process hold and wait for. */
struct others {
    bool lock;         /* any lock */
    bool own;          /* one of this thread */
    bool writes;       /* RESERVED, of another thread */
    int64_t reader_ms; /* since when another thread waits to read, INT64_MAX: none does */
    int64_t writer_ms; /* or to write */
};

static bool waits(const struct own_turn *turn, int64_t at_ms)
{
    return turn->wanted != SQLITE_LOCK_NONE && at_ms < turn->until_ms;
}

static void add_other(struct others *others, const struct own_turn *other, int64_t at_ms)
{
    bool own = pthread_equal(other->thread, pthread_self()) != 0;

    if (other->level != SQLITE_LOCK_NONE) {
        others->lock = true;
        others->own = others->own || own;
        others->writes = others->writes || (!own && other->level >= SQLITE_LOCK_RESERVED);
    }
    if (own || !waits(other, at_ms))
        return;
    int64_t *first = other->wanted == SQLITE_LOCK_SHARED ? &others->reader_ms : &others->writer_ms;
    if (other->since_ms < *first)
        *first = other->since_ms;
}

/* Whether it is the turn of that connection. Who waits is served in the order of arrival. */
static bool is_next(const struct own_turn *turn, int level, int64_t at_ms)
{
    struct others others = {.reader_ms = INT64_MAX, .writer_ms = INT64_MAX};
    int64_t since_ms = waits(turn, at_ms) ? turn->since_ms : at_ms;

    for (const struct own_turn *other = turn->file->turns; other != NULL; other = other->next)
        if (other != turn)
            add_other(&others, other, at_ms);
    if (level >= SQLITE_LOCK_RESERVED)
        return !others.lock && since_ms <= others.reader_ms;
    return others.own || (!others.writes && since_ms <= others.writer_ms);
}

static void note_wait(struct own_turn *turn, int level, int64_t at_ms)
{
    if (!waits(turn, at_ms)) {
        turn->wanted = level;
        turn->since_ms = at_ms;
    } else if (level > turn->wanted) {
        turn->wanted = level;
    }
    turn->until_ms = at_ms + WAITS_MS;
}

/* Without RESERVED before it, a higher lock is one for a journal that was left behind, or for a
 * WAL: nobody waits while it is held. */
static bool take(struct own_turn *turn, int level)
{
    int64_t at_ms = now_ms();

    if (level <= turn->level || level > SQLITE_LOCK_RESERVED)
        return true;
    bool next = is_next(turn, level, at_ms);
    turn->thread = pthread_self();
    if (!next) {
        note_wait(turn, level, at_ms);
        return false;
    }
    turn->level = level;
    // Who waits to write has to be allowed to read first.
    if (level >= turn->wanted)
        turn->wanted = SQLITE_LOCK_NONE;
    return true;
}

/* --- locks --------------------------------------------------------------------------------- */

static void set_level(struct own_turn *turn, int level)
{
    pthread_mutex_lock(&mutex);
    if (level < turn->level)
        turn->level = level;
    pthread_mutex_unlock(&mutex);
}

int own_turn_lock(struct own_turn *turn, sqlite3_file *file, int level)
{
    was_refused = false;
    if (turn == NULL)
        return file->pMethods->xLock(file, level);
    pthread_mutex_lock(&mutex);
    int before = turn->level;
    was_refused = !take(turn, level);
    pthread_mutex_unlock(&mutex);
    if (was_refused)
        return SQLITE_BUSY;
    int result = file->pMethods->xLock(file, level);
    if (result != SQLITE_OK)
        set_level(turn, before);
    return result;
}

int own_turn_unlock(struct own_turn *turn, sqlite3_file *file, int level)
{
    int result = file->pMethods->xUnlock(file, level);

    if (turn != NULL)
        set_level(turn, level);
    return result;
}

bool own_turn_was_refused(void)
{
    return was_refused;
}
