/* civil: calendar dates and times between their stored forms and the counts that Avro carries: days
 * since 1970-01-01, microseconds since then or since midnight. Proleptic Gregorian calendar, years
 * 0001 to 9999, days of 24 hours without leap seconds. Pure functions.
 *
 * A conversion answers NULL if it succeeded and else a short reason for people, a static string;
 * the result is written only on success. Text is ISO 8601 as in
 *   YYYY-MM-DD   YYYY-MM-DD HH:MM   YYYY-MM-DDTHH:MM:SS.ffffff+05:30
 * with `T` or one space in between; seconds and their fraction may be missing; a fraction may have
 * any length as long as what lies beyond microseconds is zero or may be dropped; hour 24 and second
 * 60 do not exist. A zone is Z, +HH:MM, +HHMM or +HH, at most 23:59, behind a time; blanks may
 * stand in front of it. */
#ifndef BQSYNC_ENCODE_CIVIL_H
#define BQSYNC_ENCODE_CIVIL_H

#include "base/slice.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_US_PER_DAY INT64_C(86400000000)

/* 0001-01-01 00:00:00 and 9999-12-31 23:59:59.999999. */
#define CIVIL_US_MIN INT64_C(-62135596800000000)
#define CIVIL_US_MAX INT64_C(253402300799999999)

#define CIVIL_TOO_FINE     "is finer than microseconds"
#define CIVIL_OUT_OF_RANGE "is out of the range 0001-01-01 to 9999-12-31"

/* How texts are read where a definition says more than ISO 8601. */
struct civil_rules {
    bool truncate;           /* drop what is finer than a microsecond */
    bool date_drops;         /* drop the date in front of a time of day */
    const struct zone *zone; /* borrowed; of a timestamp without one. NULL: UTC */
};

/* A date alone, or one whose time is midnight without a zone: nothing is cut off. */
const char *civil_date_of_text(
    struct slice text, const struct civil_rules *rules, int64_t *out_days);

/* A time of day, without a zone: microseconds since midnight. */
const char *civil_time_of_text(struct slice text, const struct civil_rules *rules, int64_t *out_us);

/* A date (midnight) or a date and a time, without a zone. */
const char *civil_datetime_of_text(
    struct slice text, const struct civil_rules *rules, int64_t *out_us);

/* The same, with a zone or in that of the rules; the range counts after conversion to UTC. */
const char *civil_timestamp_of_text(
    struct slice text, const struct civil_rules *rules, int64_t *out_us);

/* What Go's Time.String prints, "2024-01-01 10:00:00.112233638 +0330 +0330 m=+84630.7": date, time,
 * offset, the zone's name and perhaps the reading of the monotonic clock (Go documentation, package
 * time). */
const char *civil_timestamp_of_go(
    struct slice text, const struct civil_rules *rules, int64_t *out_us);

/* Whether it is 0000-00-00, alone or with a time of zeros: what some programs store for no date. */
bool civil_is_date_of_zeros(struct slice text);

/* The text of a count that one of these has made: "2026-01-02", "03:04:05.000006", and a datetime
 * as both with the separator in between. Each writes into CIVIL_TEXT_SIZE bytes and returns out. */
#define CIVIL_TEXT_SIZE 40
const char *civil_date_text(int64_t days, char out[static CIVIL_TEXT_SIZE]);
const char *civil_time_text(int64_t us, char out[static CIVIL_TEXT_SIZE]);
const char *civil_datetime_text(int64_t us, char separator, char out[static CIVIL_TEXT_SIZE]);

#endif
