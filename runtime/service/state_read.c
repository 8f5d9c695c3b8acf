#include "service/state_read.h"

#include "source/database.h"

#include <unistd.h>

bool state_read_open(
    const struct config *config, struct tracking *out_tracking, bool *out_open, struct error *err)
{
    *out_open = access(config->state_path, F_OK) == 0;
    return !*out_open || tracking_open_read(config->state_path, out_tracking, err);
}

bool state_read_open_beside_source(
    const struct config *config, struct tracking *out_tracking, bool *out_open, struct error *err)
{
    struct database source;

    if (!state_read_open(config, out_tracking, out_open, err))
        return false;
    if (*out_open)
        return true;
    if (!database_open(config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &source, err))
        return false;
    database_close(&source);
    return true;
}
