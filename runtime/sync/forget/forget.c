#include "sync/forget/forget.h"

#include "base/text_fit.h"
#include "source/capture.h"
#include "source/lock.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/pass/history_log.h"
#include "sync/pass/pass.h"
#include "sync/row_text.h"
#include "sync/verify/billed_select.h"
#include "warehouse/googlesql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the source --------------------------------------------------------------------------- */

/* Names the keys that are still in the source. */
static bool refuse(const struct forget *forget, size_t found, struct error *err)
{
    char names[300] = "";

    for (size_t i = 0; i < forget->count; i++) {
        size_t used = strlen(names);
        if (forget->keys[i].in_source)
            text_format(
                names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                text_or_quotes(forget->keys[i].given));
    }
    return error_set(
        err, ERROR_REJECTED,
        "%s still has %s in SQLite: %s. Delete %s there first; nothing was erased",
        forget->table->name, found == 1 ? "a row of this key" : "rows of these keys", names,
        found == 1 ? "it" : "them");
}

/* The same as a pass says, which a table that is not there would not come to. */
static bool check_shape(
    const struct deployment *deployment, struct database *source, const struct table *table,
    struct error *err)
{
    struct source_shape shape;

    return capture_inspect(source, table, &shape, err) &&
           capture_check_columns(table, &shape, deployment->config->sqlite_path, err);
}

/* read: the keys have to be read before. */
static bool check_source(
    const struct deployment *deployment, struct forget *forget, bool read, struct error *err)
{
    struct database source;
    size_t found = 0;

    if (!database_open(
            deployment->config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &source, err))
        return false;
    bool ok =
        check_shape(deployment, &source, forget->table, err) &&
        (!read || forget_keys_read(&source, forget->table, forget->keys, forget->count, err)) &&
        forget_keys_find(&source, forget->table, forget->keys, forget->count, &found, err);
    database_close(&source);
    return ok && (found == 0 || refuse(forget, found, err));
}

/* Deletions that no pass has sent would be logged afterwards, with their keys. */
static bool sync_first(
    const struct deployment *deployment, const struct forget *forget, struct error *err)
{
    struct run_result run = {0};

    pass_run(
        deployment,
        &(struct pass_options){
            .kind = RUN_TABLES,
            .tables = &forget->table,
            .table_count = 1,
            .command = "forget",
        },
        &run);
    if (run.error.code != ERROR_NONE)
        *err = run.error;
    else
        *err = run.tables[0].error;
    bool ok = err->code == ERROR_NONE || error_wrap(err, "the pass before anything is erased");
    run_result_clear(&run);
    return ok;
}

/* What passes have acknowledged need not be listed any longer. Most passes clean up themselves; one
 * that only found rows that the table keeps does not. */
static bool clean_state(
    const struct deployment *deployment, struct tracking *tracking, const struct table *table,
    struct error *err)
{
    const struct config *config = deployment->config;
    struct source_shape shape;
    struct watermark watermark;
    struct database source;
    bool known = false;

    if (!database_open(
            config->sqlite_path, config->state_is_source ? DATABASE_WRITE : DATABASE_READ,
            DATABASE_PATIENCE_MS, &source, err))
        return false;
    bool ok =
        capture_inspect(&source, table, &shape, err) &&
        tracking_load(tracking, table->name, &watermark, err) &&
        shadow_known(&tracking->database, table, shadow_form_of(&shape), &known, err) &&
        (!known ||
         shadow_complete(deployment_state(deployment), table, shadow_form_of(&shape), err)) &&
        (!config->state_is_source || capture_clean(&source, table, watermark.synced_sequence, err));
    database_close(&source);
    return ok;
}

/* --- BigQuery ----------------------------------------------------------------------------- */

static void append_hash(struct buffer *sql, const struct table *table)
{
    buffer_append_text(sql, "to_hex(sha256(");
    row_text_expression(sql, table, ROW_TEXT_KEY);
    buffer_append_text(sql, "))");
}

static void append_hashes(struct buffer *sql, const struct forget *forget)
{
    buffer_append_text(sql, " in (");
    for (size_t i = 0; i < forget->count; i++)
        buffer_printf(sql, "%s'%s'", i > 0 ? ", " : "", forget->keys[i].hash);
    for (size_t i = 0; i < forget->count; i++)
        if (forget->keys[i].plain_hash[0] != '\0')
            buffer_printf(sql, ", '%s'", forget->keys[i].plain_hash);
    buffer_append_byte(sql, ')');
}

static void append_target(
    struct buffer *sql, const struct comparison_sides *sides, const struct table *table)
{
    googlesql_path(sql, sides->config->project, sides->config->dataset, table->target);
    buffer_append_text(sql, " as t where ");
}

static void append_delete(
    struct buffer *sql, const struct comparison_sides *sides, const struct table *table,
    const struct forget *forget)
{
    buffer_append_text(sql, "delete from ");
    append_target(sql, sides, table);
    append_hash(sql, table);
    append_hashes(sql, forget);
    googlesql_partition_filter(sql, table, "t");
}

struct counting {
    struct forget *forget;
    bool of_log;
};

static bool note_count(void *context, size_t count, const char *const *cells)
{
    struct counting *counting = context;
    struct forget *forget = counting->forget;

    for (size_t i = 0; count == 2 && i < forget->count; i++) {
        struct forget_key *key = &forget->keys[i];
        if (strcmp(key->hash, cells[0]) == 0 || strcmp(key->plain_hash, cells[0]) == 0)
            *(counting->of_log ? &key->versions : &key->rows) += strtoll(cells[1], NULL, 10);
    }
    return true;
}

/* Runs a query on the table's bill; its text is taken. */
static bool run_query(
    const struct comparison_sides *sides, struct forget *forget, struct buffer *sql,
    struct billed_select *query, struct error *err)
{
    struct verify_table bill = {.table = forget->table};

    query->sql = buffer_text(sql);
    bool ok = buffer_check(sql, "statement", err) && billed_select(sides, query, &bill, err);
    forget->bytes_billed += bill.bytes_billed;
    buffer_clear(sql);
    return ok;
}

static bool count_in(
    const struct comparison_sides *sides, const struct table *table, struct counting *counting,
    struct error *err)
{
    struct billed_select query = {.visit = note_count, .context = counting};
    struct buffer sql;

    buffer_init(&sql, GOOGLESQL_STATEMENT_CEILING);
    buffer_append_text(&sql, "select r.key_hash, count(*) from (select ");
    append_hash(&sql, table);
    buffer_append_text(&sql, " as key_hash from ");
    append_target(&sql, sides, table);
    buffer_append_text(&sql, "true");
    googlesql_partition_filter(&sql, table, "t");
    buffer_append_text(&sql, ") as r where r.key_hash");
    append_hashes(&sql, counting->forget);
    buffer_append_text(&sql, " group by r.key_hash");
    return run_query(sides, counting->forget, &sql, &query, err);
}

static bool count(
    const struct comparison_sides *sides, struct forget *forget, const struct table *log,
    struct error *err)
{
    struct counting rows = {forget, false};
    struct counting versions = {forget, true};

    return count_in(sides, forget->table, &rows, err) &&
           (log == NULL || count_in(sides, log, &versions, err));
}

/* Table and log at one moment. */
static bool erase(
    const struct comparison_sides *sides, struct forget *forget, const struct table *log,
    struct error *err)
{
    struct billed_select query = {.phase = "forget"};
    struct buffer sql;
    bool any = false;

    for (size_t i = 0; i < forget->count; i++)
        any = any || forget->keys[i].rows + forget->keys[i].versions > 0;
    if (!any)
        return true;
    buffer_init(&sql, GOOGLESQL_STATEMENT_CEILING);
    if (log != NULL)
        buffer_append_text(&sql, "begin transaction;\n");
    append_delete(&sql, sides, forget->table, forget);
    if (log != NULL) {
        buffer_append_text(&sql, ";\n");
        append_delete(&sql, sides, log, forget);
        buffer_append_text(&sql, ";\ncommit transaction;");
    }
    return run_query(sides, forget, &sql, &query, err);
}

struct left_log {
    char name[512];
    struct table log;
};

/* Whether a log of ours is left from when the table had a history. The log borrows its name. */
static bool find_left_log(
    const struct comparison_sides *sides, const struct forget *forget, struct left_log *out_left,
    bool *out_found, struct error *err)
{
    cJSON *live = NULL;

    snprintf(out_left->name, sizeof out_left->name, "%s_changes", forget->table->target);
    out_left->log = *forget->table;
    out_left->log.name = out_left->name;
    out_left->log.target = out_left->name;
    if (!bigquery_table_get(sides->bigquery, out_left->name, &live, err))
        return false;
    *out_found = cJSON_HasObjectItem(cJSON_GetObjectItemCaseSensitive(live, "labels"), LABEL_KEY);
    cJSON_Delete(live);
    return true;
}

static bool work(const struct comparison_sides *sides, struct forget *forget, struct error *err)
{
    struct left_log left;
    struct dataset dataset;
    bool logs = forget->table->history != NULL;

    if (logs)
        left.log = history_log(forget->table);
    else if (!find_left_log(sides, forget, &left, &logs, err))
        return false;
    if (!bigquery_dataset_get(sides->bigquery, &dataset, err))
        return false;
    bigquery_set_location(sides->bigquery, dataset.location);
    return count(sides, forget, logs ? &left.log : NULL, err) &&
           (forget->dry_run || erase(sides, forget, logs ? &left.log : NULL, err));
}

static bool connect_and_work(
    const struct deployment *deployment, struct forget *forget, struct error *err)
{
    struct tracking tracking;
    struct comparison_sides sides = {
        .config = deployment->config, .tracking = &tracking, .clock = deployment->clock};

    if (!tracking_open(deployment->config->state_path, &tracking, err))
        return false;
    bool ok = deployment_bigquery(deployment, NULL, NULL, &sides.bigquery, err) &&
              work(&sides, forget, err) &&
              (forget->dry_run || clean_state(deployment, &tracking, forget->table, err));
    bigquery_close(sides.bigquery);
    tracking_close(&tracking);
    return ok;
}

bool forget_run(const struct deployment *deployment, struct forget *forget, struct error *err)
{
    struct lock lock;

    if (!check_source(deployment, forget, true, err))
        return false;
    if (forget->dry_run)
        return connect_and_work(deployment, forget, err);
    if (!sync_first(deployment, forget, err) ||
        !lock_acquire(deployment->config->state_path, "forget", &lock, err))
        return false;
    // A row may have come back during the pass.
    bool ok =
        check_source(deployment, forget, false, err) && connect_and_work(deployment, forget, err);
    lock_release(&lock);
    return ok;
}
