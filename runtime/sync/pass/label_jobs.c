#include "sync/pass/label_jobs.h"

#include "base/json_text.h"
#include "warehouse/job_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the ids of commit jobs begin. */
#define PREFIX "bqsync_"

/* They count passes, or, once, milliseconds (target_distrust_generations). */
#define GENERATION_MAX (INT64_C(1) << 53)

/* What a nonce, which has hex digits only, cannot begin with. */
#define OF_TRANSACTIONS "atomic_"

static bool are_transactions(const char *jobs)
{
    return strncmp(jobs, OF_TRANSACTIONS, strlen(OF_TRANSACTIONS)) == 0;
}

bool label_jobs_is_of_transactions(const char *id)
{
    size_t name = strlen(PREFIX);
    size_t nonce = name + strlen(OF_TRANSACTIONS);

    // A table may be called so, too, but a nonce never stands there in the id of its job.
    return strncmp(id, PREFIX, name) == 0 && are_transactions(id + name) &&
           strspn(id + nonce, "0123456789abcdef") == JOB_ID_NONCE_SIZE - 1;
}

void label_jobs_read(const cJSON *labels, struct label *out_label)
{
    const char *jobs = json_text_of(labels, LABEL_JOBS, "");
    size_t length = strspn(jobs, "abcdefghijklmnopqrstuvwxyz0123456789_");
    int64_t generation = strtoll(json_text_of(labels, LABEL_GENERATION, ""), NULL, 10);

    *out_label = (struct label){0};
    if (generation > 0 && generation < GENERATION_MAX)
        out_label->generation = generation;
    if (jobs[length] == '\0')
        snprintf(out_label->jobs, sizeof out_label->jobs, "%s", jobs);
}

void label_jobs_name(
    const struct worker *worker, const char *nonce, char out[static TRACKING_JOBS_SIZE])
{
    bool own = worker->transaction[0] == '\0';

    snprintf(
        out, TRACKING_JOBS_SIZE, "%s%s", own ? "" : OF_TRANSACTIONS,
        own ? nonce : worker->transaction);
}

int64_t label_jobs_first(const char *jobs, int64_t generation)
{
    return are_transactions(jobs) ? 1 : generation;
}

void label_jobs_id(
    const char *jobs, const char *table, int64_t number, char out[static LABEL_JOB_ID_SIZE])
{
    char safe[200];

    job_id_safe_name(table, safe, sizeof safe);
    if (are_transactions(jobs))
        snprintf(out, LABEL_JOB_ID_SIZE, PREFIX "%s_%" PRId64 "_commit", jobs, number);
    else
        snprintf(out, LABEL_JOB_ID_SIZE, PREFIX "%s_%" PRId64 "_%s_commit", safe, number, jobs);
}
