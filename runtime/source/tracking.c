#include "source/tracking.h"

#include "base/clock.h"
#include "source/statement.h"
#include "source/tracking_schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_read_only(const struct tracking *tracking)
{
    return sqlite3_db_readonly(tracking->database.handle, "main") != 0;
}

bool tracking_has_table(
    struct tracking *tracking, const char *name, bool *out_exists, struct error *err)
{
    if (!is_read_only(tracking)) {
        *out_exists = true;
        return true;
    }
    return database_has_table(&tracking->database, name, out_exists, err);
}

bool tracking_open(const char *path, struct tracking *out_tracking, struct error *err)
{
    struct tracking opened = {0};

    if (!database_open(path, DATABASE_CREATE, DATABASE_PATIENCE_MS, &opened.database, err))
        return false;
    if (!tracking_schema_prepare(&opened.database, err)) {
        database_close(&opened.database);
        return false;
    }
    *out_tracking = opened;
    return true;
}

/* Not there, in a folder in which it can be made. */
static bool is_yet_to_come(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    char folder[4096];

    if (length >= sizeof folder || access(path, F_OK) == 0 || errno != ENOENT)
        return false;
    snprintf(folder, sizeof folder, "%.*s.", (int)length, path);
    return access(folder, F_OK) == 0;
}

bool tracking_open_read(const char *path, struct tracking *out_tracking, struct error *err)
{
    const char *existing = is_yet_to_come(path) ? ":memory:" : path;
    struct tracking opened = {0};

    if (!database_open(existing, DATABASE_READ, DATABASE_PATIENCE_MS, &opened.database, err))
        return false;
    *out_tracking = opened;
    return true;
}

bool tracking_share(
    const struct database *database, struct tracking *out_tracking, struct error *err)
{
    struct tracking shared = {.database = *database, .shared = true};

    if (!is_read_only(&shared) && !tracking_schema_prepare(&shared.database, err))
        return false;
    *out_tracking = shared;
    return true;
}

bool tracking_part(struct tracking *tracking, const char *path, struct error *err)
{
    struct commits *commits = tracking->database.commits;

    if (!tracking->shared)
        return true;
    if (!(is_read_only(tracking) ? tracking_open_read(path, tracking, err)
                                 : tracking_open(path, tracking, err)))
        return false;
    tracking->database.commits = commits;
    return true;
}

void tracking_close(struct tracking *tracking)
{
    if (!tracking->shared)
        database_close(&tracking->database);
    *tracking = (struct tracking){0};
}

/* A connection that may not write may meet an older layout, which lacks columns. One of them stands
 * for all that were added with it. */
static bool has_added(
    struct tracking *tracking, const char *table, const char *newest, bool *out_has,
    struct error *err)
{
    if (!is_read_only(tracking)) {
        *out_has = true;
        return true;
    }
    return database_has_column(&tracking->database, table, newest, out_has, err);
}

#define GENERATION_COLUMNS                                                                         \
    "generation, content_hash, target, since, coalesce(labelled, generation), series,"             \
    " logged_at_us, logged, log_whole, jobs, before, jobs_before"
#define OF_TABLE " from bq_sync_generations where table_name = ?1"

static bool load_generation(
    struct tracking *tracking, const char *table, struct watermark *out, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool whole = false;
    bool fixed = false;

    if (!tracking_has_table(tracking, "bq_sync_generations", &row, err) ||
        !has_added(tracking, "bq_sync_generations", "jobs_before", &whole, err) ||
        !has_added(tracking, "bq_sync_generations", "fixed_rejects", &fixed, err))
        return false;
    if (!row)
        return true;
    if (!statement_keep(
            &tracking->database,
            whole && fixed ? "select " GENERATION_COLUMNS ", fixed_rejects" OF_TABLE
            : whole
                ? "select " GENERATION_COLUMNS ", 0" OF_TABLE
                : "select generation, '', '', 0, generation, '', 0, 0, 0, '', 0, '', 0" OF_TABLE,
            &statement, err, "s", table))
        return false;
    bool ok = database_step(&tracking->database, statement, &row, err);
    if (ok && row) {
        out->generation = sqlite3_column_int64(statement, 0);
        statement_text(statement, 1, out->held_content, sizeof out->held_content);
        statement_text(statement, 2, out->held_target, sizeof out->held_target);
        out->held_since = sqlite3_column_int64(statement, 3);
        out->label.generation = sqlite3_column_int64(statement, 4);
        statement_text(statement, 5, out->series, sizeof out->series);
        out->logged_at_us = sqlite3_column_int64(statement, 6);
        out->logged_generation = sqlite3_column_int64(statement, 7);
        out->log_whole = sqlite3_column_int(statement, 8) != 0;
        statement_text(statement, 9, out->label.jobs, sizeof out->label.jobs);
        out->label_before.generation = sqlite3_column_int64(statement, 10);
        statement_text(statement, 11, out->label_before.jobs, sizeof out->label_before.jobs);
        out->fixed_rejects = sqlite3_column_int(statement, 12) != 0;
        ok = statement_check(&tracking->database, err);
    }
    database_give_back(statement);
    // A version that did not note this has sent what its watermark says.
    if (ok && out->held_content[0] == '\0') {
        memcpy(out->held_content, out->content_hash, sizeof out->held_content);
        memcpy(out->held_target, out->target, sizeof out->held_target);
    }
    return ok;
}

static void read_watermark(sqlite3_stmt *statement, struct watermark *out_watermark)
{
    out_watermark->last_synced_row_id = sqlite3_column_int64(statement, 0);
    out_watermark->synced_sequence = sqlite3_column_int64(statement, 1);
    statement_text(statement, 2, out_watermark->content_hash, sizeof out_watermark->content_hash);
    statement_text(statement, 3, out_watermark->shape_hash, sizeof out_watermark->shape_hash);
    statement_text(statement, 4, out_watermark->target, sizeof out_watermark->target);
    statement_text(
        statement, 5, out_watermark->last_synced_at, sizeof out_watermark->last_synced_at);
    statement_text(statement, 6, out_watermark->last_error, sizeof out_watermark->last_error);
    out_watermark->source_rows = sqlite3_column_int64(statement, 7);
    out_watermark->epoch = sqlite3_column_int64(statement, 8);
    statement_text(statement, 9, out_watermark->fingerprint, sizeof out_watermark->fingerprint);
    out_watermark->has_row = true;
    // A row may also stand for a first sync that is under way or failed.
    out_watermark->found = out_watermark->last_synced_at[0] != '\0';
}

#define PROGRESS_COLUMNS                                                                           \
    "last_synced_row_id, synced_sequence, content_hash, shape_hash, target, last_synced_at,"       \
    " last_error, source_rows"

static bool load_row(
    struct tracking *tracking, const char *table, struct watermark *out_watermark,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool whole = false;

    if (!has_added(tracking, "bq_sync_tracking", "fingerprint", &whole, err) ||
        !statement_keep(
            &tracking->database,
            whole ? "select " PROGRESS_COLUMNS ", epoch, fingerprint from bq_sync_tracking"
                    " where table_name = ?1"
                  : "select " PROGRESS_COLUMNS ", 0, '' from bq_sync_tracking"
                    " where table_name = ?1",
            &statement, err, "s", table))
        return false;
    bool ok = database_step(&tracking->database, statement, &row, err);
    if (ok && row) {
        read_watermark(statement, out_watermark);
        ok = statement_check(&tracking->database, err);
    }
    database_give_back(statement);
    return ok;
}

bool tracking_load(
    struct tracking *tracking, const char *table, struct watermark *out_watermark,
    struct error *err)
{
    struct watermark loaded = {0};
    bool exists = false;

    if (!tracking_has_table(tracking, "bq_sync_tracking", &exists, err) ||
        (exists && !load_row(tracking, table, &loaded, err)) ||
        !load_generation(tracking, table, &loaded, err))
        return error_wrap(err, "progress of %s", table);
    *out_watermark = loaded;
    return true;
}

/* Whether the table's row says so already. A table without a row has no error. */
static bool is_noted(
    struct tracking *tracking, const char *table, const char *last_error, bool *out_noted,
    struct error *err)
{
    return statement_has_row(
        &tracking->database,
        "select 1 where ?2 = coalesce("
        "(select last_error from bq_sync_tracking where table_name = ?1), '')",
        out_noted, err, "ss", table, last_error);
}

/* Even an UPDATE that changes no row takes the write lock, so the row is read first. */
bool tracking_note(
    struct tracking *tracking, const char *table, const char *last_error, struct error *err)
{
    bool noted = false;

    bool ok = is_noted(tracking, table, last_error, &noted, err);
    if (ok && !noted)
        ok = statement_run(
            &tracking->database,
            "insert into bq_sync_tracking(table_name, last_synced_row_id, last_error)"
            " values (?1, 0, ?2)"
            " on conflict(table_name) do update set last_error = excluded.last_error",
            err, "ss", table, last_error);
    return ok || error_wrap(err, "progress of %s", table);
}

bool tracking_reset(struct tracking *tracking, const char *table, struct error *err)
{
    return statement_run(
               &tracking->database, "delete from bq_sync_tracking where table_name = ?1", err, "s",
               table) ||
           error_wrap(err, "reset of %s", table);
}

bool tracking_invalidate(struct tracking *tracking, const char *table, struct error *err)
{
    return tracking_schema_distrust(&tracking->database, table, err) ||
           error_wrap(err, "progress of %s", table);
}

bool tracking_begin_log(struct tracking *tracking, const char *table, struct error *err)
{
    return statement_run(
               &tracking->database,
               "update bq_sync_generations set log_whole = 0 where table_name = ?1", err, "s",
               table) ||
           error_wrap(err, "progress of %s", table);
}

bool tracking_get(
    struct tracking *tracking, const char *name, char *out_value, size_t size, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    if (!tracking_has_table(tracking, "bq_sync_meta", &row, err))
        return false;
    if (!row) {
        out_value[0] = '\0';
        return true;
    }
    if (!statement_keep(
            &tracking->database, "select value from bq_sync_meta where name = ?1", &statement, err,
            "s", name))
        return false;
    bool ok = database_step(&tracking->database, statement, &row, err);
    if (ok && row)
        statement_text(statement, 0, out_value, size);
    else if (ok)
        out_value[0] = '\0';
    ok = ok && statement_check(&tracking->database, err);
    database_give_back(statement);
    return ok;
}

bool tracking_set(struct tracking *tracking, const char *name, const char *value, struct error *err)
{
    return statement_run(
        &tracking->database,
        "insert into bq_sync_meta(name, value) values (?1, ?2)"
        " on conflict(name) do update set value = excluded.value where value <> excluded.value",
        err, "ss", name, value);
}

static void name_json_text(const char *table, char *out, size_t size)
{
    snprintf(out, size, "json_as_text %s", table);
}

bool tracking_json_text(
    struct tracking *tracking, const char *table, bool *out_is, struct error *err)
{
    char name[300];
    char value[8];

    name_json_text(table, name, sizeof name);
    if (!tracking_get(tracking, name, value, sizeof value, err))
        return false;
    *out_is = value[0] != '\0';
    return true;
}

bool tracking_set_json_text(struct tracking *tracking, const char *table, struct error *err)
{
    char name[300];

    name_json_text(table, name, sizeof name);
    return tracking_set(tracking, name, "1", err);
}
