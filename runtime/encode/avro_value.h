/* avro_value: values read back from a record that the Avro encoder has written (avro.h), so that
 * what is made of them is what was sent. Readers take a value from the front of a slice, which is
 * well formed because it is our own. Pure functions. */
#ifndef BQSYNC_ENCODE_AVRO_VALUE_H
#define BQSYNC_ENCODE_AVRO_VALUE_H

#include "base/slice.h"
#include "base/table.h"
#include "base/value.h"

#include <stdbool.h>
#include <stdint.h>

/* The branch of a union with null: whether a value follows. */
bool avro_value_present(struct slice *in);

/* INT64, DATE, TIME, DATETIME and TIMESTAMP, in the units of value_int64. */
int64_t avro_value_int64(struct slice *in);
bool avro_value_bool(struct slice *in);
double avro_value_float64(struct slice *in);
/* STRING, BYTES, JSON and GEOGRAPHY; borrowed from the record. */
struct slice avro_value_bytes(struct slice *in);
/* NUMERIC and BIGNUMERIC. */
struct value_decimal avro_value_decimal(struct slice *in);

/* Takes a value of the type; returns its bytes, borrowed from the record. */
struct slice avro_value_take(struct slice *in, enum column_type type);

/* Compares two values that avro_value_take has returned, as BigQuery orders them: texts by their
 * code points, which is by the bytes of their UTF-8. Below, at or above 0. Only for types that may
 * bound a key (struct column). */
int avro_value_compare(enum column_type type, struct slice a, struct slice b);

#endif
