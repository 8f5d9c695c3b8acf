/* json: whether a text is JSON that BigQuery's JSON type takes. Strict RFC 8259 without building
 * anything, and without recursion. Pure functions. */
#ifndef BQSYNC_ENCODE_JSON_H
#define BQSYNC_ENCODE_JSON_H

#include "base/slice.h"

/* BigQuery's limit of arrays and objects inside one another (Google Cloud documentation, "Quotas
 * and limits", "JSON"). */
#define JSON_DEPTH_MAX 500

/* NULL if the text is one JSON value in valid UTF-8, else a short reason for people, a static
 * string. Beyond the grammar: no more than JSON_DEPTH_MAX levels, no lone surrogate among \u
 * escapes (it names no character), no number beyond the range of FLOAT64. */
const char *json_check(struct slice text);

/* The same for a text whose values BigQuery has to hold exactly: integers from -2^63 to 2^64-1,
 * other numbers that FLOAT64 prints back as the same number, and no member named twice, because
 * BigQuery keeps the first alone ("JSON functions", PARSE_JSON). */
const char *json_check_exact(struct slice text);

#endif
