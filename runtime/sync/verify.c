#include "sync/verify.h"

#include "base/log.h"
#include "encode/column.h"
#include "source/capture.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/differ.h"
#include "sync/plan.h"
#include "sync/rowtext.h"
#include "sync/sqltext.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_TIMEOUT_MS   20000
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
    const struct engine *engine;
    const struct table *table;
    struct verify_table *out;
    struct database *source;
    struct bigquery *bigquery;
    struct progress progress;
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
    if (c->progress.found && c->shape.integer_key && !c->scanned &&
        sqlite3_column_int64(row, (int)c->table->key[0]) > c->progress.last_synced_row_id)
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
        !shadow_begin(c->engine->config->state_path, c->table, SHADOW_COMPARE, &c->shadow, err))
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
    sqlite3_bind_int64(statement, 1, c->progress.synced_sequence);
    if (c->shape.integer_key)
        sqlite3_bind_int64(statement, 2, c->progress.last_synced_row_id);
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

/* Where a table demands it, a condition on its partition column that leaves nothing out. */
static void append_partition_filter(struct buffer *sql, const struct table *table)
{
    cJSON *resource = cJSON_Parse(table->resource_json);
    const cJSON *demand = cJSON_GetObjectItemCaseSensitive(resource, "requirePartitionFilter");
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(resource, "timePartitioning");

    if (by == NULL)
        by = cJSON_GetObjectItemCaseSensitive(resource, "rangePartitioning");
    const char *field = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(by, "field"));
    if (cJSON_IsTrue(demand) && field != NULL) {
        buffer_append_text(sql, " and (t.");
        sqltext_identifier(sql, field);
        buffer_append_text(sql, " is null or t.");
        sqltext_identifier(sql, field);
        buffer_append_text(sql, " is not null)");
    }
    cJSON_Delete(resource);
}

/* The target as t, and a condition that more can be added to. */
static void append_from(struct buffer *sql, const struct comparison *c)
{
    const struct config *config = c->engine->config;

    buffer_append_text(sql, " from ");
    sqltext_path(sql, config->project, config->dataset, c->table->target);
    buffer_append_text(sql, " as t where true");
    append_partition_filter(sql, c->table);
}

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
    buffer_printf(
        &sql, "select r.bucket, count(*), bit_xor(cast(concat('0x', substr(r.row_hash, 1, 15)) as "
              "int64)), "
              "bit_xor(cast(concat('0x', substr(r.row_hash, 16, 15)) as int64)) "
              "from (select substr(to_hex(sha256(");
    rowtext_expression(&sql, c->table, ROWTEXT_KEY);
    buffer_printf(&sql, ")), 1, %d) as bucket, to_hex(sha256(", BUCKET_DIGITS);
    rowtext_expression(&sql, c->table, ROWTEXT_ALL);
    buffer_append_text(&sql, ")) as row_hash");
    append_from(&sql, c);
    buffer_append_text(&sql, ") as r group by r.bucket");

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

/* The rows of differing buckets: key text, hash of all but JSON, the key's columns for people, then
 * the text of each JSON column. */
static bool read_rows(struct comparison *c, struct error *err)
{
    struct buffer sql;
    struct visit_state state = {c, err};
    int64_t billed = 0;
    bool any = false;

    buffer_init(&sql, STATEMENT_CEILING);
    buffer_append_text(&sql, "select ");
    rowtext_expression(&sql, c->table, ROWTEXT_KEY);
    buffer_append_text(&sql, " as key_text, to_hex(sha256(");
    rowtext_expression(&sql, c->table, ROWTEXT_COMPARED);
    buffer_append_text(&sql, "))");
    for (size_t k = 0; k < c->table->key_count; k++) {
        buffer_append_text(&sql, ", cast(t.");
        sqltext_identifier(&sql, c->table->columns[c->table->key[k]].name);
        buffer_append_text(&sql, " as string)");
    }
    for (size_t i = 0; i < c->table->column_count; i++) {
        if (c->table->columns[i].type != COLUMN_JSON)
            continue;
        // TO_JSON_STRING makes the text null of NULL as well as of a JSON null.
        buffer_append_text(&sql, ", if(t.");
        sqltext_identifier(&sql, c->table->columns[i].name);
        buffer_append_text(&sql, " is null, null, to_json_string(t.");
        sqltext_identifier(&sql, c->table->columns[i].name);
        buffer_append_text(&sql, "))");
    }
    append_from(&sql, c);
    buffer_append_text(&sql, " and substr(to_hex(sha256(");
    rowtext_expression(&sql, c->table, ROWTEXT_KEY);
    buffer_printf(&sql, ")), 1, %d) in (", BUCKET_DIGITS);
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
    if (c->captured && c->progress.found && !read_dirty(c, keep_pending, err))
        return false;
    if (!c->absent && !read_rows(c, err))
        return false;
    return differ_settle(c->differ, c->out, err);
}

static bool count_pending(struct comparison *c, struct error *err)
{
    struct pending pending;

    if (!c->captured || !c->progress.found)
        return true;
    if (!capture_pending(c->source, c->table, &c->shape, &c->progress, &pending, err))
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
    enum task_capture capture;
    bool broken = false;

    if (!capture_inspect(c->source, table, &c->shape, err))
        return false;
    if (!c->shape.exists || c->shape.missing_count > 0)
        return error_set(
            err, ERROR_SCHEMA, "%s in SQLite does not fit its definition; bqsync check says why",
            table->name);
    if (!tracking_load(tracking, table->name, &c->progress, err))
        return false;
    if (!plan_capture(c->engine->config, c->source, table, &c->shape, &capture, &broken, err))
        return false;
    c->captured = capture == TASK_TRIGGERS && !broken;
    bool known = false;
    if (!shadow_known(&tracking->database, table, &known, err))
        return false;
    c->scanned = capture == TASK_SCAN && c->progress.found && known;
    return true;
}

static bool verify_one(
    const struct engine *engine, struct database *source, struct bigquery *bigquery,
    struct tracking *tracking, struct verify_table *out, struct error *err)
{
    struct comparison *c = calloc(1, sizeof *c);
    bool ok = false;

    if (c == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    c->engine = engine;
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

bool verify_run(
    const struct engine *engine, const struct table *const *tables, size_t count,
    struct verify_table **out_tables, struct error *err)
{
    const struct config *config = engine->config;
    struct database source = {0};
    struct tracking tracking = {0};
    struct bigquery *bigquery = NULL;
    char *location = NULL;
    struct verify_table *out = NULL;
    bool ok = false;

    if (!database_open(config->sqlite_path, DATABASE_READ, BUSY_TIMEOUT_MS, &source, err))
        return false;
    if (!tracking_open_read(config->state_path, &tracking, err)) {
        database_close(&source);
        return false;
    }
    if (!engine_bigquery(engine, NULL, NULL, &bigquery, err) ||
        !bigquery_dataset_get(bigquery, &location, err))
        goto cleanup;
    bigquery_set_location(bigquery, location);
    if (!begin_tables(tables, count, &out, err))
        goto cleanup;

    for (size_t i = 0; i < count; i++) {
        // Progress and rows of one moment: a sync that ends meanwhile must not make its rows look
        // extra.
        struct error *why = &out[i].error;
        bool done = database_begin_snapshot(&source, why) &&
                    verify_one(engine, &source, bigquery, &tracking, &out[i], why);
        database_rollback(&source);
        if (!done)
            log_error(
                "table not verified", LOG_TEXT("table", tables[i]->name),
                LOG_TEXT("error", why->message));
    }
    *out_tables = out;
    ok = true;

cleanup:
    free(location);
    bigquery_close(bigquery);
    tracking_close(&tracking);
    database_close(&source);
    return ok;
}
