#include "base/text_fit.h"

#include <stdio.h>
#include <string.h>

/* How long the character is that begins with this byte, as the byte itself says. */
static size_t length_of(unsigned char first)
{
    if (first >= 0xf0)
        return 4;
    if (first >= 0xe0)
        return 3;
    return first >= 0xc0 ? 2 : 1;
}

/* length without the last character, if that goes on behind it. */
static size_t whole(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char byte = (unsigned char)text[length - back];
        // A byte 10xxxxxx continues a character that begins further to the front.
        if ((byte & 0xc0) == 0x80)
            continue;
        return length_of(byte) > back ? length - back : length;
    }
    return length;
}

int text_fit(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);

    return (int)(length <= limit ? length : whole(text, limit));
}

char *text_format_list(char *out, size_t size, const char *format, va_list args)
{
    int length = vsnprintf(out, size, format, args);

    if (length < 0)
        out[0] = '\0';
    else if ((size_t)length >= size)
        out[whole(out, size - 1)] = '\0';
    return out;
}

char *text_format(char *out, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_format_list(out, size, format, args);
    va_end(args);
    return out;
}
