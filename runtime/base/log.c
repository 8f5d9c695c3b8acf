#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* Longer lines are dropped by the buffer's ceiling; errors are 1 KiB at most, so none is. */
#define LINE_CEILING 16384

static _Atomic enum log_level minimum = LOG_LEVEL_INFO;
static _Atomic enum log_format layout = LOG_FORMAT_TEXT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_level level, enum log_format format)
{
    minimum = level;
    layout = format;
}

bool log_enabled(enum log_level level)
{
    return level >= minimum;
}

/* Escapes are the same in both layouts, so that one rule makes a line safe: a quoted text is
 * JSON's. */
static void append_quoted(struct buffer *line, const char *text)
{
    buffer_append_byte(line, '"');
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            buffer_printf(line, "\\%c", c);
        else if (c == '\n')
            buffer_append_text(line, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buffer_printf(line, "\\u%04x", c);
        else
            buffer_append_byte(line, c);
    }
    buffer_append_byte(line, '"');
}

static bool is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return false;
    }
    return true;
}

static void append_text_line(
    struct buffer *line, const char *time, const char *level, const char *event,
    const struct log_field *fields)
{
    buffer_printf(line, "%s %s %s", time, level, event);
    for (const struct log_field *field = fields; field->key != NULL; field++) {
        buffer_printf(line, " %s=", field->key);
        if (field->text == NULL)
            buffer_printf(line, "%" PRId64, field->number);
        else if (is_plain(field->text))
            buffer_append_text(line, field->text);
        else
            append_quoted(line, field->text);
    }
}

static void append_json_line(
    struct buffer *line, const char *time, const char *level, const char *event,
    const struct log_field *fields)
{
    buffer_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time, level);
    append_quoted(line, event);
    for (const struct log_field *field = fields; field->key != NULL; field++) {
        buffer_append_byte(line, ',');
        append_quoted(line, field->key);
        buffer_append_byte(line, ':');
        if (field->text == NULL)
            buffer_printf(line, "%" PRId64, field->number);
        else
            append_quoted(line, field->text);
    }
    buffer_append_byte(line, '}');
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    struct buffer line;
    char time[CLOCK_TEXT_SIZE];

    if (!log_enabled(level) || level >= LOG_LEVEL_OFF)
        return;

    const struct clock *clock = clock_system();
    clock_format(clock->wall_us(clock->context), time);
    buffer_init(&line, LINE_CEILING);
    if (layout == LOG_FORMAT_JSON)
        append_json_line(&line, time, level_names[level], event, fields);
    else
        append_text_line(&line, time, level_names[level], event, fields);
    buffer_append_byte(&line, '\n');

    // One write keeps lines whole when several threads log; a lost line must not end the sync.
    if (line.failure == BUFFER_OK && write(STDERR_FILENO, line.data, line.length) < 0)
        (void)0;
    buffer_clear(&line);
}
