/* zone_rule: the rule behind the last entry of a zone file, such as "CET-1CEST,M3.5.0,M10.5.0/3":
 * which offset is valid in any later year (POSIX.1-2017, "Environment Variables", TZ; RFC 8536 adds
 * hours up to 167 either way). Pure functions. */
#ifndef BQSYNC_BASE_ZONE_RULE_H
#define BQSYNC_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum zone_date_form {
    ZONE_DATE_JULIAN, /* Jn: day 1 to 365, 29 February is never counted */
    ZONE_DATE_DAY,    /* n: day 0 to 365, 29 February is counted */
    ZONE_DATE_WEEK,   /* Mm.w.d: weekday d of week w (5: the last) of month m */
};

struct zone_date {
    enum zone_date_form form;
    int month;
    int week;
    int day;
    int32_t time_s; /* of the local time that holds before the change */
};

struct zone_rule {
    bool has_summer;
    int32_t standard_s; /* seconds east of UTC */
    int32_t summer_s;
    struct zone_date start; /* of summer time */
    struct zone_date end;
};

/* Reads the text; false if it does not follow the grammar, *out_rule is then unchanged. */
bool zone_rule_parse(const char *text, struct zone_rule *out_rule);

/* Seconds east of UTC at an instant. */
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t utc_s);

/* The first change of offset after an instant, INT64_MAX if there is none. */
int64_t zone_rule_next(const struct zone_rule *rule, int64_t utc_s);

#endif
