/* decimal: exact arithmetic on NUMERIC and BIGNUMERIC in the store's text form, by OpenSSL's
 * big integers: a value times 10^38. */
#ifndef BQLOCAL_SQL_FUNCTIONS_DECIMAL_H
#define BQLOCAL_SQL_FUNCTIONS_DECIMAL_H

#include "base/slice.h"
#include "bqlocal/store/value.h"

#include <openssl/bn.h>
#include <stdbool.h>

/* Compares decimals in the store's form: <0, 0, >0. */
int sql_decimal_compare(struct slice a, struct slice b);
/* A new number from text; NULL without memory. */
BIGNUM *sql_decimal_read(struct slice text);
/* Rounds half away from zero to the type's scale (or to digits, if fewer; digits may be negative)
 * and writes; false if out of range. scale: 10^scale is in the number. */
bool sql_decimal_write(
    const BIGNUM *number, int scale, bool big, int digits, char out[VALUE_TEXT_SIZE]);

enum { SQL_DECIMAL_SCALE = 38, SQL_DECIMAL_ALL = 1000 };

#endif
