/* cmd_sync: `bqsync sync`: one pass, then its result as JSON or as a table for people. */
#include "cli/commands.h"
#include "cli/screen.h"
#include "sync/pass.h"
#include "sync/result.h"

#include <inttypes.h>
#include <stdio.h>

static void print_row(const struct table_result *table)
{
    char sent[SCREEN_BYTES_SIZE];

    printf(
        "%-26s %-9s %-7s %10" PRId64 " %10" PRId64 " %10" PRId64 " %9" PRId64 " %9s %7.1fs\n",
        table->table->name, table_status_name(table->status), table_way_name(table->way),
        table->rows_inserted, table->rows_updated, table->rows_deleted, table->rows_rejected,
        screen_bytes(table->bytes_sent, sent), (double)table->duration_ms / 1000);
    if (table->error.code != ERROR_NONE)
        printf("    %s\n", table->error.message);
}

static void print_result(const struct run_result *run)
{
    int64_t rejected = 0;

    printf(
        "%-26s %-9s %-7s %10s %10s %10s %9s %9s %8s\n", "table", "status", "mode", "inserted",
        "updated", "deleted", "rejected", "sent", "time");
    for (size_t i = 0; i < run->table_count; i++) {
        print_row(&run->tables[i]);
        rejected += run->tables[i].rows_rejected;
    }
    if (rejected > 0)
        printf(
            "\n%" PRId64 " rows do not fit their columns: bqsync rejects says which and why\n",
            rejected);
    printf(
        "\nrun %s %s in %.1f s\n", run->id, run_result_ok(run) ? "ok" : "failed",
        (double)(run->finished_us - run->started_us) / 1e6);
}

int command_sync(struct invocation *in)
{
    const struct args *args = in->args;
    bool full = (args->switches & ARGS_FULL) != 0;
    struct run_result run;

    struct pass_options options = {
        .kind = full             ? RUN_FULL
                : in->all_tables ? RUN_INCREMENTAL
                                 : RUN_TABLES,
        .full = full,
        .dry_run = (args->switches & ARGS_DRY_RUN) != 0,
        .tables = in->tables,
        .table_count = in->table_count,
        .command = "sync",
    };
    struct screen screen;
    bool show = (args->switches & (ARGS_JSON | ARGS_QUIET)) == 0 && screen_start(&screen, &options);
    pass_run(in->engine, &options, &run);
    if (show)
        screen_stop(&screen);

    int status = run_result_exit_status(&run);
    if ((args->switches & ARGS_JSON) != 0)
        command_print_json(run_result_json(&run), status);
    else if (run.error.code == ERROR_NONE && (args->switches & ARGS_QUIET) == 0)
        print_result(&run);
    if (run.error.code != ERROR_NONE)
        fprintf(stderr, "bqsync: %s\n", run.error.message);
    run_result_clear(&run);
    return status;
}
