#include "service/sandbox.h"

#include "base/log.h"
#include "base/url.h"
#include "service/landlock.h"
#include "service/syscall_filter.h"
#include "warehouse/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* What libraries open by themselves: the resolver and its plugins, certificates, time zones, random
 * numbers, and what the kernel tells of the machine. Of processes only this one: the environments
 * of others hold secrets. */
static const char *const system_paths[] = {
    "/etc",          "/usr",         "/lib",         "/lib64",      "/nix/store",
    "/proc/self",    "/proc/sys",    "/proc/locks",  "/proc/stat",  "/proc/cpuinfo",
    "/proc/meminfo", "/var/lib/sss", "/dev/urandom", "/dev/random", "/sys/devices/system/cpu",
};

/* Variables that name a file or folder which a library or we open later. */
static const struct {
    const char *variable;
    bool is_folder;
} named[] = {
    {"SSL_CERT_FILE", false}, {"SSL_CERT_DIR", true},    {"TZDIR", true},
    {"OPENSSL_CONF", false},  {"OPENSSL_MODULES", true}, {"HOSTALIASES", false},
};

static bool is_root(const char *folder)
{
    return strcmp(folder, "/") == 0;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void allow_folder_of(
    const struct landlock *landlock, const char *path, enum landlock_access access)
{
    char *copy = strdup(path);
    char *folder = copy == NULL ? NULL : realpath(dirname(copy), NULL);

    // Not the whole system for the sake of a file in its root, unless there have to be more.
    if (folder != NULL)
        landlock_allow(
            landlock, is_root(folder) && access == LANDLOCK_READ ? path : folder, access);
    free(folder);
    free(copy);
}

/* Where a link on the way to the file names something in its own folder ("current" -> "releases/7",
 * Kubernetes' "..data"), it may name something else there tomorrow. */
static void allow_neighbours(
    const struct landlock *landlock, const char *path, enum landlock_access access)
{
    struct stat status;
    char *part = strdup(path);

    for (char *slash = part == NULL ? NULL : strchr(part + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        char *real =
            lstat(part, &status) == 0 && S_ISLNK(status.st_mode) ? realpath(part, NULL) : NULL;
        char *copy = real == NULL ? NULL : strdup(part);
        char *folder = copy == NULL ? NULL : realpath(dirname(copy), NULL);
        size_t length = folder == NULL ? 0 : strlen(folder);
        if (length > 1 && strncmp(real, folder, length) == 0 && real[length] == '/')
            landlock_allow(landlock, folder, access);
        free(folder);
        free(copy);
        free(real);
        *slash = '/';
    }
    free(part);
}

/* A file that may be replaced, or made later, with all beside it: the folder that its path names,
 * and the one where it is if it is a link. Of a folder that is not there yet, the nearest one above
 * it that is. */
static void allow_file(
    const struct landlock *landlock, const char *path, enum landlock_access access)
{
    char *real = realpath(path, NULL);
    char *above = strdup(path);

    allow_folder_of(landlock, path, access);
    allow_neighbours(landlock, path, access);
    if (real != NULL)
        allow_folder_of(landlock, real, access);
    char *folder = above == NULL ? NULL : dirname(above);
    bool missing = folder != NULL && !exists(folder);
    while (missing && !is_root(folder) && !exists(folder))
        folder = dirname(folder);
    if (missing && !is_root(folder))
        landlock_allow(landlock, folder, access);
    free(above);
    free(real);
}

static void allow_databases(const struct landlock *landlock, const struct config *config)
{
    struct slice file;

    allow_file(landlock, config->state_path, LANDLOCK_READ_WRITE);
    if (!url_is_immutable_file(config->sqlite_path, &file)) {
        // Reading a database in WAL mode writes beside it, too.
        allow_file(landlock, config->sqlite_path, LANDLOCK_READ_WRITE);
        return;
    }
    char *path = strndup(file.data, file.length);
    if (path != NULL)
        allow_file(landlock, path, LANDLOCK_READ);
    free(path);
}

/* Where the spool (base/spool.c) and SQLite ("Temporary File Storage Locations") put them. */
static void allow_temporary_files(const struct landlock *landlock)
{
    static const char *const variables[] = {"TMPDIR", "SQLITE_TMPDIR"};

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *folder = getenv(variables[i]);
        if (folder != NULL && folder[0] != '\0' && !is_root(folder))
            landlock_allow(landlock, folder, LANDLOCK_READ_WRITE);
    }
    landlock_allow(landlock, "/var/tmp", LANDLOCK_READ_WRITE);
    landlock_allow(landlock, "/tmp", LANDLOCK_READ_WRITE);
}

static void allow_system(const struct landlock *landlock)
{
    // The kernel forgets an entry of /proc that nobody holds, and makes another one when it is
    // asked for again, which no rule names. So this one is held until the process ends.
    (void)open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof system_paths / sizeof system_paths[0]; i++)
        landlock_allow(landlock, system_paths[i], LANDLOCK_READ);
    landlock_allow(landlock, "/dev/null", LANDLOCK_READ_WRITE);
    // Often a link into /run, or wherever a network manager keeps it.
    allow_file(landlock, "/etc/resolv.conf", LANDLOCK_READ);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        const char *path = getenv(named[i].variable);
        if (path == NULL || path[0] == '\0')
            continue;
        if (named[i].is_folder)
            landlock_allow(landlock, path, LANDLOCK_READ);
        else
            allow_file(landlock, path, LANDLOCK_READ);
    }
}

static void allow_all(
    const struct landlock *landlock, const struct deployment *deployment, const char *env_file)
{
    const char *subject =
        deployment->credentials == NULL ? NULL : credentials_subject_file(deployment->credentials);

    allow_system(landlock);
    allow_temporary_files(landlock);
    allow_databases(landlock, deployment->config);
    allow_file(landlock, env_file, LANDLOCK_READ);
    if (subject != NULL)
        allow_file(landlock, subject, LANDLOCK_READ);
}

/* The version of Landlock that is in force, 0 if there is none. */
static int confine_files(const struct deployment *deployment, const char *env_file)
{
    struct landlock landlock;
    bool ok = landlock_begin(&landlock);

    if (ok) {
        allow_all(&landlock, deployment, env_file);
        ok = landlock_enter(&landlock);
    }
    if (!ok)
        log_warn("files not confined", LOG_TEXT("landlock", strerror(errno)));
    landlock_end(&landlock);
    return ok ? landlock.version : 0;
}

void sandbox_enter(const struct deployment *deployment, const char *env_file)
{
    if (!deployment->config->sandbox) {
        log_info("not confined", LOG_TEXT("off_by", "BQ_SANDBOX"));
        return;
    }
#ifdef __linux__
    // Without it the kernel takes filters and rules from root only.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warn("privileges not renounced", LOG_TEXT("error", strerror(errno)));
#endif
    int version = confine_files(deployment, env_file);
    bool filtered = syscall_filter_enter();
    if (!filtered)
        log_warn("system calls not confined", LOG_TEXT("seccomp", strerror(errno)));
    if (version > 0 || filtered)
        log_info(
            "confined", LOG_NUMBER("landlock", version), LOG_NUMBER("seccomp", filtered ? 1 : 0));
}
