/* Times in every stored form: what DATE, TIME, DATETIME and TIMESTAMP columns read is what the
 * oracle works out, to the microsecond, and the text of a time that was read is read as the same
 * time again. */
#include "fuzz/fuzz.h"
#include "fuzz/one_value.h"
#include "fuzz/oracle_time.h"

#include "encode/civil.h"
#include "encode/column.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct column columns[] = {
    {.name = "date", .type = COLUMN_DATE},
    {.name = "time", .type = COLUMN_TIME},
    {.name = "datetime", .type = COLUMN_DATETIME},
    {.name = "timestamp", .type = COLUMN_TIMESTAMP},
    {.name = "berlin", .type = COLUMN_TIMESTAMP, .zone = ORACLE_TIME_ZONE},
};

#define COUNT (sizeof columns / sizeof columns[0])

static const struct table table = {.name = "t", .columns = columns, .column_count = COUNT};

static struct one_value_reader reader;

/* Half a microsecond, or the double next to it: where rounding is decided. */
static double near_tie(struct fuzz *in)
{
    static const double units[] = {1e6, 1e3, 1, 1e-3, 1e-1, 86400e6};
    double unit = units[fuzz_choice(in, sizeof units / sizeof units[0])];
    int shift = (int)fuzz_choice(in, 64);
    double real = ((double)((int64_t)fuzz_uint64(in) >> shift) + 0.5) / unit;
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    bits += fuzz_choice(in, 5);
    bits -= 2;
    memcpy(&real, &bits, sizeof real);
    return real == real ? real : 0;
}

static struct one_value take_value(struct fuzz *in)
{
    struct one_value value = {.storage = SQLITE_TEXT};
    uint64_t bits;

    switch (fuzz_choice(in, 8)) {
    case 0:
        value.storage = SQLITE_INTEGER;
        value.integer = (int64_t)fuzz_uint64(in) >> fuzz_choice(in, 64);
        break;
    case 1:
        value.storage = SQLITE_FLOAT;
        bits = fuzz_uint64(in);
        memcpy(&value.real, &bits, sizeof bits);
        value.real = value.real == value.real ? value.real : 0;
        break;
    case 2:
    case 3:
        value.storage = SQLITE_FLOAT;
        value.real = near_tie(in);
        break;
    case 4:
        value.storage = SQLITE_BLOB;
        value.bytes = fuzz_rest(in);
        break;
    default:
        value.bytes = fuzz_rest(in);
    }
    return value;
}

static void choose_forms(struct fuzz *in)
{
    struct column form = {0};
    uint8_t flags = fuzz_byte(in);

    form.format_count = (unsigned char)(flags & 3);
    form.fraction_truncates = (flags & 4) != 0;
    form.date_drops = (flags & 8) != 0;
    form.empty_is_null = (flags & 16) != 0;
    for (size_t i = 0; i < form.format_count; i++)
        form.formats[i] = (unsigned char)fuzz_choice(in, TIME_FORMAT_COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        columns[i].format_count = form.format_count;
        memcpy(columns[i].formats, form.formats, sizeof form.formats);
        columns[i].fraction_truncates = form.fraction_truncates;
        columns[i].date_drops = form.date_drops;
        columns[i].empty_is_null = form.empty_is_null;
    }
}

/* Whether a definition may give these forms to the column: a TIME is always text, and only a
 * TIMESTAMP is what Go prints. */
static bool may_be(const struct column *column)
{
    for (size_t i = 0; i < column->format_count; i++)
        if ((column->type == COLUMN_TIME && column->formats[i] != TIME_FORMAT_ISO8601) ||
            (column->type != COLUMN_TIMESTAMP && column->formats[i] == TIME_FORMAT_GO))
            return false;
    return true;
}

static struct value_int64 read_column(size_t i)
{
    switch (columns[i].type) {
    case COLUMN_DATE:
        return column_date(&reader.in, i);
    case COLUMN_TIME:
        return column_time(&reader.in, i);
    case COLUMN_DATETIME:
        return column_datetime(&reader.in, i);
    default:
        return column_timestamp(&reader.in, i);
    }
}

/* The text of a count, read again without any format. */
static void check_text(enum column_type type, int64_t count)
{
    static const struct civil_rules rules = {0};
    char text[CIVIL_TEXT_SIZE];
    int64_t again = 0;
    const char *reason;

    switch (type) {
    case COLUMN_DATE:
        reason = civil_date_of_text(slice_of(civil_date_text(count, text)), &rules, &again);
        break;
    case COLUMN_TIME:
        reason = civil_time_of_text(slice_of(civil_time_text(count, text)), &rules, &again);
        break;
    default:
        reason = civil_timestamp_of_text(
            slice_of(civil_datetime_text(count, 'T', text)), &rules, &again);
    }
    FUZZ_REQUIRE(
        reason == NULL && again == count, "%" PRId64 " is printed as %s, which is read as %" PRId64,
        count, text, again);
    FUZZ_REQUIRE(
        oracle_time_text_is(type, text, count), "%" PRId64 " is printed as %s", count, text);
}

static void check_column(size_t i, const struct one_value *value)
{
    struct value_int64 got = read_column(i);
    int64_t expected = 0;
    enum oracle_time verdict = oracle_time_read(&columns[i], value, &expected);
    bool refused = one_value_refused(&reader, i);

    FUZZ_REQUIRE(
        got.null == (verdict != ORACLE_TIME_VALUE) && refused == (verdict == ORACLE_TIME_REFUSED) &&
            (got.null || got.value == expected),
        "column %s, %d formats beginning with %d, class %d, integer %" PRId64
        ", real %a, text \"%.*s\": read as %" PRId64 "%s%s, not as %" PRId64 " (%d)",
        columns[i].name, columns[i].format_count, columns[i].formats[0], value->storage,
        value->integer, value->real, FUZZ_TEXT(value->bytes), got.value, got.null ? ", NULL" : "",
        refused ? ", refused" : "", expected, (int)verdict);
    if (!got.null)
        check_text(columns[i].type, got.value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);

    if (reader.db == NULL) {
        oracle_time_open();
        one_value_open(&reader, &table, "UTF-8");
    }
    choose_forms(&in);
    struct one_value value = take_value(&in);
    one_value_set(&reader, &value);
    for (size_t i = 0; i < COUNT; i++)
        if (may_be(&columns[i]))
            check_column(i, &value);
    return 0;
}
