/* Snappy's raw format ("Snappy compressed format description"): a varint with the length, then
 * literals and copies of what came before. */
#include "bqlocal/jobs/avro_file.h"

#include <string.h>

static uint32_t little_endian(const uint8_t *at, size_t count)
{
    uint32_t number = 0;

    for (size_t i = count; i-- > 0;)
        number = number << 8 | at[i];
    return number;
}

/* Appends `length` bytes that start `distance` back; they may overlap what is being written. */
static bool copy_back(struct buffer *out, size_t start, size_t distance, size_t length)
{
    if (distance == 0 || distance > out->length - start)
        return false;
    char *to = buffer_reserve(out, length);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < length; i++)
        to[i] = to[(ptrdiff_t)i - (ptrdiff_t)distance];
    out->length += length;
    return true;
}

/* One literal or copy. */
static bool decode_element(const uint8_t **at, const uint8_t *end, struct buffer *out, size_t start)
{
    uint8_t tag = *(*at)++;
    size_t length = tag >> 2;
    size_t extra;

    if ((tag & 3) == 0) {
        extra = length < 60 ? 0 : length - 59;
        if ((size_t)(end - *at) < extra)
            return false;
        length = (extra == 0 ? length : little_endian(*at, extra)) + 1;
        *at += extra;
        if ((size_t)(end - *at) < length)
            return false;
        buffer_append(out, *at, length);
        *at += length;
        return true;
    }
    extra = (tag & 3) == 3 ? 4 : tag & 3;
    if ((size_t)(end - *at) < extra)
        return false;
    size_t distance = little_endian(*at, extra);
    *at += extra;
    if (extra == 1) {
        // Three bits of length, and the upper three of the distance.
        distance |= (size_t)(tag >> 5) << 8;
        length = (tag >> 2 & 7) + 4;
    } else {
        length++;
    }
    return copy_back(out, start, distance, length);
}

bool snappy_decode(struct slice bytes, struct buffer *out)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.length;
    size_t start = out->length;
    uint64_t length = 0;
    int shift = 0;

    do {
        if (at == end || shift > 28)
            return false;
        length |= (uint64_t)(*at & 0x7F) << shift;
        shift += 7;
    } while ((*at++ & 0x80) != 0);
    while (at < end)
        if (out->length - start > length || !decode_element(&at, end, out, start))
            return false;
    return out->failure == BUFFER_OK && out->length - start == length;
}
