#include "base/send_mode.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [SEND_NOTHING] = "nothing",
    [SEND_APPEND] = "append",
    [SEND_MERGE] = "merge",
    [SEND_REPLACE] = "replace",
};

const char *send_mode_name(enum send_mode mode)
{
    return names[mode];
}

bool send_mode_of_name(const char *name, enum send_mode *out_mode)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) {
            *out_mode = (enum send_mode)i;
            return true;
        }
    return false;
}
