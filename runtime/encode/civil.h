/* civil: calendar dates and times between their stored forms and the counts that Avro carries: days
 * since 1970-01-01, microseconds since then or since midnight. Proleptic Gregorian calendar, years
 * 0001 to 9999, days of 24 hours without leap seconds. Pure functions.
 *
 * A conversion answers NULL if it succeeded and else a short reason for people, a static string;
 * the result is written only on success. Text is ISO 8601 as in
 *   YYYY-MM-DD   YYYY-MM-DD HH:MM   YYYY-MM-DDTHH:MM:SS.ffffff+05:30
 * with `T` or one space in between; seconds and their fraction may be missing; a fraction may have
 * any length as long as what lies beyond microseconds is zero; hour 24 and second 60 do not exist.
 * A zone is Z, +HH:MM, +HHMM or +HH, at most 23:59, directly behind a time. */
#ifndef BQSYNC_ENCODE_CIVIL_H
#define BQSYNC_ENCODE_CIVIL_H

#include "base/slice.h"
#include "base/table.h"

#include <stdint.h>

#define CIVIL_US_PER_DAY INT64_C(86400000000)

/* A date alone, or one whose time is midnight without a zone: nothing is cut off. */
const char *civil_date_of_text(struct slice text, int64_t *out_days);

/* A time of day alone, without a zone: microseconds since midnight. */
const char *civil_time_of_text(struct slice text, int64_t *out_us);

/* A date (midnight) or a date and a time, without a zone. */
const char *civil_datetime_of_text(struct slice text, int64_t *out_us);

/* The same, with a zone or in UTC; the range counts after conversion to UTC. */
const char *civil_timestamp_of_text(struct slice text, int64_t *out_us);

/* The text of a count that one of these has made: "2026-01-02", "03:04:05.000006", and a datetime
 * as both with the separator in between. Each writes into CIVIL_TEXT_SIZE bytes and returns out. */
#define CIVIL_TEXT_SIZE 40
const char *civil_date_text(int64_t days, char out[static CIVIL_TEXT_SIZE]);
const char *civil_time_text(int64_t us, char out[static CIVIL_TEXT_SIZE]);
const char *civil_datetime_text(int64_t us, char separator, char out[static CIVIL_TEXT_SIZE]);

/* A count by one of the numeric formats, to the nearest microsecond since 1970-01-01 00:00. */
const char *civil_us_of_integer(int64_t count, enum time_format format, int64_t *out_us);
const char *civil_us_of_real(double count, enum time_format format, int64_t *out_us);

#endif
