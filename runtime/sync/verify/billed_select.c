#include "sync/verify/billed_select.h"

#include "base/log.h"
#include "source/database.h"
#include "source/tracking_bill.h"
#include "sync/spending.h"
#include "warehouse/job_id.h"

#include <stdio.h>

static int64_t now_us(const struct comparison_sides *sides)
{
    return sides->clock->wall_us(sides->clock->context);
}

/* Each try has a job id of its own, so one that was refused does not stand for the next. */
static bool run_job(
    struct bigquery *bigquery, const struct table *table, const struct billed_select *query,
    int64_t *out_bytes, struct error *err)
{
    char safe[200];
    char nonce[JOB_ID_NONCE_SIZE];
    char id[sizeof "bqsync___" + sizeof safe + sizeof nonce + 20];
    struct job job;

    if (!job_id_nonce(nonce, err))
        return false;
    job_id_safe_name(table->name, safe, sizeof safe);
    snprintf(id, sizeof id, "bqsync_%s_%s_%.20s", safe, nonce, query->phase);
    const struct query_request request = {
        .job_id = id,
        .sql = query->sql,
        .kind = QUERY_DML,
        .target = table->target,
        .label_table = table->name,
        .label_phase = query->phase,
    };
    if (!bigquery_query(bigquery, &request, err) || !bigquery_job_wait(bigquery, id, &job, err))
        return false;
    *out_bytes = job.bytes_billed;
    if (job.state != JOB_FAILED)
        return true;
    *err = job.failure;
    return false;
}

static bool send(
    struct bigquery *bigquery, const struct table *table, const struct billed_select *query,
    int64_t *out_bytes, struct error *err)
{
    if (query->phase != NULL)
        return run_job(bigquery, table, query, out_bytes, err);
    return bigquery_select(bigquery, query->sql, query->visit, query->context, out_bytes, err);
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

    if (!send(sides->bigquery, out->table, query, &bytes, err))
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
    const struct comparison_sides *sides, struct tracking *state, const struct table *table,
    const struct billed_select *query, struct priced_try *try, struct error *err)
{
    struct error why;

    bigquery_set_cap(sides->bigquery, try->reservation.bytes);
    bool ok = send(sides->bigquery, table, query, &try->bytes, err);
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
        ok = run_reserved(sides, &state, out->table, query, &try, err);
        out->bytes_billed += try.bytes;
    }
    tracking_close(&state);
    return ok;
}
