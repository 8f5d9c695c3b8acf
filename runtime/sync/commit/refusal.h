/* refusal: what is learned from a load job that BigQuery refused because of how its file is made,
 * so that the table is read again and sent in another way, in the same pass. */
#ifndef BQSYNC_SYNC_COMMIT_REFUSAL_H
#define BQSYNC_SYNC_COMMIT_REFUSAL_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* A load job of the task failed, and its intent is withdrawn. If it may have been for a number in
 * JSON (staging_adopt_text) or for the file's codec, that is kept in the state, and the task is
 * outdated: it has to be planned and read again. Files are packed with DEFLATE from then on, which
 * every reader of Avro has to know (Apache Avro specification, "Required Codecs"). */
MUST_CHECK bool refusal_adopt(
    struct worker *worker, struct task *task, const struct error *failure, struct error *err);

#endif
