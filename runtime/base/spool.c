#include "base/spool.h"

#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct spool {
    struct buffer memory; /* all bytes, until they are more than its ceiling */
    int file;             /* all bytes from then on; -1: still in memory */
    uint64_t size;
    char folder[PATH_MAX]; /* of the file, for messages */
};

bool spool_new(size_t memory_bytes, struct spool **out_spool, struct error *err)
{
    struct spool *spool = calloc(1, sizeof *spool);

    if (spool == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for a spool");
    buffer_init(&spool->memory, memory_bytes);
    spool->file = -1;
    *out_spool = spool;
    return true;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->file >= 0)
        close(spool->file);
    buffer_clear(&spool->memory);
    free(spool);
}

/* A file without a name in the folder, -1 and errno if there can be none. Not every file system
 * knows O_TMPFILE; those that do not answer EOPNOTSUPP, EISDIR or ENOENT. */
static int open_unlinked(const char *folder)
{
    char path[PATH_MAX];

    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return file;
    if (snprintf(path, sizeof path, "%s/bqsync-XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    file = mkostemp(path, O_CLOEXEC);
    if (file >= 0)
        unlink(path);
    return file;
}

static bool disk_error(struct error *err, const char *doing, const char *folder, int cause)
{
    const char *advice = error_limit_advice(cause);

    return error_set(
        err, ERROR_DISK, "%s a temporary file in %s: %s%s", doing, folder, strerror(cause),
        *advice != '\0' ? advice : "; make room there or set TMPDIR to a folder that has it");
}

/* $TMPDIR alone if it is set, as its owner meant it; else the first of the usual two that works,
 * /var/tmp before /tmp because the latter is often memory. NULL ends the list. */
static void list_folders(const char *out_folders[3])
{
    const char *chosen = getenv("TMPDIR");
    bool own = chosen != NULL && chosen[0] != '\0';

    out_folders[0] = own ? chosen : "/var/tmp";
    out_folders[1] = own ? NULL : "/tmp";
    out_folders[2] = NULL;
}

bool spool_room(const char **out_folder, uint64_t *out_bytes, struct error *err)
{
    const char *folders[3];
    struct statvfs room;

    list_folders(folders);
    for (const char **folder = folders; *folder != NULL; folder++) {
        if (access(*folder, W_OK | X_OK) != 0 || statvfs(*folder, &room) != 0)
            continue;
        *out_folder = *folder;
        *out_bytes = (uint64_t)room.f_bavail * room.f_frsize;
        return true;
    }
    return disk_error(err, "cannot make", folders[0], errno);
}

static bool open_file(struct spool *spool, struct error *err)
{
    const char *folders[3];
    int cause = 0;

    list_folders(folders);
    for (const char **folder = folders; *folder != NULL; folder++) {
        spool->file = open_unlinked(*folder);
        if (spool->file >= 0) {
            snprintf(spool->folder, sizeof spool->folder, "%s", *folder);
            return true;
        }
        if (cause == 0)
            cause = errno;
    }
    return disk_error(err, "cannot make", folders[0], cause);
}

static bool write_file(struct spool *spool, uint64_t at, struct slice bytes, struct error *err)
{
    while (bytes.length > 0) {
        ssize_t written = pwrite(spool->file, bytes.data, bytes.length, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return disk_error(err, "cannot write", spool->folder, written < 0 ? errno : ENOSPC);
        bytes.data += written;
        bytes.length -= (size_t)written;
        at += (uint64_t)written;
    }
    return true;
}

/* Moves what is in memory to a file. A failure leaves the memory as it was. */
static bool spill(struct spool *spool, struct error *err)
{
    if (!open_file(spool, err))
        return false;
    if (!write_file(spool, 0, buffer_slice(&spool->memory), err)) {
        close(spool->file);
        spool->file = -1;
        return false;
    }
    buffer_clear(&spool->memory);
    return true;
}

bool spool_write(struct spool *spool, struct slice bytes, struct error *err)
{
    if (bytes.length == 0)
        return true;
    if (spool->file < 0) {
        buffer_append_slice(&spool->memory, bytes);
        if (spool->memory.failure == BUFFER_OK) {
            spool->size += bytes.length;
            return true;
        }
        // Too much for memory, by our own measure or the system's: a file takes it either way.
        spool->memory.failure = BUFFER_OK;
        if (!spill(spool, err))
            return false;
    }
    if (!write_file(spool, spool->size, bytes, err))
        return false;
    spool->size += bytes.length;
    return true;
}

static bool sink_write(void *context, struct slice bytes, struct error *err)
{
    return spool_write(context, bytes, err);
}

struct sink spool_sink(struct spool *spool)
{
    return (struct sink){.write = sink_write, .context = spool};
}

uint64_t spool_size(const struct spool *spool)
{
    return spool->size;
}

bool spool_read(
    const struct spool *spool, uint64_t offset, void *out_bytes, size_t length, struct error *err)
{
    assert(offset <= spool->size && length <= spool->size - offset);

    if (length == 0)
        return true;
    if (spool->file < 0) {
        memcpy(out_bytes, spool->memory.data + offset, length);
        return true;
    }
    char *to = out_bytes;
    while (length > 0) {
        ssize_t got = pread(spool->file, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return disk_error(err, "cannot read", spool->folder, got < 0 ? errno : EIO);
        to += got;
        length -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}
