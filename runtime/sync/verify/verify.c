#include "sync/verify/verify.h"

#include "base/clock.h"
#include "base/log.h"
#include "encode/column.h"
#include "source/capture.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/pass/plan.h"
#include "sync/verify/checksum_sql.h"
#include "sync/verify/drill_down.h"
#include "sync/verify/row_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_CEILING (1 << 20)
#define ROW_CEILING       (64u << 20)

/* Buckets are the first three hex digits of the key's SHA-256. */
#define BUCKET_DIGITS 3
#define BUCKETS       4096

struct bucket {
    int64_t rows;
    uint64_t low;
    uint64_t high;
};

/* One table's comparison. */
struct comparison {
    const struct deployment *deployment;
    const struct table *table;
    struct verify_table *out;
    struct database *source;
    struct bigquery *bigquery;
    struct watermark watermark;
    struct source_shape shape;
    bool captured;         /* there is a dirty set to tell pending rows by */
    bool scanned;          /* there is a shadow to tell them by */
    struct shadow *shadow; /* during one read of the source */
    bool absent;           /* BigQuery has no such table: every row is missing there */
    struct buffer key_text;
    struct buffer row_text;
    struct differ *differ;
    struct bucket here[BUCKETS];
    struct bucket there[BUCKETS];
};

/* --- hashing our side -------------------------------------------------------------------- */

static uint64_t hex_part(const char *hex, size_t digits)
{
    char part[17];

    memcpy(part, hex, digits);
    part[digits] = '\0';
    return strtoull(part, NULL, 16);
}

/* What is done with a row of ours: added to its bucket, or kept for the row-by-row comparison. */
typedef bool row_use(struct comparison *c, struct column_reader *in, bool fits, struct error *err);

static bool add_to_bucket(
    struct comparison *c, struct column_reader *in, bool fits, struct error *err)
{
    char key[DIFFER_HEX_SIZE];
    char row[DIFFER_HEX_SIZE];

    (void)in;
    if (!fits) {
        c->out->rejected++;
        return true;
    }
    if (!differ_hash(c->differ, buffer_slice(&c->key_text), key, err) ||
        !differ_hash(c->differ, buffer_slice(&c->row_text), row, err))
        return false;
    struct bucket *bucket = &c->here[hex_part(key, BUCKET_DIGITS)];
    bucket->rows++;
    bucket->low ^= hex_part(row, 15);
    bucket->high ^= hex_part(row + 15, 15);
    return true;
}

static bool in_differing_bucket(struct comparison *c, bool *out_differs, struct error *err)
{
    char key[DIFFER_HEX_SIZE];

    if (!differ_hash(c->differ, buffer_slice(&c->key_text), key, err))
        return false;
    size_t i = hex_part(key, BUCKET_DIGITS);
    *out_differs = memcmp(&c->here[i], &c->there[i], sizeof c->here[i]) != 0;
    return true;
}

static bool keep_row(struct comparison *c, struct column_reader *in, bool fits, struct error *err)
{
    bool differs = false;

    if (!in_differing_bucket(c, &differs, err))
        return false;

    // Rejected rows are all kept: their keys are listed as changed, but are no pending changes.
    if (!differs && fits)
        return true;
    return differ_add_ours(c->differ, c->table, in, buffer_slice(&c->key_text), fits, err);
}

/* How a row of ours stands to the last synced position. */
static bool look_at_row(
    struct comparison *c, sqlite3_stmt *row, enum shadow_change *out_change, struct error *err)
{
    *out_change = SHADOW_SAME;
    if (c->shadow != NULL)
        return shadow_row(c->shadow, row, out_change, err);
    if (c->watermark.found && c->shape.integer_key && !c->scanned &&
        sqlite3_column_int64(row, (int)c->table->key[0]) > c->watermark.last_synced_row_id)
        *out_change = SHADOW_NEW;
    return true;
}

static bool make_texts(
    struct comparison *c, struct column_reader *in, bool tombstone, enum rowtext_columns which,
    struct error *err)
{
    buffer_reset(&c->key_text);
    buffer_reset(&c->row_text);
    column_reader_next(in, tombstone);
    rowtext_append(&c->key_text, in, c->table, ROWTEXT_KEY);
    if (!tombstone)
        rowtext_append(&c->row_text, in, c->table, which);
    return buffer_check(&c->row_text, "a row", err);
}

/* use_pending NULL: pending rows are only counted. */
struct reading {
    struct comparison *c;
    enum rowtext_columns which;
    row_use *use;
    row_use *use_pending;
};

/* A row that is not synced yet is left out, unless it is one that cannot be: that is a reject. */
static bool read_row(const struct reading *reading, struct column_reader *in, struct error *err)
{
    struct comparison *c = reading->c;
    enum shadow_change change;

    if (!look_at_row(c, in->row, &change, err) || !make_texts(c, in, false, reading->which, err))
        return false;
    bool fits = column_reader_row_fits(in);
    bool pending = change == SHADOW_NEW && (fits || c->shadow == NULL);
    if (change == SHADOW_CHANGED && fits && reading->use_pending != NULL &&
        !reading->use_pending(c, in, fits, err))
        return false;
    if (!pending)
        return reading->use(c, in, fits, err);
    if (c->shadow != NULL && reading->use_pending != NULL)
        return reading->use_pending(c, in, fits, err);
    c->out->pending++;
    return true;
}

static bool read_each(
    struct comparison *c, const struct reading *reading, sqlite3_stmt *statement, struct error *err)
{
    struct column_reader in;
    bool more = true;
    bool ok = false;

    if (!column_reader_init(&in, c->table, statement, err))
        return false;
    for (;;) {
        if (!database_step(c->source, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        if (clock_stopped()) {
            error_set(err, ERROR_STOPPED, "stopped while reading %s", c->table->name);
            goto cleanup;
        }
        if (!read_row(reading, &in, err))
            goto cleanup;
    }
    ok = true;

cleanup:
    column_reader_clear(&in);
    return ok;
}

/* A key that is gone since the last sync: BigQuery still has its row. */
static bool read_gone(void *context, sqlite3_stmt *row, struct error *err)
{
    const struct reading *reading = context;
    struct column_reader in;

    if (!column_reader_init(&in, reading->c->table, row, err))
        return false;
    bool ok = make_texts(reading->c, &in, true, ROWTEXT_KEY, err) &&
              reading->use_pending(reading->c, &in, column_reader_row_fits(&in), err);
    column_reader_clear(&in);
    return ok;
}

/* Reads the table through once. */
static bool read_source(
    struct comparison *c, enum rowtext_columns which, row_use *use, row_use *use_pending,
    struct error *err)
{
    struct reading reading = {c, which, use, use_pending};
    sqlite3_stmt *statement = NULL;
    bool ok = false;

    if (c->scanned &&
        !shadow_begin(c->deployment->config->state_path, c->table, SHADOW_COMPARE, &c->shadow, err))
        return false;
    if (!database_prepare(c->source, c->table->scan_sql, &statement, err) ||
        !read_each(c, &reading, statement, err))
        goto cleanup;
    if (c->scanned && use_pending != NULL && !shadow_deleted(c->shadow, read_gone, &reading, err))
        goto cleanup;
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    shadow_free(c->shadow);
    c->shadow = NULL;
    return ok;
}

/* The keys that the dirty set lists. */
static bool read_dirty(struct comparison *c, row_use *use, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct column_reader in;
    bool more = true;
    bool ok = false;

    if (!database_prepare(c->source, c->table->changes_sql, &statement, err))
        return false;
    sqlite3_bind_int64(statement, 1, c->watermark.synced_sequence);
    if (c->shape.integer_key)
        sqlite3_bind_int64(statement, 2, c->watermark.last_synced_row_id);
    if (!column_reader_init(&in, c->table, statement, err)) {
        sqlite3_finalize(statement);
        return false;
    }
    for (;;) {
        if (!database_step(c->source, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        if (!make_texts(c, &in, true, ROWTEXT_KEY, err) ||
            !use(c, &in, column_reader_row_fits(&in), err))
            goto cleanup;
    }
    ok = true;

cleanup:
    column_reader_clear(&in);
    sqlite3_finalize(statement);
    return ok;
}

/* --- BigQuery's side --------------------------------------------------------------------- */

static bool visit_bucket(void *context, size_t count, const char *const *cells)
{
    struct comparison *c = context;

    if (count != 4 || cells[0] == NULL)
        return true;
    struct bucket *bucket = &c->there[strtoull(cells[0], NULL, 16) % BUCKETS];
    bucket->rows = strtoll(cells[1], NULL, 10);
    bucket->low = cells[2] == NULL ? 0 : strtoull(cells[2], NULL, 10);
    bucket->high = cells[3] == NULL ? 0 : strtoull(cells[3], NULL, 10);
    c->out->warehouse_rows += bucket->rows;
    return true;
}

static bool read_buckets(struct comparison *c, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, STATEMENT_CEILING);
    verify_sql_buckets(&sql, c->deployment->config, c->table, BUCKET_DIGITS);
    bool ok = buffer_check(&sql, "the checksum query", err) &&
              bigquery_select(
                  c->bigquery, buffer_text(&sql), visit_bucket, c, &c->out->bytes_billed, err);
    buffer_clear(&sql);
    return ok;
}

struct visit_state {
    struct comparison *c;
    struct error *err;
};

static bool visit_row(void *context, size_t count, const char *const *cells)
{
    struct visit_state *state = context;

    return differ_add_theirs(state->c->differ, state->c->table, count, cells, state->err);
}

/* The rows of differing buckets. */
static bool read_rows(struct comparison *c, struct error *err)
{
    struct buffer sql;
    struct visit_state state = {c, err};
    int64_t billed = 0;
    bool any = false;

    buffer_init(&sql, STATEMENT_CEILING);
    verify_sql_rows(&sql, c->deployment->config, c->table, BUCKET_DIGITS);
    buffer_append_text(&sql, " in (");
    for (size_t i = 0; i < BUCKETS; i++) {
        if (memcmp(&c->here[i], &c->there[i], sizeof c->here[i]) == 0)
            continue;
        buffer_printf(&sql, "%s'%03zx'", any ? ", " : "", i);
        any = true;
    }
    buffer_append_byte(&sql, ')');

    bool ok = true;
    if (any) {
        ok = buffer_check(&sql, "the drill-down query", err) &&
             bigquery_select(c->bigquery, buffer_text(&sql), visit_row, &state, &billed, err);
        c->out->bytes_billed += billed;
    }
    buffer_clear(&sql);
    return ok;
}

/* --- one table --------------------------------------------------------------------------- */

static bool keep_pending(
    struct comparison *c, struct column_reader *in, bool fits, struct error *err)
{
    (void)in;
    if (!fits)
        return true;
    return differ_add_pending(c->differ, buffer_slice(&c->key_text), err);
}

static bool drill_down(struct comparison *c, struct error *err)
{
    c->out->pending = 0;
    if (!read_source(c, ROWTEXT_COMPARED, keep_row, keep_pending, err))
        return false;
    if (c->captured && c->watermark.found && !read_dirty(c, keep_pending, err))
        return false;
    if (!c->absent && !read_rows(c, err))
        return false;
    return differ_settle(c->differ, c->out, err);
}

static bool count_pending(struct comparison *c, struct error *err)
{
    struct pending pending;

    if (!c->captured || !c->watermark.found)
        return true;
    if (!capture_pending(c->source, c->table, &c->shape, &c->watermark, &pending, err))
        return false;
    // Rejected rows are listed as changed so that they are tried again.
    c->out->pending = pending.new_rows + pending.dirty_keys - c->out->rejected;
    if (c->out->pending < 0)
        c->out->pending = 0;
    return true;
}

static bool compare(struct comparison *c, struct error *err)
{
    if (!read_source(c, ROWTEXT_ALL, add_to_bucket, NULL, err))
        return false;
    c->absent = !read_buckets(c, err);
    if (c->absent && err->code != ERROR_NOT_FOUND)
        return false;

    bool differs = false;
    for (size_t i = 0; i < BUCKETS; i++) {
        c->out->source_rows += c->here[i].rows;
        differs = differs || memcmp(&c->here[i], &c->there[i], sizeof c->here[i]) != 0;
    }
    if (differs)
        return drill_down(c, err);
    return count_pending(c, err);
}

static bool prepare(
    struct comparison *c, struct tracking *tracking, const struct table *table, struct error *err)
{
    struct plan_capture capture;

    if (!capture_inspect(c->source, table, &c->shape, err))
        return false;
    if (!c->shape.exists || c->shape.missing_count > 0)
        return error_set(
            err, ERROR_SCHEMA, "%s in SQLite does not fit its definition; bqsync check says why",
            table->name);
    if (!tracking_load(tracking, table->name, &c->watermark, err))
        return false;
    if (!plan_capture(c->deployment->config, c->source, table, &c->shape, &capture, err))
        return false;
    c->captured = capture.by == CAPTURE_TRIGGERS && !capture.broken;
    bool known = false;
    if (!shadow_known(&tracking->database, table, &known, err))
        return false;
    c->scanned = capture.by == CAPTURE_SCAN && c->watermark.found && known;
    return true;
}

static bool verify_one(
    const struct deployment *deployment, struct database *source, struct bigquery *bigquery,
    struct tracking *tracking, struct verify_table *out, struct error *err)
{
    struct comparison *c = calloc(1, sizeof *c);
    bool ok = false;

    if (c == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    c->deployment = deployment;
    c->table = out->table;
    c->out = out;
    c->source = source;
    c->bigquery = bigquery;
    buffer_init(&c->key_text, ROW_CEILING);
    buffer_init(&c->row_text, ROW_CEILING);
    if (!prepare(c, tracking, out->table, err) || !differ_new(&c->differ, err))
        goto cleanup;
    if (!compare(c, err))
        goto cleanup;
    out->equal =
        out->missing_count + out->extra_count + out->different_count + out->duplicated_count == 0;
    ok = true;

cleanup:
    differ_free(c->differ);
    buffer_clear(&c->key_text);
    buffer_clear(&c->row_text);
    free(c);
    return ok;
}

/* --- all of them ------------------------------------------------------------------------- */

static bool begin_tables(
    const struct table *const *tables, size_t count, struct verify_table **out_tables,
    struct error *err)
{
    struct verify_table *out = calloc(count + 1, sizeof *out);

    if (out == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        out[i].table = tables[i];
        out[i].missing = cJSON_CreateArray();
        out[i].extra = cJSON_CreateArray();
        out[i].different = cJSON_CreateArray();
        out[i].duplicated = cJSON_CreateArray();
    }
    *out_tables = out;
    return true;
}

struct sides {
    struct database source;
    struct tracking tracking;
    struct bigquery *bigquery;
};

/* A table that cannot be compared keeps none of the others from it; only a stop ends them all. */
static bool verify_each(
    const struct deployment *deployment, struct sides *sides, const struct verify_watch *watch,
    struct verify_table *out, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (watch != NULL)
            watch->table_begins(watch->context, i);
        // Progress and rows of one moment: a sync that ends meanwhile must not make its rows look
        // extra.
        struct error *why = &out[i].error;
        bool done =
            database_begin_snapshot(&sides->source, why) &&
            verify_one(deployment, &sides->source, sides->bigquery, &sides->tracking, &out[i], why);
        database_rollback(&sides->source);
        if (clock_stopped())
            return error_set(err, ERROR_STOPPED, "stopped while verifying %s", out[i].table->name);
        if (!done)
            log_error(
                "table not verified", LOG_TEXT("table", out[i].table->name),
                LOG_TEXT("error", why->message));
    }
    return true;
}

bool verify_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_tables, struct error *err)
{
    const struct config *config = deployment->config;
    struct sides sides = {0};
    char *location = NULL;
    struct verify_table *out = NULL;
    bool ok = false;

    if (!database_open(
            config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &sides.source, err))
        return false;
    if (!tracking_open_read(config->state_path, &sides.tracking, err)) {
        database_close(&sides.source);
        return false;
    }
    if (!deployment_bigquery(deployment, NULL, NULL, &sides.bigquery, err) ||
        !bigquery_dataset_get(sides.bigquery, &location, err))
        goto cleanup;
    bigquery_set_location(sides.bigquery, location);
    if (!begin_tables(tables, count, &out, err) ||
        !verify_each(deployment, &sides, watch, out, count, err))
        goto cleanup;
    *out_tables = out;
    out = NULL;
    ok = true;

cleanup:
    verify_free(out, count);
    free(location);
    bigquery_close(sides.bigquery);
    tracking_close(&sides.tracking);
    database_close(&sides.source);
    return ok;
}
