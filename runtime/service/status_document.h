/* status_document: the parts of the document of `bqsync status --json` and GET
 * /admin/bigquery/sync/status. service/status reads the values and puts the parts together. */
#ifndef BQSYNC_SERVICE_STATUS_DOCUMENT_H
#define BQSYNC_SERVICE_STATUS_DOCUMENT_H

#include "base/config.h"
#include "base/error.h"
#include "service/status_values.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Whose status it is, what runs, here or elsewhere, whether BigQuery answers, and when the next
 * runs start: never, if no service runs. Takes live->running. */
void status_document_begin(cJSON *json, const struct config *config, struct status_live *live);

/* The newest run, from the database or from this process; null if there is none. A recorded one
 * that began later than now, when the clock was ahead, is older than one of this process. Owned. */
cJSON *status_document_last_run(const cJSON *recorded, const cJSON *recent, int64_t now_us);

/* One table; of one that could not be read, name and mode. Owned. */
cJSON *status_document_table(
    const struct config *config, const struct status_table *row, bool read,
    const struct ledger_table *ledger, int64_t now_us);

/* The tables of a pass of another process, if one runs: those that it works on, and those that it
 * has synced. rows: as they were read. */
void status_document_follow(cJSON *json, const struct status_table *rows, size_t count);

/* {"since","attempts","message"}: since when BigQuery has given no good answer, how often a call
 * has been tried in vain, and why; null if there is no outage. Owned. */
cJSON *status_document_outage(const struct quota_outage *outage);

/* The pass of another process, and what hinders it as it says itself, null if nothing does; both
 * NULL if no pass runs that can be seen from here. Owned. */
void status_document_elsewhere(const char *state_path, cJSON **out_running, cJSON **out_outage);

/* Why the tables could not be read (NULL: they were), time and version. */
void status_document_end(cJSON *json, const struct error *err, const struct status_live *live);

#endif
