/* spending_json: what queries have billed, for the documents of `status --json` and `plan --json`.
 */
#ifndef BQSYNC_SYNC_REPORT_SPENDING_JSON_H
#define BQSYNC_SYNC_REPORT_SPENDING_JSON_H

#include "base/config.h"
#include "sync/spending.h"

#include <cjson/cJSON.h>

/* Adds the bytes of the day and the month, what they cost in US dollars, what a whole month costs
 * as measured and in how many days that was measured, and the day's budget. What is not known is
 * null.
 */
void spending_json_add(cJSON *json, const struct config *config, const struct spending *spending);

#endif
