#include "base/base64.h"

#define COMMON "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct alphabet {
    const char *digits;
    bool pads; /* the last group is filled up to four characters */
};

/* Writes the digits of a group of one to three bytes; returns what lies behind them. */
static char *put_group(char *to, const unsigned char *bytes, size_t count, const char *digits)
{
    uint32_t group = 0;

    for (size_t i = 0; i < 3; i++)
        group = group << 8 | (i < count ? bytes[i] : 0);
    for (size_t i = 0; i <= count; i++)
        *to++ = digits[group >> (18 - 6 * i) & 63];
    return to;
}

static void append(struct buffer *out, struct slice bytes, const struct alphabet *alphabet)
{
    const unsigned char *from = (const unsigned char *)bytes.data;
    char *start = buffer_reserve(out, (bytes.length + 2) / 3 * 4);
    char *to = start;

    if (start == NULL)
        return;
    for (size_t left = bytes.length; left > 0; left -= left < 3 ? left : 3, from += 3)
        to = put_group(to, from, left < 3 ? left : 3, alphabet->digits);
    while (alphabet->pads && (to - start) % 4 != 0)
        *to++ = '=';
    out->length += (size_t)(to - start);
}

void base64_append(struct buffer *out, struct slice bytes)
{
    static const struct alphabet standard = {.digits = COMMON "+/", .pads = true};

    append(out, bytes, &standard);
}

void base64_append_url(struct buffer *out, struct slice bytes)
{
    static const struct alphabet url = {.digits = COMMON "-_"};

    append(out, bytes, &url);
}
