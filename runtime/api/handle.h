/* handle: what is behind struct bqsync, for the command line, which is the library's first user: it
 * has parsed its own configuration and shows a pass while it runs. */
#ifndef BQSYNC_API_HANDLE_H
#define BQSYNC_API_HANDLE_H

#include "api/bqsync.h"
#include "base/config.h"
#include "sync/deployment.h"
#include "sync/pass/progress.h"
#include "sync/pass/result.h"

struct bqsync {
    struct config config;
    struct deployment deployment;
};

struct bqsync_result {
    struct run_result run;
    char *json; /* made when first asked for */
};

/* bqsync_sync on a given deployment, with a progress to watch it by (may be NULL). */
bool bqsync_sync_engine(
    const struct deployment *deployment, const struct bqsync_sync_options *options,
    struct pass_progress *progress, struct bqsync_result **out_result, struct bqsync_error *err);

#endif
