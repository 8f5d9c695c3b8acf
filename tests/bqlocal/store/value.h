/* value: one cell's value between its texts (REST, NDJSON, SQL literals) and the form in which the
 * store keeps it. Pure functions; any thread. */
#ifndef BQLOCAL_STORE_VALUE_H
#define BQLOCAL_STORE_VALUE_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the text of any number, date or time. */
#define VALUE_TEXT_SIZE 128

/* 0001-01-01 to 9999-12-31, as days and as microseconds since 1970-01-01. */
#define VALUE_DATE_MIN      (-719162)
#define VALUE_DATE_MAX      2932896
#define VALUE_TIMESTAMP_MIN INT64_C(-62135596800000000)
#define VALUE_TIMESTAMP_MAX INT64_C(253402300799999999)
#define VALUE_DAY_US        INT64_C(86400000000)

/* Proleptic Gregorian date to days since 1970-01-01 and back. */
int64_t value_days(int64_t year, int month, int day);
void value_civil(int64_t days, int64_t *out_year, int *out_month, int *out_day);

/* BigQuery's texts: 2026-01-02 · 03:04:05[.678901] · date T or blank time · shortest decimal that
 * reads back as the same double, "NaN", "Infinity", "1.0". They write into VALUE_TEXT_SIZE bytes
 * and return out. */
char *value_format_date(int64_t days, char *out);
char *value_format_time(int64_t us, char *out);
char *value_format_datetime(int64_t us, char separator, char *out);
char *value_format_double(double number, char *out);

/* The whole text has to be the value; false if it is not one or out of BigQuery's range. */
bool value_parse_int64(struct slice text, int64_t *out_number);
bool value_parse_double(struct slice text, double *out_number);
bool value_parse_date(struct slice text, int64_t *out_days);
bool value_parse_time(struct slice text, int64_t *out_us);
bool value_parse_datetime(struct slice text, int64_t *out_us);
/* Zone Z, UTC or [+-]H[H][:MM]; none means UTC. */
bool value_parse_timestamp(struct slice text, int64_t *out_us);
/* A decimal, with an exponent or not, to the store's plain form; false if it has more than 29
 * (BIGNUMERIC: 38) integer digits, or more than 9 (38) fraction digits that are not zero. */
bool value_parse_decimal(struct slice text, bool big, char out[VALUE_TEXT_SIZE]);
/* The same from Avro: big-endian two's complement of the value times 10^scale. */
bool value_decimal_from_bytes(struct slice bytes, int scale, bool big, char out[VALUE_TEXT_SIZE]);

/* Whether the bytes are UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool value_utf8_is_valid(struct slice text);

/* Appends the JSON text without white space, with keys sorted and the first of equal keys; numbers
 * other than 64-bit integers as doubles. False if it is not JSON or nested deeper than 500.
 * *out_inexact: the first number that is printed as another one, which GoogleSQL calls one that
 * "cannot round-trip through string representation"; empty if there is none. */
bool value_json_normalise(struct slice text, struct buffer *out, struct slice *out_inexact);

/* The text that a JSON string (with its quotes) stands for, appended to out. */
bool value_json_decode(struct slice string, struct buffer *out);

/* Calls member for each member of the JSON object that the text is, in order: its decoded key and
 * the text of its value. False if it is not a JSON object or as soon as member returns false. */
typedef bool value_json_member(void *context, struct slice key, struct slice value);
bool value_json_walk(struct slice text, value_json_member *member, void *context);

/* Standard base64 with padding. Decoding takes the URL alphabet too and appends to out. */
void value_base64_encode(struct slice bytes, struct buffer *out);
bool value_base64_decode(struct slice text, struct buffer *out);

#endif
