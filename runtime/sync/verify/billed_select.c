#include "sync/verify/billed_select.h"

#include "base/log.h"
#include "source/database.h"
#include "source/tracking_bill.h"

static bool record(
    const struct comparison_sides *sides, const char *table, int64_t bytes, struct error *err)
{
    const struct clock *clock = sides->clock;
    struct tracking state;

    if (!tracking_open(sides->config->state_path, &state, err))
        return false;
    bool ok = tracking_bill_add(&state, table, clock->wall_us(clock->context), bytes, err);
    tracking_close(&state);
    return ok;
}

bool billed_select(
    const struct comparison_sides *sides, const struct billed_select *query,
    struct verify_table *out, struct error *err)
{
    int64_t bytes = 0;
    bool prepared = false;
    struct error why;

    if (!bigquery_select(sides->bigquery, query->sql, query->visit, query->context, &bytes, err))
        return false;
    out->bytes_billed += bytes;
    if (bytes > 0 &&
        !(database_has_table(&sides->tracking->database, "bq_sync_meta", &prepared, &why) &&
          (!prepared || record(sides, out->table->name, bytes, &why))))
        log_warn(
            "bytes billed are not recorded", LOG_TEXT("table", out->table->name),
            LOG_NUMBER("bytes_billed", bytes), LOG_TEXT("reason", why.message));
    return true;
}
