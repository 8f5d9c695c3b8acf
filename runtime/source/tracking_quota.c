#include "source/tracking_quota.h"

#include "source/statement.h"

bool tracking_quota_load(
    struct tracking *tracking, const char *name, int64_t *out_day, int64_t *out_count,
    struct error *err)
{
    struct database *database = &tracking->database;
    sqlite3_stmt *statement = NULL;
    bool found = false;

    *out_day = *out_count = 0;
    // Where nothing may be written the table may be missing, too.
    if (!database_has_table(database, "bq_sync_quota", &found, err))
        return false;
    if (!found)
        return true;
    if (!statement_bind(
            database, "select day, modifications from bq_sync_quota where table_name = ?1",
            &statement, err, "s", name))
        return false;
    bool ok = database_step(database, statement, &found, err);
    if (ok && found) {
        *out_day = sqlite3_column_int64(statement, 0);
        *out_count = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return ok;
}

bool tracking_quota_save(
    struct tracking *tracking, const char *name, int64_t day, int64_t count, struct error *err)
{
    return statement_run(
        &tracking->database,
        "insert or replace into bq_sync_quota(table_name, day, modifications) values (?1, ?2, ?3)",
        err, "sii", name, day, count);
}
