#include "source/tracking_quota.h"

#include "source/statement.h"

bool tracking_quota_load(
    struct tracking *tracking, const char *name, int64_t first_hour, tracking_quota_visit *visit,
    void *context, struct error *err)
{
    struct database *database = &tracking->database;
    sqlite3_stmt *statement = NULL;
    bool found = false;

    if (!tracking_has_table(tracking, "bq_sync_loads", &found, err))
        return false;
    if (!found)
        return true;
    if (!statement_keep(
            database,
            "select hour, modifications from bq_sync_loads where table_name = ?1 and hour >= ?2",
            &statement, err, "si", name, first_hour))
        return false;
    bool ok = database_step(database, statement, &found, err);
    while (ok && found) {
        visit(context, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1));
        ok = database_step(database, statement, &found, err);
    }
    database_give_back(statement);
    return ok;
}

bool tracking_quota_save(
    struct tracking *tracking, const char *name, int64_t first_hour, int64_t hour, int64_t count,
    struct error *err)
{
    return statement_run(
               &tracking->database, "delete from bq_sync_loads where table_name = ?1 and hour < ?2",
               err, "si", name, first_hour) &&
           statement_run(
               &tracking->database,
               "insert or replace into bq_sync_loads(table_name, hour, modifications)"
               " values (?1, ?2, ?3)",
               err, "sii", name, hour, count);
}
