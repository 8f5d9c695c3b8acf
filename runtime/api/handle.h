/* handle: what is behind the opaque types of bqsync.h. The command line includes it to sync with a
 * deployment of its own and to watch the pass while it runs. */
#ifndef BQSYNC_API_HANDLE_H
#define BQSYNC_API_HANDLE_H

#include "base/config.h"
#include "sync/deployment.h"
#include "sync/pass/progress.h"
#include "sync/pass/result.h"

struct bqsync_error;
struct bqsync_sync_options;

struct bqsync {
    struct config config;
    struct deployment deployment;
};

struct bqsync_result {
    struct run_result run;
    char *json; /* made by the first call of bqsync_result_json */
};

/* Does what bqsync_sync does, with the caller's deployment. progress, which may be NULL, shows how
 * far the pass is. */
bool bqsync_sync_deployment(
    const struct deployment *deployment, const struct bqsync_sync_options *options,
    struct pass_progress *progress, struct bqsync_result **out_result, struct bqsync_error *err);

#endif
