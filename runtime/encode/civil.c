#include "encode/civil.h"

#include "base/calendar.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR   (60 * US_PER_MINUTE)

#define NOT_DATE      "is not a date (expected YYYY-MM-DD)"
#define NOT_TIME      "is not a time (expected HH:MM:SS[.ffffff])"
#define NOT_DATETIME  "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff])"
#define NOT_TIMESTAMP "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff][zone])"
#define NOT_GO        "is not a time as Go prints it (expected YYYY-MM-DD HH:MM:SS[.f] +HHMM ZONE)"
#define NO_SUCH_DATE  "is a date that does not exist"
#define NO_SUCH_TIME  "is a time that does not exist"
#define NO_SUCH_ZONE  "has a zone that does not exist"
#define TOO_FINE      CIVIL_TOO_FINE
#define HAS_ZONE      "has a zone"
#define HAS_TIME      "has a time of day"
#define SKIPPED       "does not exist in the column's time zone, whose clocks were put forward then"
#define OUT_OF_RANGE  CIVIL_OUT_OF_RANGE

struct cursor {
    const char *at;
    const char *end;
};

static bool at_end(const struct cursor *in)
{
    return in->at == in->end;
}

static bool skip(struct cursor *in, char c)
{
    if (at_end(in) || *in->at != c)
        return false;
    in->at++;
    return true;
}

/* Reads exactly this many digits. */
static bool take_digits(struct cursor *in, int count, int *out_value)
{
    int value = 0;

    if (in->end - in->at < count)
        return false;
    for (int i = 0; i < count; i++, in->at++) {
        unsigned digit = (unsigned char)*in->at - (unsigned)'0';
        if (digit > 9)
            return false;
        value = value * 10 + (int)digit;
    }
    *out_value = value;
    return true;
}

static const char *take_date(struct cursor *in, const char *not_reason, int64_t *out_days)
{
    int year;
    int month;
    int day;

    if (!take_digits(in, 4, &year) || !skip(in, '-') || !take_digits(in, 2, &month) ||
        !skip(in, '-') || !take_digits(in, 2, &day))
        return not_reason;
    if (month < 1 || month > 12)
        return NO_SUCH_DATE;
    int before = calendar_days_through(year, month - 1);
    // Every month has 28 days.
    if (day < 1 || (day > 28 && day > calendar_days_through(year, month) - before))
        return NO_SUCH_DATE;
    if (year < 1)
        return OUT_OF_RANGE;
    *out_days = calendar_days_to_year(year) + before + day - 1;
    return NULL;
}

static const char *take_fraction(
    struct cursor *in, const struct civil_rules *rules, const char *not_reason, int64_t *out_us)
{
    int64_t us = 0;
    int64_t unit = US_PER_SECOND / 10;
    const char *start = in->at;

    for (; !at_end(in) && *in->at >= '0' && *in->at <= '9'; in->at++) {
        if (unit == 0 && *in->at != '0' && !rules->truncate)
            return TOO_FINE;
        us += (*in->at - '0') * unit;
        unit /= 10;
    }
    if (in->at == start)
        return not_reason;
    *out_us = us;
    return NULL;
}

static const char *take_time(
    struct cursor *in, const struct civil_rules *rules, const char *not_reason, int64_t *out_us)
{
    int hour;
    int minute;
    int second = 0;
    int64_t us = 0;

    if (!take_digits(in, 2, &hour) || !skip(in, ':') || !take_digits(in, 2, &minute))
        return not_reason;
    if (skip(in, ':')) {
        if (!take_digits(in, 2, &second))
            return not_reason;
        if (skip(in, '.')) {
            const char *reason = take_fraction(in, rules, not_reason, &us);
            if (reason != NULL)
                return reason;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return NO_SUCH_TIME;
    *out_us = hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND + us;
    return NULL;
}

static void skip_blanks(struct cursor *in)
{
    while (skip(in, ' '))
        continue;
}

/* Hours and minutes behind a sign. */
static const char *take_offset(
    struct cursor *in, bool behind, const char *not_reason, int64_t *out_us)
{
    int hours;
    int minutes = 0;

    if (!take_digits(in, 2, &hours))
        return not_reason;
    if (!at_end(in) && *in->at != ' ') {
        skip(in, ':');
        if (!take_digits(in, 2, &minutes))
            return not_reason;
    }
    if (hours > 23 || minutes > 59)
        return NO_SUCH_ZONE;
    int64_t ahead = hours * US_PER_HOUR + minutes * US_PER_MINUTE;
    *out_us = behind ? -ahead : ahead;
    return NULL;
}

/* What a zone's clocks are ahead of UTC. */
static const char *take_zone(struct cursor *in, const char *not_reason, int64_t *out_us)
{
    if (skip(in, 'Z')) {
        *out_us = 0;
        return NULL;
    }
    bool behind = skip(in, '-');
    if (!behind && !skip(in, '+'))
        return not_reason;
    return take_offset(in, behind, not_reason, out_us);
}

/* A date, or a date and a time; the cursor is behind them, where a zone may be. */
static const char *take_datetime(
    struct cursor *in, const struct civil_rules *rules, const char *not_reason, int64_t *out_days,
    int64_t *out_us)
{
    const char *reason = take_date(in, not_reason, out_days);

    *out_us = 0;
    if (reason != NULL || at_end(in))
        return reason;
    if (!skip(in, 'T') && !skip(in, ' '))
        return not_reason;
    return take_time(in, rules, not_reason, out_us);
}

/* What to say of characters behind a complete value that may not have a zone. */
static const char *rest_reason(struct cursor in, const char *not_reason)
{
    int64_t ahead;

    skip_blanks(&in);
    bool zone = take_zone(&in, not_reason, &ahead) == NULL && at_end(&in);
    return zone ? HAS_ZONE : not_reason;
}

/* Skips a date in front of a time of day, if there is one. */
static const char *drop_date(struct cursor *in)
{
    int64_t days;

    if (in->end - in->at < 5 || in->at[4] != '-')
        return NULL;
    const char *reason = take_date(in, NOT_TIME, &days);
    if (reason != NULL)
        return reason;
    return skip(in, 'T') || skip(in, ' ') ? NULL : NOT_TIME;
}

static struct cursor cursor_of(struct slice text)
{
    return (struct cursor){text.data, text.data + text.length};
}

const char *civil_date_of_text(
    struct slice text, const struct civil_rules *rules, int64_t *out_days)
{
    struct cursor in = cursor_of(text);
    int64_t days;
    int64_t us;

    const char *reason = take_datetime(&in, rules, NOT_DATE, &days, &us);
    if (reason != NULL)
        return reason;
    if (!at_end(&in))
        return rest_reason(in, NOT_DATE);
    if (us != 0)
        return HAS_TIME;
    *out_days = days;
    return NULL;
}

const char *civil_time_of_text(struct slice text, const struct civil_rules *rules, int64_t *out_us)
{
    struct cursor in = cursor_of(text);
    int64_t us;

    const char *reason = rules->date_drops ? drop_date(&in) : NULL;
    if (reason == NULL)
        reason = take_time(&in, rules, NOT_TIME, &us);
    if (reason != NULL)
        return reason;
    if (!at_end(&in))
        return rest_reason(in, NOT_TIME);
    *out_us = us;
    return NULL;
}

const char *civil_datetime_of_text(
    struct slice text, const struct civil_rules *rules, int64_t *out_us)
{
    struct cursor in = cursor_of(text);
    int64_t days;
    int64_t us;

    const char *reason = take_datetime(&in, rules, NOT_DATETIME, &days, &us);
    if (reason != NULL)
        return reason;
    if (!at_end(&in))
        return rest_reason(in, NOT_DATETIME);
    *out_us = days * CIVIL_US_PER_DAY + us;
    return NULL;
}

static const char *in_range(int64_t us, int64_t *out_us)
{
    if (us < CIVIL_US_MIN || us > CIVIL_US_MAX)
        return OUT_OF_RANGE;
    *out_us = us;
    return NULL;
}

/* The earliest moment at which the clocks of the zone showed it, if they ever did. */
static const char *to_utc(const struct zone *zone, int64_t local_us, int64_t *out_us)
{
    int64_t local_s = local_us / US_PER_SECOND - (local_us % US_PER_SECOND < 0);
    int64_t utc_s = zone_to_utc(zone, local_s);

    if (utc_s + zone_offset(zone, utc_s) != local_s)
        return SKIPPED;
    *out_us = local_us + (utc_s - local_s) * US_PER_SECOND;
    return NULL;
}

const char *civil_timestamp_of_text(
    struct slice text, const struct civil_rules *rules, int64_t *out_us)
{
    struct cursor in = cursor_of(text);
    int64_t days;
    int64_t us;
    int64_t ahead = 0;

    const char *reason = take_datetime(&in, rules, NOT_TIMESTAMP, &days, &us);
    if (reason != NULL)
        return reason;
    us += days * CIVIL_US_PER_DAY;
    if (at_end(&in)) {
        if (rules->zone != NULL)
            reason = to_utc(rules->zone, us, &us);
        return reason != NULL ? reason : in_range(us, out_us);
    }
    skip_blanks(&in);
    reason = take_zone(&in, NOT_TIMESTAMP, &ahead);
    if (reason != NULL)
        return reason;
    return at_end(&in) ? in_range(us - ahead, out_us) : NOT_TIMESTAMP;
}

/* A name such as UTC, CEST or +0330. */
static bool skip_zone_name(struct cursor *in)
{
    const char *start = in->at;

    while (!at_end(in) && (isalnum((unsigned char)*in->at) || *in->at == '+' || *in->at == '-'))
        in->at++;
    return in->at > start;
}

/* The reading of the monotonic clock, as in m=+84630.7: seconds since the program began. */
static bool skip_monotonic(struct cursor *in)
{
    if (!skip(in, 'm') || !skip(in, '=') || (!skip(in, '+') && !skip(in, '-')))
        return false;
    const char *start = in->at;
    while (!at_end(in) && (isdigit((unsigned char)*in->at) || *in->at == '.'))
        in->at++;
    return in->at > start;
}

const char *civil_timestamp_of_go(
    struct slice text, const struct civil_rules *rules, int64_t *out_us)
{
    struct cursor in = cursor_of(text);
    int64_t days;
    int64_t us;
    int64_t ahead = 0;

    const char *reason = take_date(&in, NOT_GO, &days);
    if (reason == NULL)
        reason = skip(&in, ' ') ? take_time(&in, rules, NOT_GO, &us) : NOT_GO;
    if (reason != NULL)
        return reason;
    bool signed_zone = skip(&in, ' ') && !at_end(&in) && (*in.at == '-' || *in.at == '+');
    reason = signed_zone ? take_zone(&in, NOT_GO, &ahead) : NOT_GO;
    if (reason != NULL)
        return reason;
    if (!skip(&in, ' ') || !skip_zone_name(&in))
        return NOT_GO;
    if (skip(&in, ' ') && !skip_monotonic(&in))
        return NOT_GO;
    return at_end(&in) ? in_range(us + days * CIVIL_US_PER_DAY - ahead, out_us) : NOT_GO;
}

bool civil_is_date_of_zeros(struct slice text)
{
    static const char date[] = "0000-00-00";

    if (text.length < sizeof date - 1 || memcmp(text.data, date, sizeof date - 1) != 0)
        return false;
    for (size_t i = sizeof date - 1; i < text.length; i++)
        if (text.data[i] == '\0' || strchr(" T0:.Z", text.data[i]) == NULL)
            return false;
    return true;
}

/* --- text -------------------------------------------------------------------------------- */

/* Years begin in March, so that a leap day is the last of its year; an era has 400 years of 146,097
 * days, and 719,468 days lie between 0000-03-01 and 1970-01-01. No date of ours precedes year 1. */
const char *civil_date_text(int64_t days, char out[static CIVIL_TEXT_SIZE])
{
    int64_t day = days + 719468;
    int64_t era = day / 146097;
    int64_t of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t of_month = of_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    snprintf(
        out, CIVIL_TEXT_SIZE, "%04d-%02d-%02d", (int)(year + era * 400 + (month <= 2)), (int)month,
        (int)of_month);
    return out;
}

const char *civil_time_text(int64_t us, char out[static CIVIL_TEXT_SIZE])
{
    int64_t seconds = us / 1000000;

    snprintf(
        out, CIVIL_TEXT_SIZE, "%02d:%02d:%02d.%06d", (int)(seconds / 3600),
        (int)(seconds / 60 % 60), (int)(seconds % 60), (int)(us % 1000000));
    return out;
}

const char *civil_datetime_text(int64_t us, char separator, char out[static CIVIL_TEXT_SIZE])
{
    char time[CIVIL_TEXT_SIZE];
    int64_t days = us / CIVIL_US_PER_DAY - (us % CIVIL_US_PER_DAY < 0);

    civil_date_text(days, out);
    size_t length = strlen(out);
    civil_time_text(us - days * CIVIL_US_PER_DAY, time);
    snprintf(out + length, CIVIL_TEXT_SIZE - length, "%c%s", separator, time);
    return out;
}
