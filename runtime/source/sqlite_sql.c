#include "source/sqlite_sql.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void append_quoted(struct buffer *out, const char *prefix, const char *text, char quote)
{
    buffer_append_byte(out, (uint8_t)quote);
    buffer_append_text(out, prefix);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            buffer_append_byte(out, (uint8_t)quote);
        buffer_append_byte(out, (uint8_t)*text);
    }
    buffer_append_byte(out, (uint8_t)quote);
}

static void append_identifier(struct buffer *out, const char *prefix, const char *name)
{
    append_quoted(out, prefix, name, '"');
}

static void append_literal(struct buffer *out, const char *text)
{
    append_quoted(out, "", text, '\'');
}

void sqlite_sql_append(struct buffer *out, const char *format, ...)
{
    char prefix[48];
    va_list args;

    va_start(args, format);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '$') {
            buffer_append_byte(out, (uint8_t)*at);
            continue;
        }
        switch (*++at) {
        case 'n':
            append_identifier(out, "", va_arg(args, const char *));
            break;
        case 't':
            append_literal(out, va_arg(args, const char *));
            break;
        case 'd':
            append_identifier(out, SQLITE_SQL_DIRTY_PREFIX, va_arg(args, const char *));
            break;
        case 'g':
            snprintf(prefix, sizeof prefix, "bq_sync_%s_", va_arg(args, const char *));
            append_identifier(out, prefix, va_arg(args, const char *));
            break;
        case 'r':
            buffer_append_text(out, va_arg(args, const char *));
            break;
        default:
            assert(*at == '$');
            buffer_append_byte(out, '$');
        }
    }
    va_end(args);
}

void sqlite_sql_append_filter(struct buffer *out, const struct table *table)
{
    // On lines of its own: the filter may end in a comment.
    if (table->where != NULL)
        buffer_printf(out, " and (\n%s\n)", table->where);
}

const char *sqlite_sql_key_name(const struct table *table, size_t i)
{
    return table->columns[table->key[i]].source;
}

bool sqlite_sql_is_key_name(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (strcasecmp(name, sqlite_sql_key_name(table, i)) == 0)
            return true;
    return false;
}

void sqlite_sql_numbers(
    struct buffer *out, const struct table *table, const char *item, const char *between)
{
    for (size_t i = 1; i <= table->key_count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        buffer_append_text(out, i > 1 ? between : "");
        sqlite_sql_append(out, item, number);
    }
}

void sqlite_sql_expand(struct buffer *out, const struct table *table, const char *format)
{
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '$') {
            buffer_append_byte(out, (uint8_t)*at);
            continue;
        }
        switch (*++at) {
        case 'n':
            append_identifier(out, "", table->name);
            break;
        case 't':
            append_literal(out, table->name);
            break;
        case 'd':
            append_identifier(out, SQLITE_SQL_DIRTY_PREFIX, table->name);
            break;
        case 's':
            append_identifier(out, SQLITE_SQL_SHADOW_PREFIX, table->name);
            break;
        case 'p':
            append_identifier(out, SQLITE_SQL_PENDING_PREFIX, table->name);
            break;
        case 'k':
            sqlite_sql_numbers(out, table, "bq_sync_key_$r", ", ");
            break;
        case 'v':
            sqlite_sql_numbers(out, table, "?$r", ", ");
            break;
        default:
            assert(*at == 'w');
            for (size_t i = 1; i <= table->key_count; i++)
                buffer_printf(out, "%sbq_sync_key_%zu = ?%zu", i > 1 ? " and " : "", i, i);
        }
    }
}
