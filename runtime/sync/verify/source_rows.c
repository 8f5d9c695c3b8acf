#include "sync/verify/source_rows.h"

#include "base/clock.h"
#include "encode/container.h"
#include "source/filter_step.h"
#include "source/rejects.h"
#include "source/sqlite_sql.h"
#include "sync/pass/content.h"
#include "sync/pass/plan.h"

#include <stdlib.h>
#include <string.h>

#define ROW_CEILING (64u << 20)

bool source_rows_init(
    struct source_rows *rows, const struct config *config, struct database *source,
    struct tracking *tracking, const struct table *table, struct error *err)
{
    struct plan_capture capture;
    bool known = false;

    *rows = (struct source_rows){
        .config = config, .table = table, .source = source, .tracking = tracking};
    buffer_init(&rows->key_text, ROW_CEILING);
    buffer_init(&rows->row_text, ROW_CEILING);
    if (!capture_inspect(source, table, &rows->shape, err))
        return false;
    if (!rows->shape.exists || rows->shape.missing_count > 0 ||
        rows->shape.filter_problem[0] != '\0')
        return error_set(
            err, ERROR_SCHEMA, "%s in SQLite does not fit its definition; bqsync check says why",
            table->name);
    if (!tracking_load(tracking, table->name, &rows->watermark, err) ||
        !plan_capture(config, table, &rows->shape, &capture, err) ||
        !shadow_known(&tracking->database, table, shadow_form_of(&rows->shape), &known, err))
        return false;
    rows->captured = capture.by == CAPTURE_TRIGGERS && !capture.broken;
    rows->by_scan = capture.by == CAPTURE_SCAN;
    rows->owners_known = table->mode != SEND_REPLACE && rows->watermark.found &&
                         (rows->captured || (rows->by_scan && known));
    rows->scanned = rows->by_scan && rows->watermark.found && known && table->mode != SEND_REPLACE;
    return true;
}

void source_rows_clear(struct source_rows *rows)
{
    buffer_clear(&rows->key_text);
    buffer_clear(&rows->row_text);
}

/* How the row differs from what was synced last. */
static bool find_change(
    struct source_rows *rows, sqlite3_stmt *row, enum shadow_change *out_change, struct error *err)
{
    *out_change = SHADOW_SAME;
    if (rows->shadow != NULL)
        return shadow_row(rows->shadow, row, out_change, err);
    if (rows->watermark.found && rows->shape.integer_key && !rows->scanned &&
        sqlite3_column_int64(row, (int)rows->table->key[0]) > rows->watermark.last_synced_row_id)
        *out_change = SHADOW_NEW;
    return true;
}

/* The key's text of the row that the reader is on, and unless only the key is there, the row's. */
static bool make_texts(
    struct source_rows *rows, struct column_reader *in, bool key_only, enum row_text_columns which,
    struct error *err)
{
    buffer_reset(&rows->key_text);
    buffer_reset(&rows->row_text);
    column_reader_next(in, key_only);
    row_text_append(&rows->key_text, in, rows->table, ROW_TEXT_KEY);
    if (!key_only)
        row_text_append(&rows->row_text, in, rows->table, which);
    // JSON texts are compared apart, but they decide whether the row fits.
    for (size_t i = 0; !key_only && which == ROW_TEXT_COMPARED && i < rows->table->column_count;
         i++)
        if (rows->table->columns[i].type == COLUMN_JSON)
            column_json(in, i);
    return buffer_check(&rows->row_text, "a row", err);
}

/* As the sync does with a row that the shadow does not hold as it is: if another row has its key in
 * BigQuery, it does not fit. */
static bool claim_key(
    struct source_rows *rows, const struct column_reader *in, bool *fits, struct error *err)
{
    enum shadow_claim claim = SHADOW_CLAIM_OWN;
    const bool key_fits = column_reader_key_fits(in);
    struct slice key = key_fits ? buffer_slice(&rows->key_text) : slice_of(NULL);
    struct buffer other;
    bool kept;

    if (rows->shadow == NULL || !shadow_keeps_keys(rows->shadow))
        return true;
    buffer_init(&other, ROW_CEILING);
    bool ok = !*fits || shadow_claim(rows->shadow, rows->source, key, &claim, &other, err);
    buffer_clear(&other);
    *fits = *fits && claim != SHADOW_CLAIM_TAKEN;
    return ok && (*fits || shadow_reject(rows->shadow, key_fits, key, &kept, err));
}

/* Below this a row cannot be too long for an Avro block, whatever its values are encoded as. */
#define SHORT_ROW_BYTES (CONTAINER_BLOCK_BYTES_MAX / 4)

/* Whether a row whose values fit is one that a pass rejects for its length. */
static bool is_too_long(
    const struct source_rows *rows, struct column_reader *in, bool *out_long, struct error *err)
{
    const struct table *table = rows->table;
    size_t bytes = 0;
    struct buffer encoded;

    *out_long = false;
    for (size_t i = 0; i < table->column_count; i++) {
        int type = sqlite3_column_type(in->row, (int)i);
        if (type == SQLITE_TEXT || type == SQLITE_BLOB)
            bytes += (size_t)sqlite3_column_bytes(in->row, (int)i);
    }
    if (bytes < SHORT_ROW_BYTES)
        return true;
    void *row = malloc(table->row_size);
    bool *nullable = malloc(table->column_count * sizeof *nullable);
    buffer_init(&encoded, CONTAINER_BLOCK_BYTES_MAX);
    bool ok = (row != NULL && nullable != NULL) || error_set(err, ERROR_MEMORY, "out of memory");
    if (ok) {
        memset(nullable, 1, table->column_count * sizeof *nullable);
        column_reader_next(in, false);
        table->read(in, row);
        table->encode(&(struct avro_writer){.out = &encoded, .nullable = nullable}, row);
        *out_long = encoded.failure == BUFFER_LIMIT;
        ok = *out_long || buffer_check(&encoded, "a row", err);
    }
    buffer_clear(&encoded);
    free(nullable);
    free(row);
    return ok;
}

struct reading {
    struct source_rows *rows;
    enum row_text_columns which;
    const struct source_rows_visitor *visitor;
};

static bool open_rejected(struct source_rows *rows, struct error *err)
{
    const struct source_table in = {rows->source, rows->table, &rows->shape};
    int64_t count = 0;

    if (!rows->captured || !rows->shape.keeps_keys || rows->table->mode == SEND_REPLACE)
        return true;
    return rejects_count_listed(rows->tracking, rows->table->name, &count, err) &&
           (count == 0 || capture_prepare_rejected(&in, &rows->rejected, err));
}

/* Whether the row was rejected and has not changed since. */
static bool is_rejected(
    struct source_rows *rows, sqlite3_stmt *row, bool *out_rejected, struct error *err)
{
    *out_rejected = false;
    if (rows->rejected == NULL)
        return true;
    bool ok = true;
    for (size_t k = 0; ok && k < rows->table->key_count; k++) {
        sqlite3_value *value = sqlite3_column_value(row, (int)rows->table->key[k]);
        ok = database_bound(
            rows->source, sqlite3_bind_value(rows->rejected, (int)k + 1, value), err);
    }
    ok = ok && database_step(rows->source, rows->rejected, out_rejected, err);
    sqlite3_reset(rows->rejected);
    sqlite3_clear_bindings(rows->rejected);
    return ok;
}

/* Before the row is read: that may convert its texts in place. */
static bool note_row(
    struct source_rows *rows, sqlite3_stmt *row, bool *out_rejected, struct error *err)
{
    if (!is_rejected(rows, row, out_rejected, err))
        return false;
    rows->keyless = rows->keyless || !content_has_key(rows->table, row);
    return rows->table->mode != SEND_REPLACE ||
           fingerprint_add(&rows->fingerprint, row, rows->table->column_count, err);
}

static bool look_for_changes(struct source_rows *rows, struct error *err)
{
    const char *known = rows->watermark.fingerprint;
    char text[FINGERPRINT_SIZE];
    int64_t rejected = 0;

    if (rows->table->mode != SEND_REPLACE || !rows->watermark.found ||
        (!rows->by_scan && !rows->keyless && known[0] == '\0'))
        return true;
    if (!rejects_count(rows->tracking, rows->table->name, &rejected, err))
        return false;
    fingerprint_text(&rows->fingerprint, rejected, text);
    rows->changed = strcmp(text, known) != 0;
    return true;
}

/* BigQuery is compared as of the last synced position, so a row above the watermark is pending and
 * is not compared. A changed row is both: its key is pending, and its row is still visited, because
 * BigQuery holds an older version under that key; the drill-down ignores keys that are pending.
 * Without a shadow the changed rows are not known here; source_rows_read_dirty adds their keys.
 * A row that the shadow does not know and that does not fit can't be synced: it is visited as a
 * rejected row. Above the watermark such a row counts as pending until the next sync rejects it. */
static bool read_row(const struct reading *reading, struct column_reader *in, struct error *err)
{
    struct source_rows *rows = reading->rows;
    const struct source_rows_visitor *visitor = reading->visitor;
    enum shadow_change change;
    bool rejected = false;

    if (!note_row(rows, in->row, &rejected, err) || !find_change(rows, in->row, &change, err) ||
        !make_texts(rows, in, false, reading->which, err))
        return false;
    bool is_long = false;
    bool fits = column_reader_row_fits(in);
    if (fits && !is_too_long(rows, in, &is_long, err))
        return false;
    fits = fits && !is_long && !rejected;
    if (change != SHADOW_SAME && !claim_key(rows, in, &fits, err))
        return false;
    bool pending = change == SHADOW_NEW && (fits || rows->shadow == NULL);
    if (change == SHADOW_CHANGED && fits && visitor->pending != NULL &&
        !visitor->pending(visitor->context, in, fits, err))
        return false;
    if (!pending)
        return visitor->synced(visitor->context, in, fits, err);
    // A pass that was cut off may have sent the row already.
    if (visitor->pending != NULL && (fits || rows->shadow != NULL))
        return visitor->pending(visitor->context, in, fits, err);
    rows->pending++;
    return true;
}

/* The key of a row whose changes are not synced yet; the row itself may be gone. */
static bool read_key(const struct reading *reading, struct column_reader *in, struct error *err)
{
    const struct source_rows_visitor *visitor = reading->visitor;

    return make_texts(reading->rows, in, true, ROW_TEXT_KEY, err) &&
           visitor->pending(visitor->context, in, column_reader_row_fits(in), err);
}

/* Steps through a statement, with `read` for each of its rows. */
static bool read_each(
    const struct reading *reading, sqlite3_stmt *statement,
    bool (*read)(const struct reading *reading, struct column_reader *in, struct error *err),
    struct error *err)
{
    struct source_rows *rows = reading->rows;
    struct column_reader in;
    bool more = true;
    bool ok = false;

    if (!column_reader_init(&in, rows->table, statement, err))
        return false;
    for (;;) {
        if (!filter_step(rows->source, rows->table, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        if (clock_stopped()) {
            error_set(err, ERROR_STOPPED, "stopped while reading %s", rows->table->name);
            goto cleanup;
        }
        if (!read(reading, &in, err))
            goto cleanup;
    }
    ok = true;

cleanup:
    column_reader_clear(&in);
    return ok;
}

/* The key of a row that was deleted since the last sync: BigQuery still has the row. */
static bool read_deleted(void *context, sqlite3_stmt *row, struct error *err)
{
    const struct reading *reading = context;
    struct column_reader in;

    if (!column_reader_init(&in, reading->rows->table, row, err))
        return false;
    bool ok = read_key(reading, &in, err);
    column_reader_clear(&in);
    return ok;
}

bool source_rows_read(
    struct source_rows *rows, enum row_text_columns which,
    const struct source_rows_visitor *visitor, struct error *err)
{
    struct reading reading = {rows, which, visitor};
    enum shadow_form form = shadow_form_of(&rows->shape);
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool ok = false;

    rows->pending = 0;
    rows->changed = false;
    rows->keyless = false;
    fingerprint_begin(&rows->fingerprint, rows->watermark.fingerprint);
    if (rows->scanned && !shadow_begin(
                             (struct database_place){.path = rows->config->state_path}, rows->table,
                             form, SHADOW_COMPARE, &rows->shadow, err))
        return false;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    shadow_scan_sql(rows->table, form, &sql);
    if (!buffer_check(&sql, "statement", err) || !open_rejected(rows, err) ||
        !database_prepare(rows->source, buffer_text(&sql), &statement, err) ||
        !read_each(&reading, statement, read_row, err) || !look_for_changes(rows, err))
        goto cleanup;
    if (rows->scanned && visitor->pending != NULL &&
        !shadow_deleted(rows->shadow, read_deleted, &reading, err))
        goto cleanup;
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    sqlite3_finalize(rows->rejected);
    buffer_clear(&sql);
    rows->rejected = NULL;
    shadow_free(rows->shadow);
    rows->shadow = NULL;
    return ok;
}

/* The keys that are listed with a sequence above the given one. */
static bool read_dirty_keys(const struct reading *reading, int64_t sequence, struct error *err)
{
    const struct source_rows *rows = reading->rows;
    sqlite3_stmt *statement = NULL;

    if (!database_prepare(rows->source, rows->table->changes_sql, &statement, err))
        return false;
    sqlite3_bind_int64(statement, 1, sequence);
    if (rows->shape.integer_key)
        sqlite3_bind_int64(statement, 2, rows->watermark.last_synced_row_id);
    bool ok = read_each(reading, statement, read_key, err);
    sqlite3_finalize(statement);
    return ok;
}

bool source_rows_read_dirty(
    struct source_rows *rows, const struct source_rows_visitor *visitor, struct error *err)
{
    const struct source_rows_visitor taking_back = {
        .context = visitor->context, .pending = visitor->rejected};
    const struct reading pending = {rows, ROW_TEXT_KEY, visitor};
    const struct reading rejected = {rows, ROW_TEXT_KEY, &taking_back};

    if (!rows->captured || !rows->watermark.found)
        return true;
    return read_dirty_keys(&pending, rows->watermark.synced_sequence, err) &&
           read_dirty_keys(&rejected, CAPTURE_SEQUENCE_REJECTED - 1, err);
}

bool source_rows_count_pending(
    struct source_rows *rows, int64_t *out_count, bool *out_known, struct error *err)
{
    const struct source_table in = {rows->source, rows->table, &rows->shape};
    struct pending pending;

    *out_known = rows->captured && rows->watermark.found;
    if (!*out_known)
        return true;
    if (!capture_pending(&in, &rows->watermark, &pending, err))
        return false;
    *out_count = pending.new_rows + pending.dirty_keys + pending.rejected_keys;
    return true;
}
