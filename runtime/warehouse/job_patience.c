#include "warehouse/job_patience.h"

#include "base/log.h"

#include <inttypes.h>

/* Most jobs end within seconds; one that takes hours should not fill the log. */
#define LOG_FIRST_MS 30000
#define LOG_AGAIN_MS 300000

struct job_patience job_patience_of(const struct bigquery *bigquery)
{
    return (struct job_patience){
        .clock = bigquery->clock,
        .started_ms = bigquery->clock->monotonic_ms(bigquery->clock->context),
        .log_at_ms = LOG_FIRST_MS,
        .limit_ms = bigquery->job_timeout_ms > 0 ? bigquery->job_timeout_ms : INT64_MAX,
        .setting = "BQ_JOB_TIMEOUT",
    };
}

static const char *state_name(enum job_state state)
{
    switch (state) {
    case JOB_PENDING:
        return "pending";
    case JOB_RUNNING:
        return "running";
    default:
        return "not known";
    }
}

bool job_patience_holds(
    struct job_patience *patience, const char *job_id, const struct job *job, struct error *err)
{
    int64_t waited_ms =
        patience->clock->monotonic_ms(patience->clock->context) - patience->started_ms;

    if (waited_ms >= patience->limit_ms)
        return error_set(
            err, ERROR_TRANSIENT,
            "BigQuery: job %s is still %s after %" PRId64
            " s, which is as long as %s allows to wait; it may still end, and the next sync asks "
            "about it first",
            job_id, state_name(job->state), waited_ms / 1000, patience->setting);
    if (waited_ms >= patience->log_at_ms) {
        log_warn(
            "still waiting for a job", LOG_TEXT("job", job_id),
            LOG_TEXT("state", state_name(job->state)), LOG_NUMBER("waited_s", waited_ms / 1000));
        patience->log_at_ms = waited_ms + LOG_AGAIN_MS;
    }
    return true;
}
