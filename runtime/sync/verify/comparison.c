#include "sync/verify/comparison.h"

#include "base/json_text.h"
#include "sync/pass/target_diff.h"
#include "sync/verify/billed_select.h"
#include "sync/verify/checksum_sql.h"
#include "sync/verify/drill_down.h"
#include "sync/verify/row_hash.h"
#include "sync/verify/source_rows.h"
#include "warehouse/googlesql.h"

#include <stdlib.h>
#include <string.h>

struct bucket {
    int64_t rows;
    int64_t sums[CHECKSUM_PARTS];
};

struct comparison {
    const struct comparison_sides *sides;
    struct verify_table *out;
    struct source_rows rows;
    struct row_hash hash;
    struct drill_down *drill_down;
    /* BigQuery has no such table: all rows are missing there. */
    bool absent;
    struct bucket here[ROW_HASH_BUCKETS];
    struct bucket there[ROW_HASH_BUCKETS];
};

/* --- buckets ----------------------------------------------------------------------------- */

static uint64_t hex_part(const char *hex, size_t digits)
{
    char part[17];

    memcpy(part, hex, digits);
    part[digits] = '\0';
    return strtoull(part, NULL, 16);
}

static bool find_bucket(struct comparison *c, size_t *out_bucket, struct error *err)
{
    return row_hash_bucket(&c->hash, buffer_slice(&c->rows.key_text), out_bucket, err);
}

static bool bucket_differs(const struct comparison *c, size_t bucket)
{
    return memcmp(&c->here[bucket], &c->there[bucket], sizeof c->here[bucket]) != 0;
}

static bool add_to_bucket(void *context, struct column_reader *in, bool fits, struct error *err)
{
    struct comparison *c = context;
    char row[ROW_HASH_SIZE];
    size_t at = 0;

    (void)in;
    if (!fits) {
        c->out->rejected++;
        return true;
    }
    if (!find_bucket(c, &at, err) ||
        !row_hash_text(&c->hash, buffer_slice(&c->rows.row_text), row, err))
        return false;
    c->here[at].rows++;
    for (size_t part = 0; part < CHECKSUM_PARTS; part++)
        c->here[at].sums[part] += (int64_t)hex_part(row + part * CHECKSUM_DIGITS, CHECKSUM_DIGITS);
    return true;
}

static bool visit_bucket(void *context, size_t count, const char *const *cells)
{
    struct comparison *c = context;

    if (count != 2 + CHECKSUM_PARTS || cells[0] == NULL)
        return true;
    if (strcmp(cells[0], CHECKSUM_KEPT) == 0) {
        c->out->kept = strtoll(cells[1], NULL, 10);
        c->out->warehouse_rows += c->out->kept;
        return true;
    }
    struct bucket *bucket = &c->there[strtoull(cells[0], NULL, 16) % ROW_HASH_BUCKETS];
    bucket->rows = strtoll(cells[1], NULL, 10);
    for (size_t part = 0; part < CHECKSUM_PARTS; part++)
        bucket->sums[part] = cells[2 + part] == NULL ? 0 : strtoll(cells[2 + part], NULL, 10);
    c->out->warehouse_rows += bucket->rows;
    return true;
}

static bool read_warehouse_buckets(struct comparison *c, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, GOOGLESQL_STATEMENT_CEILING);
    checksum_sql_buckets(&sql, c->sides->config, c->out->table, ROW_HASH_BUCKET_DIGITS);
    bool ok =
        buffer_check(&sql, "the checksum query", err) &&
        billed_select(
            c->sides,
            &(struct billed_select){.sql = buffer_text(&sql), .visit = visit_bucket, .context = c},
            c->out, err);
    buffer_clear(&sql);
    return ok;
}

/* --- columns ------------------------------------------------------------------------------ */

/* What BigQuery says of a query that names a column that it does not know; it says so of every
 * mistake in a query ("Error messages" of its documentation). */
#define REASON_UNKNOWN_NAME "invalidQuery"

static void count_missing_column(struct verify_table *out, const char *name)
{
    if (out->missing_columns_count++ < VERIFY_KEYS_MAX)
        cJSON_AddItemToArray(out->missing_columns, cJSON_CreateString(name));
}

/* After a checksum query that failed: whether it did because BigQuery lacks columns, which are
 * noted then. If not, err stays what it is: why the query failed. */
static bool explain_by_columns(struct comparison *c, struct error *err)
{
    struct verify_table *out = c->out;
    cJSON *live = NULL;
    const cJSON *field;
    struct error ignored;

    if (strcmp(err->reason, REASON_UNKNOWN_NAME) != 0 ||
        !bigquery_table_get(c->sides->bigquery, out->table->target, &live, &ignored) ||
        live == NULL)
        return false;
    cJSON *wanted = cJSON_Parse(out->table->schema_json);
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(live, "schema");
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(schema, "fields");
    cJSON_ArrayForEach(field, wanted)
    {
        const char *name = json_text_of(field, "name", "");
        if (target_diff_field(fields, name) == NULL)
            count_missing_column(out, name);
    }
    out->warehouse_rows = strtoll(json_text_of(live, "numRows", "0"), NULL, 10);
    cJSON_Delete(wanted);
    cJSON_Delete(live);
    return out->missing_columns_count > 0;
}

/* --- row by row -------------------------------------------------------------------------- */

static bool keep_row(void *context, struct column_reader *in, bool fits, struct error *err)
{
    struct comparison *c = context;
    size_t at = 0;

    if (!find_bucket(c, &at, err))
        return false;

    // A rejected row of a table without a key is named by nothing.
    if (!fits && c->out->table->key_count == 0)
        return true;

    // Rejected rows of all buckets are kept: their keys are not counted as pending.
    if (!bucket_differs(c, at) && fits)
        return true;
    return drill_down_add_source(c->drill_down, in, buffer_slice(&c->rows.key_text), fits, err);
}

static bool keep_pending(void *context, struct column_reader *in, bool fits, struct error *err)
{
    struct comparison *c = context;

    (void)in;
    if (!fits)
        return true;
    return drill_down_add_pending(c->drill_down, buffer_slice(&c->rows.key_text), 1, err);
}

/* A rejected row is listed for every pass, which does not make its key pending. */
static bool keep_rejected(void *context, struct column_reader *in, bool fits, struct error *err)
{
    struct comparison *c = context;

    (void)in;
    if (!fits)
        return true;
    return drill_down_add_pending(c->drill_down, buffer_slice(&c->rows.key_text), -1, err);
}

struct warehouse_visit {
    struct drill_down *drill_down;
    struct error *err;
};

static bool keep_warehouse_row(void *context, size_t count, const char *const *cells)
{
    struct warehouse_visit *visit = context;

    return drill_down_add_warehouse(visit->drill_down, count, cells, visit->err);
}

/* The statement for the rows of all buckets that differ; false if none does. */
static bool append_rows_sql(const struct comparison *c, struct buffer *sql)
{
    bool any = false;

    checksum_sql_rows(sql, c->sides->config, c->out->table, ROW_HASH_BUCKET_DIGITS);
    buffer_append_text(sql, " in (");
    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++) {
        if (!bucket_differs(c, i))
            continue;
        buffer_printf(sql, "%s'%03zx'", any ? ", " : "", i);
        any = true;
    }
    buffer_append_byte(sql, ')');
    return any;
}

static bool read_warehouse_rows(struct comparison *c, struct error *err)
{
    struct warehouse_visit visit = {c->drill_down, err};
    struct buffer sql;
    bool ok = true;

    buffer_init(&sql, GOOGLESQL_STATEMENT_CEILING);
    if (append_rows_sql(c, &sql)) {
        ok = buffer_check(&sql, "the drill-down query", err) &&
             billed_select(
                 c->sides,
                 &(struct billed_select){
                     .sql = buffer_text(&sql), .visit = keep_warehouse_row, .context = &visit},
                 c->out, err);
    }
    buffer_clear(&sql);
    return ok;
}

/* A bucket that differs for no reason that the drill-down has found must not pass for equal: the
 * two queries saw different rows, or the comparison itself is wrong. */
static bool check_explained(struct comparison *c, struct error *err)
{
    bool explained[ROW_HASH_BUCKETS] = {false};

    if (!drill_down_explain(c->drill_down, explained, err))
        return false;
    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++)
        if (bucket_differs(c, i) && !explained[i])
            c->out->unexplained_count++;
    return true;
}

/* The table's progress as of the snapshot that is open now. */
static bool look_again(struct comparison *c, struct error *err)
{
    const struct comparison_sides *sides = c->sides;

    source_rows_clear(&c->rows);
    return source_rows_init(
        &c->rows, sides->config, sides->source, sides->tracking, c->out->table, err);
}

/* The source is read a second time instead of keeping rows from the first: which buckets differ is
 * known only at the end, and a table of any size must not fill memory or disk. It is read in a
 * second snapshot, because the first one ended before BigQuery was asked: rows that have changed in
 * between are pending by the progress that is read with it. A pending key is ignored on both sides:
 * BigQuery rightly holds its older version. */
static bool compare_rows(struct comparison *c, struct error *err)
{
    const struct source_rows_visitor visitor = {c, keep_row, keep_pending, keep_rejected};
    bool was_changed = c->rows.changed;

    bool ok = database_begin_snapshot(c->sides->source, err) && look_again(c, err) &&
              source_rows_read(&c->rows, ROW_TEXT_COMPARED, &visitor, err) &&
              source_rows_read_dirty(&c->rows, &visitor, err);
    database_rollback(c->sides->source);
    if (!ok)
        return false;
    c->out->pending = c->rows.pending;
    if (!c->absent && !read_warehouse_rows(c, err))
        return false;
    if (!drill_down_compare(c->drill_down, c->rows.owners_known, c->out, err))
        return false;
    if (c->rows.changed)
        verify_report_defer(c->out);
    return c->rows.changed || was_changed || check_explained(c, err);
}

/* --- one table --------------------------------------------------------------------------- */

/* The dirty set lists rejected rows too, so that every pass tries them again. They are counted as
 * rejected only. */
static bool count_pending(struct comparison *c, struct error *err)
{
    int64_t count = 0;
    bool known = false;

    c->out->pending = c->rows.pending;
    if (!source_rows_count_pending(&c->rows, &count, &known, err))
        return false;
    if (known)
        c->out->pending = count > c->out->rejected ? count - c->out->rejected : 0;
    return true;
}

/* The snapshot ends before BigQuery is asked: while it is open the application cannot commit with a
 * rollback journal, and cannot checkpoint in WAL mode. */
static bool compare(struct comparison *c, struct error *err)
{
    const struct source_rows_visitor visitor = {.context = c, .synced = add_to_bucket};
    bool differs = false;

    if (!source_rows_read(&c->rows, ROW_TEXT_ALL, &visitor, err) || !count_pending(c, err))
        return false;
    database_rollback(c->sides->source);
    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++)
        c->out->source_rows += c->here[i].rows;
    c->absent = !read_warehouse_buckets(c, err);
    if (c->absent && err->code != ERROR_NOT_FOUND)
        return explain_by_columns(c, err);
    for (size_t i = 0; i < ROW_HASH_BUCKETS; i++)
        differs = differs || bucket_differs(c, i);
    return !differs || compare_rows(c, err);
}

bool comparison_run(
    const struct comparison_sides *sides, struct verify_table *out, struct error *err)
{
    struct comparison *c = calloc(1, sizeof *c);
    bool ok = false;

    if (c == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    c->sides = sides;
    c->out = out;
    if (!source_rows_init(
            &c->rows, sides->config, sides->source, sides->tracking, out->table, err) ||
        !row_hash_init(&c->hash, err) ||
        !drill_down_new(out->table, &c->hash, &c->drill_down, err) || !compare(c, err))
        goto cleanup;
    out->equal = verify_report_differences(out) == 0;
    ok = true;

cleanup:
    drill_down_free(c->drill_down);
    row_hash_clear(&c->hash);
    source_rows_clear(&c->rows);
    free(c);
    return ok;
}
