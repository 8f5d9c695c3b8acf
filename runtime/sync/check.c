#include "sync/check.h"

#include "encode/column.h"
#include "source/capture.h"
#include "source/tracking.h"
#include "sync/target.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 5000

/* Rows of each table that are tried. */
#define SAMPLE_ROWS 1000

struct checker {
    const struct engine *engine;
    check_visit *visit;
    void *context;
    bool failed;
};

static void note(
    struct checker *c, const char *name, enum check_status status, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void note(
    struct checker *c, const char *name, enum check_status status, const char *format, ...)
{
    char message[1400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (status == CHECK_FAIL)
        c->failed = true;
    c->visit(c->context, name, status, message);
}

/* --- the source ----------------------------------------------------------------------------------
 */

static void check_state(struct checker *c)
{
    struct tracking tracking;
    struct error err;
    const char *path = c->engine->config->state_path;

    if (!tracking_open_read(path, &tracking, &err)) {
        // A state database of its own does not exist before the first sync.
        if (!c->engine->config->state_is_source && err.code == ERROR_SOURCE)
            note(c, "control tables", CHECK_OK, "%s: made by the first sync", path);
        else
            note(c, "control tables", CHECK_FAIL, "%s", err.message);
        return;
    }
    note(c, "control tables", CHECK_OK, "in %s", path);
    tracking_close(&tracking);
}

/* Reads and converts a sample; the number of rows that do not fit and the first of them. */
static bool sample(
    struct database *source, const struct table *table, int *out_rows, int *out_bad,
    char out_example[300], struct error *err)
{
    sqlite3_stmt *statement = NULL;
    struct column_reader in;
    void *row = malloc(table->row_size);
    bool ok = false;

    if (row == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!database_prepare(source, table->scan_sql, &statement, err) ||
        !column_reader_init(&in, table, statement, err)) {
        sqlite3_finalize(statement);
        free(row);
        return false;
    }
    for (*out_rows = 0; *out_rows < SAMPLE_ROWS; (*out_rows)++) {
        bool more = false;
        if (!database_step(source, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        column_reader_next(&in, false);
        table->read(&in, row);
        if (column_reader_row_fits(&in))
            continue;
        if ((*out_bad)++ == 0)
            snprintf(
                out_example, 300, "%s: %s value %s", table->columns[in.problems[0].column].source,
                in.problems[0].storage_class, in.problems[0].reason);
    }
    ok = true;

cleanup:
    column_reader_clear(&in);
    sqlite3_finalize(statement);
    free(row);
    return ok;
}

static void check_rows(
    struct checker *c, struct database *source, const struct table *table, const char *name,
    const struct source_shape *shape)
{
    char example[300] = "";
    struct error err;
    int rows = 0;
    int bad = 0;

    if (!sample(source, table, &rows, &bad, example, &err)) {
        note(c, name, CHECK_FAIL, "%s", err.message);
        return;
    }
    if (bad > 0)
        note(
            c, name, CHECK_WARN,
            "%d of the first %d rows would be rejected (%s); bqsync rejects lists them after a "
            "sync",
            bad, rows, example);
    else if (shape->extra[0] != '\0')
        note(
            c, name, CHECK_WARN,
            "columns that the definition does not list and that are not synced: %s", shape->extra);
    else
        note(c, name, CHECK_OK, "%d rows of a sample fit", rows);
}

static void check_table(struct checker *c, struct database *source, const struct table *table)
{
    char name[300];
    struct source_shape shape;
    struct error err;

    snprintf(name, sizeof name, "table %s", table->name);
    if (!capture_inspect(source, table, &shape, &err))
        note(c, name, CHECK_FAIL, "%s", err.message);
    else if (!shape.exists)
        note(
            c, name, CHECK_FAIL,
            "does not exist in SQLite. Create it, or remove schemas/%s.json and rebuild",
            table->name);
    else if (shape.missing_count > 0)
        note(
            c, name, CHECK_FAIL,
            "SQLite lacks the column(s) %s. Add them there, or take them out of schemas/%s.json "
            "and rebuild",
            shape.missing, table->name);
    else if (shape.key_problem[0] != '\0')
        note(
            c, name, table->mode == SYNC_REPLACE ? CHECK_WARN : CHECK_FAIL, "%s",
            shape.key_problem);
    else
        check_rows(c, source, table, name, &shape);
}

static void check_source(struct checker *c, const struct table *const *tables, size_t count)
{
    const char *path = c->engine->config->sqlite_path;
    struct database source;
    struct error err;
    char mode[16] = "";

    if (!database_open(path, DATABASE_READ, BUSY_TIMEOUT_MS, &source, &err)) {
        note(c, "source", CHECK_FAIL, "%s", err.message);
        return;
    }
    if (!database_journal_mode(&source, mode, &err))
        note(c, "source", CHECK_FAIL, "%s", err.message);
    else if (strcmp(mode, "wal") != 0)
        note(
            c, "source", CHECK_WARN,
            "%s is in journal mode %s: the application cannot write while bqsync reads. "
            "`pragma journal_mode = wal` lets both go on at once",
            path, mode);
    else
        note(c, "source", CHECK_OK, "%s, journal mode wal", path);
    check_state(c);
    for (size_t i = 0; i < count; i++)
        check_table(c, &source, tables[i]);
    database_close(&source);
}

/* --- BigQuery ------------------------------------------------------------------------------------
 */

static bool ignore_row(void *context, size_t count, const char *const *cells)
{
    (void)context;
    (void)count;
    (void)cells;
    return true;
}

/* What a sync does needs two roles. Jobs are tried by a query that reads nothing; rights on the
 * data show in a listing, and whatever is refused is said with the command that grants it. */
static void check_permissions(struct checker *c, struct bigquery *bigquery)
{
    const struct config *config = c->engine->config;
    struct error err;
    int64_t billed = 0;

    if (bigquery_select(bigquery, "select 1", ignore_row, NULL, &billed, &err))
        note(
            c, "permission bigquery.jobs.create", CHECK_OK, "jobs run in project %s",
            config->project);
    else
        note(
            c, "permission bigquery.jobs.create", CHECK_FAIL,
            "%s. Grant it: gcloud projects add-iam-policy-binding %s --member=serviceAccount:EMAIL "
            "--role=roles/bigquery.jobUser",
            err.message, config->project);
}

static void check_target(struct checker *c, struct bigquery *bigquery, const struct table *table)
{
    const struct config *config = c->engine->config;
    struct target_diff diff = {0};
    char name[300];
    cJSON *live = NULL;
    struct error err;

    snprintf(name, sizeof name, "target %s", table->target);
    if (!bigquery_table_get(bigquery, table->target, &live, &err) ||
        !target_compare(table, config->project, config->dataset, live, &diff, &err))
        note(c, name, CHECK_FAIL, "%s", err.message);
    else if (diff.blocked[0] != '\0')
        note(c, name, CHECK_FAIL, "%s", diff.blocked);
    else if (diff.missing)
        note(c, name, CHECK_OK, "does not exist; the next sync creates it");
    else if (diff.statement_count > 0)
        note(c, name, CHECK_OK, "the next sync runs: %s", diff.statements[0]);
    else if (diff.extra[0] != '\0')
        note(c, name, CHECK_WARN, "has columns that the definition lacks: %s", diff.extra);
    else
        note(c, name, CHECK_OK, "fits its definition");
    target_diff_clear(&diff);
    cJSON_Delete(live);
}

static void check_warehouse(struct checker *c, const struct table *const *tables, size_t count)
{
    const struct config *config = c->engine->config;
    struct bigquery *bigquery = NULL;
    char *location = NULL;
    struct error err;

    if (!engine_bigquery(c->engine, NULL, NULL, &bigquery, &err)) {
        note(c, "BigQuery", CHECK_FAIL, "%s", err.message);
        return;
    }
    if (!bigquery_dataset_get(bigquery, &location, &err)) {
        bool creatable = err.code == ERROR_CONFIG && config->create_dataset;
        note(c, "dataset", creatable ? CHECK_WARN : CHECK_FAIL, "%s", err.message);
    } else {
        note(c, "dataset", CHECK_OK, "%s.%s in %s", config->project, config->dataset, location);
        bigquery_set_location(bigquery, location);
        check_permissions(c, bigquery);
        for (size_t i = 0; i < count; i++)
            check_target(c, bigquery, tables[i]);
    }
    free(location);
    bigquery_close(bigquery);
}

static void check_credentials(struct checker *c, const struct error *credentials_error)
{
    const struct engine *engine = c->engine;

    if (credentials_error != NULL)
        note(c, "credentials", CHECK_FAIL, "%s", credentials_error->message);
    else if (engine->credentials == NULL)
        note(
            c, "credentials", CHECK_OK, "none needed: %s stands in for BigQuery",
            engine->config->emulator_host);
    else
        note(c, "credentials", CHECK_OK, "%s", credentials_describe(engine->credentials));
}

bool check_run(
    const struct engine *engine, const struct table *const *tables, size_t count,
    const struct error *credentials_error, check_visit *visit, void *context)
{
    struct checker c = {.engine = engine, .visit = visit, .context = context};

    note(
        &c, "configuration", CHECK_OK, "%s.%s from %s", engine->config->project,
        engine->config->dataset, engine->config->sqlite_path);
    check_source(&c, tables, count);
    check_credentials(&c, credentials_error);
    if (credentials_error == NULL)
        check_warehouse(&c, tables, count);
    return !c.failed;
}

const char *check_status_name(enum check_status status)
{
    static const char *const names[] = {"ok", "warn", "fail"};

    return names[status];
}
