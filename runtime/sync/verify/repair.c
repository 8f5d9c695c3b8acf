#include "sync/verify/repair.h"

#include "base/log.h"
#include "source/capture.h"
#include "source/tracking.h"
#include "sync/pass/pass.h"
#include "sync/pass/plan.h"

#include <stdlib.h>
#include <string.h>

/* Whether the report shows the exact value of a key. It does for text and integers; other types are
 * rounded or converted, and a transformed value is not the one that SQLite holds. */
static bool has_plain_key(const struct table *table)
{
    if (table->key_count == 0)
        return false;
    for (size_t k = 0; k < table->key_count; k++) {
        const struct column *column = &table->columns[table->key[k]];
        if ((column->type != COLUMN_INT64 && column->type != COLUMN_STRING) ||
            column->transform != TRANSFORM_NONE)
            return false;
    }
    return true;
}

/* Whether a key of the report, a value or an array of values, can be listed in the dirty set as it
 * is stored: the report shows integers and texts exactly, and nothing else. A NULL matches no row,
 * and a REAL is not the text of its digits. */
static bool is_exact(const cJSON *key)
{
    const cJSON *value;

    if (cJSON_IsRaw(key))
        return strspn(key->valuestring, "-0123456789") == strlen(key->valuestring);
    if (!cJSON_IsArray(key))
        return cJSON_IsString(key);
    cJSON_ArrayForEach(value, key)
    {
        if (!is_exact(value))
            return false;
    }
    return true;
}

static bool has_exact_keys(const cJSON *list)
{
    const cJSON *key;

    cJSON_ArrayForEach(key, list)
    {
        if (!is_exact(key))
            return false;
    }
    return true;
}

static bool is_wrong(const struct verify_table *table)
{
    return !table->equal && table->error.code == ERROR_NONE;
}

static bool mark_list(
    struct database *source, const struct verify_table *wrong, const cJSON *list, struct error *err)
{
    const cJSON *key;

    cJSON_ArrayForEach(key, list)
    {
        if (!capture_touch(source, wrong->table, key, err))
            return false;
    }
    return true;
}

/* Whether a sync of the listed keys fixes the table. A MERGE can't delete one of two rows with the
 * same key; a column that BigQuery lacks is filled in all rows; a report with too many keys does
 * not list them all; a key that is converted is not listed as SQLite stores it; and without
 * triggers there is no dirty set to list them in. In these cases the whole table is replaced. */
static bool can_mark(
    const struct config *config, struct database *source, const struct verify_table *wrong)
{
    struct source_shape shape;
    struct plan_capture capture;
    struct error ignored;

    return wrong->duplicated_count + wrong->missing_columns_count + wrong->unexplained_count == 0 &&
           has_exact_keys(wrong->missing) && has_exact_keys(wrong->extra) &&
           has_exact_keys(wrong->different) && wrong->missing_count <= VERIFY_KEYS_MAX &&
           wrong->extra_count <= VERIFY_KEYS_MAX && wrong->different_count <= VERIFY_KEYS_MAX &&
           has_plain_key(wrong->table) && capture_inspect(source, wrong->table, &shape, &ignored) &&
           !shape.keeps_keys && plan_capture(config, wrong->table, &shape, &capture, &ignored) &&
           capture.by == CAPTURE_TRIGGERS && !capture.broken;
}

/* Whether a row that only BigQuery has has an id above the watermark. The dirty set is read up to
 * the watermark only, so the row would not be deleted. */
static bool is_above_watermark(const struct verify_table *wrong, const struct watermark *watermark)
{
    const cJSON *key;

    if (wrong->table->new_rows_sql == NULL)
        return false;
    cJSON_ArrayForEach(key, wrong->extra)
    {
        if (cJSON_IsRaw(key) && strtoll(key->valuestring, NULL, 10) > watermark->last_synced_row_id)
            return true;
    }
    return false;
}

static bool mark_table(
    const struct config *config, struct database *source, struct tracking *tracking,
    const struct verify_table *wrong, struct error *err)
{
    struct watermark watermark;

    if (!tracking_load(tracking, wrong->table->name, &watermark, err))
        return false;
    if (!can_mark(config, source, wrong) || is_above_watermark(wrong, &watermark))
        return tracking_invalidate(tracking, wrong->table->name, err);
    return mark_list(source, wrong, wrong->missing, err) &&
           mark_list(source, wrong, wrong->extra, err) &&
           mark_list(source, wrong, wrong->different, err);
}

static bool mark_all(
    const struct config *config, const struct verify_table *report, size_t count, struct error *err)
{
    struct database source;
    struct tracking tracking;
    bool ok = true;

    if (!tracking_open(config->state_path, &tracking, err))
        return false;
    enum database_access access = config->state_is_source ? DATABASE_WRITE : DATABASE_READ;
    if (!database_open(config->sqlite_path, access, DATABASE_PATIENCE_MS, &source, err)) {
        tracking_close(&tracking);
        return false;
    }
    // A table that cannot be marked does not stop the others.
    for (size_t i = 0; i < count; i++) {
        struct error why;
        if (!is_wrong(&report[i]) || mark_table(config, &source, &tracking, &report[i], &why))
            continue;
        log_error(
            "table not marked for repair", LOG_TEXT("table", report[i].table->name),
            LOG_TEXT("error", why.message));
        *err = ok ? why : *err;
        ok = false;
    }
    database_close(&source);
    tracking_close(&tracking);
    return ok;
}

bool repair_differences(
    const struct deployment *deployment, const struct verify_table *report, size_t count,
    struct error *err)
{
    const struct table **wrong = calloc(count + 1, sizeof *wrong);
    struct run_result run = {0};
    size_t wrong_count = 0;
    bool ok = false;

    if (wrong == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (is_wrong(&report[i]))
            wrong[wrong_count++] = report[i].table;
    bool marked = mark_all(deployment->config, report, count, err);
    pass_run(
        deployment,
        &(struct pass_options){
            .kind = RUN_TABLES,
            .tables = wrong,
            .table_count = wrong_count,
            .command = "verify --repair",
        },
        &run);
    ok = marked && run.error.code == ERROR_NONE;
    if (marked && !ok)
        *err = run.error;
    run_result_clear(&run);
    free(wrong);
    return ok;
}
