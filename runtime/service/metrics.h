/* metrics: the values for dashboards and alerts as text for Prometheus ("Exposition formats", text
 * format 0.0.4). Pure: writes what it is given. */
#ifndef BQSYNC_SERVICE_METRICS_H
#define BQSYNC_SERVICE_METRICS_H

#include "base/buffer.h"
#include "service/ledger.h"
#include "service/scheduler.h"
#include "service/status.h"
#include "service/verifier.h"

#include <stdbool.h>
#include <stdint.h>

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_input {
    int64_t now_us;
    int64_t started_us;                /* of the process */
    const struct ledger *ledger;       /* a copy */
    const struct status_table *tables; /* as many as the ledger has; NULL: source not readable */
    const struct spending *spending;   /* NULL: source not readable */
    const struct scheduler_view *view;
    const struct verifier_view *verified; /* NULL: not written */
    bool running;
    int64_t (*modifications)(void *context, const char *table); /* in 24 hours, of the quota */
    void *context;
};

void metrics_write(struct buffer *out, const struct metrics_input *input);

#endif
