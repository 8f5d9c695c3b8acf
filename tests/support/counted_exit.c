/* counted_exit: linked into the programs of a build that counts what runs
 * (tests/cmake/coverage.cmake). gcc's library writes the counts when exit() is called; the product
 * ends with _exit(), which the linker leads here. */
#include <stddef.h>

void write_counts(void) __asm__("__gcov_dump");
_Noreturn void real_exit(int status) __asm__("__real__exit");
_Noreturn void counted_exit(int status) __asm__("__wrap__exit");

/* Of nth_shim.c, if that is preloaded. */
__attribute__((weak)) void nth_shim_stop(void);

void counted_exit(int status)
{
    if (nth_shim_stop != NULL)
        nth_shim_stop();
    write_counts();
    real_exit(status);
}
