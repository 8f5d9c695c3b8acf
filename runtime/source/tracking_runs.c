/* The part of tracking.h that keeps the records of runs. */
#include "source/statement.h"
#include "source/tracking.h"

static bool save(
    struct database *database, const char *run_id, const char *state, const char *json,
    struct error *err)
{
    return statement_run(
               database,
               "insert into bq_sync_runs(run_id, state, document) values (?1, ?2, ?3)"
               " on conflict(run_id) do update set state = excluded.state,"
               " document = excluded.document",
               err, "sss", run_id, state, json) &&
           statement_run(
               database,
               "delete from bq_sync_runs where number <= (select number from bq_sync_runs"
               " order by number desc limit 1 offset ?1)",
               err, "i", (int64_t)TRACKING_RUNS_KEPT);
}

bool tracking_save_run(
    struct tracking *tracking, const char *run_id, const char *state, const char *json,
    struct error *err)
{
    struct database *database = &tracking->database;

    if (!database_begin(database, err))
        return error_wrap(err, "records of runs");
    if (save(database, run_id, state, json, err) && database_commit(database, err))
        return true;
    database_rollback(database);
    return error_wrap(err, "records of runs");
}

bool tracking_each_run(
    struct tracking *tracking, int limit,
    bool (*visit)(void *context, const char *run_id, const char *state, const char *json),
    void *context, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    bool ok = false;

    if (!tracking_has_table(tracking, "bq_sync_runs", &row, err))
        return false;
    if (!row)
        return true;
    if (!statement_bind(
            &tracking->database,
            "select run_id, state, document from bq_sync_runs order by number desc limit ?1",
            &statement, err, "i", (int64_t)limit))
        return false;
    for (;;) {
        if (!database_step(&tracking->database, statement, &row, err))
            goto cleanup;
        if (!row || !visit(
                        context, statement_borrow_text(statement, 0),
                        statement_borrow_text(statement, 1), statement_borrow_text(statement, 2)))
            break;
    }
    ok = statement_check(&tracking->database, err);

cleanup:
    sqlite3_finalize(statement);
    return ok;
}
