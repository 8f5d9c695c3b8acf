#include "source/tracking_bill.h"

#include "base/clock.h"
#include "source/statement.h"

#include <stdio.h>

#define DAYS_KEPT 62

char *tracking_bill_day(int64_t now_us, char out[static BILL_DAY_SIZE])
{
    char now[CLOCK_TEXT_SIZE];

    snprintf(out, BILL_DAY_SIZE, "%.10s", clock_format(now_us, now));
    return out;
}

char *tracking_bill_month(int64_t now_us, char out[static BILL_DAY_SIZE])
{
    char now[CLOCK_TEXT_SIZE];

    snprintf(out, BILL_DAY_SIZE, "%.8s01", clock_format(now_us, now));
    return out;
}

bool tracking_bill_add(
    struct tracking *tracking, const char *table, int64_t now_us, int64_t bytes, struct error *err)
{
    struct database *database = &tracking->database;
    char day[BILL_DAY_SIZE];
    char first[BILL_DAY_SIZE];

    if (bytes == 0)
        return true;
    return statement_run(
               database,
               "insert into bq_sync_billed(table_name, day, bytes, queries) values (?1, ?2, ?3, 1)"
               " on conflict(table_name, day) do update set bytes = bytes + excluded.bytes,"
               " queries = queries + 1",
               err, "ssi", table, tracking_bill_day(now_us, day), bytes) &&
           statement_run(
               database, "delete from bq_sync_billed where day < ?1", err, "s",
               tracking_bill_day(now_us - DAYS_KEPT * CLOCK_DAY_US, first));
}

/* --- the budget --------------------------------------------------------------------------- */

bool tracking_bill_use(
    struct tracking *tracking, int64_t now_us, struct bill_use *out_use, struct error *err)
{
    struct database *database = &tracking->database;
    sqlite3_stmt *statement = NULL;
    struct bill_use use = {0};
    char today[BILL_DAY_SIZE];
    char yesterday[BILL_DAY_SIZE];
    bool found = false;

    if (!database_has_table(database, "bq_sync_billed", &found, err))
        return false;
    if (found) {
        if (!statement_keep(
                database,
                "select coalesce(sum(case when day = ?1 then bytes else 0 end), 0),"
                " (select coalesce(sum(bytes_reserved), 0) from bq_sync_intents),"
                " coalesce(sum(reserved), 0) from bq_sync_billed where day >= ?2",
                &statement, err, "ss", tracking_bill_day(now_us, today),
                tracking_bill_day(now_us - CLOCK_DAY_US, yesterday)))
            return false;
        bool ok = database_step(database, statement, &found, err);
        if (ok)
            use = (struct bill_use){
                .billed = sqlite3_column_int64(statement, 0),
                .intents = sqlite3_column_int64(statement, 1),
                .queries = sqlite3_column_int64(statement, 2),
            };
        database_give_back(statement);
        if (!ok)
            return false;
    }
    *out_use = use;
    return true;
}

static int64_t used(const struct bill_use *use)
{
    return use->billed + use->intents + use->queries;
}

int64_t bill_left(const struct bill_use *use, int64_t bytes_a_day)
{
    return used(use) < bytes_a_day ? bytes_a_day - used(use) : 0;
}

bool tracking_bill_fits(
    struct tracking *tracking, struct bill_limit limit, int64_t bytes, struct error *err)
{
    struct bill_use use;

    if (!tracking_bill_use(tracking, limit.now_us, &use, err))
        return false;
    return used(&use) + bytes <= limit.bytes_a_day ||
           error_set(
               err, ERROR_BUDGET, "others have reserved the rest of BQ_MAX_BYTES_BILLED_PER_DAY");
}

bool tracking_bill_need(
    struct tracking *tracking, const char *table, int64_t now_us, int64_t *out_bytes,
    struct error *err)
{
    struct database *database = &tracking->database;
    sqlite3_stmt *statement = NULL;
    char day[BILL_DAY_SIZE];
    bool found = false;

    if (!statement_keep(
            database, "select needed from bq_sync_billed where table_name = ?1 and day = ?2",
            &statement, err, "ss", table, tracking_bill_day(now_us, day)))
        return false;
    bool ok = database_step(database, statement, &found, err);
    if (ok)
        *out_bytes = found ? sqlite3_column_int64(statement, 0) : 0;
    database_give_back(statement);
    return ok;
}

bool tracking_bill_note_need(
    struct tracking *tracking, const char *table, int64_t now_us, int64_t bytes, struct error *err)
{
    char day[BILL_DAY_SIZE];

    return bytes == 0 ||
           statement_run(
               &tracking->database,
               "insert into bq_sync_billed(table_name, day, needed) values (?1, ?2, ?3)"
               " on conflict(table_name, day) do update set needed = excluded.needed",
               err, "ssi", table, tracking_bill_day(now_us, day), bytes);
}

static bool add_reserved(
    struct tracking *tracking, const struct bill_reservation *reservation, int64_t bytes,
    struct error *err)
{
    char day[BILL_DAY_SIZE];

    return statement_run(
        &tracking->database,
        "insert into bq_sync_billed(table_name, day, reserved) values (?1, ?2, ?3)"
        " on conflict(table_name, day) do update set reserved = reserved + excluded.reserved",
        err, "ssi", reservation->table, tracking_bill_day(reservation->since_us, day), bytes);
}

bool tracking_bill_reserve(
    struct tracking *tracking, const struct bill_reservation *reservation, int64_t bytes_a_day,
    struct error *err)
{
    struct database *database = &tracking->database;
    struct bill_limit limit = {.bytes_a_day = bytes_a_day, .now_us = reservation->since_us};

    if (!database_begin(database, err))
        return false;
    if (tracking_bill_fits(tracking, limit, reservation->bytes, err) &&
        add_reserved(tracking, reservation, reservation->bytes, err) &&
        database_commit(database, err))
        return true;
    database_rollback(database);
    return false;
}

bool tracking_bill_settle(
    struct tracking *tracking, const struct bill_reservation *reservation, int64_t now_us,
    int64_t bytes_billed, struct error *err)
{
    struct database *database = &tracking->database;

    if (!database_begin(database, err))
        return false;
    if ((reservation->bytes == 0 ||
         add_reserved(tracking, reservation, -reservation->bytes, err)) &&
        tracking_bill_add(tracking, reservation->table, now_us, bytes_billed, err) &&
        database_commit(database, err))
        return true;
    database_rollback(database);
    return false;
}

/* --- reading ------------------------------------------------------------------------------ */

bool tracking_bill_each(
    struct tracking *tracking, const char *first_day, const char *last_day,
    tracking_bill_visit *visit, void *context, struct error *err)
{
    struct database *database = &tracking->database;
    sqlite3_stmt *statement = NULL;
    bool found = false;

    if (!database_has_table(database, "bq_sync_billed", &found, err))
        return false;
    if (!found)
        return true;
    if (!statement_keep(
            database,
            "select table_name, day, bytes, queries from bq_sync_billed"
            " where day between ?1 and ?2 and bytes > 0 order by table_name, day",
            &statement, err, "ss", first_day, last_day))
        return false;
    bool ok = database_step(database, statement, &found, err);
    while (ok && found) {
        const struct table_bill bill = {
            .table = statement_borrow_text(statement, 0),
            .day = statement_borrow_text(statement, 1),
            .bytes = sqlite3_column_int64(statement, 2),
            .queries = sqlite3_column_int64(statement, 3),
        };
        visit(context, &bill);
        ok = database_step(database, statement, &found, err);
    }
    database_give_back(statement);
    return ok;
}
