/* zone: one IANA time zone, read from this machine's zone files (RFC 8536, "The Time Zone
 * Information Format"), without touching TZ: the C library has one zone for the whole process, and
 * changing it is not thread-safe. Immutable once loaded, so any thread may use it. */
#ifndef BQSYNC_BASE_ZONE_H
#define BQSYNC_BASE_ZONE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct zone;

/* Returns owned the zone of that name ("Asia/Kolkata", "UTC") from $TZDIR or /usr/share/zoneinfo.
 * "UTC" needs no file. ERROR_CONFIG names the file and what is wrong with it; ERROR_MEMORY. */
MUST_CHECK bool zone_load(const char *name, struct zone **out_zone, struct error *err);
void zone_free(struct zone *zone);

/* Seconds east of UTC at an instant (seconds since 1970-01-01 UTC). */
int32_t zone_offset(const struct zone *zone, int64_t utc_s);

/* The first change of offset after an instant, INT64_MAX if there is none. */
int64_t zone_next_change(const struct zone *zone, int64_t utc_s);

/* The first instant at which the wall clock shows local_s (its reading in seconds as if it were
 * UTC) or more: of an hour that comes twice, the first time; for an hour that is skipped, the
 * moment after the gap. */
int64_t zone_to_utc(const struct zone *zone, int64_t local_s);

#endif
