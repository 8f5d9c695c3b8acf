/* nth_shim: preloaded into bqsync by the tests of failing calls (LD_PRELOAD). Counts the calls of
 * the C library that can fail, whoever makes them: bqsync, SQLite, libcurl, libmicrohttpd. From the
 * n-th of one kind on, it makes some of them fail, as a machine does whose memory, disk,
 * descriptors or threads are used up. Counting begins with main(). The product knows nothing of it.
 *
 * BQSYNC_NTH_REPORT=FILE  a struct report; without it nothing is counted and nothing fails
 * BQSYNC_NTH_KIND=KIND    which calls: a number of enum kind; without it all succeed
 * BQSYNC_NTH=n            the first call that fails, from 1; 0: none does, but the report tells the
 *                         places of all calls of the kind
 * BQSYNC_NTH_COUNT=n      how many fail in a row; 0: all from the first one on
 * BQSYNC_NTH_OWN=1        a place is the line of the program itself that has led to the call,
 * whatever libraries did in between BQSYNC_NTH_ERRNO=n      the error; 0: no error, but only half
 * of the bytes are read or written
 *
 * Calls that libc makes of its own functions cannot be counted, except those for memory. Reads and
 * writes count if they are of a regular file that is not an output: bqlocal injects the faults of
 * connections. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMES     40
#define TEXT_BYTES 8192
#define PLACES     (1 << 18)
/* A request for memory before dlsym has found malloc is answered from here, and never given back.
 */
#define EARLY_BYTES 65536

/* tests/fault/nth.py has the same list and knows the layout of the report. */
enum kind {
    KIND_MEMORY,
    KIND_OPEN,   /* open files, folders and temporary files */
    KIND_HANDLE, /* make descriptors of another sort: sockets, epoll, eventfd, inotify */
    KIND_READ,
    KIND_WRITE,
    KIND_SYNC,
    KIND_LOCK,
    KIND_MAP,
    KIND_STAT,   /* look at names and attributes */
    KIND_CHANGE, /* remove, link or change them */
    KIND_THREAD,
    KIND_COUNT
};

struct report {
    _Atomic uint64_t seen[KIND_COUNT];
    _Atomic uint64_t failed;
    char unused[TEXT_BYTES / 2 - (KIND_COUNT + 1) * sizeof(uint64_t)];
    char frames[TEXT_BYTES / 2]; /* of the first call that failed, as text */
    uint64_t places[PLACES];     /* of each call of the wanted kind: a hash of its frames */
};

static struct report *report;
static int report_fd = -1;
static enum kind wanted = KIND_COUNT;
static uint64_t first;
static uint64_t count;
static int error;
static uint64_t own_frames;
/* Where the program's own code lies. */
static uintptr_t own_start;
static uintptr_t own_end;
static atomic_bool running;
/* Calls that the shim itself makes are not counted. */
static _Thread_local bool inside;

/* The next function of this name, behind the shim. */
#define NEXT(name)                                                                                 \
    static __typeof__(name) *_Atomic found;                                                        \
    __typeof__(name) *next = found;                                                                \
    if (next == NULL) {                                                                            \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                                 \
        found = next;                                                                              \
    }

/* The first object of the process is the program. */
static int find_own(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    own_start = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            own_end = own_start + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 1;
}

/* The frames behind the shim's own. */
static void trace(uint64_t number)
{
    void *frames[FRAMES];
    // FNV-1a, of addresses; those of the program are the same in each run.
    uint64_t hash = 14695981039346656037U;
    uint64_t counted = 0;
    int depth = backtrace(frames, FRAMES);

    if (first != 0) {
        backtrace_symbols_fd(frames, depth, report_fd);
        return;
    }
    for (int i = 0; i < depth; i++) {
        uintptr_t at = (uintptr_t)frames[i];
        bool own = at >= own_start && at < own_end;
        if (own_frames == 0 || (own && ++counted <= own_frames))
            hash = (hash ^ (own ? at - own_start : at)) * 1099511628211U;
    }
    if (number <= PLACES)
        report->places[number - 1] = hash;
}

/* Counts a call; true if it has to fail. errno is set then. */
static bool is_due(enum kind kind)
{
    if (!running || inside)
        return false;
    uint64_t number = atomic_fetch_add(&report->seen[kind], 1) + 1;
    if (kind != wanted || number < first || (count != 0 && first != 0 && number >= first + count))
        return false;
    bool fails = first != 0;
    if (!fails || atomic_fetch_add(&report->failed, 1) == 0) {
        inside = true;
        trace(number);
        inside = false;
    }
    errno = fails ? error : errno;
    return fails;
}

static bool is_content(int fd)
{
    struct stat status;

    if (!running || inside || fd <= STDERR_FILENO)
        return false;
    inside = true;
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    inside = false;
    return regular;
}

/* Counts a transfer. False: it fails. Otherwise *length is how much of it may be done. */
static bool may_transfer(enum kind kind, int fd, size_t *length)
{
    if (!is_content(fd) || !is_due(kind))
        return true;
    if (error != 0)
        return false;
    *length = *length > 1 ? *length / 2 : *length;
    return true;
}

/* --- memory ------------------------------------------------------------------------------ */

static char early[EARLY_BYTES] __attribute__((aligned(16)));
static size_t early_used;

static bool is_early(const void *memory)
{
    return (const char *)memory >= early && (const char *)memory < early + EARLY_BYTES;
}

static void *take_early(size_t size)
{
    size_t at = early_used;

    early_used += (size + 15) / 16 * 16;
    if (early_used > EARLY_BYTES)
        abort();
    return early + at;
}

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

static void find_memory(void)
{
    static bool finding;

    if (finding)
        return;
    finding = true;
    *(void **)&next_free = dlsym(RTLD_NEXT, "free");
    *(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&next_calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
    finding = false;
}

void *malloc(size_t size)
{
    if (next_malloc == NULL)
        find_memory();
    if (next_malloc == NULL)
        return take_early(size);
    return is_due(KIND_MEMORY) ? NULL : next_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    if (next_calloc == NULL)
        find_memory();
    if (next_calloc == NULL)
        return take_early(number * size);
    return is_due(KIND_MEMORY) ? NULL : next_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    if (next_realloc == NULL)
        find_memory();
    if (next_realloc == NULL || is_early(memory))
        abort();
    return is_due(KIND_MEMORY) ? NULL : next_realloc(memory, size);
}

void free(void *memory)
{
    if (next_free == NULL)
        find_memory();
    if (!is_early(memory) && next_free != NULL)
        next_free(memory);
}

/* --- files ------------------------------------------------------------------------------- */

#define TAKE_MODE(mode, flags)                                                                     \
    mode_t mode = 0;                                                                               \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                  \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode = va_arg(arguments, mode_t);                                                          \
        va_end(arguments);                                                                         \
    }

int open(const char *path, int flags, ...)
{
    TAKE_MODE(mode, flags)
    NEXT(open)
    return is_due(KIND_OPEN) ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    TAKE_MODE(mode, flags)
    NEXT(open64)
    return is_due(KIND_OPEN) ? -1 : next(path, flags, mode);
}

/* SIMPLE(KIND, FAILED, RESULT, NAME, (PARAMETERS), ARGUMENT...) */
#define SIMPLE(kind, failed, type, name, parameters, ...)                                          \
    type name parameters                                                                           \
    {                                                                                              \
        NEXT(name)                                                                                 \
        return is_due(kind) ? failed : next(__VA_ARGS__);                                          \
    }

SIMPLE(KIND_OPEN, NULL, FILE *, fopen, (const char *path, const char *mode), path, mode)
SIMPLE(KIND_OPEN, NULL, DIR *, opendir, (const char *path), path)
SIMPLE(KIND_OPEN, -1, int, mkostemp, (char *path, int flags), path, flags)

SIMPLE(KIND_HANDLE, -1, int, socket, (int domain, int type, int protocol), domain, type, protocol)
SIMPLE(
    KIND_HANDLE, -1, int, socketpair, (int domain, int type, int protocol, int out[2]), domain,
    type, protocol, out)
SIMPLE(KIND_HANDLE, -1, int, epoll_create1, (int flags), flags)
SIMPLE(KIND_HANDLE, -1, int, eventfd, (unsigned initial, int flags), initial, flags)
SIMPLE(KIND_HANDLE, -1, int, inotify_init1, (int flags), flags)
SIMPLE(
    KIND_HANDLE, -1, int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *length, int flags),
    fd, address, length, flags)

/* TRANSFER(KIND, NAME, (PARAMETERS), ARGUMENT...): of fd, of length bytes. */
#define TRANSFER(kind, name, parameters, ...)                                                      \
    ssize_t name parameters                                                                        \
    {                                                                                              \
        NEXT(name)                                                                                 \
        return may_transfer(kind, fd, &length) ? next(__VA_ARGS__) : -1;                           \
    }

TRANSFER(KIND_READ, read, (int fd, void *bytes, size_t length), fd, bytes, length)
TRANSFER(KIND_READ, pread, (int fd, void *bytes, size_t length, off_t at), fd, bytes, length, at)
TRANSFER(
    KIND_READ, pread64, (int fd, void *bytes, size_t length, off64_t at), fd, bytes, length, at)
TRANSFER(KIND_WRITE, write, (int fd, const void *bytes, size_t length), fd, bytes, length)
TRANSFER(
    KIND_WRITE, pwrite, (int fd, const void *bytes, size_t length, off_t at), fd, bytes, length, at)
TRANSFER(
    KIND_WRITE, pwrite64, (int fd, const void *bytes, size_t length, off64_t at), fd, bytes, length,
    at)

SIMPLE(KIND_CHANGE, -1, int, ftruncate, (int fd, off_t length), fd, length)
SIMPLE(KIND_CHANGE, -1, int, ftruncate64, (int fd, off64_t length), fd, length)

SIMPLE(KIND_SYNC, -1, int, fsync, (int fd), fd)
SIMPLE(KIND_SYNC, -1, int, fdatasync, (int fd), fd)

SIMPLE(KIND_LOCK, -1, int, flock, (int fd, int operation), fd, operation)

/* Of the commands only those count that take or give back a lock. */
int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    bool lock = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    NEXT(fcntl64)
    if (lock && ((struct flock *)argument)->l_type != F_UNLCK && is_due(KIND_LOCK))
        return -1;
    return next(fd, command, argument);
}

#define MAP_PARAMETERS (void *at, size_t length, int protection, int flags, int fd, off_t offset)

/* Memory that stands for no file is malloc's affair. */
void *mmap64 MAP_PARAMETERS
{
    NEXT(mmap64)
    return fd >= 0 && is_due(KIND_MAP) ? MAP_FAILED
                                       : next(at, length, protection, flags, fd, offset);
}

SIMPLE(KIND_STAT, -1, int, access, (const char *path, int mode), path, mode)
SIMPLE(
    KIND_STAT, -1, int, faccessat, (int folder, const char *path, int mode, int flags), folder,
    path, mode, flags)
SIMPLE(KIND_STAT, -1, int, stat, (const char *path, struct stat *out), path, out)
SIMPLE(KIND_STAT, -1, int, stat64, (const char *path, struct stat64 *out), path, out)
SIMPLE(KIND_STAT, -1, int, lstat64, (const char *path, struct stat64 *out), path, out)
SIMPLE(KIND_STAT, -1, int, fstat, (int fd, struct stat *out), fd, out)
SIMPLE(KIND_STAT, -1, int, fstat64, (int fd, struct stat64 *out), fd, out)
SIMPLE(KIND_STAT, NULL, char *, realpath, (const char *path, char *out), path, out)

SIMPLE(KIND_CHANGE, -1, int, unlink, (const char *path), path)
SIMPLE(
    KIND_CHANGE, -1, int, linkat,
    (int from_folder, const char *from, int to_folder, const char *to, int flags), from_folder,
    from, to_folder, to, flags)
SIMPLE(KIND_CHANGE, -1, int, fchmod, (int fd, mode_t mode), fd, mode)
SIMPLE(KIND_CHANGE, -1, int, fchown, (int fd, uid_t user, gid_t group), fd, user, group)

/* --- the end ----------------------------------------------------------------------------- */

/* From here on no call is counted and none fails: a build that counts what runs calls it before it
 * writes its counts (tests/support/counted_exit.c). */
void nth_shim_stop(void);

void nth_shim_stop(void)
{
    running = false;
}

/* --- threads ----------------------------------------------------------------------------- */

/* It returns its error. */
int pthread_create(
    pthread_t *out, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    NEXT(pthread_create)
    return is_due(KIND_THREAD) ? error : next(out, attributes, start, argument);
}

/* --- the start --------------------------------------------------------------------------- */

typedef int main_function(int, char **, char **);

static main_function *program_main;

static uint64_t number(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL ? fallback : strtoull(text, NULL, 10);
}

static bool prepare(const char *path)
{
    void *frames[1];

    report_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (report_fd < 0 || ftruncate(report_fd, sizeof *report) != 0 ||
        lseek(report_fd, offsetof(struct report, frames), SEEK_SET) < 0)
        return false;
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, report_fd, 0);
    wanted = (enum kind)number("BQSYNC_NTH_KIND", KIND_COUNT);
    first = number("BQSYNC_NTH", 1);
    count = number("BQSYNC_NTH_COUNT", 1);
    error = (int)number("BQSYNC_NTH_ERRNO", 0);
    own_frames = number("BQSYNC_NTH_OWN", 0);
    dl_iterate_phdr(find_own, NULL);
    // Loads the library that it needs, with memory.
    return report != MAP_FAILED && backtrace(frames, 1) == 1;
}

/* What runs in the place of main(). */
static int run(int argument_count, char **arguments, char **variables)
{
    const char *path = getenv("BQSYNC_NTH_REPORT");

    if (path != NULL && !prepare(path))
        abort();
    running = path != NULL;
    return program_main(argument_count, arguments, variables);
}

/* glibc calls this to start a program. */
int start_program(
    main_function *main, int argument_count, char **arguments, void (*init)(void),
    void (*fini)(void), void (*loader_fini)(void), void *stack_end) __asm__("__libc_start_main");

int start_program(
    main_function *main, int argument_count, char **arguments, void (*init)(void),
    void (*fini)(void), void (*loader_fini)(void), void *stack_end)
{
    int (*next)(
        main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    program_main = main;
    return next(run, argument_count, arguments, init, fini, loader_fini, stack_end);
}
