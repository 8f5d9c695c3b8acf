/* number: decimal numbers between text, INTEGER and REAL, exactly. Pure functions, independent of
 * the locale. A conversion answers NULL if it succeeded and else a short reason for people, a
 * static string ("is not an integer"); results are written only on success. */
#ifndef BQSYNC_ENCODE_NUMBER_H
#define BQSYNC_ENCODE_NUMBER_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A REAL is decided by its first 767 significant digits (the longest exact midpoint between two
 * doubles) and whether anything follows them. */
#define NUMBER_DIGITS_MAX 800

/* A decimal number: digits * 10^exponent. No leading or trailing zero digit; zero has no digits. */
struct number {
    bool negative;
    bool plain; /* it was written as sign and digits only */
    bool more;  /* non-zero digits follow those that fit */
    size_t count;
    int64_t exponent;
    char digits[NUMBER_DIGITS_MAX];
};

/* Reads a complete decimal number: an optional sign, digits with at most one point among, before or
 * behind them, and an optional exponent (e or E, optional sign, digits). No spaces, no names such
 * as NaN. */
bool number_parse(struct slice text, struct number *out_number);

/* The shortest decimal form that reads back as the same double. Finite values only. */
void number_of_real(double real, struct number *out_number);

/* Whether it is beyond the largest double. */
bool number_is_beyond_real(const struct number *number);

/* Whether the shortest form of its nearest double is the same number. */
bool number_survives_real(const struct number *number);

/* number * 10^power, and where that is no integer the next one below, which *out_exact says. False
 * if it is out of the range of INT64. */
bool number_floor(const struct number *number, int power, int64_t *out_value, bool *out_exact);

/* Sign and digits only, within the range of INT64. */
const char *number_int64_of_text(struct slice text, int64_t *out_value);

/* A REAL without fraction, within the range of INT64. */
const char *number_int64_of_real(double real, int64_t *out_value);

/* A complete decimal number, rounded to the nearest double; one of sign and digits only must be
 * exactly a double. */
const char *number_real_of_text(struct slice text, double *out_value);

/* An INTEGER that is exactly a double. */
const char *number_real_of_int64(int64_t integer, double *out_value);

#define NUMBER_TEXT_SIZE 32

/* The shortest form of a finite double as a JSON number, never an integer's form ("42.0"). Returns
 * its length. */
size_t number_json_text(double real, char out[NUMBER_TEXT_SIZE]);

#endif
