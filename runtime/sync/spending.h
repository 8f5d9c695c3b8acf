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

#define SPENDING_UNKNOWN (-1)

/* Number of days whose bills are listed one by one, today included. */
#define SPENDING_DAYS 14

struct spending {
    int64_t days[SPENDING_DAYS]; /* bytes billed: today, yesterday, ... */
    int64_t today;               /* bytes billed, of all tables */
    int64_t month;               /* since the first of the month, today included */
    /* BQ_MAX_BYTES_BILLED_PER_DAY, 0: there is none. */
    int64_t budget;
    /* What queries that are under way may still bill of it: those of open intents, and others. */
    int64_t of_intents;
    int64_t of_queries;
    /* What a whole month would bill at the rate that was measured: the bytes of today and of the
     * seven days before, divided by the time since the first of them that billed anything, which
     * counts as one day at least. So it holds for every way in which passes start, also by commits.
     * SPENDING_UNKNOWN if none of these days has billed. */
    int64_t month_projected;
    int64_t measured_us; /* that time; 0 if none has */
    /* When the next day begins (wall clock). */
    int64_t day_ends_us;
};

/* now_us: wall clock. */
MUST_CHECK bool spending_read(
    const struct config *config, struct tracking *tracking, int64_t now_us,
    struct spending *out_spending, struct error *err);

/* What so many bytes of one month cost, in millionths of a US dollar: BQ_PRICE_PER_TIB beyond the
 * first TiB, which is free in each month ("BigQuery pricing", on-demand compute). SPENDING_UNKNOWN
 * if the bytes are, or if there is no price. */
int64_t spending_micro_dollars(const struct config *config, int64_t month_bytes);

/* Bytes that today's queries may still bill, those under way aside; INT64_MAX without a budget. */
int64_t spending_left(const struct spending *spending);

/* Whether not even the least bill of a query fits into what is billed already. */
bool spending_is_over(const struct spending *spending);

/* Whether less than half of the day's budget is left. */
bool spending_runs_out(const struct spending *spending);

/* How long so many bytes last, in milliseconds, if what is left of the budget is spread evenly over
 * the rest of the UTC day: for so long a pass that has billed them should be followed by none. 0
 * while at least half of the budget is left; the rest of the day if nothing is. */
int64_t spending_lasts_ms(const struct spending *spending, int64_t now_us, int64_t bytes);

/* What to reserve for a query that has to be allowed to bill `needed` bytes: an eighth more, since
 * tables grow, if that is left, and no more than BQ_MAX_BYTES_BILLED. 0 if needed is not left. */
int64_t spending_grant(
    const struct spending *spending, const struct config *config, int64_t needed);

/* What BigQuery says a query has to be allowed to bill that it has refused with a cap of so many
 * bytes; more than cap in any case. 0: it was not refused for that, or BQ_MAX_BYTES_BILLED is why.
 */
int64_t spending_needed(const struct config *config, const struct error *refusal, int64_t cap);

/* Whether a query needs more than the budget of a whole day, so that no day lets it pass. */
bool spending_never_fits(const struct spending *spending, int64_t needed);

/* Sets ERROR_BUDGET, which names the setting, what has been billed, and when the next day begins;
 * or that the query never fits, and what the setting has to be for it. needed: of the query that
 * may not be sent. Returns false. */
bool spending_refuse(const struct spending *spending, int64_t needed, struct error *err);

#endif
