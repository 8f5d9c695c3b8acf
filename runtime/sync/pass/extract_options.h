/* extract_options: how the tables of a pass are read. Plain data. */
#ifndef BQSYNC_SYNC_PASS_EXTRACT_OPTIONS_H
#define BQSYNC_SYNC_PASS_EXTRACT_OPTIONS_H

#include "source/database.h"
#include "sync/pass/progress.h"

#include <stdbool.h>

struct extract_options {
    /* The state database: rejects are collected there, and it holds the shadow of a scan. */
    struct database_place state;
    struct pass_progress *progress; /* may be NULL */
    int compressors;                /* helper threads */
    /* A dry run: rows are encoded, but no file is kept and the state is not written. */
    bool discard;
};

#endif
