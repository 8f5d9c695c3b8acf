#include "service/state_read.h"

#include <unistd.h>

bool state_read_open(
    const struct config *config, struct tracking *out_tracking, bool *out_open, struct error *err)
{
    *out_open = access(config->state_path, F_OK) == 0;
    return !*out_open || tracking_open_read(config->state_path, out_tracking, err);
}
