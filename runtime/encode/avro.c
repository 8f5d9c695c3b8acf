#include "encode/avro.h"

#include "encode/column_type.h"

#include <assert.h>

#define VARINT_MAX 10

/* Far beyond the 10,000 columns that a table may have. */
#define SCHEMA_CEILING ((size_t)16 << 20)

/* Writes eight bytes, of which `count` count; returns what lies behind those. */
static inline char *put_bytes(char *to, uint64_t little_endian, int count)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    little_endian = __builtin_bswap64(little_endian);
#endif
    memcpy(to, &little_endian, sizeof little_endian);
    return to + count;
}

/* Writes a long as a zig-zag variable-length integer, into VARINT_MAX bytes of which it may need
 * fewer; returns what lies behind it. Times are in microseconds since 1970, and so have eight
 * groups of seven bits: up to there, all groups move apart at once instead of one by one. */
static inline char *put_long(char *to, int64_t value)
{
    uint64_t bits = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);

    if (bits < 0x80) {
        *to++ = (char)bits;
        return to;
    }
    if (bits < 0x4000) {
        *to++ = (char)(bits | 0x80);
        *to++ = (char)(bits >> 7);
        return to;
    }
    if (bits < UINT64_C(1) << 56) {
        // One for each group of seven, rounded up: exact for up to 56 bits.
        int count = ((64 - __builtin_clzll(bits)) * 9 + 64) / 64;
        // Each step leaves the lower half of the groups where it is and multiplies the upper half
        // by 16, 4 and 2.
        bits += (bits & UINT64_C(0x00fffffff0000000)) * 15;
        bits += (bits & UINT64_C(0x0fffc0000fffc000)) * 3;
        bits += bits & UINT64_C(0x3f803f803f803f80);
        // All but the last say that another follows.
        uint64_t follows = UINT64_C(0x8080808080808080) & ((UINT64_C(1) << (8 * (count - 1))) - 1);
        return put_bytes(to, bits | follows, count);
    }
    while (bits >= 0x80) {
        *to++ = (char)(bits | 0x80);
        bits >>= 7;
    }
    *to++ = (char)bits;
    return to;
}

/* buffer_reserve, without the call where there is room already. */
static inline char *reserve(struct buffer *buffer, size_t length)
{
    if (buffer->failure == BUFFER_OK && length < buffer->capacity - buffer->length)
        return buffer->data + buffer->length;
    return buffer_reserve(buffer, length);
}

/* Room for the next field's branch and `length` bytes more, with the branch written; NULL if there
 * is nothing more to write (the value is NULL, or the buffer has failed). */
static inline char *begin_field(struct avro_writer *out, bool null, size_t length)
{
    bool nullable = out->nullable[out->field++];

    assert(nullable || !null);
    char *to = reserve(out->out, length + 1);
    if (to == NULL)
        return NULL;
    if (nullable)
        *to++ = null ? 0 : 2;
    if (null) {
        out->out->length++;
        return NULL;
    }
    return to;
}

static inline void end_field(struct avro_writer *out, const char *end)
{
    out->out->length = (size_t)(end - out->out->data);
}

void avro_int64(struct avro_writer *out, struct value_int64 value)
{
    char *to = begin_field(out, value.null, VARINT_MAX);

    if (to != NULL)
        end_field(out, put_long(to, value.value));
}

void avro_float64(struct avro_writer *out, struct value_float64 value)
{
    uint64_t bits;
    char *to = begin_field(out, value.null, sizeof bits);

    if (to == NULL)
        return;
    memcpy(&bits, &value.value, sizeof bits);
    end_field(out, put_bytes(to, bits, sizeof bits));
}

void avro_bool(struct avro_writer *out, struct value_bool value)
{
    char *to = begin_field(out, value.null, 1);

    if (to == NULL)
        return;
    *to++ = value.value ? 1 : 0;
    end_field(out, to);
}

/* string and bytes are the same on the wire. */
void avro_bytes(struct avro_writer *out, struct slice value)
{
    char *to = begin_field(out, value.data == NULL, VARINT_MAX + value.length);

    if (to == NULL)
        return;
    to = put_long(to, (int64_t)value.length);
    memcpy(to, value.data, value.length);
    end_field(out, to + value.length);
}

void avro_string(struct avro_writer *out, struct slice value)
{
    avro_bytes(out, value);
}

void avro_decimal(struct avro_writer *out, struct value_decimal value)
{
    struct slice bytes = {value.null ? NULL : (const char *)value.bytes, value.length};

    avro_bytes(out, bytes);
}

/* Names are identifiers by the rules of the table definitions, so there is nothing to escape. */
static void append_field(struct buffer *out, const char *name, const char *type, bool nullable)
{
    buffer_printf(out, "{\"name\":\"%s\",\"type\":", name);
    buffer_printf(out, nullable ? "[\"null\",%s]}" : "%s}", type);
}

char *avro_schema_text(const struct table *table, const struct avro_schema *schema)
{
    const bool *nullable = schema->nullable;
    struct buffer out;

    buffer_init(&out, SCHEMA_CEILING);
    buffer_append_text(&out, "{\"type\":\"record\",\"name\":\"row\",\"fields\":[");
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        bool as_text = schema->json_as_text && column->type == COLUMN_JSON;
        if (i > 0)
            buffer_append_byte(&out, ',');
        append_field(
            &out, column->name, column_type_info(as_text ? COLUMN_STRING : column->type)->avro,
            nullable[i]);
    }
    if (schema->with_deleted) {
        buffer_append_byte(&out, ',');
        append_field(
            &out, "_bqsync_deleted", column_type_info(COLUMN_BOOL)->avro,
            nullable[table->column_count]);
    }
    if (schema->with_deleted && table->history != NULL) {
        buffer_append_byte(&out, ',');
        append_field(
            &out, "_bqsync_operation", column_type_info(COLUMN_STRING)->avro,
            nullable[table->column_count + 1]);
    }
    buffer_append_text(&out, "]}");
    return buffer_take(&out);
}
