#include "bqlocal/jobs/partition_filter.h"

#include "bqlocal/sql/parse/lex.h"
#include "bqlocal/store/json_member.h"

#include <string.h>
#include <strings.h>

bool partition_filter_is_used(struct store *store)
{
    sqlite3_stmt *row = NULL;
    struct error ignored;

    bool used = store_prepare(
                    store,
                    "select 1 from bqlocal_tables"
                    " where resource like '%\"requirePartitionFilter\":true%'",
                    &row, &ignored, NULL) &&
                sqlite3_step(row) == SQLITE_ROW;
    sqlite3_finalize(row);
    return used;
}

/* Whether the statement's tokens have the name behind a WHERE or an ON. */
static bool filters_by(
    const struct sql_token *tokens, const struct sql_statement *statement, const char *name)
{
    bool inside = false;

    for (; tokens->kind != SQL_TOKEN_END && tokens->start < statement->end; tokens++) {
        if (tokens->start < statement->start)
            continue;
        bool is_name = tokens->kind == SQL_TOKEN_NAME || tokens->kind == SQL_TOKEN_QUOTED;
        if (is_name && tokens->reserved)
            inside = inside || strcasecmp(tokens->text, "WHERE") == 0 ||
                     strcasecmp(tokens->text, "ON") == 0;
        else if (is_name && inside && strcasecmp(tokens->text, name) == 0)
            return true;
    }
    return false;
}

/* Whether the statement's tokens name the table: as the last part of a path. */
static bool names_table(
    const struct sql_token *tokens, const struct sql_statement *statement, const char *table)
{
    size_t length = strlen(table);

    for (; tokens->kind != SQL_TOKEN_END && tokens->start < statement->end; tokens++) {
        bool is_name = tokens->kind == SQL_TOKEN_NAME || tokens->kind == SQL_TOKEN_QUOTED;
        if (tokens->start < statement->start || !is_name || tokens->length < length)
            continue;
        size_t before = tokens->length - length;
        if (strcmp(tokens->text + before, table) == 0 &&
            (before == 0 || tokens->text[before - 1] == '.'))
            return true;
    }
    return false;
}

/* Only changed as a whole, or only added to: that reads no partitions. */
static bool is_exempt(const struct sql_statement *statement, const char *dataset, const char *table)
{
    static const char *const types[] = {"INSERT", "TRUNCATE_TABLE", "ALTER_TABLE", "DROP_TABLE"};
    bool exempt = false;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        exempt = exempt || strcmp(statement->type, types[i]) == 0;
    return exempt && strcmp(statement->target_dataset, dataset) == 0 &&
           strcmp(statement->target_table, table) == 0;
}

static bool check_table(
    const struct sql_token *tokens, const struct sql_result *analysis, const cJSON *resource,
    struct error *err)
{
    const cJSON *time = json_at(resource, "timePartitioning");
    const char *column =
        json_text(time != NULL ? time : json_at(resource, "rangePartitioning"), "field");
    const cJSON *reference = json_at(resource, "tableReference");
    const char *dataset = json_text(reference, "datasetId");
    const char *table = json_text(reference, "tableId");

    if (!json_bool(resource, "requirePartitionFilter", false))
        return true;
    for (size_t i = 0; i < analysis->statement_count; i++) {
        const struct sql_statement *statement = &analysis->statements[i];
        if (is_exempt(statement, dataset, table) || !names_table(tokens, statement, table) ||
            filters_by(tokens, statement, column == NULL ? "_PARTITIONTIME" : column))
            continue;
        return sql_error(
            err, SQL_NO_PLACE,
            "Cannot query over table '%s.%s' without a filter over column(s) '%s' that can be used "
            "for partition elimination",
            dataset, table, column == NULL ? "_PARTITIONTIME" : column);
    }
    return true;
}

bool partition_filter_check(
    struct store *store, const char *text, const struct sql_result *analysis, struct error *err)
{
    struct sql_arena arena = {0};
    struct sql_token *tokens = NULL;
    const cJSON *reference;
    size_t count = 0;
    bool ok = sql_lex(&arena, text, &tokens, &count, err);

    cJSON_ArrayForEach(reference, analysis->references)
    {
        cJSON *resource = NULL;
        ok = ok &&
             store_table_get(
                 store, json_text(reference, "datasetId"), json_text(reference, "tableId"),
                 &resource, err) &&
             check_table(tokens, analysis, resource, err);
        cJSON_Delete(resource);
    }
    sql_arena_clear(&arena);
    return ok;
}
