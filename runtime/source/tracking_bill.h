/* tracking_bill: what queries have billed, for each table and UTC day, in bq_sync_billed of the
 * state database, and what queries that are on their way may still bill. A bill counts on the day
 * on which bqsync reads it, so that no day is added to when it is over. Days are kept for two
 * months. One struct tracking belongs to one thread. */
#ifndef BQSYNC_SOURCE_TRACKING_BILL_H
#define BQSYNC_SOURCE_TRACKING_BILL_H

#include "base/error.h"
#include "source/tracking.h"

#include <stdint.h>

/* "2026-01-02" */
#define BILL_DAY_SIZE 11

/* The UTC day of a moment (wall clock), into the caller's bytes; returns out. */
char *tracking_bill_day(int64_t now_us, char out[static BILL_DAY_SIZE]);
/* The first day of its month. */
char *tracking_bill_month(int64_t now_us, char out[static BILL_DAY_SIZE]);

/* Adds the bill of one query to the day of now_us, and forgets days that are two months old. It is
 * part of the transaction that is open, if there is one. Writes nothing if bytes is 0. */
MUST_CHECK bool tracking_bill_add(
    struct tracking *tracking, const char *table, int64_t now_us, int64_t bytes, struct error *err);

/* What the day's budget is used for. */
struct bill_use {
    int64_t billed;  /* on the day of now_us, by all tables */
    int64_t intents; /* what open intents may still bill */
    int64_t queries; /* what other queries may still bill (tracking_bill_reserve) */
};
/* The state database may be open for reading only, and may lack the tables. */
MUST_CHECK bool tracking_bill_use(
    struct tracking *tracking, int64_t now_us, struct bill_use *out_use, struct error *err);
/* What is left of a budget, at least 0. */
int64_t bill_left(const struct bill_use *use, int64_t bytes_a_day);
/* Whether what is used and so many bytes more fit into the limit: ERROR_BUDGET. */
MUST_CHECK bool tracking_bill_fits(
    struct tracking *tracking, struct bill_limit limit, int64_t bytes, struct error *err);

/* What a query of the table has to be allowed to bill, as BigQuery has last said today; 0 if it has
 * not. Notes nothing if bytes is 0. */
MUST_CHECK bool tracking_bill_need(
    struct tracking *tracking, const char *table, int64_t now_us, int64_t *out_bytes,
    struct error *err);
MUST_CHECK bool tracking_bill_note_need(
    struct tracking *tracking, const char *table, int64_t now_us, int64_t bytes, struct error *err);

/* Reserves bytes of the budget for a query that belongs to no intent, if they are left:
 * ERROR_BUDGET. One whose process was killed counts until the end of the next day. */
struct bill_reservation {
    const char *table;
    int64_t since_us; /* wall clock */
    int64_t bytes;
};
MUST_CHECK bool tracking_bill_reserve(
    struct tracking *tracking, const struct bill_reservation *reservation, int64_t bytes_a_day,
    struct error *err);
/* Ends a reservation, and adds what the query has billed to the day of now_us. */
MUST_CHECK bool tracking_bill_settle(
    struct tracking *tracking, const struct bill_reservation *reservation, int64_t now_us,
    int64_t bytes_billed, struct error *err);

/* One table on one day; borrowed for the call. */
struct table_bill {
    const char *table;
    const char *day;
    int64_t bytes;
    int64_t queries; /* that billed anything */
};
typedef void tracking_bill_visit(void *context, const struct table_bill *bill);

/* Tells all bills from one day to another, both included, by table and then by day. Days after
 * today are those of a clock that was ahead: callers leave them out until they come. The state
 * database may be open for reading only, and may lack the table: then there are none. */
MUST_CHECK bool tracking_bill_each(
    struct tracking *tracking, const char *first_day, const char *last_day,
    tracking_bill_visit *visit, void *context, struct error *err);

#endif
