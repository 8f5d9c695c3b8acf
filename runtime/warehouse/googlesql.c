#include "warehouse/googlesql.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* Inside backticks and inside quotes the same escapes hold. */
static void append_escaped(struct buffer *out, const char *text, char quote)
{
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == (unsigned char)quote || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c == '\n')
            buffer_append_text(out, "\\n");
        else if (c < 0x20)
            buffer_printf(out, "\\x%02x", c);
        else
            buffer_append_byte(out, c);
    }
}

void googlesql_identifier(struct buffer *out, const char *name)
{
    buffer_append_byte(out, '`');
    append_escaped(out, name, '`');
    buffer_append_byte(out, '`');
}

void googlesql_string(struct buffer *out, const char *text)
{
    buffer_append_byte(out, '"');
    append_escaped(out, text, '"');
    buffer_append_byte(out, '"');
}

void googlesql_path(struct buffer *out, const char *project, const char *dataset, const char *table)
{
    googlesql_identifier(out, project);
    buffer_append_byte(out, '.');
    googlesql_identifier(out, dataset);
    buffer_append_byte(out, '.');
    googlesql_identifier(out, table);
}

void googlesql_plain_name(
    char *out, size_t size, const char *project, const char *dataset, const char *table)
{
    snprintf(out, size, "%s.%s.%s", project, dataset, table);
}

void googlesql_render(
    struct buffer *out, struct slice statement, const char *project, const char *dataset,
    const char *staging)
{
    const struct {
        const char *placeholder;
        const char *value;
    } values[] = {{"${project}", project}, {"${dataset}", dataset}, {"${staging}", staging}};
    const char *at = statement.data;
    const char *end = at + statement.length;

    for (;;) {
        const char *next = memmem(at, (size_t)(end - at), "${", 2);
        if (next == NULL) {
            buffer_append(out, at, (size_t)(end - at));
            return;
        }
        buffer_append(out, at, (size_t)(next - at));
        at = next + 2; // a "${" that is not a placeholder of ours (in a description) stays as it is
        bool found = false;
        for (size_t i = 0; i < sizeof values / sizeof values[0] && !found; i++) {
            size_t length = strlen(values[i].placeholder);
            if (length > (size_t)(end - next) || memcmp(next, values[i].placeholder, length) != 0)
                continue;
            assert(values[i].value != NULL);
            append_escaped(out, values[i].value, '`');
            at = next + length;
            found = true;
        }
        if (!found)
            buffer_append_text(out, "${");
    }
}

void googlesql_partition_filter(struct buffer *out, const struct table *table, const char *alias)
{
    cJSON *resource = cJSON_Parse(table->resource_json);
    const cJSON *demand = cJSON_GetObjectItemCaseSensitive(resource, "requirePartitionFilter");
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(resource, "timePartitioning");

    if (by == NULL)
        by = cJSON_GetObjectItemCaseSensitive(resource, "rangePartitioning");
    const char *field = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(by, "field"));
    if (cJSON_IsTrue(demand) && field != NULL) {
        buffer_printf(out, " and (%s.", alias);
        googlesql_identifier(out, field);
        buffer_printf(out, " is null or %s.", alias);
        googlesql_identifier(out, field);
        buffer_append_text(out, " is not null)");
    }
    cJSON_Delete(resource);
}
