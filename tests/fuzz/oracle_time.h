/* oracle_time: what a stored value is as a time, worked out in the slowest and plainest way: texts
 * by regular expressions, dates by counting day after day, counts as fractions of integers, time
 * zones by the C library. It follows docs/schema.md ("Times", "Other forms") and shares nothing
 * with runtime/encode. */
#ifndef TESTS_FUZZ_ORACLE_TIME_H
#define TESTS_FUZZ_ORACLE_TIME_H

#include "base/table.h"
#include "fuzz/one_value.h"

#include <stdbool.h>
#include <stdint.h>

/* The one time zone that it knows. */
#define ORACLE_TIME_ZONE "Europe/Berlin"

enum oracle_time { ORACLE_TIME_VALUE, ORACLE_TIME_NULL, ORACLE_TIME_REFUSED };

/* To be called once, before the others. Sets TZ. */
void oracle_time_open(void);

/* What a column of a time reads from the value; *out_value only with ORACLE_TIME_VALUE: days or
 * microseconds, as in struct value_int64. */
enum oracle_time oracle_time_read(
    const struct column *column, const struct one_value *value, int64_t *out_value);

/* Whether the text is the one of a count: a date, a time of day, or both with a T between. */
bool oracle_time_text_is(enum column_type type, const char *text, int64_t count);

#endif
