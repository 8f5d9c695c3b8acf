/* json_normal for a program in C++, which can't include our headers. */
#include "base/json_normal.h"

char *json_text(const char *text, size_t length);

char *json_text(const char *text, size_t length)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    char *taken = json_normal((struct slice){text, length}, &out, NULL) ? buffer_take(&out) : NULL;
    buffer_clear(&out);
    return taken;
}
