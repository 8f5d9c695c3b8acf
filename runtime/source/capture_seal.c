/* The part of capture.h that draws the line between what a pass sends and what the next one does.
 */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/tracking_schema.h"

#include <stdlib.h>

/* Rows that the application inserts between our commit and our snapshot lie above the watermark.
 * Each further attempt leaves more room above the highest id; what lies in it is captured without
 * need, which does no harm. */
#define ATTEMPTS    12
#define FIRST_SLACK 1000

/* The watermark never falls: an id at or below last_synced_row_id that is used again is found by
 * its capture only. last_synced_row_id is asked for as well, for a capture that was installed anew.
 */
static bool raise(
    struct database *source, const struct table *table, const struct source_shape *shape,
    bool tracked, int64_t slack, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "update bq_sync_capture set sequence = sequence + 1");
    if (shape->integer_key)
        sqlite_sql_append(
            &sql,
            ", watermark = max(coalesce(watermark, 0), $r,"
            " min(coalesce((select max($n) from $n), 0), 9223372036854775807 - ?2) + ?2)",
            tracked ? "coalesce((select last_synced_row_id from bq_sync_tracking"
                      " where table_name = ?1), 0)"
                    : "0",
            sqlite_sql_key_name(table, 0), table->name);
    sqlite_sql_append(&sql, " where table_name = ?1");
    bool ok =
        buffer_check(&sql, "statement", err) &&
        statement_run(
            source, buffer_text(&sql), err, shape->integer_key ? "si" : "s", table->name, slack);
    buffer_clear(&sql);
    return ok;
}

static bool raise_all(
    struct database *source, const struct table *const *tables, const struct source_shape *shapes,
    size_t count, int64_t slack, struct error *err)
{
    bool tracked = false;

    if (!database_begin(source, err))
        return false;
    bool ok = control_has_table(source, "bq_sync_tracking", &tracked, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = raise(source, tables[i], &shapes[i], tracked, slack, err);
    if (ok && database_commit(source, err))
        return true;
    database_rollback(source);
    return false;
}

/* What the snapshot shows of one table. */
struct view {
    bool captured;
    int64_t sequence;
    int64_t watermark;
    int64_t row_id;
};

static bool look_at_capture(
    struct database *source, const char *table, struct view *out_view, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!statement_bind(
            source,
            "select sequence, coalesce(watermark, 9223372036854775807) from bq_sync_capture"
            " where table_name = ?1",
            &statement, err, "s", table))
        return false;
    bool ok = database_step(source, statement, &out_view->captured, err);
    if (ok && out_view->captured) {
        out_view->sequence = sqlite3_column_int64(statement, 0);
        out_view->watermark = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool look(
    struct database *source, const struct table *table, const struct source_shape *shape,
    bool has_capture, struct view *out_view, struct error *err)
{
    struct view view = {0};

    if (has_capture && !look_at_capture(source, table->name, &view, err))
        return false;
    if (shape->integer_key) {
        char *sql = statement_format(
            err, "select max(max(\"%w\"), 0) from \"%w\"", sqlite_sql_key_name(table, 0),
            table->name);
        if (sql == NULL)
            return false;
        bool ok = database_query_int64(source, sql, 0, &view.row_id, err);
        sqlite3_free(sql);
        if (!ok)
            return false;
    }
    *out_view = view;
    return true;
}

/* Opens the snapshot and reads the positions. *out_sealed is false if rows slipped in above a
 * watermark that this pass has just set: changes of theirs would be missed later. */
static bool open_snapshot(
    struct database *source, const struct table *const *tables, const struct source_shape *shapes,
    size_t count, bool raised, struct position *positions, bool *out_sealed, struct error *err)
{
    bool has_capture = false;

    *out_sealed = true;
    if (!database_begin_snapshot(source, err))
        return false;
    bool ok = control_has_table(source, "bq_sync_capture", &has_capture, err);
    for (size_t i = 0; ok && i < count; i++) {
        struct view view;
        ok = look(source, tables[i], &shapes[i], has_capture, &view, err);
        if (!ok)
            break;
        positions[i].row_id = view.row_id;
        // Raised or not: what is stamped with the counter's present value may still be in the
        // making when it was raised, and is complete in the snapshot when it was not.
        positions[i].sequence = view.sequence - (raised && view.captured ? 1 : 0);
        if (raised && view.captured && shapes[i].integer_key && view.row_id > view.watermark)
            *out_sealed = false;
    }
    if (!ok)
        database_rollback(source);
    return ok;
}

static bool seal(
    struct database *source, const struct table *const *tables, const struct source_shape *shapes,
    size_t count, struct position *positions, struct error *err)
{
    bool has_capture = false;
    bool sealed = false;

    if (!control_has_table(source, "bq_sync_capture", &has_capture, err))
        return false;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int64_t slack = attempt == 0 ? 0 : (int64_t)FIRST_SLACK << (attempt - 1);
        if (has_capture && !raise_all(source, tables, shapes, count, slack, err))
            return false;
        if (!open_snapshot(source, tables, shapes, count, has_capture, positions, &sealed, err))
            return false;
        if (sealed)
            return true;
        database_rollback(source);
    }
    return error_set(
        err, ERROR_BUSY, "%s: rows are inserted faster than a position can be taken", source->path);
}

bool capture_seal(
    struct database *source, const struct table *const *tables, const struct source_shape *shapes,
    size_t count, bool write, struct position *out_positions, struct error *err)
{
    struct position *positions = calloc(count + 1, sizeof *positions);
    bool sealed = false;

    if (positions == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory taking positions");
    bool ok = write ? seal(source, tables, shapes, count, positions, err)
                    : open_snapshot(source, tables, shapes, count, false, positions, &sealed, err);
    for (size_t i = 0; ok && i < count; i++)
        out_positions[i] = positions[i];
    free(positions);
    return ok || error_wrap(err, "snapshot");
}
