/* bqsync.h: sync from inside a C program. The tables are those compiled in from schemas/;
 * configuration comes from the same settings, environment and .env file as the command line's. A
 * handle may be used by one thread at a time; several handles may exist, but only one sync runs on
 * a state database at once.
 *
 * Link with libbqsync_api and what it needs (pkg-config or CMake's bqsync_api target say what). */
#ifndef BQSYNC_H
#define BQSYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bqsync;
struct bqsync_result;

/* What went wrong, for the caller to keep; written only on failure. */
struct bqsync_error {
    /* "config", "auth", "unreachable", ...: docs/operations.md; a static string. */
    const char *code;
    int exit_status; /* what the command line would end with */
    bool retryable;  /* the same call may succeed later without anybody changing anything */
    char message[1024];
};

/* One setting by the name of its variable ("BQ_SQLITE_PATH"); wins over environment and file. */
struct bqsync_setting {
    const char *name;
    const char *value;
};

struct bqsync_options {
    const char *env_file; /* NULL: .env in the working directory, if there is one */
    const struct bqsync_setting *settings;
    size_t setting_count;
};

/* Reads and checks the configuration and finds credentials; contacts nobody. Variables of the .env
 * file that are no settings of bqsync are put into the environment, so the first call belongs
 * before other threads. *out_handle is owned by the caller (bqsync_close). Strings are copied. */
bool bqsync_open(
    const struct bqsync_options *options, struct bqsync **out_handle, struct bqsync_error *err);
/* NULL is fine. */
void bqsync_close(struct bqsync *handle);

struct bqsync_sync_options {
    const char *const *tables; /* names; NULL: all */
    size_t table_count;
    bool full;    /* replace the content instead of sending changes */
    bool dry_run; /* read and encode everything, write nothing anywhere */
};

/* One pass, on the calling thread. False when the pass as a whole could not be made (unknown table,
 * no BigQuery, locked ...); a table that failed is told by the result. *out_result is owned by the
 * caller (bqsync_result_free) also then, unless it is NULL. options NULL: all tables,
 * incrementally. */
bool bqsync_sync(
    struct bqsync *handle, const struct bqsync_sync_options *options,
    struct bqsync_result **out_result, struct bqsync_error *err);

/* One table of a result; the texts live as long as it. */
struct bqsync_table {
    const char *name;
    const char *status; /* "synced", "unchanged", "failed" or "skipped" */
    const char *mode;   /* "append", "merge" or "replace" */
    int64_t rows_inserted;
    int64_t rows_updated;
    int64_t rows_deleted;
    int64_t rows_rejected;
    int64_t bytes_sent;
    int64_t duration_ms;
    int64_t last_synced_row_id;
    const char *error; /* "" if it did not fail */
};

/* Whether every table is synced or unchanged and no row is rejected. */
bool bqsync_result_ok(const struct bqsync_result *result);
size_t bqsync_result_count(const struct bqsync_result *result);
struct bqsync_table bqsync_result_table(const struct bqsync_result *result, size_t index);
/* The document that `bqsync sync --json` prints; lives as long as the result, NULL out of memory.
 */
const char *bqsync_result_json(struct bqsync_result *result);
void bqsync_result_free(struct bqsync_result *result);

#endif
