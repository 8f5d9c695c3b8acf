#include "base/zone_rule.h"

#include "base/calendar.h"

#include <ctype.h>
#include <stddef.h>

#define DAY_S INT64_C(86400)

/* --- reading ----------------------------------------------------------------------------- */

/* A name of letters, or of anything between angle brackets. */
static bool skip_name(const char **at)
{
    const char *start = *at;

    if (**at == '<') {
        while (**at != '\0' && **at != '>')
            (*at)++;
        if (**at != '>')
            return false;
        (*at)++;
        return true;
    }
    while (isalpha((unsigned char)**at))
        (*at)++;
    return *at - start >= 3;
}

static bool read_number(const char **at, int minimum, int maximum, int *out_value)
{
    int value = 0;

    if (!isdigit((unsigned char)**at))
        return false;
    while (isdigit((unsigned char)**at)) {
        value = value * 10 + (**at - '0');
        if (value > 9999)
            return false;
        (*at)++;
    }
    *out_value = value;
    return value >= minimum && value <= maximum;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **at, int32_t *out_seconds)
{
    int sign = **at == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    int seconds = 0;

    if (**at == '-' || **at == '+')
        (*at)++;
    if (!read_number(at, 0, 167, &hours))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!read_number(at, 0, 59, &minutes))
            return false;
    }
    if (**at == ':') {
        (*at)++;
        if (!read_number(at, 0, 59, &seconds))
            return false;
    }
    *out_seconds = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool read_week(const char **at, struct zone_date *date)
{
    date->form = ZONE_DATE_WEEK;
    if (!read_number(at, 1, 12, &date->month) || *(*at)++ != '.')
        return false;
    if (!read_number(at, 1, 5, &date->week) || *(*at)++ != '.')
        return false;
    return read_number(at, 0, 6, &date->day);
}

static bool read_date(const char **at, struct zone_date *date)
{
    bool ok = false;

    if (*(*at)++ != ',')
        return false;
    if (**at == 'M') {
        (*at)++;
        ok = read_week(at, date);
    } else if (**at == 'J') {
        (*at)++;
        date->form = ZONE_DATE_JULIAN;
        ok = read_number(at, 1, 365, &date->day);
    } else {
        date->form = ZONE_DATE_DAY;
        ok = read_number(at, 0, 365, &date->day);
    }
    date->time_s = 2 * 3600;
    if (ok && **at == '/') {
        (*at)++;
        ok = read_time(at, &date->time_s);
    }
    return ok;
}

bool zone_rule_parse(const char *text, struct zone_rule *out_rule)
{
    struct zone_rule rule = {0};
    const char *at = text;

    if (!skip_name(&at) || !read_time(&at, &rule.standard_s))
        return false;
    // POSIX counts hours west of Greenwich; this program counts seconds east.
    rule.standard_s = -rule.standard_s;
    if (*at != '\0') {
        rule.has_summer = true;
        if (!skip_name(&at))
            return false;
        rule.summer_s = rule.standard_s + 3600;
        if (*at != ',') {
            if (!read_time(&at, &rule.summer_s))
                return false;
            rule.summer_s = -rule.summer_s;
        }
        if (!read_date(&at, &rule.start) || !read_date(&at, &rule.end) || *at != '\0')
            return false;
    }
    *out_rule = rule;
    return true;
}

/* --- calculation -------------------------------------------------------------------------- */

static int64_t year_of(int64_t utc_s)
{
    // 31556952 s are a year's average; the guess is off by one at most.
    int64_t year = 1970 + utc_s / 31556952;

    while (calendar_days_to_year(year) * DAY_S > utc_s)
        year--;
    while (calendar_days_to_year(year + 1) * DAY_S <= utc_s)
        year++;
    return year;
}

static int64_t week_day(int64_t year, const struct zone_date *date)
{
    int64_t first = calendar_days_to_year(year) + calendar_days_through(year, date->month - 1);
    int64_t next = calendar_days_to_year(year) + calendar_days_through(year, date->month);
    // 1970-01-01 was a Thursday, weekday 4 of 0 to 6 from Sunday.
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (date->day - weekday + 7) % 7 + (date->week - 1) * 7;

    while (day >= next)
        day -= 7;
    return day;
}

/* The local time of a change, in seconds as if it were UTC. */
static int64_t local_change(int64_t year, const struct zone_date *date)
{
    int64_t day = 0;

    switch (date->form) {
    case ZONE_DATE_WEEK:
        day = week_day(year, date);
        break;
    case ZONE_DATE_JULIAN:
        day = calendar_days_to_year(year) + date->day - 1 +
              (calendar_is_leap(year) && date->day >= 60 ? 1 : 0);
        break;
    case ZONE_DATE_DAY:
        day = calendar_days_to_year(year) + date->day;
        break;
    }
    return day * DAY_S + date->time_s;
}

static int64_t summer_starts(const struct zone_rule *rule, int64_t year)
{
    return local_change(year, &rule->start) - rule->standard_s;
}

static int64_t summer_ends(const struct zone_rule *rule, int64_t year)
{
    return local_change(year, &rule->end) - rule->summer_s;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t utc_s)
{
    int64_t latest = INT64_MIN;
    int32_t offset = rule->standard_s;

    if (!rule->has_summer)
        return offset;
    int64_t year = year_of(utc_s);
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t end = summer_ends(rule, y);
        int64_t start = summer_starts(rule, y);
        if (end <= utc_s && end > latest) {
            latest = end;
            offset = rule->standard_s;
        }
        // If summer time starts at the instant at which the previous year's ends, it continues
        // without a change. If it starts when that of the same year ends, there is none.
        if (start <= utc_s && start >= latest && start != end) {
            latest = start;
            offset = rule->summer_s;
        }
    }
    return offset;
}

int64_t zone_rule_next(const struct zone_rule *rule, int64_t utc_s)
{
    int64_t next = INT64_MAX;

    if (!rule->has_summer)
        return next;
    int64_t year = year_of(utc_s);
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t start = summer_starts(rule, y);
        int64_t end = summer_ends(rule, y);
        if (start > utc_s && start < next)
            next = start;
        if (end > utc_s && end < next)
            next = end;
    }
    return next;
}
