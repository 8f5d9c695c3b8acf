/* status_values: what `status` knows of a table and of this process. Types only. */
#ifndef BQSYNC_SERVICE_STATUS_VALUES_H
#define BQSYNC_SERVICE_STATUS_VALUES_H

#include "base/table.h"
#include "service/ledger.h"
#include "service/scheduler.h"
#include "warehouse/quota.h"

#include <cjson/cJSON.h>
#include <stdint.h>

#define STATUS_UNKNOWN (-1)

/* One table as the databases show it. */
struct status_table {
    const struct table *table;
    int64_t last_synced_row_id;
    char last_synced_at[32]; /* "" if never */
    int64_t pending;         /* distinct rows waiting; STATUS_UNKNOWN if that cannot be told */
    bool scanned;            /* its changes are found by reading it, in a pass */
    int64_t rejected;        /* distinct rows that could not be encoded */
    int64_t modifications;   /* of the target in the last 24 hours, as far as they count */
    int64_t billed_today;    /* bytes of its queries on this UTC day, and in this month */
    int64_t billed_month;
    bool has_intent;       /* some pass is changing its target, or was killed while it did */
    int64_t source_rows;   /* in the source when it was last synced, an estimate */
    char last_error[1024]; /* "" if its last sync succeeded */
    char problem[512];     /* "" or why the source table cannot be read */
};

/* State of this process that is not in the databases. */
struct status_live {
    int64_t now_us;
    int64_t serves_since_us; /* this process is the service, since then; 0: it is not */
    const struct scheduler_view *view;
    const struct ledger *ledger; /* since when tables are fresh */
    cJSON *running;              /* taken; NULL: nothing runs in this process */
    const cJSON *recent;         /* runs of this process; may be NULL */
    struct quota_outage outage;  /* of BigQuery, as this process sees it */
};

#endif
