/* int_text: the decimal text of an integer, without the cost of printf, for loops over all values
 * of a table. */
#ifndef BQSYNC_BASE_INT_TEXT_H
#define BQSYNC_BASE_INT_TEXT_H

#include "base/slice.h"

#include <stdint.h>

/* A sign and the 19 digits of the smallest number. */
#define INT_TEXT_SIZE 20

/* The number's text, in room and without a terminator; no leading zeros. */
struct slice int_text(int64_t number, char room[static INT_TEXT_SIZE]);

#endif
