/* The part of tracking.h for intents: what a pass is about to do, and how it moves the watermark.
 */
#include "base/clock.h"
#include "source/statement.h"
#include "source/tracking.h"

#include <string.h>

static void read_intent(sqlite3_stmt *statement, struct intent *out_intent)
{
    char kind[16];

    statement_text(statement, 0, kind, sizeof kind);
    out_intent->mode = SEND_REPLACE;
    send_mode_of_name(kind, &out_intent->mode);
    out_intent->generation = sqlite3_column_int64(statement, 1);
    statement_text(statement, 2, out_intent->nonce, sizeof out_intent->nonce);
    statement_text(statement, 3, out_intent->commit_job, sizeof out_intent->commit_job);
    statement_text(statement, 4, out_intent->staging, sizeof out_intent->staging);
    out_intent->upper_sequence = sqlite3_column_int64(statement, 5);
    out_intent->upper_row_id = sqlite3_column_int64(statement, 6);
    out_intent->rows = sqlite3_column_int64(statement, 7);
    statement_text(statement, 8, out_intent->content_hash, sizeof out_intent->content_hash);
    statement_text(statement, 9, out_intent->shape_hash, sizeof out_intent->shape_hash);
    statement_text(statement, 10, out_intent->target, sizeof out_intent->target);
}

bool tracking_intent(
    struct tracking *tracking, const char *table, bool *out_found, struct intent *out_intent,
    struct error *err)
{
    struct intent loaded = {0};
    sqlite3_stmt *statement = NULL;
    bool row = true;
    bool ok = false;

    if (sqlite3_db_readonly(tracking->database.handle, "main") == 1 &&
        !database_has_table(&tracking->database, "bq_sync_intents", &row, err))
        goto cleanup;
    if (row &&
        (!statement_bind(
             &tracking->database,
             "select kind, generation, nonce, commit_job, staging, upper_sequence, upper_row_id,"
             " row_count, content_hash, shape_hash, target"
             " from bq_sync_intents where table_name = ?1",
             &statement, err, "s", table) ||
         !database_step(&tracking->database, statement, &row, err)))
        goto cleanup;
    if (row) {
        read_intent(statement, &loaded);
        sqlite3_snprintf(sizeof loaded.table, loaded.table, "%s", table);
        *out_intent = loaded;
    }
    *out_found = row;
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok || error_wrap(err, "intent of %s", table);
}

static bool write_intent(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        "insert or replace into bq_sync_intents(table_name, kind, generation, nonce, commit_job,"
        " staging, upper_sequence, upper_row_id, row_count, content_hash, shape_hash, target)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        err, "ssisssiiisss", intent->table, send_mode_name(intent->mode), intent->generation,
        intent->nonce, intent->commit_job, intent->staging, intent->upper_sequence,
        intent->upper_row_id, intent->rows, intent->content_hash, intent->shape_hash,
        intent->target);
}

/* Writes the intent's nonce into the table's watermark row, and for a replacement clears the
 * content hash there.
 *
 * An acknowledgement moves the watermark only where it finds its own nonce. So a reset, which
 * deletes the row, by bqsync or by hand, also stops an intent that is still open from moving the
 * watermark of the new start. The content hash is what makes a watermark count. From this commit on
 * the label of the target and the generation may belong to a replacement that never takes place
 * (its job fails, or is never started), and they are what told the plan to replace the content. If
 * the hash stayed, the next pass would send changes only. It comes back with the acknowledgement.
 */
static bool write_nonce(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        "insert into bq_sync_tracking(table_name, last_synced_row_id, intent_nonce)"
        " values (?1, 0, ?2)"
        " on conflict(table_name) do update set intent_nonce = excluded.intent_nonce,"
        " content_hash = case ?3 when 'replace' then '' else content_hash end",
        err, "sss", intent->table, intent->nonce, send_mode_name(intent->mode));
}

/* Ties the changes that a scan found (source/shadow.h) to the intent that will send them. */
static bool name_shadow(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database, "update bq_sync_shadows set nonce = ?2 where table_name = ?1 and state = 'read'",
        err, "ss", intent->table, intent->nonce);
}

/* Makes the changes of a scan part of the shadow. Called right after the statement that moves the
 * watermark: if that changed no row, because of a reset, the shadow must not change either. */
static bool publish_shadow(
    struct database *database, const struct intent *intent, struct error *err)
{
    return sqlite3_changes(database->handle) == 0 ||
           statement_run(
               database,
               "update bq_sync_shadows set state = 'effective' where table_name = ?1"
               " and state = 'read' and nonce = ?2",
               err, "ss", intent->table, intent->nonce);
}

static bool write_generation(
    struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        "insert into bq_sync_generations(table_name, generation) values (?1, ?2)"
        " on conflict(table_name) do update set generation = max(generation, excluded.generation)",
        err, "si", intent->table, intent->generation);
}

static bool remove_intent(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database, "delete from bq_sync_intents where table_name = ?1 and nonce = ?2", err, "ss",
        intent->table, intent->nonce);
}

static bool move_progress(
    struct database *database, const struct intent *intent, int64_t now_us, struct error *err)
{
    char now[CLOCK_TEXT_SIZE];

    // source_rows is exact after a replacement and counts appended rows; a merge's net effect is
    // only known to BigQuery.
    return statement_run(
        database,
        "update bq_sync_tracking set"
        " last_synced_row_id = max(last_synced_row_id, ?3), last_synced_at = ?4,"
        " synced_sequence = ?5, content_hash = ?6, shape_hash = ?7, target = ?8, last_error = '',"
        " source_rows = case ?9 when 'replace' then ?10 when 'append' then source_rows + ?10"
        " else source_rows end, intent_nonce = ''"
        " where table_name = ?1 and intent_nonce = ?2",
        err, "ssisissssi", intent->table, intent->nonce, intent->upper_row_id,
        clock_format(now_us, now), intent->upper_sequence, intent->content_hash, intent->shape_hash,
        intent->target, send_mode_name(intent->mode), intent->rows);
}

bool tracking_intend(struct tracking *tracking, const struct intent *intent, struct error *err)
{
    struct database *database = &tracking->database;

    if (!database_begin(database, err))
        return error_wrap(err, "intent of %s", intent->table);
    if (write_intent(database, intent, err) && write_nonce(database, intent, err) &&
        name_shadow(database, intent, err) && write_generation(database, intent, err) &&
        database_commit(database, err))
        return true;
    database_rollback(database);
    return error_wrap(err, "intent of %s", intent->table);
}

bool tracking_acknowledge(
    struct tracking *tracking, const struct intent *intent, int64_t now_us, struct error *err)
{
    struct database *database = &tracking->database;

    if (!database_begin(database, err))
        return error_wrap(err, "progress of %s", intent->table);
    if (move_progress(database, intent, now_us, err) && publish_shadow(database, intent, err) &&
        remove_intent(database, intent, err) && database_commit(database, err))
        return true;
    database_rollback(database);
    return error_wrap(err, "progress of %s", intent->table);
}

bool tracking_withdraw(struct tracking *tracking, const struct intent *intent, struct error *err)
{
    return remove_intent(&tracking->database, intent, err) ||
           error_wrap(err, "intent of %s", intent->table);
}
