#include "sync/report/check_source.h"

#include "base/spool.h"
#include "base/text_fit.h"
#include "encode/column.h"
#include "source/capture.h"
#include "source/filter_step.h"
#include "source/lock.h"
#include "source/sidecar.h"
#include "source/tracking.h"
#include "source/tracking_schema.h"
#include "source/unlisted.h"
#include "sync/pass/plan.h"
#include "sync/report/check_times.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000

/* Less than this is little: the intents, the records of runs and the journal of a busy application.
 */
#define STATE_ROOM ((uint64_t)64 << 20)

/* Rows of each table that are read and converted. */
#define SAMPLE_ROWS 1000

/* A sync makes files beside the database and writes into it. Checked without doing either. */
static bool may_write(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[4096];

    snprintf(
        folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
        slash == NULL ? "." : path);
    return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 &&
           (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 || errno == ENOENT);
}

static void check_state(const struct checker *c)
{
    struct tracking tracking;
    struct error err;
    const char *path = c->deployment->config->state_path;

    if (!tracking_open_read(path, &tracking, &err)) {
        check_findings_add(c->findings, "control tables", CHECK_FAIL, "%s", err.message);
        return;
    }
    if (!tracking_schema_refuse_newer(&tracking.database, &err))
        check_findings_add(c->findings, "control tables", CHECK_FAIL, "%s", err.message);
    else if (!may_write(path))
        check_findings_add(
            c->findings, "control tables", CHECK_FAIL,
            "uid %lu may read but not write %s or its folder: %s. Run bqsync as its owner, or let "
            "BQ_STATE_PATH name a database that it may write",
            (unsigned long)geteuid(), path, strerror(errno));
    else
        // A separate state database does not exist before the first sync.
        check_findings_add(
            c->findings, "control tables", CHECK_OK,
            access(path, F_OK) == 0 ? "in %s" : "the first sync creates them in %s", path);
    tracking_close(&tracking);
}

/* Without room no pass can be recorded, not even one that has failed for that reason. */
static void check_state_room(const struct checker *c)
{
    const char *path = c->deployment->config->state_path;
    struct statvfs disk;
    uint64_t room = 0;

    if (statvfs(path, &disk) != 0)
        return;
    room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room < STATE_ROOM)
        check_findings_add(
            c->findings, "disk of the state", CHECK_WARN,
            "%" PRIu64 " MB free beside %s: a sync that finds the disk full fails, and cannot "
            "record that it has. Free some space",
            room / 1000000, path);
}

/* Files for BigQuery are compressed, so they are smaller than the database. */
static void check_room(const struct checker *c)
{
    const char *folder = NULL;
    uint64_t room = 0;
    struct stat file = {0};
    struct error err;

    if (!spool_room(&folder, &room, &err)) {
        check_findings_add(c->findings, "temporary files", CHECK_FAIL, "%s", err.message);
        return;
    }
    bool known = stat(c->deployment->config->sqlite_path, &file) == 0;
    bool tight = known && room < (uint64_t)file.st_size;
    check_findings_add(
        c->findings, "temporary files", tight ? CHECK_WARN : CHECK_OK,
        "%" PRIu64 " MB free in %s%s", room / 1000000, folder,
        tight ? ", less than the size of the database: a first or full sync may not fit. Free some "
                "space, or set TMPDIR to a folder with more"
              : "");
}

/* The first rows of a table. */
struct sample {
    int rows;
    int bad;           /* that do not fit */
    int unfit;         /* that are sent with values in _bqsync_unfit */
    char example[300]; /* the first of these */
    struct check_times times;
};

static void look_at_row(struct sample *sample, const struct table *table, struct column_reader *in)
{
    if (column_reader_row_fits(in)) {
        sample->unfit += in->unfit_count > 0;
        check_times_look(&sample->times, in);
        return;
    }
    if (sample->bad++ == 0)
        text_format(
            sample->example, sizeof sample->example, "%s: %s value %s",
            table->columns[in->problems[0].column].source, in->problems[0].storage_class,
            in->problems[0].reason);
}

/* Reads and converts a sample. */
static bool take_sample(
    struct database *source, const struct table *table, struct sample *out, struct error *err)
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
    for (*out = (struct sample){.rows = 0}; out->rows < SAMPLE_ROWS; out->rows++) {
        bool more = false;
        if (!filter_step(source, table, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        column_reader_next(&in, false);
        table->read(&in, row);
        look_at_row(out, table, &in);
    }
    ok = true;

cleanup:
    column_reader_clear(&in);
    sqlite3_finalize(statement);
    free(row);
    return ok;
}

static void check_rows(
    const struct checker *c, struct database *source, const struct table *table, const char *name,
    const struct source_shape *shape)
{
    char text[ERROR_TEXT_SIZE];
    struct sample sample;
    struct error err;

    if (!take_sample(source, table, &sample, &err)) {
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", error_text(&err, text));
        return;
    }
    if (sample.bad > 0)
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "%d of the first %d rows would be rejected (%s); bqsync rejects lists them after a "
            "sync",
            sample.bad, sample.rows, sample.example);
    else if (sample.times.rows > 0)
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "%d of the first %d rows have times before 1990 or after 2100 (%s)", sample.times.rows,
            sample.rows, sample.times.example);
    else if (shape->extra[0] != '\0')
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "columns that the definition does not list and that are not synced: %s", shape->extra);
    else if (sample.unfit > 0)
        check_findings_add(
            c->findings, name, CHECK_OK,
            "%d of the first %d rows have values that do not fit, which _bqsync_unfit holds",
            sample.unfit, sample.rows);
    else
        check_findings_add(c->findings, name, CHECK_OK, "%d rows of a sample fit", sample.rows);
}

/* Adds how changes of the table are found, and whether some may have been missed. */
static void check_capture(
    const struct checker *c, const struct table *table, const struct source_shape *shape)
{
    const struct config *config = c->deployment->config;
    struct plan_capture capture;
    char name[300];
    struct error err;

    snprintf(name, sizeof name, "capture %s", table->name);
    if (!plan_capture(config, table, shape, &capture, &err))
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", err.message);
    else if (capture.by == CAPTURE_SCAN)
        check_findings_add(
            c->findings, name, CHECK_OK, "changes are found by reading the whole table: %s",
            capture.why);
    else if (!capture.broken)
        check_findings_add(c->findings, name, CHECK_OK, "triggers are in place");
    else if (shape->capture == CAPTURE_ABSENT)
        check_findings_add(
            c->findings, name, CHECK_OK,
            "no triggers yet; the next sync installs them and sends all rows");
    else
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "triggers were changed or dropped, or the application has made newer ones, so changes "
            "may have been missed; the next sync installs them again and sends all rows");
}

/* Names that are ignored in vain: perhaps misspelled, perhaps of columns that are gone. */
static void check_ignored(
    const struct checker *c, struct database *source, const struct table *table)
{
    char name[300];
    char absent[512];
    struct error err;

    snprintf(name, sizeof name, "ignored %s", table->name);
    if (!unlisted_find_absent(source, table, absent, sizeof absent, &err))
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", err.message);
    else if (absent[0] != '\0')
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "SQLite has no such column(s): %s. Correct `sync.ignore` in schemas/%s.json", absent,
            table->definition);
}

static void check_table(const struct checker *c, struct database *source, const struct table *table)
{
    char name[300];
    struct source_shape shape = {0};
    struct error err;

    snprintf(name, sizeof name, "table %s", table->name);
    if (!capture_inspect(source, table, &shape, &err)) {
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", err.message);
    } else if (!shape.exists) {
        check_findings_add(
            c->findings, name, CHECK_FAIL,
            "does not exist in SQLite. Create it, or remove schemas/%s.json and rebuild%s",
            table->definition,
            shape.capture == CAPTURE_ABSENT
                ? ""
                : ". If it was renamed, writes to it may fail until the next sync has removed its "
                  "triggers");
    } else if (shape.missing_count > 0) {
        char missing[CAPTURE_MISSING_SIZE];
        capture_describe_missing(table, &shape, missing);
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", missing);
    } else if (shape.extra_problem[0] != '\0') {
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", shape.extra_problem);
    } else if (shape.filter_problem[0] != '\0') {
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", shape.filter_problem);
    } else if (shape.key_problem[0] != '\0' && table->key_count > 0) {
        check_findings_add(
            c->findings, name, table->mode == SEND_REPLACE ? CHECK_WARN : CHECK_FAIL, "%s",
            shape.key_problem);
    } else {
        check_rows(c, source, table, name, &shape);
        check_capture(c, table, &shape);
    }
    if (shape.exists)
        check_ignored(c, source, table);
}

/* Triggers of a table that no longer has a definition keep adding keys to a dirty set that nothing
 * empties. */
static void check_unknown(const struct checker *c, struct database *source)
{
    const struct deployment *deployment = c->deployment;
    cJSON *unknown = cJSON_CreateArray();
    char names[512] = "";
    size_t used = 0;
    const cJSON *name;
    struct error err;

    bool ok =
        capture_list_unknown(source, deployment->tables, deployment->table_count, unknown, &err);
    cJSON_ArrayForEach(name, unknown)
    {
        text_format(
            names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", name->valuestring);
        used += strlen(names + used);
    }
    cJSON_Delete(unknown);
    if (!ok)
        check_findings_add(c->findings, "capture", CHECK_FAIL, "%s", err.message);
    else if (names[0] != '\0')
        check_findings_add(
            c->findings, "capture", CHECK_WARN,
            "triggers of tables that no longer have a definition: %s. `bqsync capture prune` "
            "removes them",
            names);
}

static void check_journal(const struct checker *c, struct database *source)
{
    const char *path = c->deployment->config->sqlite_path;
    char mode[16] = "";
    struct error err;

    if (!database_journal_mode(source, mode, &err))
        check_findings_add(c->findings, "source", CHECK_FAIL, "%s", err.message);
    else if (strcmp(mode, "wal") != 0)
        check_findings_add(
            c->findings, "source", CHECK_WARN,
            "%s is in journal mode %s: the application cannot write while bqsync reads. "
            "`pragma journal_mode = wal` lets both work at the same time",
            path, mode);
    else
        check_findings_add(c->findings, "source", CHECK_OK, "%s, journal mode wal", path);
}

/* What SQLite and bqsync create beside a database must be usable by its owner. A database with a
 * rollback journal that is only read gets no such file. */
static void check_sidecars(const struct checker *c, struct database *source)
{
    const struct config *config = c->deployment->config;
    char mode[16] = "";
    struct error err;

    bool creates = config->state_is_source || !database_journal_mode(source, mode, &err) ||
                   strcmp(mode, "wal") == 0;
    if ((creates && !sidecar_check(config->sqlite_path, &err)) ||
        !sidecar_check(config->state_path, &err) || !lock_check(config->state_path, &err))
        check_findings_add(c->findings, "files beside the database", CHECK_FAIL, "%s", err.message);
}

void check_source(const struct checker *c)
{
    struct database source;
    struct error err;

    if (!database_open(
            c->deployment->config->sqlite_path, DATABASE_READ, BUSY_TIMEOUT_MS, &source, &err)) {
        check_findings_add(c->findings, "source", CHECK_FAIL, "%s", err.message);
        return;
    }
    check_journal(c, &source);
    check_sidecars(c, &source);
    check_state(c);
    check_room(c);
    check_state_room(c);
    for (size_t i = 0; i < c->count; i++)
        check_table(c, &source, c->tables[i]);
    if (c->deployment->config->state_is_source)
        check_unknown(c, &source);
    database_close(&source);
}
