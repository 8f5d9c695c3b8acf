#include "source/unlisted.h"

#include "base/buffer.h"
#include "base/json_memory.h"
#include "base/text_fit.h"
#include "source/statement.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A longer list of columns is cut. */
#define LIST_BYTES   300
#define LINE_CEILING (1 << 16)

/* Hidden columns of virtual tables are arguments of their functions, not values of rows. */
#define COLUMNS_SQL "select name, coalesce(type, '') from pragma_table_xinfo(?1) where hidden <> 1"

bool unlisted_is_ignored(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->ignored_count; i++)
        if (strcasecmp(table->ignored[i], name) == 0)
            return true;
    return false;
}

static bool is_listed(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcasecmp(table->columns[i].source, name) == 0)
            return true;
    return false;
}

/* What a declared type most probably holds. A person decides: any value may be in any column. */
static const char *likely_type(const char *declared)
{
    static const char *const types[][2] = {
        {"bool", "BOOL"},           {"json", "JSON"},    {"datetime", "TIMESTAMP"},
        {"timestamp", "TIMESTAMP"}, {"date", "DATE"},    {"time", "TIME"},
        {"int", "INT64"},           {"blob", "BYTES"},   {"real", "FLOAT64"},
        {"floa", "FLOAT64"},        {"doub", "FLOAT64"}, {"numeric", "NUMERIC"},
        {"decimal", "NUMERIC"},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcasestr(declared, types[i][0]) != NULL)
            return types[i][1];
    return "STRING";
}

static void append_json(struct buffer *out, const char *text)
{
    cJSON *string = cJSON_CreateString(text);
    char *json = json_print(string);

    if (json == NULL)
        out->failure = BUFFER_MEMORY;
    else
        buffer_append_text(out, json);
    free(json);
    cJSON_Delete(string);
}

/* BigQuery's columns have letters, digits and underscores; another name has to be a source. */
static void append_line(struct buffer *out, const char *name, const char *declared)
{
    char plain[300];
    size_t length = 0;

    if (isdigit((unsigned char)name[0]))
        plain[length++] = '_';
    for (const char *at = name; *at != '\0' && length < sizeof plain - 1; at++)
        plain[length++] = (char)(isalnum((unsigned char)*at) ? *at : '_');
    plain[length] = '\0';
    buffer_printf(out, "{\"name\": \"%s\", ", plain);
    if (strcmp(plain, name) != 0) {
        buffer_append_text(out, "\"source\": ");
        append_json(out, name);
        buffer_append_text(out, ", ");
    }
    buffer_printf(out, "\"type\": \"%s\"}", likely_type(declared));
}

struct list {
    struct buffer text;
    bool full;
};

static void add_item(struct list *list, const char *item)
{
    bool first = list->text.length == 0;

    list->full = list->full || (!first && list->text.length + strlen(item) > LIST_BYTES);
    if (!list->full)
        buffer_printf(&list->text, "%s%s", first ? "" : ", ", item);
}

struct description {
    const struct table *table;
    size_t columns;
    struct list names;
    struct list lines;
    struct buffer last_name; /* as JSON */
};

/* Calls visit for each column that the table has in SQLite. */
static bool each_column(
    struct database *source, const struct table *table,
    void (*visit)(void *context, const char *name, const char *declared), void *context,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = statement_bind(source, COLUMNS_SQL, &statement, err, "s", table->name);

    while (ok && (ok = database_step(source, statement, &row, err)) && row)
        visit(context, statement_borrow_text(statement, 0), statement_borrow_text(statement, 1));
    sqlite3_finalize(statement);
    return ok;
}

static void describe_column(void *context, const char *name, const char *declared)
{
    struct description *d = context;
    struct buffer line;

    if (is_listed(d->table, name) || unlisted_is_ignored(d->table, name))
        return;
    buffer_init(&line, LINE_CEILING);
    append_line(&line, name, declared);
    add_item(&d->names, name);
    add_item(&d->lines, buffer_text(&line));
    if (line.failure != BUFFER_OK)
        d->lines.text.failure = line.failure;
    buffer_reset(&d->last_name);
    append_json(&d->last_name, name);
    d->columns++;
    buffer_clear(&line);
}

bool unlisted_describe(
    struct database *source, const struct table *table, char *out, size_t size, struct error *err)
{
    struct description d = {.table = table};

    buffer_init(&d.names.text, LINE_CEILING);
    buffer_init(&d.lines.text, LINE_CEILING);
    buffer_init(&d.last_name, LINE_CEILING);
    bool ok = each_column(source, table, describe_column, &d, err) &&
              buffer_check(&d.names.text, "columns", err) &&
              buffer_check(&d.lines.text, "columns", err) &&
              buffer_check(&d.last_name, "columns", err);
    if (ok && d.columns > 0)
        text_format(
            out, size,
            "SQLite has %s that the definition neither lists nor ignores: %s%s. Add %s%s to "
            "`columns` in schemas/%s.json, or %s to `sync.ignore`, and rebuild",
            d.columns == 1 ? "a column" : "columns", buffer_text(&d.names.text),
            d.names.full ? ", ..." : "", buffer_text(&d.lines.text),
            d.lines.full ? " and so on" : "", table->definition,
            d.columns == 1 ? buffer_text(&d.last_name) : "their names");
    buffer_clear(&d.names.text);
    buffer_clear(&d.lines.text);
    buffer_clear(&d.last_name);
    return ok;
}

/* Which of the ignored columns were found. */
struct presence {
    const struct table *table;
    bool *found;
};

static void note_column(void *context, const char *name, const char *declared)
{
    struct presence *presence = context;

    (void)declared;
    for (size_t i = 0; i < presence->table->ignored_count; i++)
        if (strcasecmp(presence->table->ignored[i], name) == 0)
            presence->found[i] = true;
}

static bool list_absent(const struct presence *presence, char *out, size_t size, struct error *err)
{
    struct list names = {0};

    buffer_init(&names.text, LINE_CEILING);
    for (size_t i = 0; i < presence->table->ignored_count; i++)
        if (!presence->found[i])
            add_item(&names, presence->table->ignored[i]);
    bool ok = buffer_check(&names.text, "columns", err);
    if (ok)
        text_format(out, size, "%s%s", buffer_text(&names.text), names.full ? ", ..." : "");
    buffer_clear(&names.text);
    return ok;
}

bool unlisted_find_absent(
    struct database *source, const struct table *table, char *out_names, size_t size,
    struct error *err)
{
    struct presence presence = {table, calloc(table->ignored_count + 1, sizeof(bool))};

    if (presence.found == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory inspecting %s", table->name);
    bool ok = each_column(source, table, note_column, &presence, err) &&
              list_absent(&presence, out_names, size, err);
    free(presence.found);
    return ok;
}
