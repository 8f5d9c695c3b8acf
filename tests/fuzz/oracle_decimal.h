/* oracle_decimal: decimal numbers as all their digits, one by one, as on paper. Slow, exact, and
 * without anything of runtime/encode. */
#ifndef TESTS_FUZZ_ORACLE_DECIMAL_H
#define TESTS_FUZZ_ORACLE_DECIMAL_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits that fit; a number with an exponent beyond them is only known to be large or small. */
#define ORACLE_DECIMAL_MAX 2600

enum oracle_size { ORACLE_SIZE_KNOWN, ORACLE_SIZE_HUGE, ORACLE_SIZE_TINY };

/* Without zeros in front or at the end, so that equal numbers have equal digits. */
struct oracle_decimal {
    bool negative; /* also of a zero that was written with a minus */
    enum oracle_size size;
    size_t whole; /* digits before the point */
    size_t count; /* and behind it, too */
    char digits[ORACLE_DECIMAL_MAX];
};

/* Reads an optional sign, digits with at most one point in, before or behind them, and perhaps an
 * exponent; false for any other text. */
bool oracle_decimal_read(struct slice text, struct oracle_decimal *out);

bool oracle_decimal_equals(const struct oracle_decimal *a, const struct oracle_decimal *b);

/* Whether a is further from zero than b. */
bool oracle_decimal_exceeds(const struct oracle_decimal *a, const struct oracle_decimal *b);

/* ORACLE_LATER: the nearest integer, of two equally near ones the higher. */
enum oracle_rounding { ORACLE_FLOOR, ORACLE_LATER };

struct oracle_scale {
    int64_t numerator;
    int64_t denominator; /* a power of ten */
    int64_t begin;
};

/* number * numerator / denominator + begin, rounded. *out_exact: nothing was rounded. False if it
 * is far beyond 64 bits. */
bool oracle_decimal_scale(
    const struct oracle_decimal *number, const struct oracle_scale *scale,
    enum oracle_rounding rounding, int64_t *out_value, bool *out_exact);

/* All digits of a finite double. */
void oracle_decimal_of_real(double real, struct oracle_decimal *out);

/* The number with the fewest digits that strtod reads as this double; of those with as few, the one
 * that printf chooses, which is the nearest. */
void oracle_decimal_shortest(double real, struct oracle_decimal *out);

#endif
