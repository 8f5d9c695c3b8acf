/* bqsync.h: sync from inside a C or C++ program. The tables are those compiled in from schemas/.
 * The configuration comes from the settings of struct bqsync_options, the environment and the .env
 * file, as for the command line. A handle may be used by one thread at a time. Several handles may
 * exist, but only one sync can run on a state database at a time.
 *
 * With CMake, find_package(bqsync) and bqsync_add_tables(TARGET ...) bring library and tables; with
 * pkg-config, compile the generated files with the flags of bqsync (docs/installing.md). */
#ifndef BQSYNC_H
#define BQSYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bqsync;
struct bqsync_result;

/* What went wrong. The caller owns the struct; it is written only on failure. */
struct bqsync_error {
    /* "config", "auth", "unreachable", ...: docs/operations.md lists them. A static string. */
    const char *code;
    /* The exit status of the command line for this error. */
    int exit_status;
    /* The same call may succeed later without any change. */
    bool retryable;
    char message[1024];
};

/* One setting, named by its variable ("BQ_SQLITE_PATH"). It overrides the environment and the .env
 * file. */
struct bqsync_setting {
    const char *name;
    const char *value;
};

struct bqsync_options {
    /* NULL: .env in the working directory, if it exists. */
    const char *env_file;
    const struct bqsync_setting *settings;
    size_t setting_count;
};

/* Reads and checks the configuration and finds the credentials; makes no request. Variables of the
 * .env file that are not settings of bqsync are added to the environment, and the memory of cJSON
 * is made malloc's (cJSON_InitHooks), so call it before other threads start. The strings of options
 * are copied. The caller owns *out_handle (bqsync_close). */
bool bqsync_open(
    const struct bqsync_options *options, struct bqsync **out_handle, struct bqsync_error *err);
/* Frees the handle. NULL is fine. */
void bqsync_close(struct bqsync *handle);

struct bqsync_sync_options {
    /* Names of tables; NULL: all tables. */
    const char *const *tables;
    size_t table_count;
    /* Replace the content of the tables instead of sending their changes. */
    bool full;
    /* Read and encode everything, but write nothing. */
    bool dry_run;
};

/* Runs one pass on the calling thread. options NULL: all tables, incrementally. Returns false when
 * the pass as a whole failed (an unknown table, BigQuery not reachable, another process holds the
 * lock, ...); the failure of a single table is in the result. The caller owns *out_result
 * (bqsync_result_free); after a failure it may be NULL. */
bool bqsync_sync(
    struct bqsync *handle, const struct bqsync_sync_options *options,
    struct bqsync_result **out_result, struct bqsync_error *err);

/* One table of a result. The texts live as long as the result. */
struct bqsync_table {
    const char *name;
    /* "synced", "unchanged", "failed" or "skipped". */
    const char *status;
    /* "append", "merge" or "replace". */
    const char *mode;
    int64_t rows_inserted;
    int64_t rows_updated;
    int64_t rows_deleted;
    int64_t rows_rejected;
    /* Rows that were sent with values which do not fit, in _bqsync_unfit. */
    int64_t rows_unfit;
    int64_t bytes_sent;
    int64_t duration_ms;
    int64_t last_synced_row_id;
    /* "" if the table did not fail. */
    const char *error;
};

/* Whether every table is synced or unchanged and no row was rejected. */
bool bqsync_result_ok(const struct bqsync_result *result);
size_t bqsync_result_count(const struct bqsync_result *result);
struct bqsync_table bqsync_result_table(const struct bqsync_result *result, size_t index);
/* The document that `bqsync sync --json` prints. It lives as long as the result. NULL when out of
 * memory. */
const char *bqsync_result_json(struct bqsync_result *result);
void bqsync_result_free(struct bqsync_result *result);

#ifdef __cplusplus
}
#endif

#endif
