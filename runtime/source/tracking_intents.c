/* The part of tracking.h for intents: what a pass is about to do, and how it moves the watermark.
 */
#include "base/clock.h"
#include "source/statement.h"
#include "source/tracking.h"
#include "source/tracking_bill.h"

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
    statement_text(statement, 11, out_intent->project, sizeof out_intent->project);
    statement_text(statement, 12, out_intent->dataset, sizeof out_intent->dataset);
    statement_text(statement, 13, out_intent->location, sizeof out_intent->location);
    statement_text(statement, 14, out_intent->fingerprint, sizeof out_intent->fingerprint);
    out_intent->bytes_reserved = sqlite3_column_int64(statement, 15);
}

bool tracking_intent(
    struct tracking *tracking, const char *table, bool *out_found, struct intent *out_intent,
    struct error *err)
{
    struct intent loaded = {0};
    sqlite3_stmt *statement = NULL;
    bool row = true;
    bool ok = false;

    if (!tracking_has_table(tracking, "bq_sync_intents", &row, err))
        goto cleanup;
    if (row &&
        (!statement_keep(
             &tracking->database,
             "select kind, generation, nonce, commit_job, staging, upper_sequence, upper_row_id,"
             " row_count, content_hash, shape_hash, target, project, dataset, location,"
             " fingerprint, bytes_reserved from bq_sync_intents where table_name = ?1",
             &statement, err, "s", table) ||
         !database_step(&tracking->database, statement, &row, err)))
        goto cleanup;
    if (row) {
        read_intent(statement, &loaded);
        if (!statement_check(&tracking->database, err))
            goto cleanup;
        sqlite3_snprintf(sizeof loaded.table, loaded.table, "%s", table);
        *out_intent = loaded;
    }
    *out_found = row;
    ok = true;

cleanup:
    database_give_back(statement);
    return ok || error_wrap(err, "intent of %s", table);
}

bool tracking_awaits(
    struct tracking *tracking, const struct intent *intent, bool *out_awaited, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    bool ok = statement_keep(
                  &tracking->database,
                  "select 1 from bq_sync_tracking where table_name = ?1 and intent_nonce = ?2",
                  &statement, err, "ss", intent->table, intent->nonce) &&
              database_step(&tracking->database, statement, out_awaited, err);
    database_give_back(statement);
    return ok || error_wrap(err, "intent of %s", intent->table);
}

static bool write_intent(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        "insert or replace into bq_sync_intents(table_name, kind, generation, nonce, commit_job,"
        " staging, upper_sequence, upper_row_id, row_count, content_hash, shape_hash, target,"
        " project, dataset, location, fingerprint, bytes_reserved)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        err, "ssisssiiisssssssi", intent->table, send_mode_name(intent->mode), intent->generation,
        intent->nonce, intent->commit_job, intent->staging, intent->upper_sequence,
        intent->upper_row_id, intent->rows, intent->content_hash, intent->shape_hash,
        intent->target, intent->project, intent->dataset, intent->location, intent->fingerprint,
        intent->bytes_reserved);
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

/* Makes the changes of a scan part of the shadow. */
static bool publish_shadow(
    struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        "update bq_sync_shadows set state = 'effective' where table_name = ?1"
        " and state = 'read' and nonce = ?2",
        err, "ss", intent->table, intent->nonce);
}

/* labelled is NULL if the label shows the generation itself. A version that knows no series leaves
 * it so. */
static bool write_generation(
    struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        intent->raises_label
            ? "insert into bq_sync_generations(table_name, generation, series, jobs, before,"
              " jobs_before) values (?1, ?2, ?3, ?4, ?5, ?6) on conflict(table_name) do update"
              " set labelled = null, series = excluded.series, jobs = excluded.jobs,"
              " before = excluded.before, jobs_before = excluded.jobs_before,"
              " generation = max(generation, excluded.generation)"
            : "insert into bq_sync_generations(table_name, generation) values (?1, ?2)"
              " on conflict(table_name) do update set labelled = coalesce(labelled, generation),"
              " generation = max(generation, excluded.generation)",
        err, intent->raises_label ? "sissis" : "si", intent->table, intent->generation,
        intent->series, intent->jobs, intent->label_before.generation, intent->label_before.jobs);
}

/* Of a table with history. The time is noted before any version has it, so that no later one has it
 * again. A log misses what a table is sent while it has no history. */
static bool write_logged_at(
    struct database *database, const struct intent *intent, struct error *err)
{
    return (intent->logged_at_us == 0 && !intent->log_whole) ||
           statement_run(
               database,
               "update bq_sync_generations set logged_at_us = max(logged_at_us, ?2),"
               " log_whole = log_whole and ?2 > 0 where table_name = ?1",
               err, "si", intent->table, intent->logged_at_us);
}

static bool remove_intent(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database, "delete from bq_sync_intents where table_name = ?1 and nonce = ?2", err, "ss",
        intent->table, intent->nonce);
}

/* Whether the watermark still counts for an intent with the content hash of that parameter: it was
 * not cleared. An earlier version may have noted only the beginning of the hash (the plan says
 * whether that is enough), and the acknowledgement completes it. */
#define STILL_COUNTS(parameter)                                                                    \
    "(content_hash = " parameter " or content_hash <> ''"                                          \
    " and content_hash = substr(" parameter ", 1, length(content_hash)))"

/* An intent of changes rests on the content hash that the watermark had, so it never brings back
 * one that was cleared meanwhile, by hand too. A replacement cleared it itself. */
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
        " else source_rows end, intent_nonce = '', fingerprint = ?11"
        " where table_name = ?1 and intent_nonce = ?2"
        " and (?9 = 'replace' or " STILL_COUNTS("?6") ")",
        err, "ssisissssis", intent->table, intent->nonce, intent->upper_row_id,
        clock_format(now_us, now), intent->upper_sequence, intent->content_hash, intent->shape_hash,
        intent->target, send_mode_name(intent->mode), intent->rows, intent->fingerprint);
}

/* --- what an intent rests on -------------------------------------------------------------- */

static const char *compare_watermarks(const struct watermark *seen, const struct watermark *now)
{
    if (seen->has_row && !now->has_row)
        return "it was reset";
    if (seen->epoch != now->epoch || strcmp(seen->content_hash, now->content_hash) != 0)
        return "it was marked to be sent again";
    if (seen->found != now->found || seen->synced_sequence != now->synced_sequence ||
        seen->generation != now->generation || strcmp(seen->target, now->target) != 0)
        return "its watermark was moved by somebody else, or a backup was restored";
    return NULL;
}

/* A backup that was made after the last sync has the very watermark that the plan has read. What it
 * lacks is the sequence that this pass has raised before its snapshot. */
static bool look_at_sequence(
    struct database *database, const char *table, int64_t sealed_sequence, const char **out_changed,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!database_has_table(database, "bq_sync_capture", &row, err))
        return false;
    if (row) {
        if (!statement_bind(
                database, "select sequence from bq_sync_capture where table_name = ?1", &statement,
                err, "s", table))
            return false;
        bool ok = database_step(database, statement, &row, err);
        row = ok && row && sqlite3_column_int64(statement, 0) == sealed_sequence;
        sqlite3_finalize(statement);
        if (!ok)
            return false;
    }
    *out_changed = row ? NULL : "its change capture was removed, or a backup was restored";
    return true;
}

static bool compare_basis(
    struct tracking *tracking, const char *table, const struct tracking_basis *basis,
    const char **out_changed, struct error *err)
{
    struct watermark now;

    if (!tracking_load(tracking, table, &now, err))
        return false;
    *out_changed = compare_watermarks(basis->watermark, &now);
    return *out_changed != NULL || basis->sealed_sequence == 0 ||
           look_at_sequence(&tracking->database, table, basis->sealed_sequence, out_changed, err);
}

/* --- the transactions --------------------------------------------------------------------- */

/* Whether the budget covers the recorded intent, which is among what is used. */
static bool fits_budget(
    struct tracking *tracking, const struct intent *intent, struct bill_limit limit,
    struct error *err)
{
    return limit.bytes_a_day == 0 || intent->bytes_reserved == 0 ||
           tracking_bill_fits(tracking, limit, 0, err);
}

static bool record(struct database *database, const struct intent *intent, struct error *err)
{
    return write_intent(database, intent, err) && write_nonce(database, intent, err) &&
           name_shadow(database, intent, err) && write_generation(database, intent, err) &&
           write_logged_at(database, intent, err);
}

/* Minutes lie between a plan and its intent: targets are prepared, tables are read, and a table
 * waits for a worker. A reset, a repair or a restored backup in that time must not be overwritten
 * by what was planned before. So the write transaction that records the intent first compares what
 * the plan and the snapshot have read with what is there now. */
bool tracking_intend(
    struct tracking *tracking, const struct intent *intent, const struct tracking_basis *basis,
    const char **out_changed, struct error *err)
{
    struct database *database = &tracking->database;
    const char *changed = NULL;

    if (!database_begin(database, err))
        return error_wrap(err, "intent of %s", intent->table);
    bool ok = compare_basis(tracking, intent->table, basis, &changed, err);
    if (ok && changed == NULL)
        ok = record(database, intent, err) && fits_budget(tracking, intent, basis->limit, err) &&
             database_commit(database, err);
    if (!ok || changed != NULL)
        database_rollback(database);
    if (ok)
        *out_changed = changed;
    return ok || error_wrap(err, "intent of %s", intent->table);
}

static bool name_job(
    struct database *database, const struct intent *intent, bool *out_named, struct error *err)
{
    bool ok = statement_run(
        database,
        "update bq_sync_intents set commit_job = ?3, bytes_reserved = ?6"
        " where table_name = ?1 and nonce = ?2"
        " and exists (select 1 from bq_sync_tracking"
        "  where table_name = ?1 and intent_nonce = ?2"
        "  and (?4 = 'replace' or " STILL_COUNTS("?5") "))",
        err, "sssssi", intent->table, intent->nonce, intent->commit_job,
        send_mode_name(intent->mode), intent->content_hash, intent->bytes_reserved);

    *out_named = ok && sqlite3_changes(database->handle) == 1;
    return ok;
}

static const char outdated[] = "it was reset or marked to be sent again, or a backup was restored";

bool tracking_intend_job(
    struct tracking *tracking, const struct intent *intent, struct bill_limit limit,
    const char **out_changed, struct error *err)
{
    struct database *database = &tracking->database;
    bool named = false;

    if (!database_begin(database, err))
        return error_wrap(err, "intent of %s", intent->table);
    if (name_job(database, intent, &named, err) && fits_budget(tracking, intent, limit, err) &&
        database_commit(database, err)) {
        *out_changed = named ? NULL : outdated;
        return true;
    }
    database_rollback(database);
    return error_wrap(err, "intent of %s", intent->table);
}

/* Notes what the target holds since the intent, and of a table with history that the log has its
 * versions, of a replacement those of all rows. It stands beside the generation because that
 * survives a reset. */
static bool write_held(struct database *database, const struct intent *intent, struct error *err)
{
    return statement_run(
        database,
        "update bq_sync_generations set content_hash = ?2, target = ?3,"
        " since = case when content_hash <> ?2 or target <> ?3 then ?4 else since end,"
        " logged = case when logged_at_us > 0 then max(logged, ?4) else logged end,"
        " log_whole = (log_whole and target = ?3) or ?5, fixed_rejects = 0"
        " where table_name = ?1"
        " and (content_hash <> ?2 or target <> ?3 or logged_at_us > 0)",
        err, "sssii", intent->table, intent->content_hash, intent->target, intent->generation,
        (int64_t)(intent->logged_at_us > 0 && intent->mode == SEND_REPLACE));
}

/* What an intent has billed is added when it is removed, so that it is added once. */
static bool settle(
    struct tracking *tracking, const struct intent *intent, int64_t now_us, struct error *err)
{
    struct database *database = &tracking->database;

    return remove_intent(database, intent, err) &&
           (sqlite3_changes(database->handle) == 0 ||
            (tracking_bill_add(tracking, intent->table, now_us, intent->bytes_billed, err) &&
             tracking_bill_note_need(
                 tracking, intent->table, now_us, intent->bytes_needed, err))) &&
           database_commit(database, err);
}

/* The shadow changes together with the watermark or not at all. */
static bool acknowledge(
    struct tracking *tracking, const struct intent *intent, int64_t now_us, bool *out_moved,
    struct error *err)
{
    struct database *database = &tracking->database;

    if (!move_progress(database, intent, now_us, err))
        return false;
    *out_moved = sqlite3_changes(database->handle) == 1;
    return (!*out_moved || publish_shadow(database, intent, err)) &&
           write_held(database, intent, err) && settle(tracking, intent, now_us, err);
}

bool tracking_acknowledge(
    struct tracking *tracking, const struct intent *intent, int64_t now_us,
    const char **out_changed, struct error *err)
{
    struct database *database = &tracking->database;
    bool moved = false;

    if (!database_begin(database, err))
        return error_wrap(err, "progress of %s", intent->table);
    if (acknowledge(tracking, intent, now_us, &moved, err)) {
        *out_changed = moved ? NULL : outdated;
        return true;
    }
    database_rollback(database);
    return error_wrap(err, "progress of %s", intent->table);
}

bool tracking_withdraw(
    struct tracking *tracking, const struct intent *intent, int64_t now_us, struct error *err)
{
    struct database *database = &tracking->database;

    if (!database_begin(database, err))
        return error_wrap(err, "intent of %s", intent->table);
    if (settle(tracking, intent, now_us, err))
        return true;
    database_rollback(database);
    return error_wrap(err, "intent of %s", intent->table);
}
