/* spending: what queries have billed today and this month, and what the day's budget
 * (BQ_MAX_BYTES_BILLED_PER_DAY) leaves. Days are UTC days. Reads the state database, also one that
 * is open for reading only; any thread with a tracking of its own. */
#ifndef BQSYNC_SYNC_SPENDING_H
#define BQSYNC_SYNC_SPENDING_H

#include "base/config.h"
#include "base/error.h"
#include "source/tracking.h"

#include <stdbool.h>
#include <stdint.h>

struct spending {
    int64_t today; /* bytes billed, of all tables */
    int64_t month; /* since the first of the month, today included */
    /* BQ_MAX_BYTES_BILLED_PER_DAY, 0: there is none. */
    int64_t budget;
    /* When the next day begins (wall clock). */
    int64_t day_ends_us;
};

/* now_us: wall clock. */
MUST_CHECK bool spending_read(
    const struct config *config, struct tracking *tracking, int64_t now_us,
    struct spending *out_spending, struct error *err);

/* Bytes that today's queries may still bill; INT64_MAX without a budget. */
int64_t spending_left(const struct spending *spending);

/* Whether not even the least bill of a query fits into what is left. */
bool spending_is_over(const struct spending *spending);

#endif
