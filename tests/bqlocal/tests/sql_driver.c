/* sql_driver: bqlocal's store and GoogleSQL without the server, for tests. Reads one JSON request a
 * line ({"sql", "parameters", "dry_run", "dataset"}, or {"dataset": "d", "create": true}) and
 * answers each with one line of JSON. The first argument names the database, none: memory. */
#include "bqlocal/sql/run/sql.h"
#include "bqlocal/store/rows.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_rows(struct store *store, const struct sql_result *result, cJSON *answer)
{
    cJSON *rows = cJSON_AddArrayToObject(answer, "rows");
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" ORDER BY rowid", result->result_table);
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(store->handle, sql, -1, &statement, NULL) == SQLITE_OK)
        while (sqlite3_step(statement) == SQLITE_ROW) {
            cJSON *row = cJSON_CreateArray();
            for (size_t i = 0; i < result->schema.count; i++)
                cJSON_AddItemToArray(
                    row, store_cell_json(
                             sqlite3_column_value(statement, (int)i), result->schema.fields[i].type,
                             ROWS_MICROSECONDS));
            cJSON_AddItemToArray(rows, row);
        }
    sqlite3_finalize(statement);
    sqlite3_free(sql);
}

static void add_statements(const struct sql_result *result, cJSON *answer)
{
    cJSON *statements = cJSON_AddArrayToObject(answer, "statements");

    for (size_t i = 0; i < result->statement_count; i++) {
        const struct sql_statement *statement = &result->statements[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "type", statement->type);
        cJSON_AddStringToObject(item, "ddl", statement->ddl);
        cJSON_AddStringToObject(item, "dataset", statement->target_dataset);
        cJSON_AddStringToObject(item, "table", statement->target_table);
        cJSON_AddBoolToObject(item, "is_dml", statement->is_dml);
        cJSON_AddNumberToObject(item, "inserted", (double)statement->inserted);
        cJSON_AddNumberToObject(item, "updated", (double)statement->updated);
        cJSON_AddNumberToObject(item, "deleted", (double)statement->deleted);
        cJSON_AddItemToArray(statements, item);
    }
}

static void add_error(const struct error *err, cJSON *answer)
{
    cJSON_AddStringToObject(answer, "error", err->message);
    cJSON_AddStringToObject(answer, "reason", err->reason);
    cJSON_AddNumberToObject(answer, "status", err->http_status);
}

static void run(struct store *store, const cJSON *request, cJSON *answer)
{
    struct sql_request sql = {
        .text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "sql")),
        .default_dataset =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "dataset")),
        .parameters = cJSON_GetObjectItemCaseSensitive(request, "parameters"),
        .dry_run = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "dry_run"))};
    struct sql_result result = {0};
    struct error err = {0};

    if (!sql_run(store, &sql, &result, &err)) {
        add_error(&err, answer);
        return;
    }
    cJSON_AddBoolToObject(answer, "is_script", result.is_script);
    add_statements(&result, answer);
    cJSON_AddItemToObject(answer, "schema", store_schema_json(&result.schema));
    if (result.result_table[0] != '\0')
        add_rows(store, &result, answer);
    sql_result_clear(store, &result);
}

static void answer_line(struct store *store, const char *line)
{
    cJSON *request = cJSON_Parse(line);
    cJSON *answer = cJSON_CreateObject();
    struct error err = {0};
    const char *dataset =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "dataset"));
    const char *table = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "table"));
    cJSON *resource = NULL;

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "create"))) {
        if (!store_dataset_insert(store, dataset, NULL, &err))
            add_error(&err, answer);
    } else if (table != NULL) {
        if (store_table_get(store, dataset, table, &resource, &err))
            cJSON_AddItemToObject(answer, "table", resource);
        else
            add_error(&err, answer);
    } else {
        run(store, request, answer);
    }
    char *text = cJSON_PrintUnformatted(answer);
    puts(text);
    fflush(stdout);
    free(text);
    cJSON_Delete(answer);
    cJSON_Delete(request);
}

int main(int argc, char **argv)
{
    struct store store = {0};
    struct error err = {0};
    char *line = NULL;
    size_t capacity = 0;

    if (!store_open(argc > 1 ? argv[1] : NULL, "p", &store, &err) || !sql_register(&store, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    while (getline(&line, &capacity, stdin) > 0)
        answer_line(&store, line);
    free(line);
    store_close(&store);
    return 0;
}
