#include "sync/extract.h"

#include "base/clock.h"
#include "encode/avro.h"
#include "encode/column.h"
#include "encode/container.h"
#include "source/rejects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a spool keeps in memory: with every table of a pass waiting at once this stays in the tens
 * of megabytes, and small changes never touch the disk. */
#define SPOOL_MEMORY (1 << 20)

/* Rows between two looks at the stop flag and two updates of the board. */
#define ROWS_PER_LOOK 4096

struct extraction {
    struct database *source;
    const struct extract_options *options;
    struct task *task;
    struct container *container;
    void *row;    /* the generated row struct */
    bool staging; /* the file has the _bqsync_deleted field */
    bool *all_nullable;
    int64_t rows_read;
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
    board_rows(e->options->board, e->task->index, e->rows_read, e->task->progress.source_rows);
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

static bool read_changes(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    const struct table *table = task->table;
    const int64_t *row_id = task->shape.integer_key ? &task->progress.last_synced_row_id : NULL;

    if (task->shape.integer_key &&
        !read_statement(e, table->new_rows_sql, row_id, NULL, false, &task->batch.new_rows, err))
        return false;
    return read_statement(
        e, table->changes_sql, &task->progress.synced_sequence, row_id, true,
        &task->batch.changed_rows, err);
}

static bool read_all(struct extraction *e, struct error *err)
{
    if (e->task->work == WORK_CHANGES)
        return read_changes(e, err);
    return read_statement(
        e, e->task->table->scan_sql, NULL, NULL, false, &e->task->batch.new_rows, err);
}

/* New rows of an append table go straight into the target, as a replacement does; everything else
 * passes through a staging table. Whether there are changed rows is known only after reading, so an
 * append table with dirty keys reads for staging from the start. */
static bool needs_staging(const struct task *task, bool has_dirty_keys)
{
    if (task->work == WORK_REPLACE)
        return false;
    return task->table->mode != SYNC_APPEND || !task->shape.integer_key || has_dirty_keys;
}

static bool has_dirty_keys(struct extraction *e, bool *out_dirty, struct error *err)
{
    struct pending pending;

    *out_dirty = false;
    if (e->task->work != WORK_CHANGES || e->task->table->mode != SYNC_APPEND)
        return true;
    if (!capture_pending(
            e->source, e->task->table, &e->task->shape, &e->task->progress, &pending, err))
        return false;
    *out_dirty = pending.dirty_keys > 0;
    return true;
}

static bool open_file(struct extraction *e, struct error *err)
{
    struct task *task = e->task;
    const struct table *table = task->table;
    struct sink sink = {.write = discard_write};
    bool dirty = false;

    if (!has_dirty_keys(e, &dirty, err))
        return false;
    e->staging = needs_staging(task, dirty);
    e->row = malloc(table->row_size);
    e->all_nullable = malloc(table->column_count + 1);
    if (e->row == NULL || e->all_nullable == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    memset(e->all_nullable, true, table->column_count + 1);

    if (!e->options->discard) {
        if (!spool_new(SPOOL_MEMORY, &task->batch.spool, err))
            return false;
        sink = spool_sink(task->batch.spool);
    }
    const bool *nullable = e->staging || task->nullable == NULL ? e->all_nullable : task->nullable;
    char *schema = avro_schema_text(table, nullable, e->staging);
    if (schema == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    bool ok = container_open(
        &(struct container_options){
            .schema_json = schema,
            .nullable = nullable,
            .codec = CONTAINER_DEFLATE,
            .threads = e->options->compressors,
        },
        sink, &e->container, err);
    free(schema);
    return ok;
}

bool extract_table(
    struct database *source, const struct extract_options *options, struct task *task,
    struct error *err)
{
    struct extraction e = {.source = source, .options = options, .task = task};
    struct container_stats stats;
    bool ok = false;

    board_phase(options->board, task->index, BOARD_READING);
    if (!open_file(&e, err))
        goto cleanup;
    if (!read_all(&e, err))
        goto cleanup;
    struct container *container = e.container;
    e.container = NULL;
    if (!container_close(container, &stats, err))
        goto cleanup;
    task->batch.staging = e.staging;
    task->result->bytes_sent = 0;
    board_rows(options->board, task->index, e.rows_read, e.rows_read);

    // A file of no rows is never sent.
    if (task->batch.rows == 0) {
        spool_free(task->batch.spool);
        task->batch.spool = NULL;
    }
    ok = true;

cleanup:
    container_abandon(e.container);
    free(e.row);
    free(e.all_nullable);
    if (!ok)
        batch_clear(&task->batch);
    return ok;
}

void batch_clear(struct batch *batch)
{
    spool_free(batch->spool);
    if (batch->has_rejects)
        tracking_close(&batch->rejects);
    *batch = (struct batch){0};
}
