#include "base/hex.h"

void hex_write(const void *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;

    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[from[i] >> 4];
        out[2 * i + 1] = digits[from[i] & 0xf];
    }
}

void hex_append(struct buffer *out, const void *bytes, size_t length)
{
    const unsigned char *from = bytes;
    char digits[2];

    for (size_t i = 0; i < length; i++) {
        hex_write(&from[i], 1, digits);
        buffer_append(out, digits, sizeof digits);
    }
}
