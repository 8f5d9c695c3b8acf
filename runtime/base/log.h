/* log: one event, one line on stderr, key=value or JSON. Never a secret and never a row's value.
 * Any thread may call it; a line is written in one piece. One that the reader of a pipe or socket
 * does not take within a moment is lost, and so are all others until one is read again. That one
 * follows a line of its own: "log lines lost", how many, why, and since when.
 *
 * A warning whose event and texts are those of one written within the last minute is counted
 * instead of written; numbers do not matter. The next line that has them carries the count as
 * repeated=N; if none comes, a line of its own does, with the event, the count, and since=, the
 * time of the line that was written. */
#ifndef BQSYNC_BASE_LOG_H
#define BQSYNC_BASE_LOG_H

#include "base/error.h"
#include "base/log_field.h"

#include <stdbool.h>
#include <stdint.h>

struct clock;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR, LOG_LEVEL_OFF };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

#define LOG_TEXT(name, value)   ((struct log_field){.key = (name), .text = (value)})
#define LOG_NUMBER(name, value) ((struct log_field){.key = (name), .number = (int64_t)(value)})

/* Called at start, and again when a daemon reloads its settings; the default is info, text. */
void log_configure(enum log_level level, enum log_format format);

/* Whether a line of this level would be written, for callers whose fields cost something. */
bool log_enabled(enum log_level level);

/* Writes one line: time, level, event, then the fields in order up to one with key NULL. event is a
 * static string. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* Writes what has been counted and not told yet, repeated and lost. Called before the process ends.
 */
void log_flush(void);

/* For tests that own time; borrowed, NULL: the system's. */
void log_use_clock(const struct clock *clock);

/* At least one field each: log_info("load done", LOG_TEXT("table", name), LOG_NUMBER("rows",
 * rows)). */
#define LOG_FIELDS(...)       ((const struct log_field[]){__VA_ARGS__, {0}})
#define log_debug(event, ...) log_write(LOG_LEVEL_DEBUG, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...)  log_write(LOG_LEVEL_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, ...)  log_write(LOG_LEVEL_WARN, event, LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) log_write(LOG_LEVEL_ERROR, event, LOG_FIELDS(__VA_ARGS__))

#endif
