/* cmd_verify: `bqsync verify`: compares both sides, and with --repair syncs what differs and
 * compares again. */
#include "cli/commands.h"
#include "sync/verify/repair.h"
#include "sync/verify/verify.h"

#include <inttypes.h>
#include <stdio.h>

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
        char *text = cJSON_PrintUnformatted(key);
        printf(" %s", text == NULL ? "?" : text);
        cJSON_free(text);
    }
    printf("%s\n", count > VERIFY_KEYS_MAX ? " ..." : "");
}

/* Wide enough for "equal except 1000000 rejected rows" where there are any. */
static int verdict_width(const struct verify_table *tables, size_t count)
{
    return verify_report_rejected(tables, count) > 0 ? 36 : 12;
}

static void print_table(const struct verify_table *table, int width)
{
    char verdict[64] = "equal";

    if (table->error.code != ERROR_NONE)
        snprintf(verdict, sizeof verdict, "not verified");
    else if (!table->equal)
        snprintf(verdict, sizeof verdict, "DIFFERENT");
    else if (table->rejected > 0)
        snprintf(
            verdict, sizeof verdict, "equal except %" PRId64 " rejected row%s", table->rejected,
            table->rejected == 1 ? "" : "s");
    printf(
        "%-26s %-*s %12" PRId64 " %12" PRId64 " %10" PRId64 " %10" PRId64 "\n", table->table->name,
        width, verdict, table->source_rows, table->warehouse_rows, table->pending, table->rejected);
    if (table->error.code != ERROR_NONE)
        printf("    %s\n", table->error.message);
    print_keys("missing in BigQuery", table->missing, table->missing_count);
    print_keys("only in BigQuery", table->extra, table->extra_count);
    print_keys("different", table->different, table->different_count);
    print_keys("more than once in BigQuery", table->duplicated, table->duplicated_count);
    if (table->unexplained_count > 0)
        printf(
            "    %" PRId64 " groups of rows have different checksums although no row differs: "
            "verify again; if that stays, bqsync sync --full replaces the table\n",
            table->unexplained_count);
}

static void print_conclusion(const struct invocation *in, const struct verify_table *tables)
{
    int64_t rejected = verify_report_rejected(tables, in->table_count);

    if (verify_report_differs(tables, in->table_count))
        puts("\nBigQuery does not equal SQLite");
    else if (!verify_report_ok(tables, in->table_count))
        puts("\nNot all tables could be compared, those that were are equal");
    else if (rejected > 0)
        printf(
            "\nBigQuery equals SQLite except %" PRId64 " rejected row%s: bqsync rejects lists %s\n",
            rejected, rejected == 1 ? "" : "s", rejected == 1 ? "it" : "them");
    else
        puts("\nBigQuery equals SQLite");
}

static int print(const struct invocation *in, const struct verify_table *tables)
{
    int status = verify_report_exit_status(tables, in->table_count);
    int width = verdict_width(tables, in->table_count);

    if ((in->args->switches & ARGS_JSON) != 0)
        return command_print_json(verify_report_json(tables, in->table_count), status);
    printf(
        "%-26s %-*s %12s %12s %10s %10s\n", "table", width, "verdict", "SQLite", "BigQuery",
        "pending", "rejected");
    for (size_t i = 0; i < in->table_count; i++)
        print_table(&tables[i], width);
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
