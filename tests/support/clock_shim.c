/* clock_shim: preloaded into bqsync by tests of days (LD_PRELOAD). Shifts its wall clock by
 * BQSYNC_CLOCK_SHIFT_S seconds; other clocks are the machine's. The product knows nothing of it. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *shift = getenv("BQSYNC_CLOCK_SHIFT_S");

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, out);
    if (status == 0 && clock == CLOCK_REALTIME && shift != NULL)
        out->tv_sec += strtoll(shift, NULL, 10);
    return status;
}
