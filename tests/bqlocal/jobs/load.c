#include "bqlocal/jobs/load.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"
#include "bqlocal/store/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many rows are read between two looks at whether the job was cancelled. */
#define CANCEL_ROWS 1024

bool load_refuse(const struct load *load, size_t field, struct error *err, const char *format, ...)
{
    char what[512];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return failure_set_data(
        err, "%s (field %s, row %lld of the file)", what, load->source.fields[field].name,
        (long long)load->rows + 1);
}

bool load_bind_null(struct load *load, size_t field, struct error *err)
{
    int column = load->columns[field];

    if (column < 0)
        return true;
    if (load->target.fields[column].required)
        return load_refuse(
            load, field, err, "Required field %s cannot be null", load->source.fields[field].name);
    sqlite3_bind_null(load->insert, column + 1);
    return true;
}

/* The range of the column's type in the store's unit. */
static bool int64_fits(enum store_type type, int64_t number)
{
    switch (type) {
    case STORE_BOOL:
        return number == 0 || number == 1;
    case STORE_DATE:
        return number >= VALUE_DATE_MIN && number <= VALUE_DATE_MAX;
    case STORE_TIME:
        return number >= 0 && number < VALUE_DAY_US;
    case STORE_DATETIME:
    case STORE_TIMESTAMP:
        return number >= VALUE_TIMESTAMP_MIN && number <= VALUE_TIMESTAMP_MAX;
    default:
        return true;
    }
}

bool load_bind_int64(struct load *load, size_t field, int64_t number, struct error *err)
{
    int column = load->columns[field];

    if (column < 0)
        return true;
    enum store_type type = load->target.fields[column].type;
    if (!int64_fits(type, number))
        return load_refuse(
            load, field, err, "Invalid %s value: %lld is out of range", store_type_sql(type),
            (long long)number);
    sqlite3_bind_int64(load->insert, column + 1, number);
    load->bytes += type == STORE_BOOL ? 1 : 8;
    return true;
}

bool load_bind_double(struct load *load, size_t field, double number, struct error *err)
{
    int column = load->columns[field];
    (void)err;

    if (column < 0)
        return true;
    // SQLite would make NULL of NaN.
    if (isnan(number))
        sqlite3_bind_text(load->insert, column + 1, "NaN", 3, SQLITE_STATIC);
    else
        sqlite3_bind_double(load->insert, column + 1, number);
    load->bytes += 8;
    return true;
}

static bool bind_json(struct load *load, size_t field, struct slice text, struct error *err)
{
    struct slice inexact;
    struct buffer normal;

    buffer_init(&normal, SIZE_MAX / 4);
    if (!value_json_normalise(text, &normal, &inexact)) {
        buffer_clear(&normal);
        return load_refuse(load, field, err, "Invalid JSON value");
    }
    if (inexact.length > 0 && load->settings->refuses_json_numbers) {
        buffer_clear(&normal);
        return load_refuse(
            load, field, err,
            "Invalid JSON value: Input number: %.*s cannot round-trip through string "
            "representation",
            inexact.length > 100 ? 100 : (int)inexact.length, inexact.data);
    }
    sqlite3_bind_text64(
        load->insert, load->columns[field] + 1, buffer_text(&normal), normal.length,
        SQLITE_TRANSIENT, SQLITE_UTF8);
    load->bytes += (int64_t)normal.length;
    buffer_clear(&normal);
    return true;
}

/* The same refusal, as one of the file. */
static bool refuse_limit(const struct load *load, size_t field, struct error *err)
{
    char why[sizeof err->message];

    snprintf(why, sizeof why, "%s", err->message);
    return load_refuse(load, field, err, "%.400s", why);
}

bool load_bind_text(struct load *load, size_t field, struct slice text, struct error *err)
{
    int column = load->columns[field];

    if (column < 0)
        return true;
    if (!value_utf8_is_valid(text))
        return load_refuse(load, field, err, "Invalid UTF-8 in a STRING value");
    // BigQuery's documents leave U+0000 open; what is refused here cannot surprise there.
    if (text.length > 0 && memchr(text.data, '\0', text.length) != NULL)
        return load_refuse(load, field, err, "U+0000 in a STRING value");
    if (load->target.fields[column].type == STORE_JSON)
        return bind_json(load, field, text, err);
    if (!limit_check(&load->target.fields[column], text, err))
        return refuse_limit(load, field, err);
    sqlite3_bind_text64(
        load->insert, column + 1, text.length == 0 ? "" : text.data, text.length, SQLITE_STATIC,
        SQLITE_UTF8);
    load->bytes += 2 + (int64_t)text.length;
    return true;
}

bool load_bind_decimal(struct load *load, size_t field, const char *text, struct error *err)
{
    int column = load->columns[field];
    char rounded[VALUE_TEXT_SIZE];

    if (column < 0)
        return true;
    if (limit_is_set(&load->target.fields[column])) {
        if (!limit_round(&load->target.fields[column], slice_of(text), rounded, err))
            return refuse_limit(load, field, err);
        text = rounded;
    }
    sqlite3_bind_text(load->insert, column + 1, text, -1, SQLITE_TRANSIENT);
    load->bytes += load->target.fields[column].type == STORE_NUMERIC ? 16 : 32;
    return true;
}

bool load_bind_bytes(struct load *load, size_t field, struct slice bytes, struct error *err)
{
    int column = load->columns[field];

    if (column < 0)
        return true;
    if (!limit_check(&load->target.fields[column], bytes, err))
        return refuse_limit(load, field, err);
    sqlite3_bind_blob64(
        load->insert, column + 1, bytes.length == 0 ? "" : bytes.data, bytes.length,
        SQLITE_TRANSIENT);
    load->bytes += 2 + (int64_t)bytes.length;
    return true;
}

void load_row_defaults(struct load *load)
{
    for (size_t i = 0; i < load->target.count; i++) {
        if (load->defaults[i] != NULL)
            sqlite3_bind_value(load->insert, (int)i + 1, load->defaults[i]);
        else
            sqlite3_bind_null(load->insert, (int)i + 1);
    }
}

static bool check_cancelled(const struct load *load, struct error *err)
{
    return !atomic_load(load->cancelled) ||
           failure_set(err, "stopped", "Job execution was cancelled");
}

bool load_row(struct load *load, struct error *err)
{
    load->rows++;
    if (load->rows % CANCEL_ROWS == 0 && !check_cancelled(load, err))
        return false;
    if (load->settings->discards)
        return true;
    int status = sqlite3_step(load->insert);
    sqlite3_reset(load->insert);
    return status == SQLITE_DONE || store_sqlite_failed(load->store, err);
}

static bool prepare_insert(struct load *load, struct error *err)
{
    sqlite3_str *sql = sqlite3_str_new(load->store->handle);

    sqlite3_str_appendf(sql, "insert into \"%w.%w\" values(", load->dataset, load->table);
    for (size_t i = 0; i < load->target.count; i++)
        sqlite3_str_appendall(sql, i > 0 ? ",?" : "?");
    sqlite3_str_appendchar(sql, 1, ')');
    char *text = sqlite3_str_finish(sql);
    bool ok = text != NULL ? store_prepare(load->store, text, &load->insert, err, NULL)
                           : error_set(err, ERROR_MEMORY, "out of memory for a load");
    sqlite3_free(text);
    return ok;
}

static bool read_rows(
    struct load *load, const struct load_format *format, void *context, struct error *err)
{
    if (load->monitor == NULL)
        return format->read(load, context, err);
    monitor_leave(load->monitor);
    bool ok = format->read(load, context, err);
    monitor_enter(load->monitor);
    return ok && check_cancelled(load, err);
}

static bool run(
    struct load *load, const struct load_format *format, void *context, struct error *err)
{
    if (!load_prepare_target(load, err) ||
        !partitions_watch(load->store, load->dataset, load->table, &load->watch, err) ||
        !prepare_insert(load, err))
        return false;
    load_row_defaults(load);
    if (load->media->forgotten_rows >= 0) {
        // They were counted while they were uploaded.
        load->rows = load->media->forgotten_rows;
        load->bytes = (int64_t)load->media->length;
    } else if (!read_rows(load, format, context, err)) {
        return false;
    }
    if (load->settings->discards)
        store_table_note_discarded(load->store, load->dataset, load->table, load->rows, false);
    if (!partitions_judge(&load->watch, err))
        return false;
    store_table_touch(load->store, load->dataset, load->table, true);
    return true;
}

static void load_clear(struct load *load)
{
    sqlite3_finalize(load->insert);
    for (size_t i = 0; load->defaults != NULL && i < load->target.count; i++)
        sqlite3_value_free(load->defaults[i]);
    free(load->defaults);
    free(load->columns);
    free(load->fields);
    sqlite3_free(load->where);
    store_schema_clear(&load->source);
    store_schema_clear(&load->target);
}

static cJSON *statistics_of(const struct load *load)
{
    cJSON *statistics = cJSON_CreateObject();

    json_add_number(statistics, "inputFiles", 1);
    json_add_number(statistics, "inputFileBytes", (int64_t)load->media->length);
    json_add_number(statistics, "outputRows", load->rows);
    json_add_number(statistics, "outputBytes", load->bytes);
    json_add_number(statistics, "badRecords", 0);
    return statistics;
}

bool job_run_load(struct jobs *jobs, struct job *job, struct store *store, struct error *err)
{
    const cJSON *options = job_part(job);
    const cJSON *destination = json_at(options, "destinationTable");
    const char *format_name = json_text(options, "sourceFormat");
    const struct load_format *format = strcmp(format_name, "AVRO") == 0 ? &load_avro : &load_json;
    struct load load = {
        .store = store,
        .monitor = job->computing ? jobs->monitor : NULL,
        .cancelled = &job->cancelled,
        .settings = &jobs->settings,
        .options = options,
        .dataset = json_text(destination, "datasetId"),
        .table = json_text(destination, "tableId"),
        .media = &job->media,
    };
    void *context = NULL;
    bool ok = false;

    load.where = sqlite3_mprintf("Table %s:%s.%s", store->project, load.dataset, load.table);
    if (load.where == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory for a load");
        goto cleanup;
    }
    if (!format->open(&load, &context, err) || !store_begin(store, err))
        goto cleanup;
    ok = run(&load, format, context, err);
    // An open statement would keep the transaction from ending.
    sqlite3_finalize(load.insert);
    load.insert = NULL;
    partitions_forget(&load.watch);
    ok = store_end(store, ok, err);
    if (ok)
        job->statistics = statistics_of(&load);

cleanup:
    format->close(context);
    load_clear(&load);
    return ok;
}
