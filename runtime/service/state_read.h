/* state_read: the state database as routes and commands read it. */
#ifndef BQSYNC_SERVICE_STATE_READ_H
#define BQSYNC_SERVICE_STATE_READ_H

#include "base/config.h"
#include "base/error.h"
#include "source/tracking.h"

#include <stdbool.h>

/* Opens it for reading. *out_open: false if there is no file yet, before the first sync, which is
 * no error. */
MUST_CHECK bool state_read_open(
    const struct config *config, struct tracking *out_tracking, bool *out_open, struct error *err);

/* As above, for an answer that says there is nothing: before the first sync there is a source, and
 * ERROR_SOURCE says why it cannot be read. */
MUST_CHECK bool state_read_open_beside_source(
    const struct config *config, struct tracking *out_tracking, bool *out_open, struct error *err);

#endif
