#include "encode/text.h"

#include "encode/utf8.h"

#include <stdint.h>

const char *text_check(struct slice text)
{
    if (utf8_is_valid(text))
        return NULL;
    size_t valid = utf8_valid_length(text);
    bool nul = valid < text.length && text.data[valid] == '\0';
    return nul ? "contains U+0000" : "is not valid UTF-8";
}

bool text_utf16_is_valid(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    bool high = false;

    for (size_t i = 0; i + 1 < length; i += 2) {
        uint16_t unit;
        memcpy(&unit, at + i, sizeof unit);
        bool low = (unit & 0xfc00) == 0xdc00;
        if (low != high)
            return false;
        high = (unit & 0xfc00) == 0xd800;
    }
    return !high;
}

struct slice text_prefix(struct slice text, size_t code_points)
{
    // Never fewer bytes than code points: most texts are short enough without counting.
    if (text.length <= code_points)
        return text;

    size_t at = 0;
    while (at < text.length) {
        bool starts = ((unsigned char)text.data[at] & 0xc0) != 0x80;
        if (starts && code_points-- == 0)
            break;
        at++;
    }
    return (struct slice){text.data, at};
}
