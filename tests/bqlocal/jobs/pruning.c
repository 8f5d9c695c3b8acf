#include "bqlocal/jobs/pruning.h"

#include "bqlocal/store/json_member.h"
#include "bqlocal/store/partitions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES 1048576

/* What is known of a table before its rows are looked at. */
struct layout {
    const char *dataset;
    const char *table;
    const char *alias;
    char *partition;    /* SQL for a row's partition, NULL: there are none */
    char *by_partition; /* the conditions on the partitioning column, NULL: none */
    char *by_cluster;   /* those on the first clustering column */
    int64_t rows;
};

/* The conditions of the scan on this column, joined by AND. */
static char *conditions(const cJSON *scan, const char *column)
{
    sqlite3_str *out = sqlite3_str_new(NULL);
    const cJSON *filter;

    cJSON_ArrayForEach(filter, json_at(scan, "filters"))
    {
        if (column != NULL && strcasecmp(json_text(filter, "column"), column) == 0)
            sqlite3_str_appendf(
                out, "%s(%s)", sqlite3_str_length(out) > 0 ? " and " : "",
                json_text(filter, "sql"));
    }
    return sqlite3_str_finish(out);
}

static bool open_layout(struct store *store, const cJSON *scan, struct layout *out)
{
    struct error ignored;
    cJSON *resource = NULL;

    *out = (struct layout){
        .dataset = json_text(scan, "dataset"),
        .table = json_text(scan, "table"),
        .alias = json_text(scan, "alias"),
    };
    if (!store_table_get(store, out->dataset, out->table, &resource, &ignored))
        return false;
    const cJSON *by = json_at(resource, "timePartitioning");
    const cJSON *fields = json_at(json_at(resource, "clustering"), "fields");
    if (by == NULL)
        by = json_at(resource, "rangePartitioning");
    out->partition = partitions_of_row(store, out->dataset, out->table, out->alias);
    out->by_partition = conditions(scan, json_text(by, "field"));
    out->by_cluster = conditions(scan, cJSON_GetStringValue(cJSON_GetArrayItem(fields, 0)));
    out->rows = json_number(resource, "numRows", 0);
    cJSON_Delete(resource);
    return true;
}

static void close_layout(struct layout *layout)
{
    sqlite3_free(layout->partition);
    sqlite3_free(layout->by_partition);
    sqlite3_free(layout->by_cluster);
}

/* The first two numbers of a query's row, which is freed; false if it does not run. */
static bool query_numbers(struct store *store, char *sql, int64_t *out_first, int64_t *out_second)
{
    sqlite3_stmt *row = NULL;
    struct error ignored;

    bool ok = sql != NULL && store_prepare(store, sql, &row, &ignored, NULL) &&
              sqlite3_step(row) == SQLITE_ROW;
    if (ok) {
        *out_first = sqlite3_column_int64(row, 0);
        *out_second = sqlite3_column_int64(row, 1);
    }
    sqlite3_finalize(row);
    sqlite3_free(sql);
    return ok;
}

/* The partitions that are read, and the rows in them. */
static bool read_partitions(
    struct store *store, const struct layout *layout, int64_t *out_partitions, int64_t *out_rows)
{
    *out_partitions = 1;
    *out_rows = layout->rows;
    return layout->partition == NULL ||
           query_numbers(
               store,
               sqlite3_mprintf(
                   "select count(*), coalesce(sum(n), 0) from (select count(*) as n, max(%s) as hit"
                   " from \"%w.%w\" as %s group by %s) where hit",
                   layout->by_partition == NULL ? "1" : layout->by_partition, layout->dataset,
                   layout->table, layout->alias, layout->partition),
               out_partitions, out_rows);
}

/* The rows in the blocks that are read, all of them if nothing is left out. */
static int64_t rows_read(struct store *store, const struct layout *layout, int64_t block_rows)
{
    int64_t partitions = 1;
    int64_t rows = layout->rows;
    int64_t matching = 0;
    int64_t ignored = 0;

    if (!read_partitions(store, layout, &partitions, &rows))
        return layout->rows;
    if (layout->by_cluster == NULL)
        return rows;
    if (!query_numbers(
            store,
            sqlite3_mprintf(
                "select count(*), 0 from \"%w.%w\" as %s where %s", layout->dataset, layout->table,
                layout->alias, layout->by_cluster),
            &matching, &ignored))
        return rows;
    int64_t blocks = (matching + block_rows - 1) / block_rows + partitions;
    return blocks * block_rows < rows ? blocks * block_rows : rows;
}

int64_t pruning_bytes(struct store *store, const cJSON *scan, bool blocks, int64_t table_bytes)
{
    struct layout layout;
    int64_t bytes = table_bytes;

    if (cJSON_GetArraySize(json_at(scan, "filters")) == 0 || !open_layout(store, scan, &layout))
        return bytes;
    if (!blocks) {
        sqlite3_free(layout.by_cluster);
        layout.by_cluster = NULL;
    }
    bool prunes = layout.by_cluster != NULL || layout.by_partition != NULL;
    if (prunes && layout.rows > 0 && table_bytes > 0) {
        int64_t block_rows =
            (int64_t)((double)BLOCK_BYTES * (double)layout.rows / (double)table_bytes);
        int64_t rows = rows_read(store, &layout, block_rows < 1 ? 1 : block_rows);
        bytes = (int64_t)((double)table_bytes * (double)rows / (double)layout.rows);
    }
    close_layout(&layout);
    return bytes;
}
