/* The texts of dates and times. */
#include "bqlocal/store/value.h"

#include <ctype.h>
#include <string.h>

/* What is left to read. */
struct cursor {
    const char *at;
    const char *end;
};

/* One to `most` digits, at least `least`. */
static bool take_number(struct cursor *in, int least, int most, int *out)
{
    int count = 0;
    int number = 0;

    while (in->at < in->end && count < most && isdigit((unsigned char)*in->at)) {
        number = number * 10 + (*in->at++ - '0');
        count++;
    }
    *out = number;
    return count >= least;
}

static bool take_letter(struct cursor *in, const char *letters)
{
    if (in->at == in->end || strchr(letters, *in->at) == NULL)
        return false;
    in->at++;
    return true;
}

static bool take_date(struct cursor *in, int64_t *out_days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;

    if (!take_number(in, 4, 4, &year) || !take_letter(in, "-/") || !take_number(in, 1, 2, &month) ||
        !take_letter(in, "-/") || !take_number(in, 1, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (month == 2 && leap))
        return false;
    *out_days = value_days(year, month, day);
    return true;
}

static bool take_time(struct cursor *in, int64_t *out_us)
{
    int hour, minute, second;
    int64_t fraction = 0;

    if (!take_number(in, 1, 2, &hour) || !take_letter(in, ":") || !take_number(in, 1, 2, &minute) ||
        !take_letter(in, ":") || !take_number(in, 1, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (take_letter(in, ".")) {
        const char *start = in->at;
        int digits;
        if (!take_number(in, 0, 6, &digits))
            return false;
        fraction = digits;
        for (long i = in->at - start; i < 6; i++)
            fraction *= 10;
    }
    *out_us = ((hour * INT64_C(60) + minute) * 60 + second) * 1000000 + fraction;
    return true;
}

bool value_parse_date(struct slice text, int64_t *out_days)
{
    struct cursor in = {text.data, text.data + text.length};

    return take_date(&in, out_days) && in.at == in.end;
}

bool value_parse_time(struct slice text, int64_t *out_us)
{
    struct cursor in = {text.data, text.data + text.length};

    return take_time(&in, out_us) && in.at == in.end;
}

/* A date, and a time if one follows. */
static bool take_datetime(struct cursor *in, int64_t *out_us)
{
    int64_t days;
    int64_t us = 0;

    if (!take_date(in, &days))
        return false;
    if (in->at < in->end && strchr("Tt ", *in->at) != NULL && in->at + 1 < in->end &&
        isdigit((unsigned char)in->at[1])) {
        in->at++;
        if (!take_time(in, &us))
            return false;
    }
    *out_us = days * VALUE_DAY_US + us;
    return true;
}

bool value_parse_datetime(struct slice text, int64_t *out_us)
{
    struct cursor in = {text.data, text.data + text.length};

    return take_datetime(&in, out_us) && in.at == in.end;
}

static bool take_zone(struct cursor *in, int64_t *out_offset_us)
{
    int hours;
    int minutes = 0;

    *out_offset_us = 0;
    take_letter(in, " ");
    if (in->at == in->end || take_letter(in, "Zz"))
        return true;
    if (in->end - in->at == 3 && memcmp(in->at, "UTC", 3) == 0) {
        in->at = in->end;
        return true;
    }
    bool west = *in->at == '-';
    if (!take_letter(in, "+-") || !take_number(in, 1, 2, &hours))
        return false;
    if (take_letter(in, ":") && !take_number(in, 2, 2, &minutes))
        return false;
    if (in->at < in->end && !take_number(in, 2, 2, &minutes))
        return false;
    if (hours > 14 || minutes > 59)
        return false;
    *out_offset_us = (hours * INT64_C(60) + minutes) * 60000000 * (west ? -1 : 1);
    return true;
}

bool value_parse_timestamp(struct slice text, int64_t *out_us)
{
    struct cursor in = {text.data, text.data + text.length};
    int64_t us, offset;

    if (!take_datetime(&in, &us) || !take_zone(&in, &offset) || in.at != in.end)
        return false;
    *out_us = us - offset;
    return *out_us >= VALUE_TIMESTAMP_MIN && *out_us <= VALUE_TIMESTAMP_MAX;
}
