/* INFORMATION_SCHEMA: the columns of TABLES and COLUMNS that people and tools read. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/limit.h"

#include <string.h>
#include <strings.h>

static const char *const table_names[] = {
    "table_catalog", "table_schema", "table_name", "table_type", "creation_time"};
static const int table_types[] = {
    STORE_STRING, STORE_STRING, STORE_STRING, STORE_STRING, STORE_TIMESTAMP};
static const char *const column_names[] = {
    "table_catalog", "table_schema",           "table_name",
    "column_name",   "ordinal_position",       "is_nullable",
    "data_type",     "is_partitioning_column", "column_default"};
static const int column_types[] = {STORE_STRING, STORE_STRING, STORE_STRING,
                                   STORE_STRING, STORE_INT64,  STORE_STRING,
                                   STORE_STRING, STORE_STRING, STORE_STRING};

static const char *text(struct sql_compiler *compiler, const char *value)
{
    return value == NULL ? "NULL" : sql_quote_text(compiler->arena, value, strlen(value));
}

static const char *table_id(const cJSON *table)
{
    return json_text(json_at(table, "tableReference"), "tableId");
}

static const char *table_row(struct sql_compiler *compiler, const char *dataset, const cJSON *table)
{
    const char *created = json_text(table, "creationTime");

    return sql_printf(
        compiler->arena, "(%s,%s,%s,'%s',%s*1000)", text(compiler, compiler->store->project),
        text(compiler, dataset), text(compiler, table_id(table)),
        json_at(table, "view") != NULL ? "VIEW" : "BASE TABLE", created == NULL ? "NULL" : created);
}

static bool column_rows(
    struct sql_compiler *compiler, const char *dataset, const cJSON *table, struct sql_list *rows)
{
    struct store_schema schema = {0};
    const char *partition = json_text(json_at(table, "timePartitioning"), "field");
    const cJSON *json = json_at(table, "schema");

    if (partition == NULL)
        partition = json_text(json_at(table, "rangePartitioning"), "field");
    if (!store_schema_parse(json, &schema, compiler->err))
        return false;
    for (size_t i = 0; i < schema.count; i++) {
        const struct store_field *field = &schema.fields[i];
        char type[LIMIT_TEXT_SIZE];
        bool partitions = partition != NULL && strcasecmp(partition, field->name) == 0;
        sql_push(
            compiler->arena, rows,
            sql_printf(
                compiler->arena, "(%s,%s,%s,%s,%zu,'%s','%s','%s',%s)",
                text(compiler, compiler->store->project), text(compiler, dataset),
                text(compiler, table_id(table)), text(compiler, field->name), i + 1,
                field->required ? "NO" : "YES", limit_type_name(field, type),
                partitions ? "YES" : "NO",
                field->default_sql == NULL ? "'NULL'" : text(compiler, field->default_sql)));
    }
    store_schema_clear(&schema);
    return true;
}

static void set_output(
    struct sql_compiler *compiler, const struct sql_list *rows, const char *const *names,
    const int *types, size_t count, struct sql_output *out)
{
    const char **items = sql_alloc(compiler->arena, count * sizeof *items);

    out->count = count;
    out->fields = sql_alloc(compiler->arena, count * sizeof *out->fields);
    for (size_t i = 0; i < count; i++) {
        out->fields[i] = (struct sql_field){.name = names[i], .type = types[i]};
        items[i] = rows->count == 0 ? sql_printf(compiler->arena, "NULL AS c%zu", i)
                                    : sql_printf(compiler->arena, "column%zu AS c%zu", i + 1, i);
    }
    const char *columns = sql_join(compiler, ", ", items, count);
    out->sql = rows->count == 0
                   ? sql_printf(compiler->arena, "SELECT %s WHERE 0", columns)
                   : sql_printf(
                         compiler->arena, "SELECT %s FROM (VALUES %s)", columns,
                         sql_join(compiler, ",", (const char *const *)rows->items, rows->count));
}

bool sql_information_schema(
    struct sql_compiler *compiler, const struct sql_from *from, struct sql_output *out,
    bool *out_found)
{
    size_t count = from->path.count;
    const char *view = count > 1 ? from->path.items[count - 1] : "";
    const char *dataset =
        count > 2 ? from->path.items[count - 3] : compiler->request->default_dataset;
    struct sql_list rows = {0};
    cJSON *tables = NULL;
    const cJSON *table;
    bool ok = true;

    *out_found = count > 1 && strcasecmp(from->path.items[count - 2], "INFORMATION_SCHEMA") == 0;
    if (!*out_found)
        return true;
    bool columns = strcasecmp(view, "COLUMNS") == 0;
    if (!columns && strcasecmp(view, "TABLES") != 0)
        return sql_error(
            compiler->err, from->place,
            "bqlocal has INFORMATION_SCHEMA.TABLES and COLUMNS only, not %s", view);
    if (dataset == NULL)
        return sql_error(
            compiler->err, from->place, "INFORMATION_SCHEMA.%s must be qualified with a dataset",
            view);
    if (!sql_check_dataset(compiler, count > 3 ? from->path.items[count - 4] : NULL, dataset) ||
        !store_table_list(compiler->store, dataset, &tables, compiler->err))
        return false;
    cJSON_ArrayForEach(table, tables)
    {
        if (columns)
            ok = ok && column_rows(compiler, dataset, table, &rows);
        else
            sql_push(
                compiler->arena, &rows, (void *)(uintptr_t)table_row(compiler, dataset, table));
    }
    cJSON_Delete(tables);
    if (columns)
        set_output(compiler, &rows, column_names, column_types, 9, out);
    else
        set_output(compiler, &rows, table_names, table_types, 5, out);
    return ok;
}
