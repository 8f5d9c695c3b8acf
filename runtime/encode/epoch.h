/* epoch: times that are stored as a count of seconds, of another unit, or of days, since some
 * moment. Pure functions.
 *
 * A conversion answers NULL if it succeeded and else a short reason for people, a static string;
 * microseconds since 1970-01-01 00:00 UTC are written only on success. A REAL is rounded to the
 * nearest microsecond, of two equally near ones to the later, because it seldom holds one exactly.
 * Whole numbers and texts are exact: what is finer than a microsecond is a problem. With truncate
 * it is dropped from all of them, and the earlier microsecond counts. */
#ifndef BQSYNC_ENCODE_EPOCH_H
#define BQSYNC_ENCODE_EPOCH_H

#include "base/slice.h"
#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a format is such a count, rather than a text. */
bool epoch_is_count(enum time_format format);

const char *epoch_us_of_integer(
    int64_t count, enum time_format format, bool truncate, int64_t *out_us);

/* Julian days are rounded with truncate too: a day's fraction is never a whole microsecond. */
const char *epoch_us_of_real(double count, enum time_format format, bool truncate, int64_t *out_us);

/* A text of digits, with a sign and a point or without: '1700000000', '1700000000.25'. Not Julian
 * days. EPOCH_NOT_COUNT if it is none. */
const char *epoch_us_of_text(
    struct slice text, enum time_format format, bool truncate, int64_t *out_us);

#define EPOCH_NOT_COUNT "is not a number, as the column's time format requires"

#endif
