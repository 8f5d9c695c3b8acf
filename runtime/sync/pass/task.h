/* task: one table in one pass, handed from step to step. Each part says where its knowledge comes
 * from: the source, the warehouse, the plan, the batch. Plain data; at any moment one thread works
 * on a task. */
#ifndef BQSYNC_SYNC_PASS_TASK_H
#define BQSYNC_SYNC_PASS_TASK_H

#include "base/table.h"
#include "source/capture.h"
#include "source/commits.h"
#include "source/shape_memory.h"
#include "source/tracking.h"
#include "sync/pass/batch.h"
#include "sync/pass/result.h"
#include "sync/scan_memory.h"
#include "warehouse/job_id.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Names of the labels that bqsync keeps on a target table. The generation is raised before anything
 * changes the table, so it is never behind what BigQuery holds: a source whose own generation is
 * lower has been restored from an older backup. Once no intent is open it is not ahead either: a
 * target whose label is lower has been restored to an older version itself (time travel, a
 * snapshot). While passes follow commits, the label may stay behind for some seconds, and the state
 * knows which one it is (sync/series.h).
 *
 * With the generation goes the name of the commit jobs that follow it (sync/pass/label_jobs.h), for
 * those who find a label of which their state knows nothing. */
#define LABEL_GENERATION "bqsync_generation"
#define LABEL_JOBS       "bqsync_jobs"
#define LABEL_SHAPE      "bqsync_shape"

/* What SQLite and the state database say. */
struct task_source {
    struct source_shape shape;
    struct watermark watermark;
    /* An earlier run has left an intent open, which has to be resolved before anything is planned.
     */
    bool has_open_intent;
    /* BigQuery has refused to load a number of this table's JSON (tracking_json_text). */
    bool json_as_text;
    /* There is a shadow to compare the rows of a scan with, or to look up converted keys in. */
    bool has_shadow;
    /* The target may hold versions of rejected rows that a replacement has to leave. */
    bool holds_versions;
    /* Where shapes are recalled from, borrowed; NULL: SQLite is asked for them. */
    const struct shape_memory *memory;
    /* What this process remembers of its scans, borrowed, and what was committed when the pass
     * began. */
    const struct scan_memory *scans;
    struct commits_mark mark;
    /* The source's schema cookie before its shape was read (capture.h). */
    int64_t schema_cookie;
    /* The table is in the pass's snapshot, and what that covers; set when it is opened. */
    bool in_snapshot;
    struct position position;
};

/* What BigQuery says of the log and the view of a table with history, by tables.list and by what
 * this pass has done since. */
struct task_history {
    bool log_exists;
    bool log_expires; /* the log is deleted at some time */
    bool log_forgets; /* its partitions are */
    char log_shape[16];
    bool view_exists;
    bool log_created; /* in this pass: there was none before */
};

/* What BigQuery says of the target, and what this pass has done to it. */
struct task_warehouse {
    /* From tables.list. */
    bool exists;
    struct label label;
    char label_shape[16];
    bool
        expires; /* the target is deleted at some time, because its dataset says so of all tables */
    struct task_history history;
    /* What the target had used of the day's quota for load jobs when the pass began. */
    int64_t used_quota;
    /* So much of the day's quota for load jobs is used that none is left for appends. */
    bool near_quota;
    /* Passes follow commits so closely that a load would wait: it is an update of metadata as well,
     * of which BigQuery takes few. */
    bool frequent;

    /* Generations up to this one may be in the log of a table with history, though neither the
     * state nor the label knows them; 0: those two know. */
    int64_t unknown_generation;

    /* The label is the one that the state knows, but BigQuery has a later job of its series. */
    bool ahead;
    /* No job of which the state knows nothing can change the target any more. */
    bool settled;

    /* The target did not exist and was created in this pass, labelled for the intent that has this
     * nonce. */
    bool created;
    char created_for[JOB_ID_NONCE_SIZE];
    /* The target has been created or brought in line in this pass. */
    bool prepared;
    /* Its columns as tables.get shows them after that, owned. NULL: the target has not been
     * compared in this pass. */
    cJSON *fields;
    /* BigQuery has refused a job that would have changed too many partitions. */
    bool many_partitions;
    /* A MERGE was refused because a row was not found by the table's immutable column. */
    bool unbounded;
    /* BigQuery has refused a job on a target that had not been compared. */
    bool doubtful;
};

/* How changes of a table are found. */
struct plan_capture {
    /* CAPTURE_TRIGGERS, or CAPTURE_SCAN: by a full read that is compared with a shadow. */
    enum capture_choice by;
    /* Why the table is scanned: borrowed from its shape, or static; NULL with triggers. */
    const char *why;
    /* The triggers have to be installed before the snapshot. */
    bool broken;
};

/* What has to be done for the table. Written by plan.c alone; everybody else only reads it. */
struct plan {
    struct plan_capture capture;
    enum send_mode mode;
    /* Why the whole content is sent: static text, or NULL. */
    const char *why;
    /* A scan: whether there is anything to send is known only when all rows have been read. Never
     * in mode replace. */
    bool only_if_changed;
    /* There are no rows to send, but the state has to take note of that: rejects have come or gone,
     * the last pass failed, or the watermark can move past rows that the filter leaves out. */
    bool only_state;
    /* The rows pass through a staging table. */
    bool staged;
    /* The rows lie in more partitions of the target than one job may change: it takes them from the
     * staging table in several statements. */
    bool in_parts;
    /* JSON columns of the staging table are STRING, and the statement parses them. */
    bool json_as_text;
    /* The target has to be read and compared with the definition before anything is sent. */
    bool inspect_target;
    /* All tables of the pass are committed in one transaction. */
    bool in_transaction;
    /* What watermark.content_hash becomes once this has been sent: the definition's, and behind it
     * the way in which changes are found: "s" for a scan, "f" for a fingerprint of all rows, "."
     * and the layout for triggers. */
    char content_hash[TRACKING_CONTENT_SIZE];
};

struct task {
    const struct table *table;
    size_t index; /* among the pass's tasks */

    struct task_source source;
    struct task_warehouse warehouse;
    struct plan plan;
    struct batch batch;
    /* What changed between the plan and now, so that what was planned must not be done: static text
     * that completes "while it was being synced, ...". The pass plans the table again. NULL:
     * nothing that matters. */
    const char *outdated;
    /* Of a table that is staged and waits for the pass's transaction. Owned, else NULL. */
    struct intent *intent;
    /* The step at hand has to settle its jobs or its series (sync/commit/settle.h). */
    bool unsettled;
    /* The table failed, and its tracking row does not say so yet. */
    bool unnoted;
    /* Nothing was to be sent, and what was read is acknowledged: rows that stay in BigQuery though
     * SQLite has deleted them, say. */
    bool acknowledged_nothing;
    /* What the pass reports of the table; borrowed from the pass's result. */
    struct table_result *outcome;
};

/* Whether the target's label is another than the one that the state has raised: the state is older
 * or newer than the target, or one of the two was once a copy of another. */
static inline bool task_label_is_strange(const struct task *task)
{
    const struct label *ours = &task->source.watermark.label;
    const struct label *seen = &task->warehouse.label;

    return seen->generation != ours->generation ||
           (seen->jobs[0] != '\0' && ours->jobs[0] != '\0' && strcmp(seen->jobs, ours->jobs) != 0);
}

/* Whether the log of a table with history may have versions that neither the state nor the label
 * knows: the target, and its label with it, is gone, or another state has raised the label, which a
 * series may have followed. */
static inline bool task_may_have_other_versions(const struct task *task)
{
    int64_t seen = task->warehouse.label.generation;

    return seen == 0 ||
           (seen >= task->source.watermark.label.generation && task_label_is_strange(task));
}

/* Whether there is anything to do under the plan as it is. */
static inline bool task_has_work(const struct task *task)
{
    return task->outdated == NULL && (task->plan.mode != SEND_NOTHING || task->plan.only_state);
}

/* The target's label names another definition than this build's, or the target would expire. A
 * definition may change without a row: descriptions, labels, policy tags. */
static inline bool task_is_out_of_line(const struct task *task)
{
    return task->warehouse.exists &&
           (task->warehouse.expires ||
            strcmp(task->warehouse.label_shape, task->table->shape_hash) != 0);
}

/* The log, the view or the function of a table with history are not as its definition says, as far
 * as tables.list tells. The function is in no list: it is made whenever the view is, and then the
 * log's label names the definition. */
static inline bool task_lacks_readers(const struct task *task)
{
    const struct task_history *seen = &task->warehouse.history;
    const struct table_history *history = task->table->history;

    return history != NULL &&
           (!seen->view_exists || strcmp(seen->log_shape, history->shape_hash) != 0);
}

static inline bool task_history_is_out_of_line(const struct task *task)
{
    const struct task_history *seen = &task->warehouse.history;

    return task_lacks_readers(task) ||
           (task->table->history != NULL &&
            (!seen->log_exists || seen->log_expires ||
             (seen->log_forgets && task->table->history->keep_days == 0)));
}

/* The state database has a shadow of the rows that were sent: with a scan to find what differs,
 * else to look up converted keys. A table of mode replace needs none (sync/pass/content.h). */
static inline bool task_has_shadow(const struct task *task)
{
    return (task->plan.capture.by == CAPTURE_SCAN && task->table->mode != SEND_REPLACE) ||
           task->source.shape.keeps_keys;
}

/* The target is there no longer: the task has to be planned again. */
static inline void task_lost_target(struct task *task)
{
    task->warehouse.exists = false;
    task->warehouse.created = false;
    task->outdated = "its table in BigQuery was dropped";
}

static inline bool task_failed(const struct task *task)
{
    return task->outcome->status == TABLE_FAILED;
}

/* Whether the task has to be planned again. */
static inline bool task_is_outdated(const struct task *task)
{
    return task->outdated != NULL;
}

/* The step at hand is one that has to settle it. */
static inline bool task_is_unsettled(const struct task *task)
{
    return task->unsettled;
}

/* The generation of the task's next intent: above its own past, above the target's label, and above
 * whatever a log may have that has outlived both. */
static inline int64_t task_next_generation(const struct task *task)
{
    int64_t past = task->source.watermark.generation;
    int64_t label = task->warehouse.label.generation;
    int64_t unknown = task->warehouse.unknown_generation;
    int64_t known = label > past ? label : past;

    return (unknown > known ? unknown : known) + 1;
}

#endif
