/* cmd_sync: `bqsync sync`: runs one pass and prints its result as JSON or as a table. */
#include "api/bqsync.h"
#include "api/handle.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/bill.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/screen.h"
#include "sync/pass/result.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_dry(const struct invocation *in)
{
    return (in->args->switches & ARGS_DRY_RUN) != 0;
}

/* Of a dry run: what a sync would do with the table. */
static const char *status_of(const struct invocation *in, const struct table_result *table)
{
    return is_dry(in) && table->status == TABLE_SYNCED ? "to sync"
                                                       : table_status_name(table->status);
}

static void print_row(
    const struct invocation *in, const struct colours *colour, int width,
    const struct table_result *table)
{
    bool failed = table->error.code != ERROR_NONE;
    char sent[SCREEN_BYTES_SIZE];
    char text[ERROR_TEXT_SIZE];

    printf(
        "%s%s%*s %-9s%s %-7s %10" PRId64 " %10" PRId64 " %10" PRId64 " %9" PRId64 " %9s %7.1fs\n",
        failed                     ? colour->bad
        : table->rows_rejected > 0 ? colour->warn
                                   : "",
        CONSOLE_PADDED(table->table->name, width), status_of(in, table), colour->end,
        send_mode_name(table->mode), table->rows_inserted, table->rows_updated, table->rows_deleted,
        table->rows_rejected, screen_bytes(table->bytes_sent, sent),
        (double)table->duration_ms / 1000);
    if (table->altered[0] != '\0')
        printf("    changed in the target: %s\n", table->altered);
    if (failed)
        console_print_indented(error_text(&table->error, text), colour->bad, colour->end);
}

/* A table of which nothing is to say is counted only, unless it was asked for by name. */
static bool is_folded(const struct invocation *in, const struct table_result *table)
{
    return in->all_tables && table->status == TABLE_UNCHANGED && table->rows_rejected == 0 &&
           table->altered[0] == '\0';
}

static void print_tables(
    const struct invocation *in, const struct colours *colour, const struct run_result *run)
{
    int width = console_name_width(in);
    size_t folded = 0;

    for (size_t i = 0; i < run->table_count; i++)
        folded += is_folded(in, &run->tables[i]) ? 1 : 0;
    if (folded == run->table_count) {
        printf("No changes.\n");
        return;
    }
    printf(
        "%s%-*s %-9s %-7s %10s %10s %10s %9s %9s %8s%s\n", colour->dim, width, "table", "status",
        "sent as", "inserted", "updated", "deleted", "rejected", "sent", "time", colour->end);
    for (size_t i = 0; i < run->table_count; i++)
        if (!is_folded(in, &run->tables[i]))
            print_row(in, colour, width, &run->tables[i]);
    if (folded > 0)
        printf("%s%zu unchanged%s\n", colour->dim, folded, colour->end);
}

/* The last line. */
static void print_end(
    const struct invocation *in, const struct colours *colour, const struct run_result *run)
{
    bool ok = run_result_ok(run);
    double seconds = (double)clock_since_us(run->started_us, run->finished_us) / 1e6;
    char billed[BILL_BYTES_SIZE];

    if (is_dry(in))
        printf("\ndry run");
    else
        printf("\nrun %s", run->id);
    printf(
        " %s%s%s in %.1f s", ok ? colour->good : colour->bad, ok ? "ok" : "failed", colour->end,
        seconds);
    if (is_dry(in))
        printf(": nothing was written to BigQuery or SQLite\n");
    else
        printf(", billed %s\n", bill_bytes(run_result_bytes_billed(run), billed));
}

static void print_result(const struct invocation *in, const struct run_result *run)
{
    struct colours colour = console_colours();
    int64_t rejected = 0;
    int64_t unfit = 0;

    print_tables(in, &colour, run);
    for (size_t i = 0; i < run->table_count; i++) {
        rejected += run->tables[i].rows_rejected;
        unfit += run->tables[i].rows_unfit;
    }
    if (rejected > 0)
        printf(
            "\n%s%" PRId64 " row%s not fit: bqsync rejects lists values and reasons%s\n",
            colour.warn, rejected, rejected == 1 ? " does" : "s do", colour.end);
    if (unfit > 0)
        printf(
            "\n%" PRId64 " row%s sent with a value that does not fit its column; it stands in "
            "_bqsync_unfit in BigQuery\n",
            unfit, unfit == 1 ? " was" : "s were");
    print_end(in, &colour, run);
}

/* The names of the tables, which is how the library identifies them. */
static const char **table_names(const struct invocation *in)
{
    const char **names = calloc(in->table_count + 1, sizeof *names);

    for (size_t i = 0; names != NULL && i < in->table_count; i++)
        names[i] = in->tables[i]->name;
    return names;
}

int command_sync(struct invocation *in)
{
    const struct args *args = in->args;
    bool quiet = (args->switches & (ARGS_JSON | ARGS_QUIET)) != 0;
    const char **names = table_names(in);
    struct bqsync_result *result = NULL;
    struct bqsync_error err;
    struct screen screen;

    bool verbose = (args->switches & ARGS_VERBOSE) != 0;
    bool show = !quiet && !verbose && screen_start(&screen);
    // Lines of the log would break the picture; what they say of tables is in the result.
    if (show)
        log_configure(LOG_LEVEL_OFF, in->config->log_format);
    bool ok = bqsync_sync_deployment(
        in->deployment,
        &(struct bqsync_sync_options){
            .tables = in->all_tables ? NULL : names,
            .table_count = in->all_tables ? 0 : in->table_count,
            .full = (args->switches & ARGS_FULL) != 0,
            .dry_run = (args->switches & ARGS_DRY_RUN) != 0,
        },
        show ? &screen.progress : NULL, &result, &err);
    if (show)
        screen_stop(&screen);
    if (show)
        log_configure(in->config->log_level, in->config->log_format);
    free(names);

    if (!ok)
        command_complain(err.message);
    if (result == NULL)
        return err.exit_status;
    int status = run_result_exit_status(&result->run);
    if ((args->switches & ARGS_JSON) != 0)
        status = command_print_json(run_result_json(&result->run), status);
    else if (ok && !quiet)
        print_result(in, &result->run);
    bqsync_result_free(result);
    return status;
}
