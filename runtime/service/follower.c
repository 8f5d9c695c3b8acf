#include "service/follower.h"

#include "base/log.h"
#include "base/url.h"
#include "source/file_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The pause after a look: an eighth of the delay, but not so short that a busy source keeps the
 * thread busy, nor so long that one look more would matter. */
#define PAUSE_PART   8
#define PAUSE_MIN_MS 10
#define PAUSE_MAX_MS 250

/* How often it looks for a file that is missing. */
#define MISSING_POLL_MS 1000

struct follower {
    struct follower_options options;
    char *file; /* the path of the file itself */

    pthread_mutex_t mutex; /* protects `running`, and `files` from being closed */
    bool running;
    int64_t delay_ms;
    struct file_watch files;
    atomic_bool stopping;
    pthread_t thread;

    /* Of the thread. What it has said in the log is not said again. */
    bool missing;   /* the source cannot be read */
    bool unwatched; /* the kernel reports no writes */
};

bool follower_new(
    const struct follower_options *options, struct follower **out_follower, struct error *err)
{
    struct follower *follower = calloc(1, sizeof *follower);
    struct slice file = slice_of(options->path);

    if (follower == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    (void)url_is_immutable_file(options->path, &file);
    follower->file = strndup(file.data, file.length);
    if (follower->file == NULL) {
        free(follower);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    follower->options = *options;
    pthread_mutex_init(&follower->mutex, NULL);
    atomic_init(&follower->stopping, false);
    *out_follower = follower;
    return true;
}

/* --- the thread -------------------------------------------------------------------------- */

static void tell_sight(struct follower *follower, bool ok, const struct error *err)
{
    // Somebody who commits at this moment is no news.
    if (!ok && err->code != ERROR_BUSY && !follower->missing) {
        follower->missing = true;
        log_warn("source not followed", LOG_TEXT("reason", err->message));
    }
    if (!ok)
        return;
    if (follower->missing)
        log_info("source followed again", LOG_TEXT("path", follower->file));
    follower->missing = false;
    if (!follower->unwatched && !file_watch_sees(&follower->files)) {
        follower->unwatched = true;
        log_warn(
            "the system reports no writes to the source (fs.inotify limits?)",
            LOG_TEXT("path", follower->file), LOG_NUMBER("looks_every_ms", FOLLOWER_POLL_MS));
    }
}

/* Looks for a commit of the time since arrived_ms. A file that has only now become watched may have
 * been written right before. */
static void look(struct follower *follower, int64_t arrived_ms)
{
    struct error err;
    bool ok = false;

    do
        ok = commits_look(follower->options.commits, arrived_ms, &err);
    while (file_watch_set(&follower->files, follower->file));
    tell_sight(follower, ok, &err);
}

static bool is_waiting(const struct follower *follower)
{
    return commits_since_ms(follower->options.commits) != COMMITS_NONE;
}

/* Waits for pause_ms whatever comes, then until a write or the end of wait_ms. Returns whether a
 * write was reported, and when: 0 if it was during the pause. */
static bool wait_for_write(
    struct follower *follower, int pause_ms, int wait_ms, int64_t *out_arrived_ms)
{
    const struct clock *clock = follower->options.clock;

    *out_arrived_ms = 0;
    if (file_watch_pause(&follower->files, pause_ms) == FILE_WATCH_WOKEN)
        return false;
    if (file_watch_wait(&follower->files, 0) == FILE_WATCH_WRITE)
        return true;
    if (wait_ms <= pause_ms ||
        file_watch_wait(&follower->files, wait_ms - pause_ms) != FILE_WATCH_WRITE)
        return false;
    *out_arrived_ms = clock->monotonic_ms(clock->context);
    return true;
}

static int next_wait(const struct follower *follower, int wait_ms)
{
    int most_ms = follower->missing ? MISSING_POLL_MS : FOLLOWER_POLL_MS;

    return wait_ms < most_ms / 2 ? wait_ms * 2 : most_ms;
}

static void *work(void *context)
{
    struct follower *follower = context;
    int64_t part_ms = follower->delay_ms / PAUSE_PART;
    int pause_ms = part_ms < PAUSE_MIN_MS   ? PAUSE_MIN_MS
                   : part_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS
                                            : (int)part_ms;
    int wait_ms = pause_ms;
    int64_t arrived_ms = 0;

    while (!atomic_load(&follower->stopping)) {
        if (!is_waiting(follower))
            look(follower, arrived_ms);
        if (!is_waiting(follower)) {
            bool wrote = wait_for_write(follower, pause_ms, wait_ms, &arrived_ms);
            wait_ms = wrote ? pause_ms : next_wait(follower, wait_ms);
            continue;
        }
        follower->options.committed(follower->options.context);
        // Until a pass has covered it.
        file_watch_pause(&follower->files, -1);
        wait_ms = pause_ms;
        arrived_ms = 0;
    }
    return NULL;
}

/* --- starting and ending ----------------------------------------------------------------- */

static void stop(struct follower *follower)
{
    if (!follower->running)
        return;
    atomic_store(&follower->stopping, true);
    file_watch_wake(&follower->files);
    pthread_join(follower->thread, NULL);
    pthread_mutex_lock(&follower->mutex);
    follower->running = false;
    file_watch_close(&follower->files);
    pthread_mutex_unlock(&follower->mutex);
}

static bool start(struct follower *follower, int64_t delay_ms, struct error *err)
{
    const struct follower_options *options = &follower->options;

    if (!file_watch_open(&follower->files, err))
        return false;
    follower->delay_ms = delay_ms;
    atomic_store(&follower->stopping, false);
    commits_follow(options->commits);
    int reason = pthread_create(&follower->thread, NULL, work, follower);
    if (reason != 0) {
        file_watch_close(&follower->files);
        commits_unfollow(options->commits);
        return error_set(err, ERROR_MEMORY, "cannot start a thread: %s", strerror(reason));
    }
    pthread_mutex_lock(&follower->mutex);
    follower->running = true;
    pthread_mutex_unlock(&follower->mutex);
    return true;
}

bool follower_set(struct follower *follower, int64_t delay_ms, struct error *err)
{
    if (follower->running && follower->delay_ms == delay_ms)
        return true;
    stop(follower);
    if (delay_ms > 0)
        return start(follower, delay_ms, err);
    commits_unfollow(follower->options.commits);
    return true;
}

void follower_nudge(struct follower *follower)
{
    pthread_mutex_lock(&follower->mutex);
    if (follower->running)
        file_watch_wake(&follower->files);
    pthread_mutex_unlock(&follower->mutex);
}

void follower_free(struct follower *follower)
{
    if (follower == NULL)
        return;
    stop(follower);
    pthread_mutex_destroy(&follower->mutex);
    free(follower->file);
    free(follower);
}
