#include "service/landlock.h"

#include <errno.h>

#ifdef __linux__

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What came after the first version, which headers may be too old to name (linux/landlock.h). */
#define ACCESS_REFER     (UINT64_C(1) << 13) /* version 2 */
#define ACCESS_TRUNCATE  (UINT64_C(1) << 14) /* version 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */

#define FILE_READ   LANDLOCK_ACCESS_FS_READ_FILE
#define FOLDER_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define FILE_WRITE  (FILE_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define FOLDER_WRITE                                                                               \
    (FOLDER_READ | FILE_WRITE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |     \
     ACCESS_REFER)
/* All rights of the first version are its lowest 13 bits. */
#define FIRST_VERSION ((UINT64_C(1) << 13) - 1)

/* What a kernel of that version knows; another right would be EINVAL. */
static uint64_t known(int version)
{
    uint64_t access = FIRST_VERSION;

    if (version >= 2)
        access |= ACCESS_REFER;
    if (version >= 3)
        access |= ACCESS_TRUNCATE;
    if (version >= 5)
        access |= ACCESS_IOCTL_DEV;
    return access;
}

/* Whether the calls may be made. Where a supervisor filters system calls, one that it does not know
 * may end the process (systemd's SystemCallFilter= does that by default), so a child tries first.
 */
static bool is_permitted(void)
{
    int status = 0;

    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
        return true;
    pid_t child = fork();
    if (child == 0) {
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        syscall(SYS_landlock_add_rule, -1, 0, NULL, 0);
        syscall(SYS_landlock_restrict_self, -1, 0);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
}

bool landlock_begin(struct landlock *out)
{
    *out = (struct landlock){.rules = -1};
    if (!is_permitted()) {
        errno = EPERM;
        return false;
    }
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return false;
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = known((int)version)};
    long rules = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0)
        return false;
    *out = (struct landlock){.rules = (int)rules, .version = (int)version};
    return true;
}

void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_access access)
{
    struct stat status;
    int file = open(path, O_PATH | O_CLOEXEC);

    if (file < 0)
        return;
    bool writes = access == LANDLOCK_READ_WRITE;
    uint64_t rights = writes ? FILE_WRITE : FILE_READ;
    // Rights of folders are refused in the rule of a file.
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode))
        rights = writes ? FOLDER_WRITE : FOLDER_READ;
    const struct landlock_path_beneath_attr rule = {
        .allowed_access = rights & known(landlock->version), .parent_fd = file};
    // What fails is not allowed, and whoever needs it says so with its name.
    (void)syscall(SYS_landlock_add_rule, landlock->rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(file);
}

bool landlock_enter(const struct landlock *landlock)
{
    return syscall(SYS_landlock_restrict_self, landlock->rules, 0) == 0;
}

void landlock_end(struct landlock *landlock)
{
    if (landlock->rules >= 0)
        close(landlock->rules);
    landlock->rules = -1;
}

#else

bool landlock_begin(struct landlock *out)
{
    *out = (struct landlock){.rules = -1};
    errno = ENOSYS;
    return false;
}

void landlock_allow(const struct landlock *landlock, const char *path, enum landlock_access access)
{
    (void)landlock;
    (void)path;
    (void)access;
}

bool landlock_enter(const struct landlock *landlock)
{
    (void)landlock;
    return false;
}

void landlock_end(struct landlock *landlock)
{
    (void)landlock;
}

#endif
