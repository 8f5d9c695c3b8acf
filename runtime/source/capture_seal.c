/* The part of capture.h that separates the changes that this pass sends from those of the next. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>

/* How a position is taken.
 *
 * Rows of an INTEGER PRIMARY KEY table above the trigger watermark are not captured: the next pass
 * finds them by their id, which keeps the application's inserts cheap. So the watermark must be at
 * or above every id of the snapshot, or a change of a row that this pass has sent would be seen
 * neither by a trigger nor by its id. Raising the watermark needs the write lock and reading does
 * not, and SQLite cannot turn a write transaction into a snapshot, so the application may insert
 * between our commit and our snapshot. The snapshot is therefore looked at, and if such a row is in
 * it both are done again. Each further attempt leaves more room above the highest id; rows that
 * land in that room are captured although they need not be, which does no harm. */
#define ATTEMPTS    12
#define FIRST_SLACK 1000

/* The watermark never falls: if the application uses an id at or below last_synced_row_id again,
 * only a trigger finds it. last_synced_row_id counts as well because a capture that was installed
 * again starts without a watermark. */
static bool raise_sequence(
    struct database *source, const struct snapshot_table *in, bool tracked, int64_t slack,
    struct error *err)
{
    const struct table *table = in->table;
    bool integer_key = in->shape->integer_key;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, "update bq_sync_capture set sequence = sequence + 1");
    if (integer_key)
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
        statement_run(source, buffer_text(&sql), err, integer_key ? "si" : "s", table->name, slack);
    buffer_clear(&sql);
    return ok;
}

static bool raise_all(
    struct database *source, const struct snapshot_table *tables, size_t count, int64_t slack,
    struct error *err)
{
    bool tracked = false;

    if (!database_begin(source, err))
        return false;
    bool ok = database_has_table(source, "bq_sync_tracking", &tracked, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = raise_sequence(source, &tables[i], tracked, slack, err);
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
    struct database *source, const struct snapshot_table *in, bool has_capture,
    struct view *out_view, struct error *err)
{
    struct view view = {0};
    bool ok = true;

    if (has_capture && !look_at_capture(source, in->table->name, &view, err))
        return false;
    if (in->shape->integer_key) {
        struct buffer sql;
        buffer_init(&sql, SQLITE_SQL_CEILING);
        sqlite_sql_append(
            &sql, "select max(max($n), 0) from $n", sqlite_sql_key_name(in->table, 0),
            in->table->name);
        ok = buffer_check(&sql, "statement", err) &&
             database_query_int64(source, buffer_text(&sql), 0, &view.row_id, err);
        buffer_clear(&sql);
    }
    if (ok)
        *out_view = view;
    return ok;
}

/* Opens the snapshot and looks at each table in it; views has one place a table. */
static bool open_snapshot(
    struct database *source, const struct snapshot_table *tables, size_t count,
    struct view *out_views, struct error *err)
{
    bool has_capture = false;

    if (!database_begin_snapshot(source, err))
        return false;
    bool ok = database_has_table(source, "bq_sync_capture", &has_capture, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = look(source, &tables[i], has_capture, &out_views[i], err);
    if (!ok)
        database_rollback(source);
    return ok;
}

/* Whether rows slipped in above a watermark that this pass has just set: changes of theirs would be
 * missed later. */
static bool is_sealed(const struct snapshot_table *tables, size_t count, const struct view *views)
{
    for (size_t i = 0; i < count; i++)
        if (views[i].captured && tables[i].shape->integer_key &&
            views[i].row_id > views[i].watermark)
            return false;
    return true;
}

static bool seal(
    struct database *source, const struct snapshot_table *tables, size_t count, struct view *views,
    struct error *err)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int64_t slack = attempt == 0 ? 0 : (int64_t)FIRST_SLACK << (attempt - 1);
        if (!raise_all(source, tables, count, slack, err) ||
            !open_snapshot(source, tables, count, views, err))
            return false;
        if (is_sealed(tables, count, views))
            return true;
        database_rollback(source);
    }
    return error_set(
        err, ERROR_BUSY, "%s: rows are inserted faster than a position can be taken", source->path);
}

/* Whether the counters were raised just before. */
enum snapshot { SNAPSHOT_SEALED, SNAPSHOT_AS_IT_IS };

/* What is stamped with the counter's present value may still be in the making if the counter was
 * just raised, and is complete in the snapshot if it was not. */
static struct position position_of(const struct view *view, enum snapshot kind)
{
    bool raised = kind == SNAPSHOT_SEALED && view->captured;

    return (struct position){
        .sequence = view->sequence - (raised ? 1 : 0),
        .sealed_sequence = raised ? view->sequence : 0,
        .row_id = view->row_id,
    };
}

static bool take_positions(
    struct database *source, struct snapshot_table *tables, size_t count, enum snapshot kind,
    struct error *err)
{
    struct view *views = calloc(count + 1, sizeof *views);

    if (views == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory taking positions");
    bool ok = kind == SNAPSHOT_SEALED ? seal(source, tables, count, views, err)
                                      : open_snapshot(source, tables, count, views, err);
    for (size_t i = 0; ok && i < count; i++)
        tables[i].position = position_of(&views[i], kind);
    free(views);
    return ok || error_wrap(err, "snapshot");
}

bool capture_seal(
    struct database *source, struct snapshot_table *tables, size_t count, struct error *err)
{
    bool has_capture = false;

    if (!database_has_table(source, "bq_sync_capture", &has_capture, err))
        return error_wrap(err, "snapshot");
    // Without any capture there is no counter to raise.
    return take_positions(
        source, tables, count, has_capture ? SNAPSHOT_SEALED : SNAPSHOT_AS_IT_IS, err);
}

bool capture_snapshot(
    struct database *source, struct snapshot_table *tables, size_t count, struct error *err)
{
    return take_positions(source, tables, count, SNAPSHOT_AS_IT_IS, err);
}
