#include "sync/commit/job_retry.h"

#include "base/log.h"
#include "warehouse/retry.h"

bool job_retry_again(
    struct worker *worker, struct job_retry *retry, const char *subject, struct error *err)
{
    const struct clock *clock = worker->clock;
    int64_t left_ms = worker->retry_budget_ms - retry->waited_ms;
    uint64_t random = retry_seed();

    retry->failed++;
    if (!error_is_retryable(err->code) || err->code == ERROR_QUOTA || left_ms <= 0)
        return false;
    int64_t pause_ms = retry_job_pause_ms(err, retry->failed, &random);
    if (pause_ms > left_ms)
        pause_ms = left_ms;
    log_warn(
        "job failed, trying again", LOG_TEXT("table", subject),
        LOG_NUMBER("attempt", retry->failed), LOG_TEXT("reason", err->message),
        LOG_NUMBER("pause_ms", pause_ms));
    bigquery_count_retry(worker->bigquery, err);
    retry->waited_ms += pause_ms;
    return clock->sleep_ms(clock->context, pause_ms) ||
           error_set(err, ERROR_STOPPED, "stopped before %s was sent again", subject);
}

bool job_retry_after_comparison(struct task *task, const struct error *why)
{
    if (task->warehouse.fields != NULL ||
        (why->code != ERROR_WAREHOUSE && why->code != ERROR_NOT_FOUND))
        return false;
    log_warn(
        "job failed, its table will be compared with the definition",
        LOG_TEXT("table", task->table->name), LOG_TEXT("reason", why->message));
    task->warehouse.doubtful = true;
    task->outdated = "BigQuery refused its rows";
    return true;
}
