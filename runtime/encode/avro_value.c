#include "encode/avro_value.h"

#include <assert.h>
#include <string.h>

static uint8_t take_byte(struct slice *in)
{
    assert(in->length > 0);
    in->length--;
    return (uint8_t)*in->data++;
}

bool avro_value_present(struct slice *in)
{
    // null is the first branch.
    return avro_value_int64(in) != 0;
}

int64_t avro_value_int64(struct slice *in)
{
    uint64_t bits = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = take_byte(in);
        bits |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte >= 0x80);
    return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
}

bool avro_value_bool(struct slice *in)
{
    return take_byte(in) != 0;
}

double avro_value_float64(struct slice *in)
{
    uint64_t bits = 0;
    double value;

    for (unsigned i = 0; i < sizeof bits; i++)
        bits |= (uint64_t)take_byte(in) << (8 * i);
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct slice avro_value_bytes(struct slice *in)
{
    size_t length = (size_t)avro_value_int64(in);
    struct slice bytes = {in->data, length};

    assert(length <= in->length);
    in->data += length;
    in->length -= length;
    return bytes;
}

struct value_decimal avro_value_decimal(struct slice *in)
{
    struct slice bytes = avro_value_bytes(in);
    struct value_decimal value = {.length = (uint8_t)bytes.length};

    assert(bytes.length <= sizeof value.bytes);
    memcpy(value.bytes, bytes.data, bytes.length);
    return value;
}

struct slice avro_value_take(struct slice *in, enum column_type type)
{
    struct slice value = *in;

    switch (type) {
    case COLUMN_INT64:
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
        avro_value_int64(in);
        break;
    case COLUMN_FLOAT64:
        avro_value_float64(in);
        break;
    case COLUMN_BOOL:
        take_byte(in);
        break;
    case COLUMN_STRING:
    case COLUMN_BYTES:
    case COLUMN_NUMERIC:
    case COLUMN_BIGNUMERIC:
    case COLUMN_JSON:
    case COLUMN_GEOGRAPHY:
        avro_value_bytes(in);
        break;
    }
    value.length -= in->length;
    return value;
}

static int compare_int64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_bytes(struct slice a, struct slice b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    return order != 0 ? order : compare_int64((int64_t)a.length, (int64_t)b.length);
}

/* The byte of that weight of a number in two's complement, which its sign fills up in front. */
static int byte_at(const struct value_decimal *value, size_t weight)
{
    int fill = value->length > 0 && (value->bytes[0] & 0x80) != 0 ? 0xff : 0;

    return weight < value->length ? value->bytes[value->length - 1 - weight] : fill;
}

static int compare_decimals(struct value_decimal a, struct value_decimal b)
{
    // With its sign turned over, the first byte orders negative numbers below others.
    int order = (byte_at(&a, sizeof a.bytes) ^ 0x80) - (byte_at(&b, sizeof b.bytes) ^ 0x80);

    for (size_t weight = sizeof a.bytes; weight > 0 && order == 0; weight--)
        order = byte_at(&a, weight - 1) - byte_at(&b, weight - 1);
    return order;
}

int avro_value_compare(enum column_type type, struct slice a, struct slice b)
{
    switch (type) {
    case COLUMN_STRING:
        return compare_bytes(avro_value_bytes(&a), avro_value_bytes(&b));
    case COLUMN_NUMERIC:
    case COLUMN_BIGNUMERIC:
        return compare_decimals(avro_value_decimal(&a), avro_value_decimal(&b));
    default:
        return compare_int64(avro_value_int64(&a), avro_value_int64(&b));
    }
}
