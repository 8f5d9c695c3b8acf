/* log_repeat: which warnings have been written lately, so that one that comes again and again is
 * counted instead. Two lines are the same if event and texts are; numbers may differ, and so may
 * milliseconds and bytes that a text tells. No I/O, no allocation, and time comes in from outside;
 * the caller holds a lock. */
#ifndef BQSYNC_BASE_LOG_REPEAT_H
#define BQSYNC_BASE_LOG_REPEAT_H

#include "base/log_field.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long after a line was written its repetitions are counted. */
#define LOG_REPEAT_WINDOW_MS 60000
/* How many lines are remembered; a further one within that time is written each time. */
#define LOG_REPEAT_LINES 256

struct log_repeat_line {
    uint64_t key;       /* of event and texts */
    const char *event;  /* static; NULL: the place is free */
    int64_t written_ms; /* monotonic */
    int64_t written_us; /* wall clock */
    uint64_t repeated;  /* since then, not written */
};

struct log_repeat {
    struct log_repeat_line lines[LOG_REPEAT_LINES];
};

/* Whether the line is to be written now; else it has been counted. *out_repeated: how often it was
 * not written since it last was. event is kept: a static string. */
bool log_repeat_admit(
    struct log_repeat *repeat, const char *event, const struct log_field *fields, int64_t now_ms,
    int64_t now_us, uint64_t *out_repeated);

/* Forgets the lines that were written more than LOG_REPEAT_WINDOW_MS ago, up to one that was
 * repeated, and hands that out; false: none was. INT64_MAX forgets them all. */
bool log_repeat_take(struct log_repeat *repeat, int64_t now_ms, struct log_repeat_line *out_line);

#endif
