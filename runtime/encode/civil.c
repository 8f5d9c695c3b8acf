#include "encode/civil.h"

#include "base/calendar.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
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

/* Eight characters: digits, where `text` has 0, and separators. As a number of which the first
 * character is the lowest byte. */
struct form {
    uint64_t text;
    uint64_t separators; /* ff in the bytes of these */
};

static const struct form year_and_month = {
    UINT64_C(0x2d30302d30303030), // 0000-00-
    UINT64_C(0xff0000ff00000000)};
static const struct form microseconds = {
    UINT64_C(0x3030303030302e30), // 0.000000
    UINT64_C(0x000000000000ff00)};
static const struct form time_of_day = {
    UINT64_C(0x30303a30303a3030), // 00:00:00
    UINT64_C(0x0000ff0000ff0000)};

/* Of eight characters that take_form has read, the number that the two digits from this one on
 * make. */
static int pair_at(uint64_t pairs, int character)
{
    return (int)(pairs >> (8 * character) & 0xff);
}

/* Reads eight characters at once: nearly every row has a time, and a branch for each character
 * makes them cost more than all of its numbers. */
static inline bool take_form(struct cursor *in, const struct form *form, uint64_t *out_pairs)
{
    uint64_t digits;

    if (in->end - in->at < (ptrdiff_t)sizeof digits)
        return false;
    memcpy(&digits, in->at, sizeof digits);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    // The digits as 0 to 9 and the separators as 0; any other byte is more, and reaches the high
    // bit if it does not have it.
    digits ^= form->text;
    if (((digits | (digits + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080)) != 0 ||
        (digits & form->separators) != 0)
        return false;
    // At most 99 in each byte, so nothing is carried into the next.
    *out_pairs = digits * 10 + (digits >> 8);
    in->at += sizeof digits;
    return true;
}

/* Reads two digits. */
static inline bool take_pair(struct cursor *in, int *out_value)
{
    if (in->end - in->at < 2)
        return false;
    unsigned tens = (unsigned char)in->at[0] - (unsigned)'0';
    unsigned ones = (unsigned char)in->at[1] - (unsigned)'0';
    if (tens > 9 || ones > 9)
        return false;
    *out_value = (int)(tens * 10 + ones);
    in->at += 2;
    return true;
}

static const char *take_date(struct cursor *in, const char *not_reason, int64_t *out_days)
{
    uint64_t pairs;
    int day;

    if (!take_form(in, &year_and_month, &pairs) || !take_pair(in, &day))
        return not_reason;
    int year = pair_at(pairs, 0) * 100 + pair_at(pairs, 2);
    int month = pair_at(pairs, 5);
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

/* Behind a point, in front of which a digit stands. */
static const char *take_fraction(
    struct cursor *in, const struct civil_rules *rules, const char *not_reason, int64_t *out_us)
{
    static const int units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    const size_t digits_max = sizeof units / sizeof units[0] - 1;
    int64_t us = 0;
    size_t digits = 0;
    struct cursor second = {in->at - 2, in->end};
    uint64_t pairs;

    if (take_form(&second, &microseconds, &pairs)) {
        us = pair_at(pairs, 2) * 10000 + pair_at(pairs, 4) * 100 + pair_at(pairs, 6);
        digits = digits_max;
        in->at = second.at;
    }
    for (; !at_end(in) && *in->at >= '0' && *in->at <= '9'; in->at++, digits++) {
        if (digits < digits_max)
            us = us * 10 + (*in->at - '0');
        else if (*in->at != '0' && !rules->truncate)
            return TOO_FINE;
    }
    if (digits == 0)
        return not_reason;
    *out_us = us * units[digits < digits_max ? digits : digits_max];
    return NULL;
}

/* Minutes may end it, seconds with a fraction or without. */
static const char *take_time(
    struct cursor *in, const struct civil_rules *rules, const char *not_reason, int64_t *out_us)
{
    uint64_t pairs;
    int hour;
    int minute;
    int second = 0;
    int64_t us = 0;

    if (take_form(in, &time_of_day, &pairs)) {
        hour = pair_at(pairs, 0);
        minute = pair_at(pairs, 3);
        second = pair_at(pairs, 6);
        const char *reason = skip(in, '.') ? take_fraction(in, rules, not_reason, &us) : NULL;
        if (reason != NULL)
            return reason;
    } else if (
        !take_pair(in, &hour) || !skip(in, ':') || !take_pair(in, &minute) || skip(in, ':')) {
        return not_reason;
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

    if (!take_pair(in, &hours))
        return not_reason;
    if (!at_end(in) && *in->at != ' ') {
        skip(in, ':');
        if (!take_pair(in, &minutes))
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
