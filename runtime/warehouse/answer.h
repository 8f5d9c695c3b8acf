/* answer: whether an answer is about what was asked. A proxy or a cache on the way may mix answers
 * up, and a connection may carry one twice, so that each later one is that of the question before
 * it. None of these may pass for what BigQuery says of the job or table at hand. Pure. For the
 * files of this group. */
#ifndef BQSYNC_WAREHOUSE_ANSWER_H
#define BQSYNC_WAREHOUSE_ANSWER_H

#include "warehouse/traffic.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* What was asked. */
struct question {
    enum traffic_call what;
    /* the table or the job */
    const char *subject;
    const char *project;
    const char *dataset;
    /* the job of the SELECT that was answered last, which is not that of another one; or NULL */
    const char *selected_id;
};

/* Whether the JSON of a 2xx answer is about that. json may be NULL where the call may have an empty
 * answer. out_instead: what it is about, or what it lacks. */
bool answer_is_ours(
    const struct question *question, const cJSON *json, char *out_instead, size_t size);

/* Makes the error of an answer that is not: of the network's kind, so that it is asked again.
 * Returns false. */
bool answer_refuse(
    const struct question *question, int status, const char *instead, struct error *err);

#endif
