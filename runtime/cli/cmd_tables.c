/* cmd_tables: `bqsync tables` and `bqsync ddl`: print the tables that are compiled in. Make no
 * request. */
#include "base/buffer.h"
#include "base/json_memory.h"
#include "base/text_fit.h"
#include "base/text_width.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "sync/report/table_report.h"
#include "warehouse/googlesql.h"

#include <stdio.h>
#include <string.h>

#define TEXT_CEILING (8 << 20)
#define KEY_SIZE     256
#define KEY_WIDTH    20

/* As wide as the column of the tables, unless a target has a longer name. */
static int target_width(const struct invocation *in, int width)
{
    for (size_t i = 0; i < in->table_count; i++)
        if (text_width(in->tables[i]->target) > (size_t)width)
            width = (int)text_width(in->tables[i]->target);
    return width;
}

/* "team, person" */
static void list_key(const struct table *table, char out[static KEY_SIZE])
{
    out[0] = '\0';
    for (size_t i = 0; i < table->key_count; i++) {
        size_t used = strlen(out);
        text_format(
            out + used, KEY_SIZE - used, "%s%s", i > 0 ? ", " : "",
            table->columns[table->key[i]].name);
    }
}

int command_tables(struct invocation *in)
{
    int width = console_name_width(in);
    int wide = target_width(in, width);
    char key[KEY_SIZE];

    if ((in->args->switches & ARGS_JSON) != 0)
        return command_print_json(table_report_json(in->tables, in->table_count), 0);

    printf(
        "%-*s %-*s %-8s %-*s %s\n", width, "table", wide, "target", "mode", KEY_WIDTH, "key",
        "columns");
    for (size_t i = 0; i < in->table_count; i++) {
        const struct table *table = in->tables[i];
        list_key(table, key);
        printf(
            "%s%*s %s%*s %-8s %s%*s %zu\n", CONSOLE_PADDED(table->name, width),
            CONSOLE_PADDED(table->target, wide), table_report_mode(table->mode),
            CONSOLE_PADDED(key, KEY_WIDTH), table->column_count);
    }
    return 0;
}

static int print_schemas(const struct invocation *in)
{
    if (in->table_count == 1 && !in->all_tables) {
        fputs(in->tables[0]->schema_json, stdout);
        putchar('\n');
        return 0;
    }
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < in->table_count; i++)
        cJSON_AddItemToObject(json, in->tables[i]->name, cJSON_Parse(in->tables[i]->schema_json));
    char *text = json_print_lines(json);
    cJSON_Delete(json);
    return command_print_text(text, 0);
}

/* Replaces the placeholders of project and dataset if they are configured. Otherwise they stay, so
 * that a definition can be reviewed without a configuration. */
static void print_statement(const struct invocation *in, const char *statement)
{
    struct buffer text;
    const struct config *config = in->config;

    buffer_init(&text, TEXT_CEILING);
    if (config->project == NULL || config->dataset == NULL)
        buffer_append_text(&text, statement);
    else
        googlesql_render(
            &text, slice_of(statement), config->project, config->dataset, "${staging}");
    // The texts end with a line feed, which would separate the semicolon from its statement.
    while (text.length > 0 && text.data[text.length - 1] == '\n')
        text.length--;
    printf("%.*s;\n", (int)text.length, (const char *)text.data);
    buffer_clear(&text);
}

/* The target, and what keeps its history. */
static void print_definition(const struct invocation *in, const struct table *table)
{
    const struct table_history *history = table->history;

    print_statement(in, table->ddl_sql);
    if (history == NULL)
        return;
    const char *const statements[] = {
        history->log_ddl_sql, history->view_sql, history->function_sql};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        putchar('\n');
        print_statement(in, statements[i]);
    }
}

int command_ddl(struct invocation *in)
{
    const char *format = in->args->format == NULL ? "sql" : in->args->format;
    struct error err;

    if (strcmp(format, "json") == 0)
        return print_schemas(in);
    if (strcmp(format, "sql") != 0 && strcmp(format, "merge") != 0) {
        error_set(&err, ERROR_USAGE, "--format is sql, json or merge, not %s", format);
        return command_fail(in, &err);
    }
    for (size_t i = 0; i < in->table_count; i++) {
        const struct table *table = in->tables[i];
        if (i > 0)
            putchar('\n');
        if (strcmp(format, "sql") == 0) {
            print_definition(in, table);
        } else if (table->merge_sql == NULL) {
            printf("-- %s has no key and is replaced as a whole.\n", table->name);
        } else {
            print_statement(in, table->merge_sql);
            if (table->add_sql != NULL) {
                putchar('\n');
                print_statement(in, table->add_sql);
            }
            if (table->merge_within_sql != NULL) {
                putchar('\n');
                print_statement(in, table->merge_within_sql);
            }
        }
    }
    return 0;
}
