#include "encode/blob_text.h"

#include "base/hex.h"

const char *blob_uuid_text(struct slice blob, enum blob_form form, char out[UUID_TEXT_SIZE])
{
    static const unsigned char in_order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const unsigned char mixed[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    const unsigned char *order = form == BLOB_GUID ? mixed : in_order;

    if (blob.length != sizeof in_order)
        return "is a blob, but not of the 16 bytes of a UUID";
    for (size_t i = 0; i < sizeof in_order; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        hex_write(&blob.data[order[i]], 1, out);
        out += 2;
    }
    return NULL;
}
