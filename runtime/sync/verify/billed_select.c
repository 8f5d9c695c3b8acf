#include "sync/verify/billed_select.h"

#include "base/log.h"
#include "source/database.h"
#include "source/tracking_bill.h"
#include "sync/spending.h"

static int64_t now_us(const struct comparison_sides *sides)
{
    return sides->clock->wall_us(sides->clock->context);
}

/* --- without a budget --------------------------------------------------------------------- */

static bool record(
    const struct comparison_sides *sides, const char *table, int64_t bytes, struct error *err)
{
    struct tracking state;
    bool prepared = false;

    if (!database_has_table(&sides->tracking->database, "bq_sync_meta", &prepared, err))
        return false;
    if (!prepared)
        return true;
    if (!tracking_open(sides->config->state_path, &state, err))
        return false;
    bool ok = tracking_bill_add(&state, table, now_us(sides), bytes, err);
    tracking_close(&state);
    return ok;
}

static bool run_freely(
    const struct comparison_sides *sides, const struct billed_select *query,
    struct verify_table *out, struct error *err)
{
    int64_t bytes = 0;
    struct error why;

    if (!bigquery_select(sides->bigquery, query->sql, query->visit, query->context, &bytes, err))
        return false;
    out->bytes_billed += bytes;
    if (bytes > 0 && !record(sides, out->table->name, bytes, &why))
        log_warn(
            "bytes billed are not recorded", LOG_TEXT("table", out->table->name),
            LOG_NUMBER("bytes_billed", bytes), LOG_TEXT("reason", why.message));
    return true;
}

/* --- with one ----------------------------------------------------------------------------- */

/* One try of a query. */
struct priced_try {
    struct bill_reservation reservation;
    int64_t bytes; /* billed */
    /* What the query needs, if it was refused for its cap; else 0. */
    int64_t needed;
};

static bool reserve(
    const struct comparison_sides *sides, struct tracking *state, int64_t needed,
    struct bill_reservation *reservation, struct error *err)
{
    struct spending spending;

    if (!spending_read(sides->config, state, reservation->since_us, &spending, err))
        return false;
    reservation->bytes = spending_grant(&spending, sides->config, needed);
    if (reservation->bytes == 0)
        return spending_refuse(&spending, needed, err);
    return tracking_bill_reserve(state, reservation, sides->config->max_bytes_a_day, err);
}

static bool run_reserved(
    const struct comparison_sides *sides, struct tracking *state, const struct billed_select *query,
    struct priced_try *try, struct error *err)
{
    struct error why;

    bigquery_set_cap(sides->bigquery, try->reservation.bytes);
    bool ok = bigquery_select(
        sides->bigquery, query->sql, query->visit, query->context, &try->bytes, err);
    if (!ok)
        try->needed = spending_needed(sides->config, err, try->reservation.bytes);
    // BigQuery bills no query that fails. One whose end is not known may have been billed.
    if (!ok && err->http_status == 0)
        return false;
    if (tracking_bill_settle(state, &try->reservation, now_us(sides), try->bytes, &why))
        return ok;
    *err = why;
    return false;
}

bool billed_select(
    const struct comparison_sides *sides, const struct billed_select *query,
    struct verify_table *out, struct error *err)
{
    struct priced_try try = {.needed = CONFIG_LEAST_BILLED_BYTES};
    struct tracking state;
    bool ok = false;

    if (sides->config->max_bytes_a_day == 0)
        return run_freely(sides, query, out, err);
    if (!tracking_open(sides->config->state_path, &state, err))
        return error_wrap(err, "the day's budget is not known");
    while (!ok && try.needed > 0) {
        int64_t needed = try.needed;
        try = (struct priced_try){
            .reservation = {.table = out->table->name, .since_us = now_us(sides)}};
        if (!reserve(sides, &state, needed, &try.reservation, err))
            break;
        ok = run_reserved(sides, &state, query, &try, err);
        out->bytes_billed += try.bytes;
    }
    tracking_close(&state);
    return ok;
}
