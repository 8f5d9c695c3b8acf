/* decimal: NUMERIC and BIGNUMERIC values (Google Cloud documentation, "Data types", "Decimal
 * types") as the unscaled integers that Avro carries. Pure functions. A conversion answers NULL if
 * it succeeded and else a short reason for people, a static string. */
#ifndef BQSYNC_ENCODE_DECIMAL_H
#define BQSYNC_ENCODE_DECIMAL_H

#include "base/value.h"
#include "encode/number.h"

/* NUMERIC: 29 digits before and 9 behind the point. BIGNUMERIC: 38 behind the point, and all that
 * fits into a two's complement integer of 256 bits. */
enum decimal_kind { DECIMAL_NUMERIC, DECIMAL_BIGNUMERIC };

#define DECIMAL_NUMERIC_SCALE    9
#define DECIMAL_BIGNUMERIC_SCALE 38

/* A BIGNUMERIC has 77 digits, a point and a sign at most. */
#define DECIMAL_TEXT_SIZE 96

/* The number with the scale of its kind. Digits beyond the scale are a problem unless zero. */
const char *decimal_of_number(
    const struct number *number, enum decimal_kind kind, struct value_decimal *out_value);

/* The text of BigQuery's CAST(x AS STRING) of a value that is not NULL, in room: no trailing zeros
 * after the point, and no point without digits after it. */
const char *decimal_text(
    struct value_decimal value, int scale, char room[static DECIMAL_TEXT_SIZE]);

#endif
