#include "bqlocal/store/value.h"

#include "base/json_normal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t value_days(int64_t year, int month, int day)
{
    // Years start in March, so that the leap day is the last of its year; 719468 days lie between
    // 0000-03-01 and 1970-01-01, 146097 are 400 years.
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void value_civil(int64_t days, int64_t *out_year, int *out_month, int *out_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;

    *out_day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *out_month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *out_year = year_of_era + era * 400 + (*out_month <= 2);
}

char *value_format_date(int64_t days, char *out)
{
    int64_t year;
    int month, day;

    value_civil(days, &year, &month, &day);
    snprintf(out, VALUE_TEXT_SIZE, "%04lld-%02d-%02d", (long long)year, month, day);
    return out;
}

char *value_format_time(int64_t us, char *out)
{
    int64_t seconds = us / 1000000;
    int fraction = (int)(us % 1000000);
    int length = snprintf(
        out, VALUE_TEXT_SIZE, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
        (int)(seconds % 60));

    if (fraction != 0)
        snprintf(out + length, VALUE_TEXT_SIZE - (size_t)length, ".%06d", fraction);
    return out;
}

char *value_format_datetime(int64_t us, char separator, char *out)
{
    char time[VALUE_TEXT_SIZE];
    int64_t days = us / VALUE_DAY_US - (us % VALUE_DAY_US < 0);

    value_format_date(days, out);
    size_t length = strlen(out);
    value_format_time(us - days * VALUE_DAY_US, time);
    snprintf(out + length, VALUE_TEXT_SIZE - length, "%c%s", separator, time);
    return out;
}

char *value_format_double(double number, char *out)
{
    if (isnan(number))
        return strcpy(out, "NaN");
    if (isinf(number))
        return strcpy(out, number < 0 ? "-Infinity" : "Infinity");
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, VALUE_TEXT_SIZE, "%.*g", digits, number);
        if (strtod(out, NULL) == number)
            break;
    }
    if (strpbrk(out, ".e") == NULL)
        strcat(out, ".0");
    return out;
}

bool value_parse_int64(struct slice text, int64_t *out_number)
{
    char copy[24];
    char *end;

    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    size_t digits = text.data[0] == '-' || text.data[0] == '+' ? 1 : 0;
    if (digits == text.length)
        return false;
    for (size_t i = digits; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    errno = 0;
    *out_number = strtoll(copy, &end, 10);
    return errno == 0;
}

bool value_parse_double(struct slice text, double *out_number)
{
    static const struct {
        const char *word;
        double number;
    } words[] = {
        {"nan", (double)NAN},
        {"inf", (double)INFINITY},
        {"+inf", (double)INFINITY},
        {"-inf", (double)-INFINITY},
        {"infinity", (double)INFINITY},
        {"+infinity", (double)INFINITY},
        {"-infinity", (double)-INFINITY}};
    char copy[512];
    char *end;

    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(copy, words[i].word) == 0) {
            *out_number = words[i].number;
            return true;
        }
    // strtod also accepts hexadecimal and leading blanks.
    if (strspn(copy, "0123456789+-.eE") != text.length)
        return false;
    *out_number = strtod(copy, &end);
    return *end == '\0' && !isinf(*out_number);
}

bool value_parse_decimal(struct slice text, bool big, char out[VALUE_TEXT_SIZE])
{
    char digits[VALUE_TEXT_SIZE * 4];
    size_t count = 0;
    long point = -1;
    long exponent = 0;
    size_t i = 0;
    bool negative = text.length > 0 && text.data[0] == '-';

    if (text.length > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        i++;
    for (; i < text.length && text.data[i] != 'e' && text.data[i] != 'E'; i++) {
        if (text.data[i] == '.' && point < 0)
            point = (long)count;
        else if (text.data[i] >= '0' && text.data[i] <= '9' && count < sizeof digits)
            digits[count++] = text.data[i];
        else
            return false;
    }
    if (count == 0)
        return false;
    if (i < text.length) {
        int64_t number;
        if (!value_parse_int64((struct slice){text.data + i + 1, text.length - i - 1}, &number) ||
            number < -1000 || number > 1000)
            return false;
        exponent = (long)number;
    }
    // The decimal point lies before digits[point]; zeros around the number are dropped.
    point = (point < 0 ? (long)count : point) + exponent;
    size_t first = 0;
    while (first < count && digits[first] == '0') {
        first++;
    }
    while (count > first && digits[count - 1] == '0')
        count--;
    if (first == count)
        return strcpy(out, "0") != NULL;

    long whole = point - (long)first;
    long fraction = (long)count - point;
    if (whole > (big ? 39 : 29) || fraction > (big ? 38 : 9))
        return false;
    char *to = out;
    if (negative)
        *to++ = '-';
    if (whole <= 0)
        *to++ = '0';
    for (long at = (long)first; at < point; at++)
        *to++ = at < (long)count ? digits[at] : '0';
    if (fraction > 0)
        *to++ = '.';
    for (long at = point; at < (long)count; at++)
        *to++ = at < (long)first ? '0' : digits[at];
    *to = '\0';
    return true;
}

/* Whether the whole part of a BIGNUMERIC text is within its bound, which is not a power of ten: it
 * is 578960446186580977117854925043439539266.34992332820282019728792003956564819967 in size, one
 * unit of the last place more on the negative side. */
static bool bignumeric_fits(const char *text)
{
    static const char bound[] = "578960446186580977117854925043439539266"
                                "34992332820282019728792003956564819968";
    char padded[sizeof bound];
    bool negative = text[0] == '-';
    const char *point;

    text += negative;
    point = strchr(text, '.');
    size_t whole = point == NULL ? strlen(text) : (size_t)(point - text);
    if (whole < 39)
        return true;
    memset(padded, '0', sizeof padded - 1);
    padded[sizeof padded - 1] = '\0';
    memcpy(padded, text, 39);
    if (point != NULL)
        memcpy(padded + 39, point + 1, strlen(point + 1));
    int order = strcmp(padded, bound);
    return negative ? order <= 0 : order < 0;
}

bool value_decimal_from_bytes(struct slice bytes, int scale, bool big, char out[VALUE_TEXT_SIZE])
{
    uint8_t number[40];
    char digits[VALUE_TEXT_SIZE];
    char text[VALUE_TEXT_SIZE];
    size_t at = sizeof digits;

    if (bytes.length == 0 || bytes.length > sizeof number)
        return false;
    memcpy(number, bytes.data, bytes.length);
    bool negative = (number[0] & 0x80) != 0;
    if (negative) {
        unsigned carry = 1;
        for (size_t i = bytes.length; i-- > 0;) {
            carry += (uint8_t)~number[i];
            number[i] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    // Long division by ten, least digit first; 40 bytes make at most 97 digits.
    for (bool more = true; more;) {
        unsigned rest = 0;
        more = false;
        for (size_t i = 0; i < bytes.length; i++) {
            rest = rest << 8 | number[i];
            number[i] = (uint8_t)(rest / 10);
            rest %= 10;
            more = more || number[i] != 0;
        }
        digits[--at] = (char)('0' + rest);
    }
    int length = snprintf(
        text, sizeof text, "%s%.*se-%d", negative ? "-" : "", (int)(sizeof digits - at),
        digits + at, scale);
    return value_parse_decimal((struct slice){text, (size_t)length}, big, out) &&
           (!big || bignumeric_fits(out));
}

bool value_utf8_is_valid(struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.data;
    const uint8_t *end = at + text.length;

    while (at < end) {
        if (*at < 0x80) {
            at++;
            continue;
        }
        size_t more = *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : 1;
        if (*at < 0xC2 || *at > 0xF4 || (size_t)(end - at) <= more)
            return false;
        // The second byte carries the limits: overlong forms, surrogates, the end of Unicode.
        uint8_t low = *at == 0xE0 ? 0xA0 : *at == 0xF0 ? 0x90 : 0x80;
        uint8_t high = *at == 0xED ? 0x9F : *at == 0xF4 ? 0x8F : 0xBF;
        if (at[1] < low || at[1] > high)
            return false;
        for (size_t i = 2; i <= more; i++)
            if ((at[i] & 0xC0) != 0x80)
                return false;
        at += more + 1;
    }
    return true;
}

void value_base64_encode(struct slice bytes, struct buffer *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = (const uint8_t *)bytes.data;

    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        uint32_t group = (uint32_t)from[i] << 16;
        if (left > 1)
            group |= (uint32_t)from[i + 1] << 8;
        if (left > 2)
            group |= from[i + 2];
        char text[4] = {
            alphabet[group >> 18], alphabet[group >> 12 & 63],
            left > 1 ? alphabet[group >> 6 & 63] : '=', left > 2 ? alphabet[group & 63] : '='};
        buffer_append(out, text, sizeof text);
    }
}

static int base64_digit(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+' || letter == '-')
        return 62;
    return letter == '/' || letter == '_' ? 63 : -1;
}

bool value_base64_decode(struct slice text, struct buffer *out)
{
    uint32_t group = 0;
    unsigned bits = 0;

    while (text.length > 0 && text.data[text.length - 1] == '=')
        text.length--;
    if (text.length % 4 == 1)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        int digit = base64_digit(text.data[i]);
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buffer_append_byte(out, (uint8_t)(group >> bits));
        }
    }
    return true;
}

bool value_json_normalise(struct slice text, struct buffer *out, struct slice *out_inexact)
{
    struct json_losses losses = {0};

    bool ok = value_utf8_is_valid(text) && json_normal(text, out, &losses);
    *out_inexact = losses.number;
    return ok;
}
