#include "bqlocal/jobs/estimate.h"

#include "base/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SAMPLE_ROWS  200
#define MEGABYTE     INT64_C(1048576)
#define NAME_MAX_LEN 1100

static int64_t value_bytes(sqlite3_value *value, enum store_type type)
{
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return 0;
    switch (type) {
    case STORE_BOOL:
        return 1;
    case STORE_NUMERIC:
        return 16;
    case STORE_BIGNUMERIC:
        return 32;
    case STORE_STRING:
    case STORE_BYTES:
    case STORE_JSON:
    case STORE_GEOGRAPHY:
        return 2 + sqlite3_value_bytes(value);
    default:
        return 8;
    }
}

/* The mean size of the first rows. */
static double mean_row_bytes(
    struct store *store, const char *dataset, const char *table, const struct store_schema *schema)
{
    char *sql = sqlite3_mprintf("select * from \"%w.%w\" limit %d", dataset, table, SAMPLE_ROWS);
    sqlite3_stmt *row = NULL;
    struct error ignored;
    int64_t bytes = 0;
    int rows = 0;

    if (sql != NULL && store_prepare(store, sql, &row, &ignored, NULL))
        for (; sqlite3_step(row) == SQLITE_ROW; rows++)
            for (size_t i = 0; i < schema->count; i++)
                bytes += value_bytes(sqlite3_column_value(row, (int)i), schema->fields[i].type);
    sqlite3_finalize(row);
    sqlite3_free(sql);
    return rows == 0 ? 0 : (double)bytes / rows;
}

int64_t estimate_table_bytes(
    struct store *store, const char *dataset, const char *table, int64_t rows)
{
    struct store_schema schema = {0};
    struct error ignored;

    if (!store_schema(store, dataset, table, &schema, &ignored))
        return 0;
    double mean = mean_row_bytes(store, dataset, table, &schema);
    store_schema_clear(&schema);
    return (int64_t)(mean * (double)rows);
}

static int64_t table_bytes(struct store *store, const char *dataset, const char *table)
{
    cJSON *resource = NULL;
    struct error ignored;

    if (!store_table_get(store, dataset, table, &resource, &ignored))
        return 0;
    const char *rows = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(resource, "numRows"));
    int64_t bytes =
        estimate_table_bytes(store, dataset, table, rows == NULL ? 0 : strtoll(rows, NULL, 10));
    cJSON_Delete(resource);
    return bytes;
}

/* The last two parts of a name like a.`b`.c; one part alone belongs to the default dataset. */
struct path {
    char dataset[NAME_MAX_LEN];
    char table[NAME_MAX_LEN];
};

static bool is_word(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_' || letter == '-' || (letter & 0x80) != 0;
}

/* Reads one part of a name at *at; a quoted one may hold several parts. */
static void take_part(const char **at, struct path *path)
{
    bool quoted = **at == '`';
    size_t length = 0;

    *at += quoted;
    for (; **at != '\0' && (quoted ? **at != '`' : is_word(**at)); (*at)++) {
        if (**at == '.') {
            path->table[length] = '\0';
            strcpy(path->dataset, path->table);
            length = 0;
        } else if (length + 1 < sizeof path->table) {
            path->table[length++] = **at;
        }
    }
    path->table[length] = '\0';
    *at += quoted && **at == '`';
}

static void take_path(const char **at, struct path *path)
{
    take_part(at, path);
    while (**at == '.' && (is_word((*at)[1]) || (*at)[1] == '`')) {
        strcpy(path->dataset, path->table);
        (*at)++;
        take_part(at, path);
    }
}

static void skip_literal(const char **at)
{
    char quote = *(*at)++;

    while (**at != '\0' && **at != quote)
        *at += **at == '\\' && (*at)[1] != '\0' ? 2 : 1;
    *at += **at == quote;
}

int64_t estimate_query_bytes(struct store *store, const char *text, const char *default_dataset)
{
    int64_t bytes = 0;
    int64_t target = -1; // the first table that is named, of a statement that changes one
    bool rewrites = false;
    struct path word;

    for (const char *at = text; *at != '\0';) {
        if (*at == '\'' || *at == '"') {
            skip_literal(&at);
            continue;
        }
        if (!is_word(*at) && *at != '`') {
            at++;
            continue;
        }
        word = (struct path){.dataset = ""};
        take_path(&at, &word);
        if (strcasecmp(word.table, "update") == 0 || strcasecmp(word.table, "delete") == 0)
            rewrites = true;
        const char *dataset = word.dataset[0] != '\0' ? word.dataset : default_dataset;
        if (dataset == NULL || word.table[0] == '\0')
            continue;
        int64_t size = table_bytes(store, dataset, word.table);
        bytes += size;
        if (target < 0 && size > 0)
            target = size;
    }
    return bytes + (rewrites && target > 0 ? target : 0);
}

int64_t estimate_billed_bytes(int64_t processed)
{
    int64_t megabytes = (processed + MEGABYTE - 1) / MEGABYTE;

    return processed == 0 ? 0 : (megabytes < 10 ? 10 : megabytes) * MEGABYTE;
}
