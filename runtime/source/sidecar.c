#include "source/sidecar.h"

#include "source/readahead.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_WRITE 0666
#define ALL_RIGHTS 07777
#define GROUP_RW   0060
#define OTHER_RW   0006

static const char *const suffixes[] = {
    "-wal", "-shm", "-journal", SIDECAR_LOCK_SUFFIX, SIDECAR_SERVICE_SUFFIX};
#define SUFFIX_COUNT (sizeof suffixes / sizeof suffixes[0])

/* Whom the files beside a database are for. */
struct owner {
    uid_t uid;
    gid_t gid;
    mode_t mode;
    /* Only the owner of a file, or of the folder, can delete it there. */
    bool sticky;
    /* There is a database; otherwise all this is its folder's. */
    bool exists;
    char folder[4096];
};

/* --- whose files they are ---------------------------------------------------------------- */

static bool find_owner(const char *database_path, struct owner *out_owner)
{
    const char *slash = strrchr(database_path, '/');
    struct stat folder;
    struct stat database;

    snprintf(
        out_owner->folder, sizeof out_owner->folder, "%.*s",
        slash == NULL ? 1 : (int)(slash - database_path) + 1, slash == NULL ? "." : database_path);
    if (stat(out_owner->folder, &folder) != 0)
        return false;
    out_owner->exists = stat(database_path, &database) == 0;
    if (!out_owner->exists)
        database = folder;
    out_owner->uid = database.st_uid;
    out_owner->gid = database.st_gid;
    out_owner->mode = database.st_mode & READ_WRITE;
    out_owner->sticky = (folder.st_mode & S_ISVTX) != 0 && folder.st_uid != database.st_uid;
    return true;
}

/* Whether SQLite's own way of making the file gives it the owner's. */
static bool is_ours(const struct owner *owner)
{
    return owner->uid == geteuid() && owner->gid == getegid();
}

/* Whether the owner of the database belongs to its group; the group may be one that an
 * administrator gave the file for us. For a user that the system has no entry of, as in a
 * container, it is what the file says. */
static bool owner_has_group(const struct owner *owner)
{
    struct passwd entry;
    struct passwd *found = NULL;
    gid_t groups[256];
    int count = sizeof groups / sizeof groups[0];
    char text[4096];

    if (getpwuid_r(owner->uid, &entry, text, sizeof text, &found) != 0 || found == NULL ||
        getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0)
        return true;
    for (int i = 0; i < count; i++)
        if (groups[i] == owner->gid)
            return true;
    return owner->uid == 0;
}

/* Whether the owner of the database can read, write and delete a file with these properties. */
static bool is_usable(const struct owner *owner, const struct stat *file)
{
    if (file->st_uid == owner->uid)
        return true;
    if (owner->sticky)
        return false;
    return (file->st_mode & OTHER_RW) == OTHER_RW ||
           (file->st_gid == owner->gid && (file->st_mode & GROUP_RW) == GROUP_RW &&
            owner_has_group(owner));
}

/* Gives an open file what it can be given, and no other owner where it has the right one: systemd
 * ends a service that asks for that ("@chown" in its unit). Without the right to change the owner
 * the group may still be changed to one of our own. */
static bool hand_over(const struct owner *owner, int fd)
{
    struct stat file;

    if (fstat(fd, &file) != 0)
        return false;
    if ((file.st_uid != owner->uid || file.st_gid != owner->gid) &&
        fchown(fd, owner->uid, owner->gid) != 0 && fchown(fd, (uid_t)-1, owner->gid) != 0)
        errno = 0;
    return fchmod(fd, owner->mode) == 0 && fstat(fd, &file) == 0 && is_usable(owner, &file);
}

static const char *user_name(uid_t uid, char out[64])
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[4096];

    if (getpwuid_r(uid, &entry, text, sizeof text, &found) == 0 && found != NULL)
        snprintf(out, 64, "%.50s", entry.pw_name);
    else
        snprintf(out, 64, "uid %lu", (unsigned long)uid);
    return out;
}

static bool refuse(const struct owner *owner, const char *path, struct error *err)
{
    char owner_name[64];
    char own_name[64];

    return error_set(
        err, ERROR_SOURCE,
        "%s would belong to %s, and %s, who owns the database, could not use it: run bqsync as %s, "
        "or let both users share the group of the database and give that group the right to write "
        "it and its folder",
        path, user_name(geteuid(), own_name), user_name(owner->uid, owner_name), owner_name);
}

/* --- making ------------------------------------------------------------------------------ */

enum made {
    MADE,          /* it is there: ours, or another process was first */
    MADE_NOT,      /* left to SQLite, or whoever opens it, whose own error says why */
    MADE_UNUSABLE, /* the owner of the database could not use it; there is none */
};

/* Makes the file without a name, which it gets only when its owner, group and mode are right: no
 * other process, and no kill, finds it in between. path NULL: it never gets one, for a trial. */
static enum made make_unnamed(const struct owner *owner, const char *path, bool *out_supported)
{
    int fd = open(owner->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    enum made made = MADE_UNUSABLE;
    char link[64];

    *out_supported = fd >= 0 || errno == EACCES || errno == EROFS;
    if (fd < 0)
        return MADE_NOT;
    if (hand_over(owner, fd)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        made = path == NULL || linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ||
                       errno == EEXIST
                   ? MADE
                   : MADE_NOT;
        *out_supported = made == MADE;
    }
    close(fd);
    return made;
}

/* Where a file can't be made without a name (some network file systems, no /proc). */
static enum made make_named(const struct owner *owner, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return errno == EEXIST ? MADE : MADE_NOT;
    bool usable = hand_over(owner, fd);
    if (!usable)
        unlink(path);
    close(fd);
    return usable ? MADE : MADE_UNUSABLE;
}

static enum made make(const struct owner *owner, const char *path)
{
    bool supported = false;
    enum made made = make_unnamed(owner, path, &supported);

    return supported ? made : make_named(owner, path);
}

bool sidecar_make(const char *database_path, const char *path, struct error *err)
{
    struct owner owner;

    if (access(path, F_OK) == 0 || !find_owner(database_path, &owner) || is_ours(&owner))
        return true;
    // A database that is yet to be made belongs to the user who makes it, unless that is root.
    return (!owner.exists && geteuid() != 0) || make(&owner, path) != MADE_UNUSABLE ||
           refuse(&owner, path, err);
}

bool sidecar_make_own(const char *database_path, const char *path, struct error *err)
{
    struct owner owner;

    if (access(path, F_OK) == 0 || !find_owner(database_path, &owner) || !is_ours(&owner) ||
        !owner.exists)
        return sidecar_make(database_path, path, err);
    // On a file system without modes this fails, and opening the file creates it.
    owner.mode |= S_IRUSR | S_IWUSR;
    (void)make(&owner, path);
    return true;
}

/* --- those that are there ---------------------------------------------------------------- */

bool sidecar_accept(const char *database_path, const char *path, int fd, struct error *err)
{
    struct owner owner;
    struct stat file;
    char name[64];

    if (fstat(fd, &file) != 0)
        return error_set(err, ERROR_SOURCE, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(file.st_mode))
        return error_set(
            err, ERROR_SOURCE, "%s is no regular file; delete it while no bqsync runs", path);
    if (file.st_nlink > 1)
        return error_set(
            err, ERROR_SOURCE,
            "%s has %lu names (hard links), and what they are of would be overwritten; delete this "
            "one while no bqsync runs",
            path, (unsigned long)file.st_nlink);
    if (file.st_uid == geteuid() || !find_owner(database_path, &owner) || is_usable(&owner, &file))
        return true;
    return error_set(
        err, ERROR_SOURCE,
        "%s belongs to %s, who neither runs bqsync nor owns the database; delete it while no "
        "bqsync runs",
        path, user_name(file.st_uid, name));
}

void sidecar_adopt(const char *database_path, int fd)
{
    struct owner owner;
    struct stat file;

    // A second name could be one that somebody else made for a file of root's.
    if (fstat(fd, &file) != 0 || file.st_nlink > 1 || !find_owner(database_path, &owner))
        return;
    if (geteuid() == 0 && !is_usable(&owner, &file)) {
        hand_over(&owner, fd);
        return;
    }
    mode_t mode = file.st_mode & (owner.mode | S_IRUSR | S_IWUSR);
    bool is_own = file.st_uid == geteuid() || (geteuid() == 0 && file.st_uid == owner.uid);
    // Where it cannot be narrowed, as on a file system without modes, it stays as it is.
    if (owner.exists && is_own && mode != (file.st_mode & ALL_RIGHTS))
        (void)fchmod(fd, mode);
}

/* --- checking ---------------------------------------------------------------------------- */

static bool check_existing(
    const struct owner *owner, const char *database_path, const char *path, struct error *err)
{
    struct stat file;
    char name[64];

    if (stat(path, &file) != 0 || is_usable(owner, &file))
        return true;
    return error_set(
        err, ERROR_SOURCE,
        "%s belongs to %s and keeps out the owner of the database; stop bqsync, then: "
        "chown --reference=%s %s",
        path, user_name(file.st_uid, name), database_path, path);
}

/* The trial leaves nothing behind. Where a file needs a name, what happens is only known later. */
bool sidecar_check(const char *database_path, struct error *err)
{
    struct owner owner;
    bool supported = false;
    char path[4096];

    if (!find_owner(database_path, &owner) || !owner.exists)
        return true;
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        snprintf(path, sizeof path, "%s%s", database_path, suffixes[i]);
        if (!check_existing(&owner, database_path, path, err))
            return false;
    }
    if (is_ours(&owner) || make_unnamed(&owner, NULL, &supported) != MADE_UNUSABLE)
        return true;
    snprintf(path, sizeof path, "%s%s", database_path, suffixes[0]);
    return refuse(&owner, path, err);
}

/* --- the VFS ----------------------------------------------------------------------------- */

static bool make_beside(const char *name, const char *suffix)
{
    char database[4096];
    char path[4096];
    struct error ignored;

    // SQLite opens "<database>-wal" and the like; the database's name is all before the suffix.
    const char *end = strrchr(name, '-');
    if (end == NULL)
        return true;
    snprintf(database, sizeof database, "%.*s", (int)(end - name), name);
    snprintf(path, sizeof path, "%s%s", database, suffix);
    return sidecar_make(database, path, &ignored);
}

/* The default VFS as it was when ours was registered: files have the size that it said then. */
static sqlite3_vfs *standard;

/* The -shm file is made by the default VFS, without an open of its own. It is needed as soon as the
 * -wal file is open, and as long as we are connected no other connection deletes it: that takes an
 * exclusive lock on the database, on which SQLite holds a shared one while it opens the -wal. So
 * both are made here. The error says only "unable to open": database.c asks sidecar_check why. */
static int open_file(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct error ignored;
    bool ok = true;

    (void)vfs;
    if ((flags & SQLITE_OPEN_CREATE) != 0 && name != NULL) {
        if ((flags & SQLITE_OPEN_WAL) != 0)
            ok = make_beside(name, "-wal") && make_beside(name, "-shm");
        else if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0)
            ok = make_beside(name, "-journal");
        else if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
            ok = sidecar_make(name, name, &ignored);
    }
    if (!ok) {
        file->pMethods = NULL;
        return SQLITE_CANTOPEN;
    }
    return readahead_open(standard, name, file, flags, out_flags);
}

/* A copy of the default VFS with an open of its own: the copy has the same pAppData, which is all
 * that the methods of SQLite's VFSs read of it, so they work on it as on the original. */
static sqlite3_vfs shim;
static bool registered;

static void register_shim(void)
{
    standard = sqlite3_vfs_find(NULL);
    if (standard == NULL)
        return;
    shim = *standard;
    shim.szOsFile += readahead_size();
    shim.pNext = NULL;
    shim.zName = "bqsync";
    shim.xOpen = open_file;
    registered = sqlite3_vfs_register(&shim, 0) == SQLITE_OK;
}

const char *sidecar_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_shim);
    return registered ? shim.zName : NULL;
}
