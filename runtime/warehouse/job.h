/* job: reading a Job resource and building the configuration of a new one. Pure: no requests. For
 * the files of this group. */
#ifndef BQSYNC_WAREHOUSE_JOB_H
#define BQSYNC_WAREHOUSE_JOB_H

#include "warehouse/call.h"

/* The query by which a job id is made unusable; a job with it has done nothing. */
#define JOB_CLAIM_SQL "select 1 as claimed_by_bqsync"

/* Reads a Job resource. */
void job_read(
    const struct bigquery *bigquery, const cJSON *resource, const char *job_id,
    struct job *out_job);
/* Whether the counts of its child jobs have to be added (a script). */
bool job_has_children(const cJSON *resource);
/* Reads one of them; its texts are the resource's. */
void job_read_child(const cJSON *resource, struct job_child *out_child);

/* {"jobReference": {...}, "configuration": {"labels": {...}}}, owned; *out_configuration is inside.
 * NULL without memory. */
cJSON *job_new(
    const struct bigquery *bigquery, const char *job_id, const char *label_table,
    const char *label_phase, cJSON **out_configuration);
/* {"projectId", "datasetId", "tableId"} under name. */
void job_add_table(
    const struct bigquery *bigquery, cJSON *object, const char *name, const char *table);

#endif
