/* The column readers of DATE, TIME, DATETIME and TIMESTAMP. */
#include "encode/cell.h"
#include "encode/civil.h"
#include "encode/column.h"

/* A count of seconds, milliseconds, microseconds or Julian days. */
static const char *read_count(const struct cell *cell, int64_t *out_us)
{
    enum time_format format = cell->column->format;

    switch (cell->storage) {
    case SQLITE_INTEGER:
        return civil_us_of_integer(sqlite3_value_int64(cell->value), format, out_us);
    case SQLITE_FLOAT:
        return civil_us_of_real(sqlite3_value_double(cell->value), format, out_us);
    default:
        return "is not a number, as the column's time format requires";
    }
}

/* A time by the column's format; of_text reads ISO 8601. *out_count says that a count was read,
 * which is in microseconds since 1970-01-01. */
static const char *read_time(
    const struct cell *cell, const char *(*of_text)(struct slice, int64_t *), int64_t *out_value,
    bool *out_count)
{
    *out_count = cell->column->format != TIME_FORMAT_ISO8601;
    if (*out_count)
        return read_count(cell, out_value);
    if (cell->storage == SQLITE_TEXT)
        return of_text(cell_ascii(cell), out_value);
    return cell->storage == SQLITE_BLOB ? "is a blob, not a time"
                                        : "is a number where the column's format is iso8601";
}

static struct value_int64 time_value(const struct cell *cell, const char *reason, int64_t value)
{
    if (reason != NULL)
        cell_problem(cell, reason);
    return (struct value_int64){.value = reason == NULL ? value : 0, .null = reason != NULL};
}

struct value_int64 column_date(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;
    bool count;

    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    const char *reason = read_time(&cell, civil_date_of_text, &value, &count);
    if (reason == NULL && count) {
        if (value % CIVIL_US_PER_DAY != 0)
            reason = "has a time of day";
        value /= CIVIL_US_PER_DAY;
    }
    return time_value(&cell, reason, value);
}

struct value_int64 column_time(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;
    bool count;

    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    const char *reason = read_time(&cell, civil_time_of_text, &value, &count);
    if (reason == NULL && count && (value < 0 || value >= CIVIL_US_PER_DAY))
        reason = "is not within one day";
    return time_value(&cell, reason, value);
}

struct value_int64 column_datetime(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;
    bool count;

    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    const char *reason = read_time(&cell, civil_datetime_of_text, &value, &count);
    return time_value(&cell, reason, value);
}

struct value_int64 column_timestamp(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;
    bool count;

    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    const char *reason = read_time(&cell, civil_timestamp_of_text, &value, &count);
    return time_value(&cell, reason, value);
}
