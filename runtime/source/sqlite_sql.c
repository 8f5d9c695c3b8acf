#include "source/sqlite_sql.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append_quoted(
    struct buffer *out, const char *prefix, const char *text, const char *suffix, char quote)
{
    buffer_append_byte(out, (uint8_t)quote);
    buffer_append_text(out, prefix);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            buffer_append_byte(out, (uint8_t)quote);
        buffer_append_byte(out, (uint8_t)*text);
    }
    buffer_append_text(out, suffix);
    buffer_append_byte(out, (uint8_t)quote);
}

void sqlite_sql_append(struct buffer *out, const char *format, ...)
{
    const char *name;
    va_list args;

    va_start(args, format);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '$') {
            buffer_append_byte(out, (uint8_t)*at);
            continue;
        }
        switch (*++at) {
        case 'n':
            append_quoted(out, "", va_arg(args, const char *), "", '"');
            break;
        case 't':
            append_quoted(out, "", va_arg(args, const char *), "", '\'');
            break;
        case 'd':
            append_quoted(out, "bq_sync_dirty_", va_arg(args, const char *), "", '"');
            break;
        case 'g':
            name = va_arg(args, const char *);
            append_quoted(out, "bq_sync_", name, va_arg(args, const char *), '"');
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

const char *sqlite_sql_key_name(const struct table *table, size_t i)
{
    return table->columns[table->key[i]].source;
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
