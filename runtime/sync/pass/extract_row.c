#include "sync/pass/extract_row.h"

#include "base/text_fit.h"
#include "encode/avro.h"
#include "source/rejects.h"
#include "source/row_name.h"
#include "sync/pass/content.h"
#include "sync/pass/plan.h"
#include "sync/row_text.h"

#include <stdio.h>
#include <string.h>

/* A key is shown with 200 characters a column at most. */
#define REASON_CEILING (1 << 20)

static bool open_rejects(struct extraction *e, struct error *err)
{
    struct batch *batch = &e->batch;

    if (!tracking_open(e->options->state.path, &batch->rejects, err))
        return false;
    batch->rejects.database.commits = e->options->state.commits;
    batch->has_rejects = true;
    return rejects_begin(&batch->rejects, e->task->table, err);
}

/* The row's key is not to be used any more. */
static void name_row(const struct extraction *e, sqlite3_stmt *row, char *out, size_t size)
{
    const struct table *table = e->task->table;

    if (e->row_number > 0)
        row_name_by_number(e->row_number, out, size);
    else
        row_name(table, row, table->key, out, size);
}

static bool fail_for_row(
    const struct extraction *e, sqlite3_stmt *row, size_t column, const char *storage_class,
    const char *reason, struct error *err)
{
    const char *shown = rejects_reason_without_key(reason);

    error_set(
        err, ERROR_REJECTED, "%s.%s: %s value %s. Fix the row, or let `on_reject` be \"reject\"",
        e->task->table->name, e->task->table->columns[column].source, storage_class, shown);
    name_row(e, row, err->row, sizeof err->row);
    if (shown != reason) {
        size_t used = strlen(err->row);
        text_format(err->row + used, sizeof err->row - used, "; its value %s", reason);
    }
    return false;
}

static bool add_reject(
    struct extraction *e, sqlite3_stmt *row, size_t column, const char *storage_class,
    const char *reason, struct error *err)
{
    const struct table *table = e->task->table;

    if (table->reject_fails)
        return fail_for_row(e, row, column, storage_class, reason, err);
    if (e->options->discard)
        return true;
    if (!e->batch.has_rejects && !open_rejects(e, err))
        return false;
    const struct bad_value value = {column, storage_class, reason, e->row_number};
    return rejects_add(&e->batch.rejects, table, row, &value, err);
}

/* By how much a tombstone can be longer than every row of its key: _bqsync_deleted, the operation,
 * and a byte more for each field of the key, which says that it is no NULL. */
#define MARKS_BYTES_MAX ((size_t)64)

/* Whether the row that could not be ended is of a key that BigQuery never had, because no row of it
 * would have been short enough. */
static bool was_never_sent(const struct extraction *e, const struct error *ended)
{
    return ended->code == ERROR_LIMIT && e->record_bytes > CONTAINER_BLOCK_BYTES_MAX +
                                                               MARKS_BYTES_MAX +
                                                               e->task->table->key_count;
}

static bool append_row(struct extraction *e, bool deleted, struct error *err)
{
    const struct table *table = e->task->table;
    struct avro_writer *out = container_begin_row(e->container);
    size_t start = out->out->length;

    table->encode(out, e->row);
    if (e->batch.staged)
        avro_bool(out, (struct value_bool){.value = deleted});
    if (e->batch.staged && table->history != NULL)
        avro_string(out, slice_of(e->operation));
    e->record_bytes = out->out->failure == BUFFER_OK ? out->out->length - start : SIZE_MAX;
    // A row that no block takes is rejected when it ends.
    if (out->out->failure != BUFFER_OK)
        return true;
    const struct slice record = {out->out->data + start, out->out->length - start};
    return (e->batch.mode != SEND_MERGE || bounds_add(&e->batch.bounds, record, err)) &&
           inline_rows_add(&e->inlined, table, record, err);
}

/* The row for the staging table is of the key alone and marked like a tombstone, which a
 * replacement has no other use for. */
bool extract_kept_row(struct extraction *e, struct column_reader *reader, struct error *err)
{
    // A key that does not fit was never sent.
    if (!e->key_fits)
        return true;
    if (!e->batch.staged) {
        e->is_wrong = plan_revise(e->task, PLAN_FOUND_VERSION_TO_KEEP);
        return true;
    }
    column_reader_next(reader, true);
    e->task->table->read(reader, e->row);
    e->operation = NULL;
    if (!append_row(e, true, err))
        return false;
    if (!container_end_row(e->container, err))
        return was_never_sent(e, err);
    e->batch.rows++;
    e->batch.kept_keys++;
    return true;
}

static bool reject_row(struct extraction *e, struct column_reader *reader, struct error *err)
{
    e->task->outcome->rows_rejected++;
    for (size_t i = 0; i < reader->problem_count; i++) {
        const struct column_problem *problem = &reader->problems[i];
        if (!add_reject(
                e, reader->row, problem->column, problem->storage_class, problem->reason, err))
            return false;
    }
    return true;
}

static const char *storage_class(sqlite3_stmt *row, size_t column)
{
    static const char *const names[] = {
        [SQLITE_INTEGER] = "integer", [SQLITE_FLOAT] = "real", [SQLITE_TEXT] = "text",
        [SQLITE_BLOB] = "blob",       [SQLITE_NULL] = "null",
    };

    return names[sqlite3_column_type(row, (int)column)];
}

/* A row that no Avro block can take is rejected for its longest value. */
static bool reject_long_row(struct extraction *e, struct column_reader *reader, struct error *err)
{
    sqlite3_stmt *row = reader->row;
    size_t longest = 0;
    int length = -1;

    for (size_t i = 0; i < e->task->table->column_count; i++) {
        int type = sqlite3_column_type(row, (int)i);
        if ((type == SQLITE_TEXT || type == SQLITE_BLOB) &&
            sqlite3_column_bytes(row, (int)i) > length) {
            length = sqlite3_column_bytes(row, (int)i);
            longest = i;
        }
    }
    e->task->outcome->rows_rejected++;
    return add_reject(
        e, row, longest, storage_class(row, longest),
        "makes the row larger than the 16 MB that BigQuery takes", err);
}

struct slice extract_row_key(const struct extraction *e)
{
    return e->key_text.length > 0 ? buffer_slice(&e->key_text) : slice_of(NULL);
}

/* Claims the key of a row. *out_sent: it may be sent; else it is rejected for the key's owner. */
static bool claim_key(
    struct extraction *e, const struct column_reader *reader, bool *out_sent, struct error *err)
{
    size_t column = e->task->table->key[0];
    struct buffer reason;

    buffer_init(&reason, REASON_CEILING);
    buffer_append_text(&reason, REJECTS_OTHER_ROW);
    bool ok = shadow_claim(e->keys, e->source, extract_row_key(e), &e->claim, &reason, err);
    *out_sent = ok && e->claim != SHADOW_CLAIM_TAKEN;
    if (ok && !*out_sent) {
        buffer_append_text(&reason, REJECTS_ONE_KEY);
        e->task->outcome->rows_rejected++;
        ok = buffer_check(&reason, "a reason", err) &&
             add_reject(
                 e, reader->row, column, storage_class(reader->row, column), buffer_text(&reason),
                 err);
    }
    buffer_clear(&reason);
    return ok;
}

/* Whether two rows may have one key in SQLite. */
static bool is_bag(const struct task *task)
{
    const struct source_shape *shape = &task->source.shape;

    return task->table->mode == SEND_REPLACE &&
           (shape->is_view || shape->is_virtual || shape->key_problem[0] != '\0');
}

/* Before the row is read: that may convert its texts in place. */
static bool note_row(struct extraction *e, sqlite3_stmt *row, struct error *err)
{
    const struct table *table = e->task->table;
    // An INTEGER PRIMARY KEY is never NULL.
    bool named = e->task->source.shape.integer_key || content_has_key(table, row);

    e->row_number = named && !is_bag(e->task) ? 0 : ++e->unnamed_rows;
    return (named && table->mode != SEND_REPLACE) ||
           fingerprint_add(&e->fingerprint, row, table->column_count, err);
}

/* Reads a row, and the text of its key if that fits. */
static bool read_row(
    struct extraction *e, struct column_reader *reader, bool deleted, bool *out_fits,
    struct error *err)
{
    const struct table *table = e->task->table;

    if (!deleted && !note_row(e, reader->row, err))
        return false;
    column_reader_next(reader, deleted);
    table->read(reader, e->row);
    *out_fits = column_reader_row_fits(reader);
    e->key_fits = column_reader_key_fits(reader);
    e->claim = SHADOW_CLAIM_OWN;
    buffer_reset(&e->key_text);
    if (e->keys == NULL || deleted || !e->key_fits)
        return true;
    row_text_append(&e->key_text, reader, table, ROW_TEXT_KEY);
    return buffer_check(&e->key_text, "a key", err);
}

bool extract_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err)
{
    bool fits = false;

    // The log of a table with history takes the deletion all the same.
    if (deleted && e->task->table->deletes == DELETES_KEEP && e->task->table->history == NULL) {
        e->batch.left_out++;
        return true;
    }
    if (!read_row(e, reader, deleted, &fits, err))
        return false;
    // A key that does not fit was never sent, so there is nothing to delete.
    if (!fits)
        return deleted || reject_row(e, reader, err);
    if (e->keys != NULL && !deleted && !claim_key(e, reader, &fits, err))
        return false;
    if (!fits)
        return true;

    if (!append_row(e, deleted, err))
        return false;
    if (!container_end_row(e->container, err))
        return (deleted && was_never_sent(e, err)) ||
               (err->code == ERROR_LIMIT && reject_long_row(e, reader, err));
    if (!deleted && !partitions_add(&e->batch.partitions, reader, err))
        return false;
    e->batch.rows++;
    if (e->operation == NULL)
        e->batch.unknown_rows++;
    if (reader->unfit_count > 0)
        e->batch.unfit_rows++;
    return true;
}

bool extract_listed_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err)
{
    int64_t rejected = e->task->outcome->rows_rejected;
    enum shadow_change ignored;
    bool kept;

    if (deleted)
        return shadow_gone(e->keys, reader->row, err);
    if (!shadow_row(e->keys, reader->row, &ignored, err) || !extract_row(e, reader, false, err))
        return false;
    return e->task->outcome->rows_rejected == rejected ||
           shadow_reject(e->keys, e->key_fits, extract_row_key(e), &kept, err);
}
