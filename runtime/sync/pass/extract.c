#include "sync/pass/extract.h"

#include "base/clock.h"
#include "encode/avro.h"
#include "encode/column.h"
#include "encode/container.h"
#include "encode/level.h"
#include "source/filter_step.h"
#include "source/sqlite_sql.h"
#include "sync/pass/content.h"
#include "sync/pass/extract_row.h"
#include "sync/pass/plan.h"
#include "sync/pass/scan.h"
#include "sync/pass/target.h"

#include <stdlib.h>
#include <string.h>

/* What a spool keeps in memory. All files of a pass wait at once, so this stays in the tens of
 * megabytes, and small changes never touch the disk. */
#define SPOOL_MEMORY (1 << 20)

/* Rows between two looks at the stop flag and two updates of the progress. */
#define ROWS_PER_LOOK 4096

#define KEY_CEILING (64u << 20)

static bool report_progress(struct extraction *e, struct error *err)
{
    if (clock_stopped())
        return error_set(err, ERROR_STOPPED, "stopped while reading %s", e->task->table->name);
    progress_rows(
        e->options->progress, e->task->index, e->rows_read, e->task->source.watermark.source_rows);
    return true;
}

/* Triggers keep no list of what was sent. An INTEGER PRIMARY KEY above the highest that was ever
 * synced is new; of any other the target may hold a version. */
static bool may_be_held(const struct extraction *e, const struct column_reader *reader)
{
    const struct task_source *known = &e->task->source;

    return e->batch.mode == SEND_REPLACE && !e->options->discard &&
           plan_kept(e->task) == SHADOW_REPLACE_KEEP_ALL &&
           !(known->watermark.found && known->shape.integer_key &&
             sqlite3_column_int64(reader->row, (int)e->task->table->key[0]) >
                 known->watermark.last_synced_row_id);
}

/* Where no shadow is involved. */
static bool read_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err)
{
    int64_t rejected = e->task->outcome->rows_rejected;

    return extract_row(e, reader, deleted, err) &&
           (e->task->outcome->rows_rejected == rejected || !may_be_held(e, reader) ||
            extract_kept_row(e, reader, err));
}

/* Whether what is known here of a row's life is known of the target: a row that is rejected, or was
 * since the last pass, need not be there, nor one outside of the filter that triggers note, and a
 * converted key may be another row's. */
static bool knows_target(const struct extraction *e)
{
    const struct task *task = e->task;

    return task->table->history != NULL && task->outcome->rows_rejected_before == 0 &&
           !task->source.watermark.fixed_rejects && !task->source.shape.keeps_keys &&
           (task->plan.capture.by == CAPTURE_SCAN || task->table->where == NULL);
}

/* What a row of changes_sql is to the log. */
static const char *operation_of_dirty(const struct extraction *e, sqlite3_stmt *row, bool deleted)
{
    if (!knows_target(e) || sqlite3_column_int(row, (int)e->task->table->column_count + 1) == 0)
        return NULL;
    return deleted ? "delete" : "update";
}

/* The same of a row that a scan has found. */
static const char *operation_of_scanned(const struct extraction *e, const struct scan_row *row)
{
    if (!knows_target(e))
        return NULL;
    return row->deleted ? "delete" : row->change == SHADOW_NEW ? "insert" : "update";
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
        if (!filter_step(e->source, table, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        bool deleted =
            has_tombstones && sqlite3_column_int(statement, (int)table->column_count) != 0;
        e->operation = !has_tombstones ? "insert" : operation_of_dirty(e, statement, deleted);
        if (!(e->keys != NULL ? extract_listed_row : read_row)(e, &reader, deleted, err))
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
    e->operation = NULL;
    bool ok = extract_row(e, &reader, true, err);
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

/* Rows with a NULL in their key, which no trigger can list, are all read again: they are rejected.
 */
static bool read_keyless(struct extraction *e, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    int64_t ignored = 0;

    if (e->task->source.shape.integer_key)
        return true;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    capture_append_keyless_sql(&sql, e->task->table);
    bool ok = buffer_check(&sql, "statement", err) &&
              database_prepare(e->source, buffer_text(&sql), &statement, err) &&
              read_rows(e, statement, false, &ignored, err);
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

/* The same where keys are kept. */
static bool read_dirty_keys(struct extraction *e, struct error *err)
{
    enum shadow_mode mode = e->options->discard ? SHADOW_LISTED_COMPARE : SHADOW_LISTED;

    if (!shadow_begin(
            e->options->state, e->task->table, SHADOW_FORM_KEYS, mode, &e->batch.shadow, err))
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

static bool reject_scanned(
    struct extraction *e, const struct scan_row *row, struct column_reader *reader,
    enum scan_fate *out_fate, struct error *err)
{
    bool kept = false;
    bool ok = shadow_reject(row->shadow, e->key_fits, extract_row_key(e), &kept, err) &&
              (!kept || extract_kept_row(e, reader, err));

    *out_fate = e->is_wrong ? SCAN_STOPPED : SCAN_REJECTED;
    return ok;
}

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
    e->operation = operation_of_scanned(e, row);
    bool ok = extract_row(e, &scanned->reader, row->deleted, err);
    e->keys = NULL;
    if (!ok)
        return false;
    if (e->task->outcome->rows_rejected > rejected)
        return row->deleted || reject_scanned(e, row, &scanned->reader, out_fate, err);
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
    return e->batch.mode == SEND_REPLACE ? plan_kept(e->task) : SHADOW_CHANGES;
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
    bool all_are_new = e->options->discard && e->batch.mode == SEND_REPLACE;
    const struct scan scan = {
        .state = all_are_new ? (struct database_place){0} : e->options->state,
        .table = task->table,
        .form = shadow_form_of(&task->source.shape),
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
    if (ended && !e->is_wrong)
        e->is_wrong = plan_revise(task, PLAN_FOUND_CHANGED_ROWS);
    if (e->batch.mode != SEND_REPLACE && plan_prefers_replace(task, e->batch.changed_rows))
        e->is_wrong = plan_revise(task, PLAN_FOUND_MOST_CHANGED);
    return true;
}

/* --- one file ---------------------------------------------------------------------------- */

/* Fields are unions where NULL may have to be written: everywhere for a staging table, whose
 * columns are all NULLABLE, and elsewhere as the target has it. */
static bool choose_nullable(struct extraction *e, struct error *err)
{
    const struct table *table = e->task->table;
    bool known = e->task->warehouse.fields != NULL;

    e->batch.guessed = !e->batch.staged && !known && !e->options->discard;
    free(e->nullable);
    e->nullable = malloc(table->column_count + 2);
    if (e->nullable == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    bool all = e->batch.staged || !(known || e->batch.guessed);
    for (size_t i = 0; i < table->column_count; i++)
        e->nullable[i] = all || target_is_nullable(e->task, i);
    e->nullable[table->column_count] = true;
    e->nullable[table->column_count + 1] = true;
    return true;
}

static bool discard_write(void *context, struct slice bytes, struct error *err)
{
    (void)context;
    (void)bytes;
    (void)err;
    return true;
}

/* Where triggers list changes by an INTEGER PRIMARY KEY, each row up to the highest that was sent
 * is one that was changed: if the statement does not find it where its immutable column says, it
 * fails. A scan does not tell so, and a failure in a script would be one of all of its tables. */
static void open_bounds(struct extraction *e)
{
    const struct task *task = e->task;
    const struct plan *plan = &task->plan;

    bounds_open(&e->batch.bounds, task->table, plan->in_transaction ? task->index + 1 : 0);
    if (plan->mode == SEND_MERGE && plan->capture.by == CAPTURE_TRIGGERS && !plan->in_transaction &&
        task->source.shape.integer_key && !task->source.shape.keeps_keys &&
        !task->warehouse.unbounded)
        bounds_begin_within(&e->batch.bounds, task->source.watermark.last_synced_row_id);
}

static enum codec choose_codec(const struct extract_options *options)
{
    struct level level;

    level_begin(&level, (double)options->codec.link_bytes, options->compressors + 1);
    return options->codec.deflate_only ? CODEC_DEFLATE : level_codec(&level);
}

/* From here on the batch says how the file is sent, whatever becomes of the plan. */
static bool open_file(struct extraction *e, struct error *err)
{
    const struct plan *plan = &e->task->plan;
    struct sink sink = {.write = discard_write};

    partitions_open(&e->batch.partitions, e->task->table);
    open_bounds(e);
    e->batch.mode = plan->mode;
    e->batch.staged = plan->staged;
    e->batch.json_as_text = plan->json_as_text;
    e->batch.codec = choose_codec(e->options);
    if (!choose_nullable(e, err))
        return false;
    if (!e->options->discard) {
        if (!spool_new(SPOOL_MEMORY, &e->batch.spool, err))
            return false;
        sink = spool_sink(e->batch.spool);
        if (!inline_rows_begin(&e->inlined, e->task, err))
            return false;
    }
    const struct avro_schema fields = {
        .nullable = e->nullable,
        .with_deleted = e->batch.staged,
        .json_as_text = e->batch.json_as_text,
    };
    char *schema = avro_schema_text(e->task->table, &fields);
    if (schema == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    bool ok = container_open(
        &(struct container_options){
            .schema_json = schema,
            .nullable = e->nullable,
            .codec = e->batch.codec,
            .link_bytes = (double)e->options->codec.link_bytes,
            .threads = e->options->compressors,
        },
        sink, &e->container, err);
    free(schema);
    return ok;
}

static bool fill_file(struct extraction *e, struct error *err)
{
    bool keeps_keys = e->task->source.shape.keeps_keys;

    // Without a file only the keys make a scan of a replacement worth its time.
    if (e->batch.mode == SEND_REPLACE)
        return keeps_keys || (task_has_shadow(e->task) && !e->options->discard)
                   ? read_scanned(e, err)
                   : read_all(e, err);
    if (e->task->plan.capture.by == CAPTURE_SCAN)
        return read_scanned(e, err);
    return (keeps_keys ? read_dirty_keys(e, err) : read_new(e, err) && read_dirty(e, err)) &&
           read_keyless(e, err);
}

/* The fingerprint that content_is_same will look for: with triggers only for rows that they do not
 * list. */
static void note_fingerprint(struct extraction *e)
{
    const struct task *task = e->task;
    bool whole = task->table->mode == SEND_REPLACE;

    int64_t rejected = task->outcome->rows_rejected;
    bool scanned = task->plan.capture.by == CAPTURE_SCAN;

    if (e->unnamed_rows > 0 || (whole && (scanned || rejected > 0)))
        fingerprint_text(
            &e->fingerprint, content_rejected(task->table, rejected), e->batch.fingerprint);
}

static bool close_file(struct extraction *e, struct error *err)
{
    struct container *container = e->container;
    struct container_stats stats;

    e->container = NULL;
    if (!container_close(container, &stats, err))
        return false;
    e->batch.codec_level = stats.level;
    e->batch.raw_bytes = (int64_t)stats.raw_bytes;
    if (e->batch.rows > 0)
        e->batch.inlined = inline_rows_take(&e->inlined);
    // The statement that adds rows has no bounds for partitions, that of an append table none at
    // all.
    if (e->batch.changed_rows == 0)
        bounds_end_within(&e->batch.bounds);
    if (batch_only_adds(&e->batch, e->task->table) && e->task->table->mode == SEND_APPEND)
        bounds_clear(&e->batch.bounds);
    // A file of no rows is never sent, and neither is one whose rows travel in the statement.
    if (e->batch.rows == 0 || e->batch.inlined != NULL) {
        spool_free(e->batch.spool);
        e->batch.spool = NULL;
    }
    return true;
}

/* One read under the plan as it is. */
static bool extract_once(struct extraction *e, struct error *err)
{
    e->is_wrong = false;
    e->rows_read = 0;
    e->unnamed_rows = 0;
    fingerprint_begin(&e->fingerprint, "");
    e->task->outcome->rows_rejected = 0;
    if (!open_file(e, err) || !fill_file(e, err))
        return false;
    e->batch.changed_rows -= e->batch.left_out;
    note_fingerprint(e);
    if (!e->is_wrong && partitions_parts(&e->batch.partitions) > 1)
        e->is_wrong = plan_revise(e->task, PLAN_FOUND_MANY_PARTITIONS);
    return e->is_wrong || close_file(e, err);
}

static void discard_file(struct extraction *e)
{
    // The container first: its threads write to the batch's spool.
    container_abandon(e->container);
    e->container = NULL;
    inline_rows_clear(&e->inlined);
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
        plan_revise(
            task,
            task->batch.rows + task->batch.left_out > 0 ? PLAN_FOUND_ROWS : PLAN_FOUND_NO_ROWS);
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
    if (task->plan.mode == SEND_NOTHING || task_is_outdated(task)) {
        task->batch.complete = !task_is_outdated(task);
        return true;
    }
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
