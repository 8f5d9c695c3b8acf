#include "sync/commit/refusal.h"

#include "base/log.h"
#include "sync/commit/staging.h"
#include "sync/pass/codec_record.h"

#include <string.h>

/* No document says how BigQuery words it. Avro's own libraries speak of the codec or name it.
 * foreign_value.c keeps these words of the message. */
static bool is_about_codec(const struct task *task, const struct error *failure)
{
    return task->batch.codec == CODEC_ZSTD && task->batch.spool != NULL &&
           !error_is_retryable(failure->code) &&
           (strcasestr(failure->message, "codec") != NULL ||
            strcasestr(failure->message, "zstd") != NULL ||
            strcasestr(failure->message, codec_name(CODEC_ZSTD)) != NULL);
}

static bool adopt_deflate(
    struct worker *worker, struct task *task, const struct error *failure, struct error *err)
{
    bool news = false;

    bool ok = codec_record_refuse(worker_take_state(worker), &news, err);
    worker_give_state(worker);
    if (!ok)
        return false;
    if (news)
        log_warn(
            "BigQuery refused a file packed with zstd; from now on files are packed with DEFLATE",
            LOG_TEXT("table", task->table->name), LOG_TEXT("reason", failure->message));
    task->outdated = "BigQuery refused the codec of its file";
    return true;
}

bool refusal_adopt(
    struct worker *worker, struct task *task, const struct error *failure, struct error *err)
{
    return is_about_codec(task, failure) ? adopt_deflate(worker, task, failure, err)
                                         : staging_adopt_text(worker, task, failure, err);
}
