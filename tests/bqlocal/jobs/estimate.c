#include "bqlocal/jobs/estimate.h"

#include "base/error.h"
#include "bqlocal/jobs/pruning.h"
#include "bqlocal/sql/run/sql.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/store_routine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SAMPLE_ROWS  200
#define MEGABYTE     INT64_C(1048576)
#define NAME_MAX_LEN 1100
/* "Quotas and limits": a query names at most 1,000 tables. */
#define TABLES_MAX 1000
/* The same: views in one another. */
#define STORED_DEPTH_MAX 16

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

/* One statement of a script. */
struct statement {
    const char *text;
    const cJSON *scans; /* of all statements */
    size_t number;
    bool blocks;
};

/* The tables that a statement names, each once. */
struct named {
    struct path tables[TABLES_MAX];
    int64_t bytes[TABLES_MAX];
    bool filled[TABLES_MAX]; /* named by INSERT INTO alone, which reads nothing of it */
    size_t count;
    int depth; /* of the views and table functions that are looked into */
};

/* Its index, count if it is not there yet. */
static size_t index_of(const struct named *named, const struct path *path)
{
    size_t i = 0;

    while (i < named->count && (strcmp(named->tables[i].dataset, path->dataset) != 0 ||
                                strcmp(named->tables[i].table, path->table) != 0))
        i++;
    return i;
}

/* The query of a view or a table function, owned; NULL: the name is of something else. */
static char *stored_query(struct store *store, const struct path *path)
{
    cJSON *resource = NULL;
    struct error ignored;
    char *text = NULL;

    if (store_view_get(store, path->dataset, path->table, &resource, &ignored) && resource != NULL)
        text = json_text_copy(json_at(resource, "view"), "query");
    else if (store_routine_get(store, path->dataset, path->table, &resource, &ignored))
        text = json_text_copy(resource, "definitionBody");
    cJSON_Delete(resource);
    return text;
}

static void read_names(
    struct named *named, struct store *store, const char *text, const char *default_dataset,
    bool *out_rewrites);

/* The tables beneath are read. A chain that is too deep does not run. */
static void note_stored(struct named *named, struct store *store, const struct path *path)
{
    char *text = named->depth < STORED_DEPTH_MAX ? stored_query(store, path) : NULL;
    bool ignored;

    if (text == NULL)
        return;
    named->depth++;
    read_names(named, store, text, NULL, &ignored);
    named->depth--;
    free(text);
}

static void note(struct named *named, struct store *store, const struct path *path, bool filled)
{
    size_t i = index_of(named, path);

    if (i < named->count)
        named->filled[i] = named->filled[i] && filled;
    if (i < named->count || named->count == TABLES_MAX)
        return;
    int64_t bytes = table_bytes(store, path->dataset, path->table);
    if (bytes == 0)
        note_stored(named, store, path);
    if (bytes == 0)
        return;
    named->filled[named->count] = filled;
    named->tables[named->count] = *path;
    named->bytes[named->count++] = bytes;
}

/* TRUNCATE drops the rows of its table without reading them. */
static bool is_truncate(const char *text)
{
    struct path word = {.dataset = ""};

    while (*text != '\0' && !is_word(*text) && *text != '`')
        text++;
    take_path(&text, &word);
    return strcasecmp(word.table, "truncate") == 0;
}

/* *out_rewrites: a statement updates or deletes. */
static void read_names(
    struct named *named, struct store *store, const char *text, const char *default_dataset,
    bool *out_rewrites)
{
    int words = 0; /* of INSERT INTO, so far */

    *out_rewrites = false;
    if (is_truncate(text))
        return;
    for (const char *at = text; *at != '\0';) {
        struct path word = {.dataset = ""};
        if (*at == '\'' || *at == '"') {
            skip_literal(&at);
            continue;
        }
        if (!is_word(*at) && *at != '`') {
            at++;
            continue;
        }
        take_path(&at, &word);
        if (strcasecmp(word.table, "update") == 0 || strcasecmp(word.table, "delete") == 0)
            *out_rewrites = true;
        bool filled = words == 2;
        words = strcasecmp(word.table, words == 1 ? "into" : "insert") == 0 ? words % 2 + 1 : 0;
        if (word.dataset[0] == '\0' && default_dataset != NULL)
            snprintf(word.dataset, sizeof word.dataset, "%s", default_dataset);
        if (word.dataset[0] != '\0' && word.table[0] != '\0')
            note(named, store, &word, filled);
    }
}

static int64_t billed_bytes(int64_t processed)
{
    int64_t megabytes = (processed + MEGABYTE - 1) / MEGABYTE;

    return (megabytes < 10 ? 10 : megabytes) * MEGABYTE;
}

/* The scan of the table that reads the most. */
static int64_t scanned_bytes(
    struct store *store, const struct path *path, const struct statement *statement,
    int64_t table_bytes)
{
    const cJSON *scan;
    int64_t most = -1;

    cJSON_ArrayForEach(scan, statement->scans)
    {
        if (json_number(scan, "statement", 0) != (int64_t)statement->number ||
            strcmp(json_text(scan, "dataset"), path->dataset) != 0 ||
            strcmp(json_text(scan, "table"), path->table) != 0)
            continue;
        int64_t bytes = pruning_bytes(store, scan, statement->blocks, table_bytes);
        most = bytes > most ? bytes : most;
    }
    return most < 0 ? table_bytes : most;
}

static struct estimate estimate_statement(
    struct store *store, const struct statement *statement, const char *default_dataset)
{
    struct named *named = calloc(1, sizeof *named);
    struct estimate sum = {0};
    bool rewrites;

    if (named == NULL)
        return sum;
    read_names(named, store, statement->text, default_dataset, &rewrites);
    for (size_t i = 0; i < named->count; i++)
        named->bytes[i] = named->filled[i]
                              ? 0
                              : scanned_bytes(store, &named->tables[i], statement, named->bytes[i]);
    // The first table that is named is the one that changes.
    if (rewrites && named->count > 0)
        named->bytes[0] *= 2;
    for (size_t i = 0; i < named->count; i++) {
        sum.processed += named->bytes[i];
        sum.billed += named->filled[i] ? 0 : billed_bytes(named->bytes[i]);
    }
    free(named);
    return sum;
}

struct estimates estimate_script(
    struct store *store, const char *text, const char *default_dataset, const cJSON *scans,
    bool blocks)
{
    struct estimates out = {0};
    struct sql_part *parts = NULL;
    size_t count = 0;

    if (sql_split(text, &parts, &count))
        out.each = calloc(count, sizeof *out.each);
    for (size_t i = 0; out.each != NULL && i < count; i++) {
        char *part = strndup(text + parts[i].start, parts[i].end - parts[i].start);
        const struct statement statement = {part, scans, i, blocks};
        if (parts[i].reads && part != NULL)
            out.each[i] = estimate_statement(store, &statement, default_dataset);
        free(part);
        out.sum.processed += out.each[i].processed;
        out.sum.billed += out.each[i].billed;
        out.count++;
    }
    free(parts);
    return out;
}

void estimates_clear(struct estimates *estimates)
{
    free(estimates->each);
    *estimates = (struct estimates){0};
}
