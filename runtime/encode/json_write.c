#include "encode/json_write.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes from 0x80 on are UTF-8 and stay as they are. */
void json_write_string(struct buffer *out, struct slice text)
{
    size_t plain = 0;

    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        buffer_append(out, text.data + plain, i - plain);
        plain = i + 1;
        if (c < ' ')
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_printf(out, "\\%c", c);
    }
    buffer_append(out, text.data + plain, text.length - plain);
    buffer_append_byte(out, '"');
}

void json_write_base64(struct buffer *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buffer_append_byte(out, '"');
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t count = bytes.length - i < 3 ? bytes.length - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < count ? (unsigned char)bytes.data[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buffer_append_byte(
                out, k <= count ? (uint8_t)digits[group >> (18 - 6 * k) & 63] : (uint8_t)'=');
    }
    buffer_append_byte(out, '"');
}
