/* extract_options: how the tables of a pass are read. Plain data. */
#ifndef BQSYNC_SYNC_PASS_EXTRACT_OPTIONS_H
#define BQSYNC_SYNC_PASS_EXTRACT_OPTIONS_H

#include "source/database.h"
#include "sync/pass/progress.h"

#include <stdbool.h>
#include <stdint.h>

/* What decides how files are packed. */
struct extract_codec {
    bool deflate_only;  /* BigQuery has refused zstd */
    int64_t link_bytes; /* what the link carries in a second, 0 if nobody knows */
};

struct extract_options {
    /* The state database: rejects are collected there, and it holds the shadow of a scan. */
    struct database_place state;
    struct pass_progress *progress; /* may be NULL */
    int compressors;                /* helper threads */
    struct extract_codec codec;
    /* A dry run: rows are encoded, but no file is kept and the state is not written. */
    bool discard;
};

#endif
