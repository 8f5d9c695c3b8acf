/* result: what one pass did, table by table, and how people and programs see it. Plain data; the
 * owner of a struct run_result clears it. */
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

enum table_status {
    TABLE_SKIPPED,   /* the pass ended before it came to the table */
    TABLE_UNCHANGED, /* there was nothing to send */
    TABLE_SYNCED,
    TABLE_FAILED,
};

struct table_result {
    const struct table *table;
    enum table_status status;
    /* How the rows were sent; of a table that has none to send, how it is declared. */
    enum send_mode mode;
    /* Why the whole content was sent: static text, or NULL if it was not. */
    const char *why_replaced;
    int64_t rows_inserted;
    int64_t rows_updated;
    int64_t rows_deleted;
    int64_t rows_rejected;
    /* Rows that were sent with values which do not fit, in _bqsync_unfit. */
    int64_t rows_unfit;
    /* Rejected rows before the pass. */
    int64_t rows_rejected_before;
    int64_t bytes_sent;
    /* Of the file that was sent: the name of its codec as in its header, a static string, NULL if
     * there was none; zstd's level; and how many bytes its rows had for each byte of it. */
    const char *codec;
    int codec_level;
    double compression_ratio;
    int64_t bytes_billed;
    int64_t duration_ms;
    int64_t last_synced_row_id;
    /* What was changed in the target beside rows, for people; "" if nothing was. */
    char altered[512];
    /* Intents spent: 1 when nothing went wrong, 0 when nothing was sent. */
    int attempts;
    /* Of a TABLE_FAILED. */
    struct error error;
};

#define RUN_ID_SIZE 40

struct run_result {
    char id[RUN_ID_SIZE];
    enum run_kind kind;
    int64_t started_us; /* wall clock */
    /* Wall clock; 0 while it runs. */
    int64_t finished_us;
    /* Why the pass as a whole ended early; ERROR_NONE if it did not. */
    struct error error;
    /* Requests to BigQuery, and why some were made again. */
    struct traffic traffic;
    /* What the link to BigQuery carries in a second, in bytes; 0 if that is not known. */
    int64_t link_bytes;
    struct table_result *tables;
    size_t table_count;
};

/* A fresh run id: the start time to the second and six random hex digits. */
void run_id_make(int64_t started_us, char out_id[RUN_ID_SIZE]);

void run_result_clear(struct run_result *run);

/* Every table synced or unchanged, none with a rejected row, and no error of the pass. */
bool run_result_ok(const struct run_result *run);

/* The exit status of a command that ran it: that of the pass's error, if there is one; else that of
 * the code with which all tables failed, if they failed with the same one; else 0 if it is ok,
 * and 1.
 */
int run_result_exit_status(const struct run_result *run);

/* What the queries of all its tables have billed. */
int64_t run_result_bytes_billed(const struct run_result *run);

const char *run_kind_name(enum run_kind kind);
const char *table_status_name(enum table_status status);

/* Whether a table that a pass has left with the status of this name (table_status_name) equals what
 * its source was when the pass began, apart from rejected rows. */
bool table_status_is_fresh(const char *name);

/* {"code","message","retryable"}, null where there is no error; returned owned, NULL out of memory.
 */
cJSON *result_error_json(const struct error *error);

/* The document of `sync --json`; returned owned, NULL out of memory. */
cJSON *run_result_json(const struct run_result *run);

#endif
