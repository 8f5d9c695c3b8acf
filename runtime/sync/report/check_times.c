#include "sync/report/check_times.h"

#include "base/text_fit.h"
#include "encode/civil.h"
#include "encode/column.h"
#include "encode/epoch.h"

#include <sqlite3.h>
#include <string.h>

/* 1990-01-01 and 2101-01-01, in microseconds. */
#define BELIEVABLE_MIN INT64_C(631152000000000)
#define BELIEVABLE_MAX INT64_C(4133980800000000)

static bool is_believable(int64_t us)
{
    return us >= BELIEVABLE_MIN && us < BELIEVABLE_MAX;
}

/* Julian days are read from nothing that could be another count. */
static const struct {
    enum time_format format;
    const char *name;
} counts[] = {
    {TIME_FORMAT_UNIX_S, "unix_s"},
    {TIME_FORMAT_UNIX_MS, "unix_ms"},
    {TIME_FORMAT_UNIX_US, "unix_us"},
    {TIME_FORMAT_UNIX_NS, "unix_ns"},
    {TIME_FORMAT_APPLE_S, "apple_s"},
    {TIME_FORMAT_APPLE_NS, "apple_ns"},
    {TIME_FORMAT_WEBKIT_US, "webkit_us"},
    {TIME_FORMAT_FILETIME, "filetime"},
    {TIME_FORMAT_DOTNET_TICKS, "dotnet_ticks"},
};

/* The format that reads the value as a time of today, NULL if none does. */
static const char *better_format(sqlite3_value *value, int64_t *out_us)
{
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (epoch_us_of_real(sqlite3_value_double(value), counts[i].format, false, out_us) ==
                NULL &&
            is_believable(*out_us))
            return counts[i].name;
    return NULL;
}

static bool holds_counts(const struct column *column)
{
    for (size_t i = 0; i < column->format_count; i++)
        if (epoch_is_count(column->formats[i]))
            return true;
    return false;
}

/* Microseconds since 1970; false if the value is NULL. */
static bool read_instant(struct column_reader *in, size_t index, int64_t *out_us)
{
    enum column_type type = in->table->columns[index].type;
    struct value_int64 value = type == COLUMN_DATE       ? column_date(in, index)
                               : type == COLUMN_DATETIME ? column_datetime(in, index)
                                                         : column_timestamp(in, index);

    *out_us = type == COLUMN_DATE ? value.value * CIVIL_US_PER_DAY : value.value;
    return !value.null;
}

static void describe(
    struct check_times *times, const struct column_reader *in, size_t index, int64_t us)
{
    sqlite3_value *value = sqlite3_column_value(in->row, (int)index);
    char read[CIVIL_TEXT_SIZE];
    char better[CIVIL_TEXT_SIZE];
    int64_t better_us = 0;

    const char *format = better_format(value, &better_us);
    size_t length = strlen(text_format(
        times->example, sizeof times->example, "%s: %s is read as %s",
        in->table->columns[index].source, (const char *)sqlite3_value_text(value),
        civil_datetime_text(us, ' ', read)));
    if (format != NULL)
        text_format(
            times->example + length, sizeof times->example - length, "; as %s it is %s", format,
            civil_datetime_text(better_us, ' ', better));
}

void check_times_look(struct check_times *times, struct column_reader *in)
{
    for (size_t i = 0; i < in->table->column_count; i++) {
        int64_t us = 0;
        if (!holds_counts(&in->table->columns[i]) || !read_instant(in, i, &us) || is_believable(us))
            continue;
        if (times->rows++ == 0)
            describe(times, in, i, us);
        return;
    }
}
