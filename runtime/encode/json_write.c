#include "encode/json_write.h"

#include "base/base64.h"

#include <stddef.h>

/* Bytes from 0x80 on are UTF-8 and stay as they are. */
void json_write_escaped(struct buffer *out, struct slice text)
{
    size_t plain = 0;

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
}

void json_write_string(struct buffer *out, struct slice text)
{
    buffer_append_byte(out, '"');
    json_write_escaped(out, text);
    buffer_append_byte(out, '"');
}

void json_write_base64(struct buffer *out, struct slice bytes)
{
    buffer_append_byte(out, '"');
    base64_append(out, bytes);
    buffer_append_byte(out, '"');
}
