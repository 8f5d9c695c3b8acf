/* serve: the daemon. Starts schedule, admin API and error reports, handles signals and the service
 * manager, and stops everything in order. */
#ifndef BQSYNC_SERVICE_SERVE_H
#define BQSYNC_SERVICE_SERVE_H

#include "base/config.h"
#include "base/error.h"
#include "sync/deployment.h"

#include <stddef.h>

struct serve_options {
    /* The arguments of config_load, with which SIGHUP reads the settings again; borrowed. */
    const char *env_file;
    const struct config_flag *flags;
    size_t flag_count;
};

/* Runs until SIGTERM or SIGINT; call it before other threads exist. Success is an orderly end.
 * SIGHUP reads the settings again: those whose rows say so take effect (config_option.h: reloads);
 * a change of another setting is logged as a warning, because it needs a restart. SIGUSR1 syncs
 * now. ERROR_CONFIG if it cannot start as configured. */
MUST_CHECK bool serve_run(
    struct deployment *deployment, const struct serve_options *options, struct error *err);

#endif
