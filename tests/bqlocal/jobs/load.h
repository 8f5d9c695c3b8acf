/* load: a load job: what the source says meets the table as it is, by BigQuery's rules of
 * dispositions, types and modes; then rows go in. The readers of formats (load_avro, load_json)
 * bind values of rows and know nothing of tables. */
#ifndef BQLOCAL_JOBS_LOAD_H
#define BQLOCAL_JOBS_LOAD_H

#include "base/error.h"
#include "bqlocal/jobs/job_store.h"
#include "bqlocal/store/partitions.h"
#include "bqlocal/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    struct store *store;
    struct monitor *monitor;      /* left while rows are read; NULL: it is not */
    const atomic_bool *cancelled; /* ends the reading of rows when it becomes true */
    const struct job_settings *settings;
    const cJSON *options; /* configuration.load */
    const char *dataset;
    const char *table;
    char *where; /* "Table p:d.t" */
    struct media *media;
    struct store_schema source; /* what the file or the job says */
    bool file_has_schema;       /* Avro says itself what is in it */
    struct store_schema target; /* the table's, after changes */
    int *columns;               /* of each source field, its column; -1: ignored */
    int *fields;                /* of each column, its source field; -1: none */
    sqlite3_value **defaults;   /* of each column; NULL: NULL */
    sqlite3_stmt *insert;       /* one parameter a column */
    struct partition_watch watch;
    int64_t rows;
    int64_t bytes; /* BigQuery's logical size of them */
};

/* Binds the value of a source field in the row that is being made. They refuse what the column's
 * type cannot hold, naming field and row. A column may be wider than the source (STRING to JSON).
 */
MUST_CHECK bool load_bind_null(struct load *load, size_t field, struct error *err);
MUST_CHECK bool load_bind_int64(struct load *load, size_t field, int64_t number, struct error *err);
MUST_CHECK bool load_bind_double(struct load *load, size_t field, double number, struct error *err);
/* Text is checked as UTF-8 and borrowed until load_row. For STRING and JSON. */
MUST_CHECK bool load_bind_text(
    struct load *load, size_t field, struct slice text, struct error *err);
/* A decimal in the store's form. */
MUST_CHECK bool load_bind_decimal(
    struct load *load, size_t field, const char *text, struct error *err);
MUST_CHECK bool load_bind_bytes(
    struct load *load, size_t field, struct slice bytes, struct error *err);

/* "Error while reading data, error message: ... (field x, row 12)"; returns false. */
bool load_refuse(const struct load *load, size_t field, struct error *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Stores the row. Bindings stay for the next. */
MUST_CHECK bool load_row(struct load *load, struct error *err);
/* Sets every column to its default, before the members of an NDJSON row. */
void load_row_defaults(struct load *load);

/* A format's reader. */
struct load_format {
    /* Reads what the file says of its schema into load->source; *out_context is the reader's own.
     */
    bool (*open)(struct load *load, void **out_context, struct error *err);
    bool (*read)(struct load *load, void *context, struct error *err);
    void (*close)(void *context);
};

extern const struct load_format load_avro;
extern const struct load_format load_json;

/* Makes the table what it has to be before rows are inserted: created, emptied, widened. */
MUST_CHECK bool load_prepare_target(struct load *load, struct error *err);

/* The effect of a load job: writes job->statistics; on failure nothing is changed. The store is
 * jobs' own, or its writer for a job that computes: then the monitor is left while rows are read.
 */
MUST_CHECK bool job_run_load(
    struct jobs *jobs, struct job *job, struct store *store, struct error *err);

#endif
