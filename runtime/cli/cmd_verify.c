/* cmd_verify: `bqsync verify`: compares both sides, and with --repair syncs what differs and
 * compares again. */
#include "base/json_memory.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "sync/verify/repair.h"
#include "sync/verify/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXCEPTIONS_SIZE 100
#define VERDICT_SIZE    (EXCEPTIONS_SIZE + 20)

static void print_keys(const char *what, const cJSON *keys, int64_t count)
{
    const cJSON *key;

    if (count == 0)
        return;
    if (cJSON_GetArraySize(keys) == 0) {
        printf("    %s: %" PRId64 " row%s without a key\n", what, count, count == 1 ? "" : "s");
        return;
    }
    printf("    %s (%" PRId64 "):", what, count);
    cJSON_ArrayForEach(key, keys)
    {
        char *text = json_print(key);
        printf(" %s", text == NULL ? "?" : text);
        cJSON_free(text);
    }
    printf("%s\n", count > VERIFY_KEYS_MAX ? " ..." : "");
}

/* What "equal" leaves out: "2 pending changes and 1 rejected row", "" if it leaves out nothing. */
static const char *exceptions(int64_t pending, int64_t rejected, char out[static EXCEPTIONS_SIZE])
{
    char changes[40] = "";
    char rows[40] = "";

    if (pending > 0)
        snprintf(
            changes, sizeof changes, "%" PRId64 " pending change%s", pending,
            pending == 1 ? "" : "s");
    if (rejected > 0)
        snprintf(
            rows, sizeof rows, "%" PRId64 " rejected row%s", rejected, rejected == 1 ? "" : "s");
    snprintf(
        out, EXCEPTIONS_SIZE, "%s%s%s", changes, pending > 0 && rejected > 0 ? " and " : "", rows);
    return out;
}

static const char *verdict_of(const struct verify_table *table, char out[static VERDICT_SIZE])
{
    char left_out[EXCEPTIONS_SIZE];

    if (table->error.code != ERROR_NONE)
        return "not verified";
    if (!table->equal)
        return "DIFFERENT";
    if (exceptions(table->pending, table->rejected, left_out)[0] == '\0')
        return "equal";
    snprintf(out, VERDICT_SIZE, "equal except %s", left_out);
    return out;
}

static int verdict_width(const struct verify_table *tables, size_t count)
{
    char verdict[VERDICT_SIZE];
    size_t width = 12;

    for (size_t i = 0; i < count; i++)
        if (strlen(verdict_of(&tables[i], verdict)) > width)
            width = strlen(verdict_of(&tables[i], verdict));
    return (int)width;
}

/* The counts of a table that was not compared are not known. */
static void print_counts(const struct verify_table *table)
{
    if (table->error.code != ERROR_NONE)
        printf(" %12s %12s %10s %10s\n", "-", "-", "-", "-");
    else
        printf(
            " %12" PRId64 " %12" PRId64 " %10" PRId64 " %10" PRId64 "\n", table->source_rows,
            table->warehouse_rows, table->pending, table->rejected);
}

static void print_table(const struct verify_table *table, int name_width, int width)
{
    char text[ERROR_TEXT_SIZE];
    char verdict[VERDICT_SIZE];

    printf(
        "%s%*s %-*s", CONSOLE_PADDED(table->table->name, name_width), width,
        verdict_of(table, verdict));
    print_counts(table);
    if (table->error.code != ERROR_NONE)
        printf("    %s\n", error_text(&table->error, text));
    print_keys("missing in BigQuery", table->missing, table->missing_count);
    print_keys("only in BigQuery", table->extra, table->extra_count);
    print_keys("different", table->different, table->different_count);
    print_keys("more than once in BigQuery", table->duplicated, table->duplicated_count);
    print_keys("columns missing in BigQuery", table->missing_columns, table->missing_columns_count);
    if (table->kept > 0)
        printf(
            "    kept in BigQuery: %" PRId64 " row%s that SQLite does not have any more\n",
            table->kept, table->kept == 1 ? "" : "s");
    if (table->unexplained_count > 0)
        printf(
            "    %" PRId64 " groups of rows have different checksums although no row differs: "
            "verify again; if that stays, bqsync sync --full replaces the table\n",
            table->unexplained_count);
}

static void print_conclusion(const struct invocation *in, const struct verify_table *tables)
{
    int64_t rejected = verify_report_rejected(tables, in->table_count);
    char left_out[EXCEPTIONS_SIZE];
    int64_t pending = 0;
    size_t compared = 0;

    for (size_t i = 0; i < in->table_count; i++) {
        pending += tables[i].pending;
        compared += tables[i].error.code == ERROR_NONE;
    }
    exceptions(pending, rejected, left_out);
    if (verify_report_differs(tables, in->table_count))
        puts("\nBigQuery does not equal SQLite");
    else if (compared == 0)
        puts("\nNothing could be compared");
    else if (compared < in->table_count)
        puts("\nNot all tables could be compared, those that were are equal");
    else if (left_out[0] == '\0')
        puts("\nBigQuery equals SQLite");
    else
        printf(
            "\nBigQuery equals SQLite except %s%s\n", left_out,
            rejected == 0   ? ""
            : rejected == 1 ? ": bqsync rejects lists it"
                            : ": bqsync rejects lists them");
}

static int print(const struct invocation *in, const struct verify_table *tables)
{
    int status = verify_report_exit_status(tables, in->table_count);
    int width = verdict_width(tables, in->table_count);
    int name_width = console_name_width(in);

    if ((in->args->switches & ARGS_JSON) != 0)
        return command_print_json(verify_report_json(tables, in->table_count), status);
    printf(
        "%-*s %-*s %12s %12s %10s %10s\n", name_width, "table", width, "verdict", "SQLite",
        "BigQuery", "pending", "rejected");
    for (size_t i = 0; i < in->table_count; i++)
        print_table(&tables[i], name_width, width);
    print_conclusion(in, tables);
    return status;
}

int command_verify(struct invocation *in)
{
    struct verify_table *tables = NULL;
    struct error err;

    if (!verify_run(in->deployment, in->tables, in->table_count, NULL, &tables, &err))
        return command_fail(in, &err);
    if ((in->args->switches & ARGS_REPAIR) != 0 && verify_report_differs(tables, in->table_count)) {
        if ((in->args->switches & ARGS_JSON) == 0) {
            print(in, tables);
            puts("\nThe differences are synced again. Afterwards:\n");
        }
        bool ok = repair_differences(in->deployment, tables, in->table_count, &err);
        verify_report_free(tables, in->table_count);
        tables = NULL;
        if (!ok || !verify_run(in->deployment, in->tables, in->table_count, NULL, &tables, &err))
            return command_fail(in, &err);
    }
    // The comparison decides, not the pass of the repair, which is not well if rows are rejected.
    int status = print(in, tables);
    verify_report_free(tables, in->table_count);
    return status;
}
