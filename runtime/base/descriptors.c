#include "base/descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a connection needs at its start: for the name of the server, and for itself. */
#define SPARE 4

bool descriptors_check(
    const char *what, size_t needed, size_t tables, enum error_code code, struct error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    return error_set(
        err, code, "%s needs at least %zu open files for %zu table%s, and the limit is %llu%s",
        what, needed, tables, tables == 1 ? "" : "s", (unsigned long long)limit.rlim_cur,
        error_limit_advice(EMFILE));
}

bool descriptors_left(const char *what, struct error *err)
{
    int spare[SPARE];
    int reason = 0;
    size_t count = 0;

    while (count < SPARE && (spare[count] = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0)
        count++;
    if (count < SPARE)
        reason = errno;
    while (count > 0)
        close(spare[--count]);
    if (reason != EMFILE && reason != ENFILE)
        return true;
    return error_set(
        err, ERROR_LIMIT, "%s: %s%s", what, strerror(reason), error_limit_advice(reason));
}
