/* wkt: whether a text looks like the well-known text (WKT) of a geometry. Pure functions. */
#ifndef BQSYNC_ENCODE_WKT_H
#define BQSYNC_ENCODE_WKT_H

#include "base/slice.h"

/* NULL if the text is valid UTF-8 and begins with a type of geometry that BigQuery reads (Google
 * Cloud documentation, "Geography functions", ST_GEOGFROMTEXT), in any case; else a short reason
 * for people, a static string. The coordinates are not looked at: BigQuery checks them on the
 * sphere. */
const char *wkt_check(struct slice text);

#endif
