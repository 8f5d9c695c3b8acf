/* json_number: a double as the JSON library in Google's SQL engine prints it. That is "JSON for
 * Modern C++" (nlohmann::json), whose dump() prints what Grisu2 finds: a text that reads back as
 * the same double, but not always the shortest one (67.174118 is printed as 67.17411800000001). So
 * the algorithm has to be the same, not only its purpose. Pure. */
#ifndef BQSYNC_BASE_JSON_NUMBER_H
#define BQSYNC_BASE_JSON_NUMBER_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>

/* Appends a finite number: with a point and at least one digit behind it from 1e-4 up to 1e15, else
 * with an exponent of at least two digits. */
void json_number_append(struct buffer *out, double number);

/* Whether two JSON numbers are the same decimal number, however they are written: 1.50 and 15e-1.
 */
bool json_number_equals(struct slice one, struct slice other);

#endif
