/* workers: threads, each with a connection to BigQuery and all with one to the state database,
 * which do one step of a pass to many tasks at once. The connections outlive a step, so that every
 * step of a pass finds them warm; the threads do not. */
#ifndef BQSYNC_SYNC_PASS_WORKERS_H
#define BQSYNC_SYNC_PASS_WORKERS_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct workers_options {
    const struct deployment *deployment;
    struct tracking *tracking; /* for all of them, in turns */
    /* At most this many workers, at least 1. */
    size_t size;
    /* For the labels of jobs; borrowed, may be NULL. */
    const char *run_id;
    struct pass_progress *progress; /* may be NULL */
    /* The state database is not written, not even to make its tables. */
    bool reads_only;
    /* The pass follows commits, and its tables are committed one by one. */
    bool follows;
};

struct workers {
    struct worker *each; /* the first `count` are open; the first is the caller's own */
    size_t count;
    pthread_mutex_t turn;
    struct workers_options options;
    char location[64]; /* "" if not known yet */
    /* As in struct worker; and how many scripts have been named after it. */
    char transaction[JOB_ID_NONCE_SIZE];
    int64_t scripts;
};

/* Opens the first worker; more are opened when there is work for them. The options' pointers are
 * borrowed until workers_close. Between two steps the caller may use the tracking as well, and
 * replace its connection. */
MUST_CHECK bool workers_open(
    struct workers *workers, const struct workers_options *options, struct error *err);
/* Where the dataset is, for every worker. */
void workers_set_location(struct workers *workers, const char *location);
void workers_close(struct workers *workers);

/* Adds up the requests of all its connections. */
struct bigquery_counters workers_counters(const struct workers *workers);

/* What is done to a task, on a worker's thread; a failure fails that task only. context is the
 * step's and may be shared by several threads at once. */
typedef bool step_run(struct worker *worker, struct task *task, void *context, struct error *err);

struct step {
    bool (*wanted)(const struct task *task);
    step_run *run;
    void *context;
};

/* Runs the step for every task that has not failed and is wanted, in the order given, on as many
 * workers as there are; returns when all are done. A failure is noted as by workers_fail. */
void workers_run(
    struct workers *workers, struct task *const *tasks, size_t count, const struct step *step);

/* Notes a failure of one table: in its outcome, the log, and, unless the worker only reads, the
 * table's tracking row. */
void workers_fail(struct worker *worker, struct task *task, const struct error *why);
/* The same in two steps, for a failure while the source is read: with a rollback journal nobody can
 * commit before that snapshot is closed, not even the connection that writes the tracking row. The
 * second step does nothing without the first. */
void workers_fail_unnoted(struct task *task, const struct error *why);
void workers_note(struct worker *worker, struct task *task);

#endif
