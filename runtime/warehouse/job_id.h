/* job_id: the parts of the names that we give to jobs and staging tables. A job id is used once and
 * for ever: whatever became of the job, the id tells the same end at each question. */
#ifndef BQSYNC_WAREHOUSE_JOB_ID_H
#define BQSYNC_WAREHOUSE_JOB_ID_H

#include "base/error.h"

#include <stddef.h>

#define JOB_ID_NONCE_SIZE 17

/* 16 random hex digits, so that no job meets the id of another. ERROR_SOURCE without random numbers
 * from the kernel. */
MUST_CHECK bool job_id_nonce(char out[static JOB_ID_NONCE_SIZE], struct error *err);

/* The name with _ for each byte that a job id does not take: letters, digits, _ and - are allowed
 * ("Running jobs programmatically"). Cut to size - 1 bytes. */
void job_id_safe_name(const char *name, char *out, size_t size);

#endif
