/* spending_json: what queries have billed, for the document of `bqsync status --json`. */
#ifndef BQSYNC_SERVICE_SPENDING_JSON_H
#define BQSYNC_SERVICE_SPENDING_JSON_H

#include "base/config.h"
#include "sync/spending.h"

#include <cjson/cJSON.h>

/* Adds the bytes of the day and the month, what they cost in US dollars, the projection to the end
 * of the month, and the day's budget. What is not known is null. */
void spending_json_add(cJSON *json, const struct config *config, const struct spending *spending);

#endif
