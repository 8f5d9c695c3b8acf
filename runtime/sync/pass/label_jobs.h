/* label_jobs: the ids of the commit jobs that may follow a label. A job may wait in BigQuery for
 * minutes, and a request in a proxy; the state that has recorded its intent asks about it. A source
 * that was restored from a backup, or a new state, knows no such intent, but finds the label that
 * was raised before the job was started. So the label names its jobs: the nonce of the intent that
 * raised it, under which a series goes on (sync/series.h), or the nonce of the transactions of its
 * pass. The jobs of a name are numbered and started one after the other: if there is none of a
 * number, there is none of a later one. */
#ifndef BQSYNC_SYNC_PASS_LABEL_JOBS_H
#define BQSYNC_SYNC_PASS_LABEL_JOBS_H

#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Job ids have at most 1,024 characters ("Running jobs programmatically"); ours are shorter. */
#define LABEL_JOB_ID_SIZE 320

/* Whether a job with this id is a script of transactions. */
bool label_jobs_is_of_transactions(const char *id);

/* What the labels of a target say. A generation that nobody has reached is taken for none, and so
 * are jobs of whose name no id can be made. */
void label_jobs_read(const cJSON *labels, struct label *out_label);

/* The value of LABEL_JOBS for an intent with this nonce. */
void label_jobs_name(
    const struct worker *worker, const char *nonce, char out[static TRACKING_JOBS_SIZE]);

/* The number of the first job that may follow a label of this generation under that name. */
int64_t label_jobs_first(const char *jobs, int64_t generation);

/* The id of a job of that name: of a table, its number is the generation; of transactions, which
 * count from 1, the table does not matter. */
void label_jobs_id(
    const char *jobs, const char *table, int64_t number, char out[static LABEL_JOB_ID_SIZE]);

#endif
