/* serve: the daemon: schedule, admin API and error reports wired together, from start to an orderly
 * end. The only part of the service that deals with signals and the service manager. */
#ifndef BQSYNC_SERVICE_SERVE_H
#define BQSYNC_SERVICE_SERVE_H

#include "base/config.h"
#include "base/error.h"
#include "sync/deployment.h"

#include <stddef.h>

struct serve_options {
    /* As config_load got them, to read the settings again on SIGHUP; borrowed. */
    const char *env_file;
    const struct config_flag *flags;
    size_t flag_count;
};

/* Runs until SIGTERM or SIGINT; call it before other threads exist. Success is an orderly end.
 * SIGHUP reads the settings again: interval, daily time, zone, log level, admin token, reporters;
 * others need a restart, which a warning says. SIGUSR1 syncs now. ERROR_CONFIG if it cannot start
 * as configured. */
MUST_CHECK bool serve_run(
    struct deployment *deployment, const struct serve_options *options, struct error *err);

#endif
