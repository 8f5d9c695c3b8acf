#include "base/zone.h"

#include "base/zone_rule.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest zone file in use has about 4 KiB. */
#define FILE_CEILING 262144

#define HEADER_SIZE 44

/* No zone has ever had a larger offset from UTC. */
#define OFFSET_MAX_S (26 * 3600)

struct zone {
    int64_t *times;   /* when the offset changes, ascending */
    uint8_t *kinds;   /* to which of the offsets */
    int32_t *offsets; /* seconds east of UTC */
    size_t time_count;
    size_t offset_count;
    bool has_rule; /* for instants after the last of times */
    struct zone_rule rule;
};

/* The counts of a header, in the order of RFC 8536 section 3.1. */
struct header {
    int version;
    size_t isut;
    size_t isstd;
    size_t leap;
    size_t time;
    size_t type;
    size_t name;
};

static int64_t big_endian(const uint8_t *bytes, size_t size)
{
    // The first byte carries the sign.
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static bool read_header(const uint8_t *bytes, size_t length, struct header *out)
{
    size_t *const counts[] = {&out->isut, &out->isstd, &out->leap,
                              &out->time, &out->type,  &out->name};

    if (length < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0)
        return false;
    out->version = bytes[4] == '\0' ? 1 : bytes[4] - '0';
    for (size_t i = 0; i < 6; i++) {
        int64_t count = big_endian(bytes + 20 + 4 * i, 4);
        if (count < 0 || count > FILE_CEILING)
            return false;
        *counts[i] = (size_t)count;
    }
    return out->type > 0 && out->type <= 256;
}

/* The length of the data block after a header, for times of the given size in bytes. */
static size_t block_size(const struct header *header, size_t time_size)
{
    return header->time * time_size + header->time + header->type * 6 + header->name +
           header->leap * (time_size + 4) + header->isstd + header->isut;
}

static bool read_block(
    struct zone *zone, const uint8_t *bytes, const struct header *header, size_t time_size)
{
    const uint8_t *kinds = bytes + header->time * time_size;
    const uint8_t *types = kinds + header->time;

    zone->times = calloc(header->time + 1, sizeof *zone->times);
    zone->kinds = calloc(header->time + 1, sizeof *zone->kinds);
    zone->offsets = calloc(header->type, sizeof *zone->offsets);
    if (zone->times == NULL || zone->kinds == NULL || zone->offsets == NULL)
        return false;
    zone->time_count = header->time;
    zone->offset_count = header->type;
    for (size_t i = 0; i < header->time; i++) {
        zone->times[i] = big_endian(bytes + i * time_size, time_size);
        zone->kinds[i] = kinds[i];
        if (kinds[i] >= header->type || (i > 0 && zone->times[i] <= zone->times[i - 1]))
            return false;
    }
    for (size_t i = 0; i < header->type; i++) {
        int64_t offset = big_endian(types + i * 6, 4);
        if (offset < -OFFSET_MAX_S || offset > OFFSET_MAX_S)
            return false;
        zone->offsets[i] = (int32_t)offset;
    }
    return true;
}

/* The line after the second block: "\n" rule "\n". The rule may be empty. */
static bool read_footer(struct zone *zone, const uint8_t *bytes, size_t length)
{
    char rule[128];

    if (length < 2 || bytes[0] != '\n')
        return false;
    const uint8_t *end = memchr(bytes + 1, '\n', length - 1);
    size_t size = end == NULL ? sizeof rule : (size_t)(end - bytes - 1);
    if (size >= sizeof rule)
        return false;
    memcpy(rule, bytes + 1, size);
    rule[size] = '\0';
    zone->has_rule = size > 0;
    return size == 0 || zone_rule_parse(rule, &zone->rule);
}

static bool read_file(struct zone *zone, const uint8_t *bytes, size_t length)
{
    struct header header;

    if (!read_header(bytes, length, &header))
        return false;
    if (header.version < 2)
        return block_size(&header, 4) <= length - HEADER_SIZE &&
               read_block(zone, bytes + HEADER_SIZE, &header, 4);

    // The first block has the same data as the second, in 32 bits instead of 64.
    size_t skip = HEADER_SIZE + block_size(&header, 4);
    if (skip > length || !read_header(bytes + skip, length - skip, &header))
        return false;
    bytes += skip + HEADER_SIZE;
    length -= skip + HEADER_SIZE;
    size_t size = block_size(&header, 8);
    return size <= length && read_block(zone, bytes, &header, 8) &&
           read_footer(zone, bytes + size, length - size);
}

static bool open_file(const char *name, char *path, size_t size, FILE **out_file, struct error *err)
{
    const char *folder = getenv("TZDIR");

    if (folder == NULL || *folder == '\0')
        folder = "/usr/share/zoneinfo";
    if (*name == '/' || strstr(name, "..") != NULL)
        return error_set(err, ERROR_CONFIG, "%s is not the name of a time zone", name);
    snprintf(path, size, "%s/%s", folder, name);
    *out_file = fopen(path, "rbe");
    if (*out_file == NULL)
        return error_set(
            err, error_code_of_errno(errno, ERROR_CONFIG), "time zone %s: cannot read %s: %s%s",
            name, path, strerror(errno),
            errno == ENOENT ? " (is the package tzdata there?)" : error_limit_advice(errno));
    return true;
}

static bool load_file(struct zone *zone, const char *name, struct error *err)
{
    char path[PATH_MAX];
    FILE *file = NULL;
    uint8_t *bytes = malloc(FILE_CEILING);
    bool ok = false;

    if (bytes == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory reading time zone %s", name);
        goto cleanup;
    }
    if (!open_file(name, path, sizeof path, &file, err))
        goto cleanup;
    size_t length = fread(bytes, 1, FILE_CEILING, file);
    if (!read_file(zone, bytes, length)) {
        error_set(err, ERROR_CONFIG, "time zone %s: %s is not a zone file", name, path);
        goto cleanup;
    }
    ok = true;

cleanup:
    if (file != NULL)
        fclose(file);
    free(bytes);
    return ok;
}

bool zone_load(const char *name, struct zone **out_zone, struct error *err)
{
    struct zone *zone = calloc(1, sizeof *zone);

    if (zone == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory reading time zone %s", name);
    if (strcmp(name, "UTC") == 0) {
        zone->has_rule = true;
    } else if (!load_file(zone, name, err)) {
        zone_free(zone);
        return false;
    }
    *out_zone = zone;
    return true;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->times);
    free(zone->kinds);
    free(zone->offsets);
    free(zone);
}

/* The number of changes at or before an instant. */
static size_t changes_until(const struct zone *zone, int64_t utc_s)
{
    size_t low = 0;
    size_t high = zone->time_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->times[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset(const struct zone *zone, int64_t utc_s)
{
    size_t passed = changes_until(zone, utc_s);

    if (passed == zone->time_count && zone->has_rule)
        return zone_rule_offset(&zone->rule, utc_s);
    // The first offset is valid before the first change (RFC 8536, section 3.2).
    return zone->offsets[passed == 0 ? 0 : zone->kinds[passed - 1]];
}

int64_t zone_next_change(const struct zone *zone, int64_t utc_s)
{
    size_t passed = changes_until(zone, utc_s);

    if (passed < zone->time_count)
        return zone->times[passed];
    return zone->has_rule ? zone_rule_next(&zone->rule, utc_s) : INT64_MAX;
}

int64_t zone_to_utc(const struct zone *zone, int64_t local_s)
{
    // Starts at an instant whose wall clock is certainly earlier and goes through the periods of
    // constant offset. No zone has had more than two changes within two days.
    int64_t from = local_s - OFFSET_MAX_S;

    for (;;) {
        int64_t candidate = local_s - zone_offset(zone, from);
        if (candidate < from)
            candidate = from;
        int64_t change = zone_next_change(zone, from);
        if (candidate < change)
            return candidate;
        from = change;
    }
}
