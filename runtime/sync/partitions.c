#include "sync/partitions.h"

#include "encode/civil.h"
#include "encode/column.h"
#include "warehouse/googlesql.h"
#include "warehouse/quota.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_HOUR (CIVIL_US_PER_DAY / 24)
/* Numbers in the order of the values: NULL, and what is outside of all ranges, which is one
 * partition in BigQuery and counts as two here. */
#define NO_VALUE    INT64_MIN
#define BELOW_RANGE (INT64_MIN + 1)
#define ABOVE_RANGE INT64_MAX

static const char *const units[] = {"", "HOUR", "DAY", "MONTH", "YEAR", "RANGE"};

static int64_t number_of(const cJSON *range, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(range, name));

    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

void partitions_open(struct partitions *out, const struct table *table)
{
    cJSON *resource = cJSON_Parse(table->resource_json);
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(resource, "timePartitioning");
    const cJSON *range = cJSON_GetObjectItemCaseSensitive(resource, "rangePartitioning");
    const cJSON *by = time != NULL ? time : range;
    const char *field = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(by, "field"));
    const char *unit = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(time, "type"));

    *out = (struct partitions){.table = table};
    for (size_t i = 0; field != NULL && i < table->column_count; i++)
        if (strcmp(table->columns[i].name, field) == 0)
            out->column = i;
    for (int i = PARTITION_HOUR; unit != NULL && i < PARTITION_RANGE; i++)
        if (strcmp(units[i], unit) == 0)
            out->unit = (enum partition_unit)i;
    if (range != NULL) {
        range = cJSON_GetObjectItemCaseSensitive(range, "range");
        out->unit = PARTITION_RANGE;
        out->start = number_of(range, "start");
        out->end = number_of(range, "end");
        out->interval = number_of(range, "interval");
    }
    cJSON_Delete(resource);
}

void partitions_clear(struct partitions *partitions)
{
    free(partitions->found);
    *partitions = (struct partitions){0};
}

/* --- the partition of a value ------------------------------------------------------------ */

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

/* Months since the year 0 of the proleptic Gregorian calendar; years that begin in March have their
 * leap day at the end. */
static int64_t month_of(int64_t days)
{
    int64_t shifted = days + 719468; // since 0000-03-01
    int64_t era = floor_divide(shifted, 146097);
    int64_t day = shifted - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);

    return (era * 400 + year) * 12 + (5 * day_of_year + 2) / 153 + 2;
}

static int64_t time_number(const struct partitions *partitions, int64_t value)
{
    bool is_date = partitions->table->columns[partitions->column].type == COLUMN_DATE;
    int64_t days = is_date ? value : floor_divide(value, CIVIL_US_PER_DAY);

    switch (partitions->unit) {
    case PARTITION_HOUR:
        return floor_divide(value, US_PER_HOUR);
    case PARTITION_DAY:
        return days;
    case PARTITION_MONTH:
        return month_of(days);
    default:
        return floor_divide(month_of(days), 12);
    }
}

static int64_t range_number(const struct partitions *partitions, int64_t value)
{
    if (value < partitions->start)
        return BELOW_RANGE;
    if (value >= partitions->end)
        return ABOVE_RANGE;
    return (
        int64_t)(((uint64_t)value - (uint64_t)partitions->start) / (uint64_t)partitions->interval);
}

static struct value_int64 read_value(
    const struct partitions *partitions, struct column_reader *reader)
{
    switch (partitions->table->columns[partitions->column].type) {
    case COLUMN_DATE:
        return column_date(reader, partitions->column);
    case COLUMN_DATETIME:
        return column_datetime(reader, partitions->column);
    case COLUMN_TIMESTAMP:
        return column_timestamp(reader, partitions->column);
    default:
        return column_int64(reader, partitions->column);
    }
}

/* --- the partitions of rows -------------------------------------------------------------- */

static bool refuse(const struct partitions *partitions, struct error *err)
{
    const struct table *table = partitions->table;
    bool is_range = partitions->unit == PARTITION_RANGE;

    return error_set(
        err, ERROR_SCHEMA,
        "%s: its rows lie in more than %d partitions of its target by %s of %s, and a table of "
        "BigQuery has no more. Let `partition_by` in schemas/%s.json name %s",
        table->name, PARTITIONS_OF_A_TABLE, is_range ? "ranges" : units[partitions->unit],
        table->columns[partitions->column].name, table->definition,
        is_range                             ? "larger ranges"
        : partitions->unit == PARTITION_HOUR ? "DAY or MONTH"
                                             : "MONTH or YEAR");
}

/* Where the number is, or has to be put. */
static size_t find(const struct partitions *partitions, int64_t number)
{
    size_t low = 0;
    size_t high = partitions->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partitions->found[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert(
    struct partitions *partitions, size_t at, struct partition one, struct error *err)
{
    if (partitions->count == PARTITIONS_OF_A_TABLE)
        return refuse(partitions, err);
    if (partitions->count == partitions->room) {
        size_t room = partitions->room == 0 ? 16 : partitions->room * 2;
        struct partition *found = realloc(partitions->found, room * sizeof *found);
        if (found == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory for partitions");
        partitions->found = found;
        partitions->room = room;
    }
    struct partition *place = &partitions->found[at];
    memmove(place + 1, place, (partitions->count - at) * sizeof *place);
    *place = one;
    partitions->count++;
    return true;
}

bool partitions_add(struct partitions *partitions, struct column_reader *reader, struct error *err)
{
    if (partitions->unit == PARTITION_NONE)
        return true;
    const struct value_int64 value = read_value(partitions, reader);
    struct partition one = {.number = NO_VALUE, .least = value.value};
    if (!value.null)
        one.number = partitions->unit == PARTITION_RANGE ? range_number(partitions, value.value)
                                                         : time_number(partitions, value.value);
    size_t at = partitions->latest;
    // Neighbours in SQLite often lie in one partition.
    if (at >= partitions->count || partitions->found[at].number != one.number)
        at = find(partitions, one.number);
    partitions->latest = at;
    if (at == partitions->count || partitions->found[at].number != one.number)
        return insert(partitions, at, one, err);
    if (one.least < partitions->found[at].least)
        partitions->found[at].least = one.least;
    return true;
}

/* --- parts ------------------------------------------------------------------------------- */

size_t partitions_parts(const struct partitions *partitions)
{
    size_t parts = (partitions->count + PARTITIONS_OF_A_JOB - 1) / PARTITIONS_OF_A_JOB;

    return parts == 0 ? 1 : parts;
}

/* A part begins with the least value that was seen in its first partition. */
static void append_bound(
    struct buffer *sql, const struct partitions *partitions, size_t part, const char *alias,
    const char *comparison)
{
    static const char *const calls[COLUMN_TYPE_COUNT][2] = {
        [COLUMN_INT64] = {"", ""},
        [COLUMN_DATE] = {"unix_date(", ")"},
        [COLUMN_DATETIME] = {"unix_micros(timestamp(", ", 'UTC'))"},
        [COLUMN_TIMESTAMP] = {"unix_micros(", ")"},
    };
    const struct column *column = &partitions->table->columns[partitions->column];
    const struct partition *first = &partitions->found[part * PARTITIONS_OF_A_JOB];

    buffer_append_text(sql, calls[column->type][0]);
    buffer_append_text(sql, alias);
    googlesql_identifier(sql, column->name);
    buffer_append_text(sql, calls[column->type][1]);
    buffer_printf(sql, " %s %" PRId64, comparison, first->least);
}

void partitions_append_condition(
    struct buffer *sql, const struct partitions *partitions, size_t part, const char *alias)
{
    size_t parts = partitions_parts(partitions);

    if (parts == 1) {
        buffer_append_text(sql, "true");
        return;
    }
    buffer_append_byte(sql, '(');
    if (part > 0)
        append_bound(sql, partitions, part, alias, ">=");
    if (part > 0 && part + 1 < parts)
        buffer_append_text(sql, " and ");
    if (part + 1 < parts)
        append_bound(sql, partitions, part + 1, alias, "<");
    if (part == 0) {
        buffer_append_text(sql, " or ");
        buffer_append_text(sql, alias);
        googlesql_identifier(sql, partitions->table->columns[partitions->column].name);
        buffer_append_text(sql, " is null");
    }
    buffer_append_byte(sql, ')');
}

int64_t partitions_modified(const struct partitions *partitions)
{
    if (partitions->unit == PARTITION_NONE)
        return 0;
    return partitions->count == 0 ? 1 : (int64_t)partitions->count;
}

bool partitions_are_counted(const struct table *table)
{
    struct partitions partitions;

    partitions_open(&partitions, table);
    return partitions.unit != PARTITION_NONE;
}

int64_t partitions_daily_limit(const struct table *table)
{
    return partitions_are_counted(table) ? QUOTA_PARTITIONS_LIMIT : QUOTA_DAILY_LIMIT;
}
