#include "sync/pass/extract.h"

#include "base/clock.h"
#include "encode/avro.h"
#include "encode/column.h"
#include "encode/container.h"
#include "source/rejects.h"
#include "sync/pass/plan.h"
#include "sync/pass/scan.h"
#include "sync/row_text.h"

#include <stdlib.h>
#include <string.h>

/* What a spool keeps in memory. All files of a pass wait at once, so this stays in the tens of
 * megabytes, and small changes never touch the disk. */
#define SPOOL_MEMORY (1 << 20)

/* Rows between two looks at the stop flag and two updates of the progress. */
#define ROWS_PER_LOOK 4096

/* A key is shown with 200 characters a column at most. */
#define REASON_CEILING (1 << 20)
#define KEY_CEILING    (64u << 20)

/* One table being read. The batch becomes the task's when it is complete. */
struct extraction {
    struct database *source;
    const struct extract_options *options;
    struct task *task;
    struct batch batch;
    struct container *container;
    void *row;      /* the generated row struct */
    bool *nullable; /* which of the file's fields are unions */
    /* Where keys are kept: the shadow, borrowed, and the text of a row's key in BigQuery. */
    struct shadow *keys;
    struct buffer key_text;
    enum shadow_claim claim; /* of the last row that was written */
    int64_t rows_read;
    /* What the scan found has revised the plan: this file is the wrong one. */
    bool is_wrong;
};

static bool open_rejects(struct extraction *e, struct error *err)
{
    struct batch *batch = &e->batch;

    if (!tracking_open(e->options->state_path, &batch->rejects, err))
        return false;
    batch->has_rejects = true;
    return rejects_begin(&batch->rejects, e->task->table, err);
}

static bool add_reject(
    struct extraction *e, sqlite3_stmt *row, size_t column, const char *storage_class,
    const char *reason, struct error *err)
{
    const struct table *table = e->task->table;

    if (table->reject_fails)
        return error_set(
            err, ERROR_REJECTED,
            "%s.%s of the row with %s = %s: %s value %s. Fix the row, or let `on_reject` be "
            "\"reject\"",
            table->name, table->columns[column].source, table->columns[table->key[0]].source,
            sqlite3_column_type(row, (int)table->key[0]) == SQLITE_BLOB
                ? "a blob"
                : (const char *)sqlite3_column_text(row, (int)table->key[0]),
            storage_class, reason);
    if (e->options->discard)
        return true;
    if (!e->batch.has_rejects && !open_rejects(e, err))
        return false;
    const struct bad_value value = {column, storage_class, reason};
    return rejects_add(&e->batch.rejects, table, row, &value, err);
}

static void append_row(struct extraction *e, bool deleted)
{
    struct avro_writer *out = container_begin_row(e->container);

    e->task->table->encode(out, e->row);
    if (e->batch.staged)
        avro_bool(out, (struct value_bool){.value = deleted});
}

/* The version of a rejected row that was sent before stays in the target, through replacements too.
 * A file for a staging table says so by a row of the key alone, marked like a tombstone, which a
 * replacement has no other use for. A file that goes straight into the target cannot say it: the
 * table is read again. */
static bool keep_version(struct extraction *e, struct column_reader *reader, struct error *err)
{
    if (e->is_wrong || e->options->discard || e->batch.mode != SEND_REPLACE ||
        !plan_keeps_versions(e->task))
        return true;
    column_reader_next(reader, true);
    e->task->table->read(reader, e->row);
    // A key that does not fit was never sent.
    if (!column_reader_row_fits(reader))
        return true;
    if (!e->batch.staged) {
        e->is_wrong = plan_revise(e->task, PLAN_FOUND_VERSION_TO_KEEP);
        return true;
    }
    append_row(e, true);
    e->batch.rows++;
    e->batch.kept_keys++;
    return container_end_row(e->container, err);
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
    return keep_version(e, reader, err);
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
               "makes the row larger than the 16 MB that BigQuery takes", err) &&
           keep_version(e, reader, err);
}

/* Whether the key of the row that the reader has read fits. */
static bool key_fits(const struct column_reader *reader)
{
    for (size_t i = 0; i < reader->problem_count; i++)
        if (reader->table->columns[reader->problems[i].column].key)
            return false;
    return true;
}

static struct slice converted_key(const struct extraction *e)
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
    buffer_append_text(&reason, "and that of the row with ");
    bool ok = shadow_claim(e->keys, e->source, converted_key(e), &e->claim, &reason, err);
    *out_sent = ok && e->claim != SHADOW_CLAIM_TAKEN;
    if (ok && !*out_sent) {
        buffer_append_text(&reason, " are one key in BigQuery");
        e->task->outcome->rows_rejected++;
        ok = buffer_check(&reason, "a reason", err) &&
             add_reject(
                 e, reader->row, column, storage_class(reader->row, column), buffer_text(&reason),
                 err);
    }
    buffer_clear(&reason);
    return ok;
}

/* Reads a row, and the text of its key if that fits. */
static bool read_row(
    struct extraction *e, struct column_reader *reader, bool deleted, bool *out_fits,
    struct error *err)
{
    const struct table *table = e->task->table;

    column_reader_next(reader, deleted);
    table->read(reader, e->row);
    *out_fits = column_reader_row_fits(reader);
    e->claim = SHADOW_CLAIM_OWN;
    buffer_reset(&e->key_text);
    if (e->keys == NULL || deleted || !key_fits(reader))
        return true;
    row_text_append(&e->key_text, reader, table, ROW_TEXT_KEY);
    return buffer_check(&e->key_text, "a key", err);
}

static bool write_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err)
{
    bool fits = false;

    if (!read_row(e, reader, deleted, &fits, err))
        return false;
    // A key that does not fit was never sent, so there is nothing to delete.
    if (!fits)
        return deleted || reject_row(e, reader, err);
    if (e->keys != NULL && !deleted && !claim_key(e, reader, &fits, err))
        return false;
    if (!fits)
        return true;

    append_row(e, deleted);
    if (!container_end_row(e->container, err))
        return err->code == ERROR_LIMIT && reject_long_row(e, reader, err);
    e->batch.rows++;
    return true;
}

/* A row of changes_sql, where keys are kept. Tombstones wait until all rows have their keys. */
static bool write_listed(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err)
{
    int64_t rejected = e->task->outcome->rows_rejected;
    enum shadow_change ignored;

    if (deleted)
        return shadow_gone(e->keys, reader->row, err);
    if (!shadow_row(e->keys, reader->row, &ignored, err) || !write_row(e, reader, false, err))
        return false;
    return e->task->outcome->rows_rejected == rejected ||
           shadow_reject(e->keys, converted_key(e), err);
}

static bool report_progress(struct extraction *e, struct error *err)
{
    if (clock_stopped())
        return error_set(err, ERROR_STOPPED, "stopped while reading %s", e->task->table->name);
    progress_rows(
        e->options->progress, e->task->index, e->rows_read, e->task->source.watermark.source_rows);
    return true;
}

/* Runs one of the generated statements. has_tombstones: one more result column tells them. */
static bool read_rows(
    struct extraction *e, sqlite3_stmt *statement, bool has_tombstones, int64_t *out_rows,
    struct error *err)
{
    const struct table *table = e->task->table;
    struct column_reader reader;
    int64_t rows = 0;
    bool ok = false;

    if (!column_reader_init(&reader, table, statement, err))
        return false;
    for (;;) {
        bool more = false;
        if (!database_step(e->source, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        bool deleted =
            has_tombstones && sqlite3_column_int(statement, (int)table->column_count) != 0;
        if (!(e->keys != NULL ? write_listed : write_row)(e, &reader, deleted, err))
            goto cleanup;
        if (e->is_wrong)
            break;
        rows++;
        e->rows_read++;
        if (e->rows_read % ROWS_PER_LOOK == 0 && !report_progress(e, err))
            goto cleanup;
    }
    *out_rows = rows;
    ok = true;

cleanup:
    column_reader_clear(&reader);
    return ok;
}

/* The whole table, where nothing is compared. */
static bool read_all(struct extraction *e, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!database_prepare(e->source, e->task->table->scan_sql, &statement, err))
        return false;
    bool ok = read_rows(e, statement, false, &e->batch.new_rows, err);
    sqlite3_finalize(statement);
    return ok;
}

static bool read_new(struct extraction *e, struct error *err)
{
    const struct task *task = e->task;
    sqlite3_stmt *statement = NULL;

    if (!task->source.shape.integer_key)
        return true;
    if (!database_prepare(e->source, task->table->new_rows_sql, &statement, err))
        return false;
    sqlite3_bind_int64(statement, 1, task->source.watermark.last_synced_row_id);
    bool ok = read_rows(e, statement, false, &e->batch.new_rows, err);
    sqlite3_finalize(statement);
    return ok;
}

static bool write_tombstone(void *context, sqlite3_stmt *row, struct error *err)
{
    struct extraction *e = context;
    struct column_reader reader;

    if (!column_reader_init(&reader, e->task->table, row, err))
        return false;
    bool ok = write_row(e, &reader, true, err);
    column_reader_clear(&reader);
    e->batch.changed_rows++;
    return ok;
}

/* Keys that triggers have listed. With an INTEGER PRIMARY KEY, those above the watermark are among
 * the new rows already. */
static bool read_dirty(struct extraction *e, struct error *err)
{
    const struct task *task = e->task;
    sqlite3_stmt *statement = NULL;

    if (!database_prepare(e->source, task->table->changes_sql, &statement, err))
        return false;
    sqlite3_bind_int64(statement, 1, task->source.watermark.synced_sequence);
    if (task->source.shape.integer_key)
        sqlite3_bind_int64(statement, 2, task->source.watermark.last_synced_row_id);
    bool ok = read_rows(e, statement, true, &e->batch.changed_rows, err);
    sqlite3_finalize(statement);
    return ok;
}

/* The same where keys are kept. */
static bool read_dirty_keys(struct extraction *e, struct error *err)
{
    if (!shadow_begin(
            e->options->state_path, e->task->table, true, SHADOW_LISTED, &e->batch.shadow, err))
        return false;
    e->keys = e->batch.shadow;
    bool ok = read_dirty(e, err) && shadow_deleted(e->keys, write_tombstone, e, err);
    e->keys = NULL;
    return ok;
}

/* --- by a scan --------------------------------------------------------------------------- */

struct scan_reader {
    struct extraction *e;
    struct column_reader reader;
    bool open;
};

static bool write_scanned(
    void *context, const struct scan_row *row, enum scan_fate *out_fate, struct error *err)
{
    struct scan_reader *scanned = context;
    struct extraction *e = scanned->e;
    int64_t rejected = e->task->outcome->rows_rejected;

    // Present rows and deleted keys come from two statements.
    if (scanned->open && scanned->reader.row != row->row) {
        column_reader_clear(&scanned->reader);
        scanned->open = false;
    }
    if (!scanned->open && !column_reader_init(&scanned->reader, e->task->table, row->row, err))
        return false;
    scanned->open = true;
    e->keys = shadow_keeps_keys(row->shadow) ? row->shadow : NULL;
    bool ok = write_row(e, &scanned->reader, row->deleted, err);
    e->keys = NULL;
    if (!ok)
        return false;
    if (e->task->outcome->rows_rejected > rejected) {
        *out_fate = SCAN_REJECTED;
        return row->deleted || shadow_reject(row->shadow, converted_key(e), err);
    }
    *out_fate = e->claim == SHADOW_CLAIM_MOVED ? SCAN_TOOK_PLACE : SCAN_SENT;
    if (row->change == SHADOW_NEW && *out_fate == SCAN_SENT)
        e->batch.new_rows++;
    else
        e->batch.changed_rows++;
    return true;
}

static bool report_scanned(void *context, int64_t rows_read, struct error *err)
{
    struct scan_reader *scanned = context;

    scanned->e->rows_read = rows_read;
    return report_progress(scanned->e, err);
}

static enum shadow_mode shadow_mode(const struct extraction *e)
{
    if (e->options->discard)
        return SHADOW_COMPARE;
    return e->batch.mode == SEND_REPLACE ? SHADOW_REPLACE : SHADOW_CHANGES;
}

/* A scan tells only row by row what it finds, so two assumptions that the file was opened under may
 * turn out wrong when most of it is written: that an append table has only new rows (then the file
 * lacks the _bqsync_deleted field that a MERGE needs, and the scan ends at the first changed row),
 * and that changes are few (known at the last row). Both revise the plan, the file is thrown away
 * and the table is read again in the same snapshot: twice the reading in a rare case, and no second
 * read in the common one. */
static bool read_scanned(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    struct scan_reader scanned = {.e = e};
    struct scan_counts counts;
    const struct scan scan = {
        .state_path = e->options->state_path,
        .table = task->table,
        .keeps_keys = task->source.shape.keeps_keys,
        .mode = shadow_mode(e),
        .row = write_scanned,
        .look = report_scanned,
        .context = &scanned,
        .until_changed = e->batch.mode == SEND_APPEND,
    };
    bool ended = false;

    bool ok = scan_run(&scan, e->source, &counts, &ended, &e->batch.shadow, err);
    if (scanned.open)
        column_reader_clear(&scanned.reader);
    if (!ok)
        return false;
    e->rows_read = counts.read;
    if (ended)
        e->is_wrong = plan_revise(task, PLAN_FOUND_CHANGED_ROWS);
    if (e->batch.mode != SEND_REPLACE &&
        plan_prefers_replace(task, counts.changed + counts.deleted))
        e->is_wrong = plan_revise(task, PLAN_FOUND_MOST_CHANGED);
    return true;
}

/* A table of mode replace is compared up to its first difference before all of it is read. Makes no
 * file. */
static bool compare_scanned(struct extraction *e, struct error *err)
{
    struct scan_reader scanned = {.e = e};
    struct scan_counts counts;
    const struct scan scan = {
        .state_path = e->options->state_path,
        .table = e->task->table,
        .keeps_keys = e->task->source.shape.keeps_keys,
        .mode = SHADOW_COMPARE,
        .look = report_scanned,
        .context = &scanned,
        .until_any = true,
    };
    bool differs = false;

    if (!scan_run(&scan, e->source, &counts, &differs, &e->batch.shadow, err))
        return false;
    e->rows_read = counts.read;
    if (differs)
        e->is_wrong = plan_revise(e->task, PLAN_FOUND_ROWS);
    return true;
}

/* --- one file ---------------------------------------------------------------------------- */

/* Fields are unions where NULL may have to be written: everywhere for a staging table, whose
 * columns are all NULLABLE, and elsewhere as the target has it. */
static bool choose_nullable(struct extraction *e, struct error *err)
{
    const struct table *table = e->task->table;
    const bool *target = e->task->warehouse.nullable;

    e->batch.guessed = !e->batch.staged && target == NULL && !e->options->discard;
    free(e->nullable);
    e->nullable = malloc(table->column_count + 1);
    if (e->nullable == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i <= table->column_count; i++) {
        bool is_column = i < table->column_count;
        e->nullable[i] = true;
        if (is_column && !e->batch.staged && target != NULL)
            e->nullable[i] = target[i];
        else if (is_column && e->batch.guessed)
            e->nullable[i] = !table->columns[i].required;
    }
    return true;
}

static bool discard_write(void *context, struct slice bytes, struct error *err)
{
    (void)context;
    (void)bytes;
    (void)err;
    return true;
}

/* From here on the batch says how the file is sent, whatever becomes of the plan. */
static bool open_file(struct extraction *e, struct error *err)
{
    const struct plan *plan = &e->task->plan;
    struct sink sink = {.write = discard_write};

    e->batch.mode = plan->mode;
    e->batch.staged = plan->staged;
    if (!choose_nullable(e, err))
        return false;
    if (!e->options->discard) {
        if (!spool_new(SPOOL_MEMORY, &e->batch.spool, err))
            return false;
        sink = spool_sink(e->batch.spool);
    }
    char *schema = avro_schema_text(e->task->table, e->nullable, e->batch.staged);
    if (schema == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    bool ok = container_open(
        &(struct container_options){
            .schema_json = schema,
            .nullable = e->nullable,
            .codec = CONTAINER_DEFLATE,
            .threads = e->options->compressors,
        },
        sink, &e->container, err);
    free(schema);
    return ok;
}

static bool fill_file(struct extraction *e, struct error *err)
{
    bool by_scan = e->task->plan.capture.by == CAPTURE_SCAN;
    bool keeps_keys = e->task->source.shape.keeps_keys;

    if (e->batch.mode == SEND_REPLACE)
        return (by_scan || keeps_keys) && !e->options->discard ? read_scanned(e, err)
                                                               : read_all(e, err);
    if (by_scan)
        return read_scanned(e, err);
    return keeps_keys && !e->options->discard ? read_dirty_keys(e, err)
                                              : read_new(e, err) && read_dirty(e, err);
}

static bool close_file(struct extraction *e, struct error *err)
{
    struct container *container = e->container;
    struct container_stats stats;

    e->container = NULL;
    if (!container_close(container, &stats, err))
        return false;
    // A file of no rows is never sent.
    if (e->batch.rows == 0) {
        spool_free(e->batch.spool);
        e->batch.spool = NULL;
    }
    return true;
}

/* One read under the plan as it is. */
static bool extract_once(struct extraction *e, struct error *err)
{
    const struct plan *plan = &e->task->plan;

    e->is_wrong = false;
    e->rows_read = 0;
    e->task->outcome->rows_rejected = 0;
    if (plan->mode == SEND_REPLACE && plan->only_if_changed)
        return compare_scanned(e, err);
    if (!open_file(e, err) || !fill_file(e, err))
        return false;
    return e->is_wrong || close_file(e, err);
}

static void discard_file(struct extraction *e)
{
    // The container first: its threads write to the batch's spool.
    container_abandon(e->container);
    e->container = NULL;
    batch_clear(&e->batch);
}

/* The batch is complete, and a scan knows whether there is anything to send. */
static void hand_over(struct extraction *e)
{
    struct task *task = e->task;

    e->batch.complete = true;
    task->batch = e->batch;
    e->batch = (struct batch){0};
    if (task->plan.only_if_changed)
        plan_revise(task, task->batch.rows > 0 ? PLAN_FOUND_ROWS : PLAN_FOUND_NO_ROWS);
    progress_rows(e->options->progress, task->index, e->rows_read, e->rows_read);
}

bool extract_table(
    struct database *source, const struct extract_options *options, struct task *task,
    struct error *err)
{
    struct extraction e = {.source = source, .options = options, .task = task};
    bool ok = false;

    buffer_init(&e.key_text, KEY_CEILING);

    progress_phase(options->progress, task->index, PHASE_READING);
    if (!plan_in_snapshot(source, task, err))
        return false;
    e.row = malloc(task->table->row_size);
    if (e.row == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    do {
        discard_file(&e);
        ok = extract_once(&e, err);
    } while (ok && e.is_wrong);
    if (ok)
        hand_over(&e);
    discard_file(&e);
    free(e.row);
    free(e.nullable);
    buffer_clear(&e.key_text);
    return ok;
}
