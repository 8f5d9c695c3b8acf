#include "base/text_fit.h"

#include <stdbool.h>
#include <stdint.h>
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

/* Whether the bytes of a whole character, of `length` as its first byte says, are one of UTF-8 (RFC
 * 3629: in its shortest form, no surrogate, at most U+10FFFF). */
static bool is_character(const char *text, size_t length)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = (unsigned char)text[0];

    if (length == 1)
        return point < 0x80;
    point &= 0x7fU >> length;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return false;
        point = point << 6 | ((unsigned char)text[i] & 0x3fU);
    }
    return (unsigned char)text[0] < 0xf8 && point >= lowest[length] && point <= 0x10ffff &&
           (point < 0xd800 || point > 0xdfff);
}

void text_mend(char *text)
{
    while (*text != '\0') {
        size_t length = length_of((unsigned char)*text);
        bool right = is_character(text, length);
        if (!right)
            *text = '?';
        text += right ? length : 1;
    }
}

char *text_format_list(char *out, size_t size, const char *format, va_list args)
{
    int length = vsnprintf(out, size, format, args);

    if (length < 0)
        out[0] = '\0';
    else if ((size_t)length >= size)
        out[whole(out, size - 1)] = '\0';
    // Messages quote what others have sent.
    text_mend(out);
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

/* The code of the character that text_unseen tells of; 0: it is none. */
static unsigned unseen_code(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (bytes[0] < 0x80)
        return bytes[0] < 0x20 || bytes[0] == 0x7f ? bytes[0] : 0;
    if (bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] < 0xa0)
        return bytes[1];
    if (bytes[0] != 0xe2 || (bytes[1] & 0xc0) != 0x80 || (bytes[2] & 0xc0) != 0x80)
        return 0;
    unsigned code = 0x2000u | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return turns || code == 0x2028 || code == 0x2029 ? code : 0;
}

size_t text_unseen(const char *text)
{
    unsigned code = unseen_code(text);

    return code == 0 ? 0 : code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
}

char *text_visible(char *out, size_t size, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        char shown[12];
        size_t length = length_of((unsigned char)*text);
        if (!is_character(text, length)) {
            strcpy(shown, "?");
            length = 1;
        } else if (unseen_code(text) != 0 && *text != '\n') {
            snprintf(shown, sizeof shown, "\\u%04x", unseen_code(text));
        } else {
            snprintf(shown, sizeof shown, "%.*s", (int)length, text);
        }
        if (used + strlen(shown) >= size)
            break;
        strcpy(out + used, shown);
        used += strlen(shown);
        text += length;
    }
    out[used] = '\0';
    return out;
}

const char *text_or_quotes(const char *text)
{
    return text[0] != '\0' ? text : "''";
}
