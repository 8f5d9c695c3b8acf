/* example: syncs all tables from inside a program and prints what happened. bqsync_add_tables gives
 * it the library and the tables (docs/installing.md). Settings come from the environment and .env,
 * as for the command line. Tests compile and run this file. */
#include <bqsync/bqsync.h>
#include <inttypes.h>
#include <stdio.h>

static void print_table(struct bqsync_table table)
{
    printf(
        "%s: %s, %" PRId64 " inserted, %" PRId64 " updated, %" PRId64 " deleted%s%s\n", table.name,
        table.status, table.rows_inserted, table.rows_updated, table.rows_deleted,
        *table.error != '\0' ? ": " : "", table.error);
}

int main(int argc, char **argv)
{
    struct bqsync_setting settings[] = {{"BQ_SQLITE_PATH", argc > 1 ? argv[1] : "app.db"}};
    struct bqsync_options options = {.settings = settings, .setting_count = 1};
    struct bqsync *sync = NULL;
    struct bqsync_result *result = NULL;
    struct bqsync_error err;

    if (!bqsync_open(&options, &sync, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return err.exit_status;
    }
    int status = 0;
    if (!bqsync_sync(sync, NULL, &result, &err)) {
        fprintf(stderr, "%s\n", err.message);
        status = err.exit_status;
    } else {
        for (size_t i = 0; i < bqsync_result_count(result); i++)
            print_table(bqsync_result_table(result, i));
        status = bqsync_result_ok(result) ? 0 : 1;
    }
    bqsync_result_free(result);
    bqsync_close(sync);
    return status;
}
