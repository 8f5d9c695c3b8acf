#include "base/int_text.h"

struct slice int_text(int64_t number, char room[static INT_TEXT_SIZE])
{
    // The smallest number has no positive counterpart, but its magnitude fits.
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *end = room + INT_TEXT_SIZE;
    char *at = end;

    do {
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (number < 0)
        *--at = '-';
    return (struct slice){at, (size_t)(end - at)};
}
