/* task: one table's way through one pass, handed from step to step: listing and plan (what has to
 * be done), target (the BigQuery table made fit), extract (rows to a file), apply (the file to
 * BigQuery). Plain data; at any moment one thread works on a task. */
#ifndef BQSYNC_SYNC_PASS_TASK_H
#define BQSYNC_SYNC_PASS_TASK_H

#include "base/spool.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/pass/result.h"

#include <stdbool.h>
#include <stdint.h>

/* Names of the labels that bqsync keeps on a target table. The generation is raised before anything
 * changes the table, so it is never behind what BigQuery holds: a source whose own generation is
 * lower has been restored from an older backup. */
#define LABEL_GENERATION "bqsync_generation"
#define LABEL_SHAPE      "bqsync_shape"

/* How changes of the table are found. */
enum task_capture {
    TASK_TRIGGERS,
    TASK_SCAN, /* by one full read, held against the shadow of what was sent */
};

enum task_work {
    WORK_NONE,    /* nothing to do */
    WORK_CHANGES, /* new and changed rows */
    WORK_REPLACE, /* the whole content */
};

/* The rows of one table as read in the snapshot, encoded. */
struct batch {
    struct spool *spool;  /* NULL: no rows */
    int64_t rows;         /* in the file, tombstones included */
    int64_t new_rows;     /* rows above the watermark */
    int64_t changed_rows; /* rows and tombstones of changed keys */
    bool staging;         /* the file is for a staging table: unions everywhere, _bqsync_deleted */
    bool guessed; /* the file is for a target that was not read: it has the definition's modes */
    struct shadow *shadow; /* what a scan found, to be made durable before it is sent; or NULL */
    bool has_rejects;
    struct tracking rejects; /* open iff has_rejects: holds the collection until it is published */
};

struct task {
    const struct table *table;
    struct table_result *result;
    size_t index; /* among the pass's tasks */

    /* What the source and the state say. */
    enum task_capture capture;
    struct source_shape shape;
    struct watermark watermark;

    bool unsettled; /* an earlier run left an intent open */

    /* What tables.list says. */
    bool in_warehouse;
    int64_t label_generation; /* 0 if there is no label */
    char label_shape[16];

    /* What has to be done. */
    enum task_work work;
    const char *why;       /* why the whole content is replaced, static */
    bool capture_broken;   /* triggers have to be (re)installed before the snapshot */
    bool has_shadow;       /* TASK_SCAN: there is one to hold the rows against */
    char content_mark[16]; /* what watermark.content_hash is once this has been sent */

    /* The target: whether this pass created it, and which columns of a file for it are unions. */
    bool created;
    bool *nullable;   /* column_count + 1 entries, owned; NULL: not known */
    bool prepared;    /* the target has been brought in line in this pass */
    bool spare_quota; /* few modifications of the target are left today: none for an append */
    bool reread;      /* the file turned out not to fit the target */
    bool had_rejects; /* rows of the table are listed as rejected by an earlier pass */

    struct position position;
    struct batch batch;
    struct intent *intent; /* of a table that is staged for the pass's transaction; owned */
};

static inline bool task_has_work(const struct task *task)
{
    return task->work != WORK_NONE;
}

static inline bool task_failed(const struct task *task)
{
    return task->result->status == TABLE_FAILED;
}

#endif
