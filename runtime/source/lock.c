#include "source/lock.h"

#include "base/clock.h"
#include "source/sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* lock_find_service holds the service's lock for some microseconds. */
#define SERVICE_TRIES    20
#define SERVICE_PAUSE_MS 10

/* Before the settings of a service's schedule. */
#define SCHEDULE_WORD "schedule "
#define SERVICE_SIZE  8192

/* The documents of passes over thousands of tables. */
#define TEXT_CEILING (16 << 20)

/* The lock file of the database itself, wherever links to it lie. A database that is yet to be made
 * has no links. */
static char *lock_path(const char *state_path, const char *suffix, struct error *err)
{
    char *real = realpath(state_path, NULL);
    char *path = NULL;

    if (asprintf(&path, "%s%s", real != NULL ? real : state_path, suffix) < 0) {
        path = NULL;
        error_set(err, ERROR_MEMORY, "out of memory locking %s", state_path);
    }
    free(real);
    return path;
}

static bool fail_held(int fd, const char *state_path, struct error *err)
{
    char holder[512];
    ssize_t length = pread(fd, holder, sizeof holder - 1, 0);

    holder[length > 0 ? length : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return error_set(
        err, ERROR_LOCKED, "another bqsync%s%s%s works on %s", holder[0] != '\0' ? " (" : "",
        holder, holder[0] != '\0' ? ")" : "", state_path);
}

/* "doing PATH: what the system says". Returns false. */
static bool fail_system(const char *doing, const char *path, int reason, struct error *err)
{
    return error_set(
        err, error_code_of_errno(reason, ERROR_SOURCE), "%s %s: %s%s", doing, path,
        strerror(reason), error_limit_advice(reason));
}

/* Whether the file we locked is still the one of that name: somebody may have removed it between
 * our open and our lock. */
static bool find_current(int fd, const char *path, bool *out_current, struct error *err)
{
    struct stat held;
    struct stat named = {0};

    if (fstat(fd, &held) != 0 || (stat(path, &named) != 0 && errno != ENOENT))
        return fail_system("cannot look at the lock file", path, errno, err);
    *out_current = held.st_ino == named.st_ino && held.st_dev == named.st_dev;
    return true;
}

/* Writes the file's text: a line that names the holder, empty while there is none; a line with its
 * run and one with what hinders it (more), if it has told them; and a line for each idle document.
 * What it says is a courtesy to people and to `status`: the lock holds without it. */
static void write_text(const struct lock *lock, const char *more)
{
    const char *idle = lock->idle == NULL ? "" : lock->idle;
    const char *head = lock->head != NULL ? lock->head : idle[0] != '\0' ? "\n" : "";
    int ignored = ftruncate(lock->fd, 0) == 0 && lseek(lock->fd, 0, SEEK_SET) == 0
                      ? dprintf(lock->fd, "%s%s%s", head, more, idle)
                      : 0;

    (void)ignored;
}

/* The whole text, NULL if it is empty or cannot be read. Returned owned. */
static char *read_text(int fd)
{
    struct stat file;

    if (fstat(fd, &file) != 0 || file.st_size < 1 || file.st_size > TEXT_CEILING)
        return NULL;
    char *text = calloc(1, (size_t)file.st_size + 1);
    if (text != NULL && pread(fd, text, (size_t)file.st_size, 0) < 1) {
        free(text);
        text = NULL;
    }
    return text;
}

/* The idle documents of the file. Returned owned; NULL: there are none. */
static char *read_idle(int fd)
{
    char *text = read_text(fd);
    const char *first = text == NULL ? NULL : strstr(text, "\n{");
    char *idle = first == NULL ? NULL : strdup(first + 1);

    free(text);
    return idle;
}

/* Adds a line about its holder to what the file says. */
static void add_line(struct lock *lock, const char *format, ...)
{
    char *line = NULL;
    char *head = NULL;
    va_list args;

    if (lock->fd < 0)
        return;
    va_start(args, format);
    bool ok = vasprintf(&line, format, args) >= 0;
    va_end(args);
    if (!ok)
        return;
    if (asprintf(&head, "%s%s\n", lock->head == NULL ? "" : lock->head, line) >= 0) {
        free(lock->head);
        lock->head = head;
        write_text(lock, "");
    }
    free(line);
}

static void write_holder(struct lock *lock, const char *what)
{
    char host[256] = "";
    char since[CLOCK_TEXT_SIZE];
    const struct clock *clock = clock_system();

    gethostname(host, sizeof host - 1);
    add_line(
        lock, "pid %ld on %s, `%s`, since %s", (long)getpid(), host, what,
        clock_format(clock->wall_us(clock->context), since));
}

/* Says why the lock file can't be opened or made. One without rights is most often root's. */
static bool fail_open(const char *path, struct error *err)
{
    int reason = errno;
    struct stat file;

    if (lstat(path, &file) != 0)
        return fail_system("cannot make the lock file", path, reason, err);
    if (S_ISLNK(file.st_mode))
        return error_set(
            err, ERROR_SOURCE,
            "the lock file %s is a symbolic link, which could lead anywhere; delete it while no "
            "bqsync runs",
            path);
    if (S_ISDIR(file.st_mode))
        return error_set(err, ERROR_SOURCE, "the lock file %s is a directory; remove it", path);
    if (reason != EACCES && reason != EPERM)
        return fail_system("cannot open the lock file", path, reason, err);
    return error_set(
        err, ERROR_SOURCE,
        "cannot open the lock file %s, which belongs to uid %lu: %s; delete it while no bqsync "
        "runs",
        path, (unsigned long)file.st_uid, strerror(reason));
}

/* The file, to be looked at; negative if there is none, or no regular one. */
static int open_to_read(const char *path)
{
    struct stat file;
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd >= 0 && (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool acquire(const char *path, const char *state_path, int *out_fd, struct error *err)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
        if (fd < 0)
            return fail_open(path, err);
        if (!sidecar_accept(state_path, path, fd, err)) {
            close(fd);
            return false;
        }
        sidecar_adopt(state_path, fd);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int reason = errno;
            if (reason == EWOULDBLOCK)
                fail_held(fd, state_path, err);
            else
                fail_system("cannot lock", path, reason, err);
            close(fd);
            return false;
        }
        bool current = false;
        bool found = find_current(fd, path, &current, err);
        if (found && current) {
            *out_fd = fd;
            return true;
        }
        close(fd);
        if (!found)
            return false;
    }
}

static bool acquire_named(
    const char *state_path, const char *suffix, const char *what, struct lock *out_lock,
    struct error *err)
{
    char *path = lock_path(state_path, suffix, err);
    int fd = -1;

    if (path == NULL)
        return false;
    bool ok = sidecar_make_own(state_path, path, err) && acquire(path, state_path, &fd, err);
    if (ok) {
        *out_lock = (struct lock){.fd = fd, .idle = read_idle(fd)};
        write_holder(out_lock, what);
    }
    free(path);
    return ok;
}

bool lock_acquire(
    const char *state_path, const char *what, struct lock *out_lock, struct error *err)
{
    return acquire_named(state_path, SIDECAR_LOCK_SUFFIX, what, out_lock, err);
}

bool lock_acquire_service(const char *state_path, struct lock *out_lock, struct error *err)
{
    const struct clock *clock = clock_system();

    for (int i = 1; !acquire_named(state_path, SIDECAR_SERVICE_SUFFIX, "serve", out_lock, err);
         i++) {
        if (err->code != ERROR_LOCKED || i == SERVICE_TRIES)
            return false;
        if (!clock->sleep_ms(clock->context, SERVICE_PAUSE_MS))
            return false;
    }
    return true;
}

bool lock_find_service(const char *state_path, struct lock_service *out_service)
{
    struct error ignored;
    char *path = lock_path(state_path, SIDECAR_SERVICE_SUFFIX, &ignored);
    int fd = open_to_read(path);
    char text[SERVICE_SIZE];

    free(path);
    if (fd < 0)
        return false;
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    const char *since = strstr(text, ", since ");
    *out_service = (struct lock_service){0};
    bool found = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK && since != NULL &&
                 sscanf(text, "pid %ld ", &out_service->pid) == 1 &&
                 sscanf(since, ", since %31s", out_service->since) == 1;
    const char *schedule = strstr(text, "\n" SCHEDULE_WORD);
    if (schedule == NULL ||
        sscanf(schedule, "\n" SCHEDULE_WORD "%4095[^\n]", out_service->schedule) != 1)
        out_service->schedule[0] = '\0';
    close(fd);
    return found;
}

/* Why a file cannot be made in its folder, or, if it is there, not written; 0: it can be. Whose
 * rights a service has is not known here, so those to a file that is there do not count. */
static int why_unusable(const char *path)
{
    struct stat file;

    if (lstat(path, &file) == 0) {
        if (!S_ISREG(file.st_mode))
            return S_ISDIR(file.st_mode) ? EISDIR : ELOOP;
        return access(path, W_OK) != 0 && errno == EROFS ? EROFS : 0;
    }
    if (errno != ENOENT)
        return errno;
    char *folder = strdup(path);
    if (folder == NULL)
        return ENOMEM;
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    int reason = access(slash != NULL ? folder : ".", W_OK) == 0 ? 0 : errno;
    free(folder);
    return reason;
}

bool lock_can_show_service(const char *state_path, struct error *err)
{
    char *path = lock_path(state_path, SIDECAR_SERVICE_SUFFIX, err);

    if (path == NULL)
        return false;
    int reason = why_unusable(path);
    bool ok = reason == 0 || fail_system("a service could not make", path, reason, err);
    free(path);
    return ok;
}

bool lock_check(const char *state_path, struct error *err)
{
    char *path = lock_path(state_path, SIDECAR_LOCK_SUFFIX, err);

    if (path == NULL)
        return false;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool ok = fd >= 0 ? sidecar_accept(state_path, path, fd, err)
                      : errno == ENOENT || fail_open(path, err);
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

void lock_tell_run(struct lock *lock, const char *run_id, const char *kind, const char *started_at)
{
    add_line(lock, "run %s, %s, started %s", run_id, kind, started_at);
}

void lock_tell_outage(const struct lock *lock, const struct lock_outage *outage)
{
    char line[400];

    snprintf(
        line, sizeof line, "outage since %s, %u: %s", outage->since, outage->attempts,
        outage->message);
    line[strcspn(line, "\n")] = '\0';
    strcat(line, "\n");
    write_text(lock, outage->attempts == 0 ? "" : line);
}

void lock_tell_schedule(struct lock *lock, const char *json)
{
    // Only the line about the holder stays.
    if (lock->head != NULL && strchr(lock->head, '\n') != NULL)
        strchr(lock->head, '\n')[1] = '\0';
    add_line(lock, SCHEDULE_WORD "%s", json);
}

/* Whether somebody holds the lock, without trying to take it: a crashed holder leaves its words
 * behind. The kernel lists each lock as "1: FLOCK ADVISORY WRITE pid major:minor:inode 0 EOF"
 * ("proc_locks(5)"). */
static bool is_held(int fd)
{
    struct stat file;
    char line[256];
    bool held = false;
    FILE *locks = fopen("/proc/locks", "re");

    if (locks == NULL)
        return false;
    if (fstat(fd, &file) == 0)
        while (!held && fgets(line, sizeof line, locks) != NULL) {
            unsigned long long inode = 0;
            held = sscanf(line, "%*d: FLOCK %*s WRITE %*d %*x:%*x:%llu", &inode) == 1 &&
                   inode == (unsigned long long)file.st_ino;
        }
    fclose(locks);
    return held;
}

static bool read_run(int fd, struct lock_run *out_run)
{
    char text[1024];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    const char *second = strchr(text, '\n');
    if (second == NULL || sscanf(
                              second + 1, "run %39[^,\n], %15[^,\n], started %31[^\n]",
                              out_run->run_id, out_run->kind, out_run->started_at) != 3)
        return false;
    snprintf(out_run->holder, sizeof out_run->holder, "%.*s", (int)(second - text), text);
    out_run->outage = (struct lock_outage){0};
    const char *third = strchr(second + 1, '\n');
    if (third == NULL ||
        sscanf(
            third + 1, "outage since %31[^,\n], %u: %255[^\n]", out_run->outage.since,
            &out_run->outage.attempts, out_run->outage.message) != 3)
        out_run->outage = (struct lock_outage){0};
    return true;
}

bool lock_find_run(const char *state_path, struct lock_run *out_run)
{
    struct error ignored;
    char *path = lock_path(state_path, SIDECAR_LOCK_SUFFIX, &ignored);
    int fd = open_to_read(path);

    free(path);
    if (fd < 0)
        return false;
    bool found = read_run(fd, out_run) && is_held(fd);
    close(fd);
    return found;
}

void lock_release(struct lock *lock)
{
    if (lock->fd < 0)
        return;
    // First, so that no message names a holder that has ended.
    free(lock->head);
    lock->head = NULL;
    write_text(lock, "");
    free(lock->idle);
    close(lock->fd);
    *lock = (struct lock){.fd = -1};
}

void lock_keep_idle(struct lock *lock, char *documents)
{
    free(lock->idle);
    lock->idle = documents;
}

char *lock_read_idle(const char *state_path)
{
    struct error ignored;
    char *path = lock_path(state_path, SIDECAR_LOCK_SUFFIX, &ignored);
    int fd = open_to_read(path);

    free(path);
    if (fd < 0)
        return NULL;
    char *idle = read_idle(fd);
    close(fd);
    return idle;
}
