#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log_repeat.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* Longer lines are dropped by the buffer's ceiling; errors are 1 KiB at most, so none is. */
#define LINE_CEILING 16384

static _Atomic enum log_level minimum = LOG_LEVEL_INFO;
static _Atomic enum log_format layout = LOG_FORMAT_TEXT;
static const struct clock *_Atomic own_clock;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_repeat written; /* under the lock */

static const char *const level_names[] = {"debug", "info", "warn", "error"};
_Static_assert(
    sizeof level_names / sizeof level_names[0] == LOG_LEVEL_OFF,
    "a name for each level that is written");

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

static void append_text_fields(struct buffer *line, const struct log_field *fields)
{
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

static void append_json_fields(struct buffer *line, const struct log_field *fields)
{
    for (const struct log_field *field = fields; field->key != NULL; field++) {
        buffer_append_byte(line, ',');
        append_quoted(line, field->key);
        buffer_append_byte(line, ':');
        if (field->text == NULL)
            buffer_printf(line, "%" PRId64, field->number);
        else
            append_quoted(line, field->text);
    }
}

/* A line with the fields and then the further ones. */
static void write_line(
    enum log_level level, int64_t now_us, const char *event, const struct log_field *fields,
    const struct log_field *further)
{
    struct buffer line;
    char time[CLOCK_TEXT_SIZE];

    clock_format(now_us, time);
    buffer_init(&line, LINE_CEILING);
    if (layout == LOG_FORMAT_JSON) {
        buffer_printf(
            &line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time, level_names[level]);
        append_quoted(&line, event);
        append_json_fields(&line, fields);
        append_json_fields(&line, further);
        buffer_append_byte(&line, '}');
    } else {
        buffer_printf(&line, "%s %s %s", time, level_names[level], event);
        append_text_fields(&line, fields);
        append_text_fields(&line, further);
    }
    buffer_append_byte(&line, '\n');

    // One write keeps lines whole when several threads log; a lost line must not end the sync.
    if (line.failure == BUFFER_OK && write(STDERR_FILENO, line.data, line.length) < 0)
        (void)0;
    buffer_clear(&line);
}

/* --- what repeats ------------------------------------------------------------------------ */

static const struct log_field nothing[] = {{0}};

static const struct clock *clock_in_use(void)
{
    const struct clock *own = own_clock;

    return own != NULL ? own : clock_system();
}

/* Tells of lines that were repeated and have not been written again by until_ms. */
static void write_lapsed(int64_t until_ms, int64_t now_us)
{
    struct log_repeat_line line;
    char since[CLOCK_TEXT_SIZE];

    for (;;) {
        pthread_mutex_lock(&lock);
        bool found = log_repeat_take(&written, until_ms, &line);
        pthread_mutex_unlock(&lock);
        if (!found)
            return;
        if (log_enabled(LOG_LEVEL_WARN))
            write_line(
                LOG_LEVEL_WARN, now_us, line.event,
                LOG_FIELDS(
                    LOG_NUMBER("repeated", line.repeated),
                    LOG_TEXT("since", clock_format(line.written_us, since))),
                nothing);
    }
}

void log_use_clock(const struct clock *clock)
{
    own_clock = clock;
}

void log_flush(void)
{
    const struct clock *clock = clock_in_use();

    write_lapsed(INT64_MAX, clock->wall_us(clock->context));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    uint64_t repeated = 0;
    bool wanted = true;

    if (!log_enabled(level) || level >= LOG_LEVEL_OFF)
        return;
    const struct clock *clock = clock_in_use();
    int64_t now_us = clock->wall_us(clock->context);
    int64_t now_ms = clock->monotonic_ms(clock->context);
    // People act on errors and count info lines, so only warnings are limited.
    if (level == LOG_LEVEL_WARN) {
        pthread_mutex_lock(&lock);
        wanted = log_repeat_admit(&written, event, fields, now_ms, now_us, &repeated);
        pthread_mutex_unlock(&lock);
    }
    if (level != LOG_LEVEL_DEBUG)
        write_lapsed(now_ms, now_us);
    if (wanted)
        write_line(
            level, now_us, event, fields,
            repeated > 0 ? LOG_FIELDS(LOG_NUMBER("repeated", repeated)) : nothing);
}
