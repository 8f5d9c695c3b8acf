#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log_repeat.h"
#include "base/output.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Longer lines are dropped by the buffer's ceiling; errors are 1 KiB at most, so none is. */
#define LINE_CEILING 16384

static _Atomic enum log_level minimum = LOG_LEVEL_INFO;
static _Atomic enum log_format layout = LOG_FORMAT_TEXT;
static const struct clock *_Atomic own_clock;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_repeat written; /* under the lock */

/* Lines that could not be written since one last was; under its own lock, which is held while a
 * line waits for its reader. */
static struct {
    pthread_mutex_t lock;
    uint64_t lines;
    int64_t since_us;
    int reason; /* errno */
    bool torn;  /* the beginning of the last one was written */
} lost = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct log_field nothing[] = {{0}};

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

/* A newline, and a line with the fields and then the further ones. */
static void format_line(
    struct buffer *line, enum log_level level, int64_t now_us, const char *event,
    const struct log_field *fields, const struct log_field *further)
{
    char time[CLOCK_TEXT_SIZE];

    clock_format(now_us, time);
    buffer_init(line, LINE_CEILING);
    buffer_append_byte(line, '\n');
    if (layout == LOG_FORMAT_JSON) {
        buffer_printf(
            line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time, level_names[level]);
        append_quoted(line, event);
        append_json_fields(line, fields);
        append_json_fields(line, further);
        buffer_append_byte(line, '}');
    } else {
        buffer_printf(line, "%s %s %s", time, level_names[level], event);
        append_text_fields(line, fields);
        append_text_fields(line, further);
    }
    buffer_append_byte(line, '\n');
}

/* --- what nobody reads ------------------------------------------------------------------- */

/* Waits for the reader only if the last line was read: one who stays away costs a pass that moment
 * once, not with each line. */
static bool put(const struct buffer *line)
{
    int patience_ms = lost.lines == 0 ? OUTPUT_PATIENCE_MS : 0;
    size_t length;

    if (line->failure != BUFFER_OK)
        return true;
    // Its first byte ends what was written of another line.
    size_t from = lost.torn ? 0 : 1;
    if (output_write(STDERR_FILENO, line->data + from, line->length - from, patience_ms, &length)) {
        lost.torn = false;
        return true;
    }
    lost.reason = errno;
    lost.torn = lost.torn || length > 0;
    return false;
}

/* Tells of lost lines, if somebody reads again; else the line that was to follow is lost, too. */
static bool put_lost(int64_t now_us)
{
    char since[CLOCK_TEXT_SIZE];
    struct buffer line;

    if (lost.lines == 0)
        return true;
    bool unread = lost.reason == ETIMEDOUT || lost.reason == EPIPE;
    format_line(
        &line, LOG_LEVEL_WARN, now_us, "log lines lost",
        LOG_FIELDS(
            LOG_NUMBER("lines", lost.lines),
            LOG_TEXT("reason", unread ? "nobody read them" : strerror(lost.reason)),
            LOG_TEXT("since", clock_format(lost.since_us, since))),
        nothing);
    bool told = put(&line);
    if (told)
        lost.lines = 0;
    buffer_clear(&line);
    return told;
}

static void write_line(
    enum log_level level, int64_t now_us, const char *event, const struct log_field *fields,
    const struct log_field *further)
{
    struct buffer line;

    format_line(&line, level, now_us, event, fields, further);
    // One at a time keeps lines whole when several threads log; a lost one must not end the sync.
    pthread_mutex_lock(&lost.lock);
    if (!put_lost(now_us) || !put(&line)) {
        if (lost.lines == 0)
            lost.since_us = now_us;
        lost.lines++;
    }
    pthread_mutex_unlock(&lost.lock);
    buffer_clear(&line);
}

/* --- what repeats ------------------------------------------------------------------------ */

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
    int64_t now_us = clock->wall_us(clock->context);

    write_lapsed(INT64_MAX, now_us);
    pthread_mutex_lock(&lost.lock);
    put_lost(now_us);
    pthread_mutex_unlock(&lost.lock);
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
