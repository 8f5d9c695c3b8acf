/* handle: what is behind struct bqsync, for the command line, which is the library's first user: it
 * has parsed its own configuration and shows a pass while it runs. */
#ifndef BQSYNC_API_HANDLE_H
#define BQSYNC_API_HANDLE_H

#include "api/bqsync.h"
#include "base/config.h"
#include "sync/board.h"
#include "sync/engine.h"
#include "sync/result.h"

struct bqsync {
    struct config config;
    struct engine engine;
};

struct bqsync_result {
    struct run_result run;
    char *json; /* made when first asked for */
};

/* bqsync_sync on a given engine, with a board to watch it by (may be NULL). */
bool bqsync_sync_engine(
    const struct engine *engine, const struct bqsync_sync_options *options, struct board *board,
    struct bqsync_result **out_result, struct bqsync_error *err);

#endif
