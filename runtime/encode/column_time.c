/* The column readers of DATE, TIME, DATETIME and TIMESTAMP. */
#include "encode/cell.h"
#include "encode/civil.h"
#include "encode/column.h"
#include "encode/epoch.h"

#include <string.h>

#define NUMBER_AS_TEXT "is a number where the column's format is iso8601"
#define BLOB           "is a blob, not a time"
#define NO_FORMAT      "is stored in none of the column's time formats"

typedef const char *text_conversion(struct slice, const struct civil_rules *, int64_t *);

static struct civil_rules rules_of(const struct cell *cell)
{
    return (struct civil_rules){
        .truncate = cell->column->fraction_truncates,
        .date_drops = cell->column->date_drops,
        .zone = cell->column->zone == NULL ? NULL : cell->in->zones[cell->index],
    };
}

static const char *read_text(const struct cell *cell, text_conversion *of_text, int64_t *out_value)
{
    struct civil_rules rules = rules_of(cell);

    if (cell->storage == SQLITE_TEXT)
        return of_text(cell_ascii(cell), &rules, out_value);
    return cell->storage == SQLITE_BLOB ? BLOB : NUMBER_AS_TEXT;
}

/* A count of seconds, of another unit or of days. */
static const char *read_count(const struct cell *cell, enum time_format format, int64_t *out_us)
{
    bool truncate = cell->column->fraction_truncates;

    switch (cell->storage) {
    case SQLITE_INTEGER:
        return epoch_us_of_integer(sqlite3_value_int64(cell->value), format, truncate, out_us);
    case SQLITE_FLOAT:
        return epoch_us_of_real(sqlite3_value_double(cell->value), format, truncate, out_us);
    case SQLITE_TEXT:
        return epoch_us_of_text(cell_ascii(cell), format, truncate, out_us);
    default:
        return EPOCH_NOT_COUNT;
    }
}

/* Whether a reason only says that the value is stored in another way. */
static bool is_other_form(const char *reason)
{
    return strcmp(reason, NUMBER_AS_TEXT) == 0 || strcmp(reason, EPOCH_NOT_COUNT) == 0;
}

/* A time by the first of the column's formats that reads it; of_text reads ISO 8601. *out_count
 * says that a count was read, which is in microseconds since 1970-01-01. */
static const char *read_time(
    const struct cell *cell, text_conversion *of_text, int64_t *out_value, bool *out_count)
{
    const struct column *column = cell->column;
    const char *first = NULL;

    *out_count = false;
    if (column->format_count == 0)
        return read_text(cell, of_text, out_value);
    for (size_t i = 0; i < column->format_count; i++) {
        enum time_format format = column->formats[i];
        *out_count = epoch_is_count(format);
        const char *reason =
            *out_count
                ? read_count(cell, format, out_value)
                : read_text(
                      cell, format == TIME_FORMAT_GO ? civil_timestamp_of_go : of_text, out_value);
        if (reason == NULL)
            return NULL;
        // Of several formats the first that could have read such a value says why it does not.
        if (first == NULL || is_other_form(first))
            first = reason;
    }
    return column->format_count > 1 && is_other_form(first) ? NO_FORMAT : first;
}

/* Whether it is a text in ISO 8601 where that is the only format: what most times are. */
static inline bool read_plain(const struct cell *cell, text_conversion *of_text, int64_t *out_value)
{
    if (!cell_is_plain(cell, SQLITE_TEXT) || cell->column->format_count > 0)
        return false;
    struct civil_rules rules = rules_of(cell);
    return of_text(cell_ascii(cell), &rules, out_value) == NULL;
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

    if (read_plain(&cell, civil_date_of_text, &value))
        return (struct value_int64){.value = value};
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

    if (read_plain(&cell, civil_time_of_text, &value))
        return (struct value_int64){.value = value};
    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    const char *reason = read_time(&cell, civil_time_of_text, &value, &count);
    if (reason == NULL && count && (value < 0 || value >= CIVIL_US_PER_DAY))
        reason = "is not within one day";
    return time_value(&cell, reason, value);
}

/* A DATETIME or a TIMESTAMP: both are microseconds since 1970-01-01, as counts are. */
static struct value_int64 convert_moment(struct cell cell, text_conversion *of_text)
{
    int64_t value = 0;
    bool count;

    if (cell_is_null(&cell))
        return (struct value_int64){.null = true};
    const char *reason = read_time(&cell, of_text, &value, &count);
    return time_value(&cell, reason, value);
}

struct value_int64 column_datetime(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;

    if (read_plain(&cell, civil_datetime_of_text, &value))
        return (struct value_int64){.value = value};
    return convert_moment(cell, civil_datetime_of_text);
}

struct value_int64 column_timestamp(struct column_reader *in, size_t index)
{
    struct cell cell = cell_of(in, index);
    int64_t value = 0;

    if (read_plain(&cell, civil_timestamp_of_text, &value))
        return (struct value_int64){.value = value};
    return convert_moment(cell, civil_timestamp_of_text);
}
