#include "source/tracking_bill.h"

#include "base/clock.h"
#include "source/statement.h"

#include <stdio.h>

#define DAY_US    (INT64_C(86400) * 1000000)
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
               tracking_bill_day(now_us - DAYS_KEPT * DAY_US, first));
}

bool tracking_bill_each(
    struct tracking *tracking, const char *first_day, tracking_bill_visit *visit, void *context,
    struct error *err)
{
    struct database *database = &tracking->database;
    sqlite3_stmt *statement = NULL;
    bool found = false;

    if (!database_has_table(database, "bq_sync_billed", &found, err))
        return false;
    if (!found)
        return true;
    if (!statement_bind(
            database,
            "select table_name, day, bytes, queries from bq_sync_billed where day >= ?1"
            " order by table_name, day",
            &statement, err, "s", first_day))
        return false;
    bool ok = database_step(database, statement, &found, err);
    while (ok && found) {
        const struct table_bill bill = {
            .table = (const char *)sqlite3_column_text(statement, 0),
            .day = (const char *)sqlite3_column_text(statement, 1),
            .bytes = sqlite3_column_int64(statement, 2),
            .queries = sqlite3_column_int64(statement, 3),
        };
        visit(context, &bill);
        ok = database_step(database, statement, &found, err);
    }
    sqlite3_finalize(statement);
    return ok;
}
