/* old_kernel_shim: preloaded into bqsync by a test of its sandbox (LD_PRELOAD). Answers as a kernel
 * without Landlock and without filters of system calls does. The product knows nothing of it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGUMENTS = 6 };

static void take(va_list list, unsigned long arguments[ARGUMENTS])
{
    for (int i = 0; i < ARGUMENTS; i++)
        arguments[i] = va_arg(list, unsigned long);
}

long syscall(long sysno, ...)
{
    static long (*real)(long, ...);
    unsigned long arguments[ARGUMENTS];
    va_list list;

    va_start(list, sysno);
    take(list, arguments);
    va_end(list);
    if (sysno == SYS_landlock_create_ruleset) {
        errno = ENOSYS;
        return -1;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    return real(
        sysno, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

int prctl(int option, ...)
{
    static int (*real)(int, ...);
    unsigned long arguments[ARGUMENTS];
    va_list list;

    va_start(list, option);
    take(list, arguments);
    va_end(list);
    if (option == PR_SET_SECCOMP) {
        errno = EINVAL;
        return -1;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "prctl");
    return real(option, arguments[0], arguments[1], arguments[2], arguments[3]);
}
