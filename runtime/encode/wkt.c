#include "encode/wkt.h"

#include "encode/text.h"

#include <stddef.h>
#include <strings.h>

static const char *const types[] = {
    "POINT",        "LINESTRING",         "POLYGON", "MULTIPOINT", "MULTILINESTRING",
    "MULTIPOLYGON", "GEOMETRYCOLLECTION",
};

/* One bad geometry fails the whole load job, and BigQuery then names the position in the file, not
 * the row. So what is clearly no WKT (an address, GeoJSON, hex digits of WKB) is rejected here,
 * with its row. A full parser would not help further: most geometries that BigQuery refuses are
 * well formed but not valid on the sphere, such as a polygon that crosses itself. */
const char *wkt_check(struct slice text)
{
    size_t start = 0;
    size_t end;

    const char *reason = text_check(text);
    if (reason != NULL)
        return reason;
    while (start < text.length && strchr(" \t\r\n", text.data[start]) != NULL)
        start++;
    if (start == text.length)
        return "is empty, which is not WKT";
    for (end = start;
         end < text.length && ((text.data[end] | 0x20) >= 'a') && ((text.data[end] | 0x20) <= 'z');
         end++)
        ;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (end - start == strlen(types[i]) &&
            strncasecmp(text.data + start, types[i], end - start) == 0)
            return NULL;
    return "is not WKT: it does not begin with a type such as POINT";
}
