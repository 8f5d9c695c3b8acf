/* avro_unzstd: an Avro object file whose blocks are Zstandard frames, rewritten with the codec
 * null, because the Avro project's C library does not read zstandard (1.11). The frames are
 * unpacked by libzstd; our code has no part in it. */
#ifndef TESTS_SUPPORT_AVRO_UNZSTD_H
#define TESTS_SUPPORT_AVRO_UNZSTD_H

#include "support/prelude.h"

#include "base/buffer.h"

#include <string.h>
#include <zstd.h>

/* A zig-zag varint at *at, which moves behind it. */
static inline int64_t avro_unzstd_take(const char **at)
{
    uint64_t number = 0;
    int shift = 0;
    unsigned char byte;

    do {
        byte = (unsigned char)*(*at)++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static inline void avro_unzstd_put(struct buffer *out, int64_t number)
{
    uint64_t rest = (uint64_t)number << 1;

    for (; rest >= 0x80; rest >>= 7)
        buffer_append(out, (char[]){(char)(rest | 0x80)}, 1);
    buffer_append(out, (char[]){(char)rest}, 1);
}

/* Appends the file to out, rewritten if its codec is zstandard. */
static inline void avro_unzstd(struct slice file, struct buffer *out)
{
    static const char codec[] = "avro.codec\x12zstandard";
    const char *end = file.data + file.length;
    const char *name = memmem(file.data, file.length, codec, sizeof codec - 1);

    if (name == NULL) {
        buffer_append_slice(out, file);
        return;
    }
    const char *sync = name + sizeof codec - 1 + 1; // behind the end of the map
    buffer_append(out, file.data, (size_t)(name - file.data));
    buffer_append_text(out, "avro.codec\x08null");
    buffer_append(out, "\0", 1);
    buffer_append(out, sync, 16);
    for (const char *at = sync + 16; at < end; at += 16) {
        int64_t rows = avro_unzstd_take(&at);
        size_t packed = (size_t)avro_unzstd_take(&at);
        unsigned long long size = ZSTD_getFrameContentSize(at, packed);
        assert_true(size < 32u << 20);
        avro_unzstd_put(out, rows);
        avro_unzstd_put(out, (int64_t)size);
        char *room = buffer_reserve(out, (size_t)size);
        assert_non_null(room);
        assert_int_equal(ZSTD_decompress(room, (size_t)size, at, packed), size);
        out->length += (size_t)size;
        at += packed;
        buffer_append(out, at, 16);
        assert_memory_equal(at, sync, 16);
    }
    assert_int_equal(out->failure, BUFFER_OK);
}

#endif
