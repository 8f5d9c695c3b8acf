/* target: brings the BigQuery table of a task in line with its definition before anything is sent:
 * creates it, or makes the changes that target_diff.h has found, and keeps the labels by which
 * bqsync knows it again. Anything that BigQuery cannot change in place is refused with the
 * statement that a person would have to decide on. */
#ifndef BQSYNC_SYNC_PASS_TARGET_H
#define BQSYNC_SYNC_PASS_TARGET_H

#include "base/error.h"
#include "base/table.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>
#include <stdint.h>

/* A step of workers_run; context is not used. Creates the target if there is none; else reads,
 * compares and changes it if the plan says so. Sets created, prepared and fields of
 * task->warehouse. A target that lacked columns invalidates the watermark and revises the plan, one
 * that is gone outdates it. A target that is created gets the label of the task's next intent.
 * ERROR_SCHEMA when BigQuery cannot make the change. */
MUST_CHECK bool target_prepare(
    struct worker *worker, struct task *task, void *context, struct error *err);

/* Sets the label, and labels the definition's shape as the current one. */
MUST_CHECK bool target_label(
    struct bigquery *bigquery, const struct table *table, const struct label *label,
    struct error *err);

/* A column of the definition as the target has it; NULL if that is not known. */
const cJSON *target_field(const struct task *task, size_t column);
/* Whether it takes NULL there; if that is not known, as the definition says. */
bool target_is_nullable(const struct task *task, size_t column);

/* Lets the generations of a table with history go on above all that its log may have: those of a
 * series are on no label, and a target that was dropped takes its label with it. */
void target_distrust_generations(const struct clock *clock, struct task *task);

#endif
