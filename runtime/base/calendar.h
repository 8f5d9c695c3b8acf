/* calendar: days of years and months in the proleptic Gregorian calendar. Inline, because the
 * readers of times count days for every value. Pure functions. */
#ifndef BQSYNC_BASE_CALENDAR_H
#define BQSYNC_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

static inline bool calendar_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to 1 January of a year from 1 on. */
static inline int64_t calendar_days_to_year(int64_t year)
{
    int64_t before = year - 1;

    // 719162 days lie between 0001-01-01 and 1970-01-01.
    return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

/* Days from 1 January to the end of a month, 1 to 12; 0 for month 0. */
static inline int calendar_days_through(int64_t year, int month)
{
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

    return days[month] + (month >= 2 && calendar_is_leap(year) ? 1 : 0);
}

#endif
