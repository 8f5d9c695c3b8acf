/* value: one column's value between SQLite and Avro, with NULL told apart. Text, bytes and JSON
 * travel as struct slice (data == NULL is NULL). Types only. */
#ifndef BQSYNC_BASE_VALUE_H
#define BQSYNC_BASE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* INT64; DATE as days since 1970-01-01; TIME as microseconds since midnight; DATETIME and TIMESTAMP
 * as microseconds since 1970-01-01 00:00:00 (UTC for TIMESTAMP). */
struct value_int64 {
    int64_t value;
    bool null;
};

struct value_float64 {
    double value;
    bool null;
};

struct value_bool {
    bool value;
    bool null;
};

/* NUMERIC (scale 9) or BIGNUMERIC (scale 38): the unscaled integer, two's complement, big endian,
 * in as few bytes as hold it. */
struct value_decimal {
    uint8_t bytes[32];
    uint8_t length;
    bool null;
};

#endif
