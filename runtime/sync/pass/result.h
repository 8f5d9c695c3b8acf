/* result: what one pass did, table by table, and how people and programs see it. Plain data; the
 * struct's owner frees it. */
#ifndef BQSYNC_SYNC_PASS_RESULT_H
#define BQSYNC_SYNC_PASS_RESULT_H

#include "base/error.h"
#include "base/table.h"
#include "warehouse/traffic.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum run_kind { RUN_INCREMENTAL, RUN_FULL, RUN_TABLES };

enum table_status { TABLE_SKIPPED, TABLE_UNCHANGED, TABLE_SYNCED, TABLE_FAILED };

struct table_result {
    const struct table *table;
    enum table_status status;
    enum send_mode mode; /* how rows were sent; of an unchanged table, how it is declared */
    int64_t rows_inserted;
    int64_t rows_updated;
    int64_t rows_deleted;
    int64_t rows_rejected;
    int64_t bytes_sent;
    int64_t bytes_billed;
    int64_t duration_ms;
    int64_t last_synced_row_id;
    int attempts;       /* generations spent: 1 when nothing went wrong, 0 when nothing was sent */
    struct error error; /* TABLE_FAILED */
};

#define RUN_ID_SIZE 40

struct run_result {
    char id[RUN_ID_SIZE];
    enum run_kind kind;
    int64_t started_us;     /* wall clock */
    int64_t finished_us;    /* 0 while it runs */
    struct error error;     /* why the pass as a whole ended early; ERROR_NONE if it did not */
    struct traffic traffic; /* with BigQuery */
    struct table_result *tables;
    size_t table_count;
};

/* A fresh run id: the start time to the second and six random hex digits. */
void run_id_make(int64_t started_us, char out_id[RUN_ID_SIZE]);

void run_result_clear(struct run_result *run);

/* Every table synced or unchanged, none with a rejected row, and no error of the pass. */
bool run_result_ok(const struct run_result *run);

/* The exit status of a command that ran it: the pass's error first, then 1 unless it is ok. A pass
 * whose tables all failed with one code that has a status of its own ends with that. */
int run_result_exit_status(const struct run_result *run);

const char *run_kind_name(enum run_kind kind);
const char *table_status_name(enum table_status status);

/* {"code","message","retryable"}, null where there is no error; returned owned, NULL out of memory.
 */
cJSON *result_error_json(const struct error *error);

/* The document of `sync --json`; returned owned, NULL out of memory. */
cJSON *run_result_json(const struct run_result *run);

#endif
