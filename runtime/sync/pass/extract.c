#include "sync/pass/extract.h"

#include "base/clock.h"
#include "encode/avro.h"
#include "encode/column.h"
#include "encode/container.h"
#include "source/rejects.h"
#include "sync/pass/plan.h"
#include "sync/pass/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a spool keeps in memory: with every table of a pass waiting at once this stays in the tens
 * of megabytes, and small changes never touch the disk. */
#define SPOOL_MEMORY (1 << 20)

/* Rows between two looks at the stop flag and two updates of the progress. */
#define ROWS_PER_LOOK 4096

struct extraction {
    struct database *source;
    const struct extract_options *options;
    struct task *task;
    struct container *container;
    void *row;      /* the generated row struct */
    bool staging;   /* the file has the _bqsync_deleted field */
    bool *nullable; /* of the file's columns, unless the target's are known */
    int64_t rows_read;

    /* A scan finds out while it reads that another way would have been right: */
    bool has_changes; /* not only new rows */
    bool again;       /* read all of it once more that way */
};

static bool discard_write(void *context, struct slice bytes, struct error *err)
{
    (void)context;
    (void)bytes;
    (void)err;
    return true;
}

static bool open_rejects(struct extraction *e, struct error *err)
{
    struct batch *batch = &e->task->batch;

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
            "%s.%s of the row with %s = %s: %s value %s. Mend the row, or let `on_reject` be "
            "\"reject\"",
            table->name, table->columns[column].source, table->columns[table->key[0]].source,
            sqlite3_column_type(row, (int)table->key[0]) == SQLITE_BLOB
                ? "a blob"
                : (const char *)sqlite3_column_text(row, (int)table->key[0]),
            storage_class, reason);
    if (e->options->state_path == NULL)
        return true;
    if (!e->task->batch.has_rejects && !open_rejects(e, err))
        return false;
    return rejects_add(&e->task->batch.rejects, table, row, column, storage_class, reason, err);
}

static bool reject_row(struct extraction *e, const struct column_reader *reader, struct error *err)
{
    e->task->result->rows_rejected++;
    for (size_t i = 0; i < reader->problem_count; i++) {
        const struct column_problem *problem = &reader->problems[i];
        if (!add_reject(
                e, reader->row, problem->column, problem->storage_class, problem->reason, err))
            return false;
    }
    return true;
}

/* A row that no Avro block can take is rejected for its longest value. */
static bool reject_long_row(struct extraction *e, sqlite3_stmt *row, struct error *err)
{
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
    e->task->result->rows_rejected++;
    return add_reject(
        e, row, longest, sqlite3_column_type(row, (int)longest) == SQLITE_BLOB ? "blob" : "text",
        "makes the row larger than the 16 MB that BigQuery takes", err);
}

static bool write_row(
    struct extraction *e, struct column_reader *reader, bool deleted, struct error *err)
{
    const struct table *table = e->task->table;

    column_reader_next(reader, deleted);
    table->read(reader, e->row);
    if (!column_reader_row_fits(reader)) {
        // A key that does not fit never got there, so there is nothing to delete.
        return deleted || reject_row(e, reader, err);
    }

    struct avro_writer *out = container_begin_row(e->container);
    table->encode(out, e->row);
    if (e->staging)
        avro_bool(out, (struct value_bool){.value = deleted});
    if (!container_end_row(e->container, err))
        return err->code == ERROR_LIMIT && reject_long_row(e, reader->row, err);
    e->task->batch.rows++;
    return true;
}

static bool look_up(struct extraction *e, struct error *err)
{
    if (clock_stopped())
        return error_set(err, ERROR_STOPPED, "stopped while reading %s", e->task->table->name);
    progress_rows(
        e->options->progress, e->task->index, e->rows_read, e->task->watermark.source_rows);
    return true;
}

/* Runs one of the generated statements; tombstones are told by one more result column. */
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
        if (!write_row(e, &reader, deleted, err))
            goto cleanup;
        rows++;
        e->rows_read++;
        if (e->rows_read % ROWS_PER_LOOK == 0 && !look_up(e, err))
            goto cleanup;
    }
    *out_rows = rows;
    ok = true;

cleanup:
    column_reader_clear(&reader);
    return ok;
}

static bool read_statement(
    struct extraction *e, const char *sql, const int64_t *first, const int64_t *second,
    bool has_tombstones, int64_t *out_rows, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!database_prepare(e->source, sql, &statement, err))
        return false;
    if (first != NULL)
        sqlite3_bind_int64(statement, 1, *first);
    if (second != NULL)
        sqlite3_bind_int64(statement, 2, *second);
    bool ok = read_rows(e, statement, has_tombstones, out_rows, err);
    sqlite3_finalize(statement);
    return ok;
}

static bool read_dirty(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    const struct table *table = task->table;
    const int64_t *row_id = task->shape.integer_key ? &task->watermark.last_synced_row_id : NULL;

    if (task->shape.integer_key &&
        !read_statement(e, table->new_rows_sql, row_id, NULL, false, &task->batch.new_rows, err))
        return false;
    return read_statement(
        e, table->changes_sql, &task->watermark.synced_sequence, row_id, true,
        &task->batch.changed_rows, err);
}

/* --- by a scan --------------------------------------------------------------------------- */

struct scan_reader {
    struct extraction *e;
    struct column_reader reader;
    bool open;
};

static bool write_scanned(
    void *context, sqlite3_stmt *row, enum shadow_change change, bool deleted, bool *out_rejected,
    struct error *err)
{
    struct scan_reader *scanned = context;
    struct table_result *result = scanned->e->task->result;
    int64_t rejected = result->rows_rejected;

    // Rows that are there and keys that are gone come from two statements.
    if (scanned->open && scanned->reader.row != row) {
        column_reader_clear(&scanned->reader);
        scanned->open = false;
    }
    if (!scanned->open && !column_reader_init(&scanned->reader, scanned->e->task->table, row, err))
        return false;
    scanned->open = true;
    if (!write_row(scanned->e, &scanned->reader, deleted, err))
        return false;
    *out_rejected = result->rows_rejected > rejected;
    if (!*out_rejected && change == SHADOW_NEW)
        scanned->e->task->batch.new_rows++;
    else if (!*out_rejected)
        scanned->e->task->batch.changed_rows++;
    return true;
}

static bool look_scanned(void *context, int64_t rows_read, struct error *err)
{
    struct scan_reader *scanned = context;

    scanned->e->rows_read = rows_read;
    return look_up(scanned->e, err);
}

static enum shadow_mode shadow_mode(const struct extraction *e)
{
    if (e->options->discard)
        return SHADOW_COMPARE;
    return e->task->work == WORK_REPLACE ? SHADOW_REPLACE : SHADOW_CHANGES;
}

/* A file for the target itself takes new rows only, and one of changes is not worth it when most
 * rows changed: both may come to light at the last row. */
static bool read_scanned(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    struct scan_reader scanned = {.e = e};
    struct scan_counts counts;
    const struct scan scan = {
        .state_path = e->options->shadow_path,
        .table = task->table,
        .mode = shadow_mode(e),
        .row = write_scanned,
        .look = look_scanned,
        .context = &scanned,
        .until_changed = task->work == WORK_CHANGES && !e->staging,
    };

    bool ok = scan_run(&scan, e->source, &counts, &e->again, &task->batch.shadow, err);
    if (scanned.open)
        column_reader_clear(&scanned.reader);
    if (!ok)
        return false;
    e->rows_read = counts.read;
    e->has_changes = e->again;
    if (task->work == WORK_CHANGES && plan_prefers_replace(task, counts.changed + counts.deleted)) {
        task->work = WORK_REPLACE;
        task->why = "most rows changed";
        e->again = true;
    }
    return true;
}

/* A table of mode replace is compared first, up to the first difference. */
static bool compare_scanned(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    struct scan_reader scanned = {.e = e};
    struct scan_counts counts;
    const struct scan scan = {
        .state_path = e->options->shadow_path,
        .table = task->table,
        .mode = SHADOW_COMPARE,
        .look = look_scanned,
        .context = &scanned,
        .until_any = true,
    };
    bool differs = false;

    if (!scan_run(&scan, e->source, &counts, &differs, &task->batch.shadow, err))
        return false;
    if (differs) {
        task->work = WORK_REPLACE;
        task->why = "mode replace";
        e->again = true;
    }
    return true;
}

/* --- one file ---------------------------------------------------------------------------- */

static bool read_all(struct extraction *e, struct error *err)
{
    const struct task *task = e->task;

    if (task->capture == TASK_SCAN && task->work == WORK_CHANGES)
        return task->table->mode == SEND_REPLACE ? compare_scanned(e, err) : read_scanned(e, err);
    if (task->work == WORK_CHANGES)
        return read_dirty(e, err);
    if (task->capture == TASK_SCAN && !e->options->discard)
        return read_scanned(e, err);
    return read_statement(
        e, task->table->scan_sql, NULL, NULL, false, &e->task->batch.new_rows, err);
}

/* New rows of an append table go straight into the target, as a replacement does; everything else
 * passes through a staging table. Whether there are changed rows is known only after reading, so an
 * append table with dirty keys reads for staging from the start. */
static bool choose_staging(struct extraction *e, struct error *err)
{
    const struct task *task = e->task;
    struct pending pending;

    if (e->options->staging_only) {
        e->staging = true;
        return true;
    }
    e->staging = task->work == WORK_CHANGES && task->table->mode == SEND_MERGE;
    if (task->work != WORK_CHANGES || task->table->mode != SEND_APPEND)
        return true;
    if (task->capture == TASK_SCAN) {
        e->staging = e->has_changes || task->spare_quota;
        return true;
    }
    if (!capture_pending(e->source, task->table, &task->shape, &task->watermark, &pending, err))
        return false;
    e->staging = !task->shape.integer_key || pending.dirty_keys > 0 || task->spare_quota;
    return true;
}

/* Which columns of the file are unions: those that are NULLABLE where it goes. */
static bool choose_nullable(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    const struct table *table = task->table;

    task->batch.guessed = !e->staging && task->nullable == NULL && !e->options->discard;
    free(e->nullable);
    e->nullable = malloc(table->column_count + 1);
    if (e->nullable == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i <= table->column_count; i++) {
        bool is_column = i < table->column_count;
        e->nullable[i] = true;
        if (is_column && !e->staging && task->nullable != NULL)
            e->nullable[i] = task->nullable[i];
        else if (is_column && task->batch.guessed)
            e->nullable[i] = !table->columns[i].required;
    }
    return true;
}

static bool open_file(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    const struct table *table = task->table;
    struct sink sink = {.write = discard_write};

    if (!choose_staging(e, err) || !choose_nullable(e, err))
        return false;
    if (!e->options->discard) {
        if (!spool_new(SPOOL_MEMORY, &task->batch.spool, err))
            return false;
        sink = spool_sink(task->batch.spool);
    }
    char *schema = avro_schema_text(table, e->nullable, e->staging);
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

static bool close_file(struct extraction *e, struct error *err)
{
    struct container *container = e->container;
    struct container_stats stats;

    e->container = NULL;
    return container_close(container, &stats, err);
}

/* Reads into a file; e->again: that was the wrong one. */
static bool extract_once(struct extraction *e, struct error *err)
{
    struct batch *batch = &e->task->batch;

    e->again = false;
    e->rows_read = 0;
    e->task->result->rows_rejected = 0;
    if (!open_file(e, err) || !read_all(e, err))
        return false;
    if (e->again) {
        container_abandon(e->container);
        e->container = NULL;
        batch_clear(batch);
        return true;
    }
    if (!close_file(e, err))
        return false;
    batch->staging = e->staging;
    progress_rows(e->options->progress, e->task->index, e->rows_read, e->rows_read);

    // A file of no rows is never sent.
    if (batch->rows == 0) {
        spool_free(batch->spool);
        batch->spool = NULL;
    }
    return true;
}

bool extract_table(
    struct database *source, const struct extract_options *options, struct task *task,
    struct error *err)
{
    struct extraction e = {.source = source, .options = options, .task = task};
    bool ok = false;

    progress_phase(options->progress, task->index, PHASE_READING);
    e.row = malloc(task->table->row_size);
    if (e.row == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory");
        goto cleanup;
    }
    do {
        if (!extract_once(&e, err))
            goto cleanup;
    } while (e.again);
    ok = true;

cleanup:
    container_abandon(e.container);
    free(e.row);
    free(e.nullable);
    if (!ok)
        batch_clear(&task->batch);
    return ok;
}

void batch_release(struct batch *batch)
{
    spool_free(batch->spool);
    shadow_free(batch->shadow);
    if (batch->has_rejects)
        tracking_close(&batch->rejects);
    batch->spool = NULL;
    batch->shadow = NULL;
    batch->has_rejects = false;
}

void batch_clear(struct batch *batch)
{
    batch_release(batch);
    *batch = (struct batch){0};
}
