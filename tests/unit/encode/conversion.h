/* Values of every kind through column_reader, as SQLite expressions: what each becomes, or why it
 * does not. For the tests of columns. */
#ifndef BQSYNC_TESTS_CONVERSION_H
#define BQSYNC_TESTS_CONVERSION_H

#include "support/prelude.h"

#include "encode/column.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *open_memory(const char *encoding)
{
    sqlite3 *db;
    char sql[64];

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA encoding = '%s'", encoding);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

/* A decimal as digits and a point, worked out independently of the encoder: by long division. */
static void decimal_text(struct value_decimal value, size_t scale, char out[128])
{
    uint8_t bytes[32];
    char digits[100];
    size_t count = 0;
    bool negative = (value.bytes[0] & 0x80) != 0;

    memset(bytes, negative ? 0xff : 0, sizeof bytes);
    memcpy(bytes + 32 - value.length, value.bytes, value.length);
    unsigned carry = 1;
    for (int i = 31; negative && i >= 0; i--) {
        unsigned sum = (uint8_t)~bytes[i] + carry;
        bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    for (bool zero = false; !zero || count <= scale;) {
        unsigned rest = 0;
        zero = true;
        for (int i = 0; i < 32; i++) {
            unsigned part = rest << 8 | bytes[i];
            bytes[i] = (uint8_t)(part / 10);
            rest = part % 10;
            zero = zero && bytes[i] == 0;
        }
        digits[count++] = (char)('0' + rest);
    }
    size_t length = 0;
    if (negative)
        out[length++] = '-';
    size_t trailing = 0;
    while (trailing < scale && digits[trailing] == '0')
        trailing++;
    for (size_t i = count; i-- > trailing;) {
        if (i == scale - 1)
            out[length++] = '.';
        out[length++] = digits[i];
    }
    out[length] = '\0';
}

static void slice_text(struct slice value, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)value.length, value.data == NULL ? "NULL" : value.data);
    if (value.data == NULL)
        snprintf(out, size, "NULL");
}

static void int64_text(struct value_int64 value, char *out, size_t size)
{
    if (value.null)
        snprintf(out, size, "NULL");
    else
        snprintf(out, size, "%lld", (long long)value.value);
}

/* Reads the first column of the reader's row as its type and shows what came of it. */
static void show(struct column_reader *in, char *out, size_t size)
{
    snprintf(out, size, "NULL");
    switch (in->table->columns[0].type) {
    case COLUMN_INT64:
        int64_text(column_int64(in, 0), out, size);
        break;
    case COLUMN_FLOAT64: {
        struct value_float64 value = column_float64(in, 0);
        if (!value.null)
            snprintf(out, size, "%.17g", value.value);
        break;
    }
    case COLUMN_BOOL: {
        struct value_bool value = column_bool(in, 0);
        if (!value.null)
            snprintf(out, size, "%s", value.value ? "true" : "false");
        break;
    }
    case COLUMN_STRING:
        slice_text(column_string(in, 0), out, size);
        break;
    case COLUMN_BYTES:
        slice_text(column_bytes(in, 0), out, size);
        break;
    case COLUMN_JSON:
        slice_text(column_json(in, 0), out, size);
        break;
    case COLUMN_GEOGRAPHY:
        slice_text(column_geography(in, 0), out, size);
        break;
    case COLUMN_NUMERIC:
    case COLUMN_BIGNUMERIC: {
        bool big = in->table->columns[0].type == COLUMN_BIGNUMERIC;
        struct value_decimal value = big ? column_bignumeric(in, 0) : column_numeric(in, 0);
        if (!value.null)
            decimal_text(value, big ? 38 : 9, out);
        break;
    }
    case COLUMN_DATE:
        int64_text(column_date(in, 0), out, size);
        break;
    case COLUMN_TIME:
        int64_text(column_time(in, 0), out, size);
        break;
    case COLUMN_DATETIME:
        int64_text(column_datetime(in, 0), out, size);
        break;
    case COLUMN_TIMESTAMP:
        int64_text(column_timestamp(in, 0), out, size);
        break;
    }
}

struct conversion {
    const char *label; /* an SQL expression: the stored value */
    const char *value; /* what it is read as; NULL: it does not fit */
    const char *reason;
};

static void check_one(sqlite3 *db, const struct column *column, const struct conversion *expected)
{
    struct table table = {.name = "t", .columns = column, .column_count = 1};
    struct column_reader in;
    struct error err;
    sqlite3_stmt *row;
    char sql[2048];
    char got[1024];

    snprintf(sql, sizeof sql, "SELECT %s", expected->label);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    expect_ok(column_reader_init(&in, &table, row, &err));
    column_reader_next(&in, false);
    show(&in, got, sizeof got);

    const char *reason = in.problem_count == 0 ? "" : in.problems[0].reason;
    if (strcmp(got, expected->value != NULL ? expected->value : "NULL") != 0 ||
        strcmp(reason, expected->reason != NULL ? expected->reason : "") != 0)
        fail_msg("%s: read as %s, %s", expected->label, got, reason);
    assert_int_equal(column_reader_row_fits(&in), expected->reason == NULL);
    column_reader_clear(&in);
    sqlite3_finalize(row);
}

static void check_all(
    const struct column *column, const struct conversion *conversions, size_t count)
{
    sqlite3 *db = open_memory("UTF-8");

    for (size_t i = 0; i < count; i++)
        check_one(db, column, &conversions[i]);
    sqlite3_close(db);
}

#define CHECK_ALL(conversions, ...)                                                                \
    check_all(                                                                                     \
        &(struct column){.name = "c", __VA_ARGS__}, conversions,                                   \
        sizeof(conversions) / sizeof((conversions)[0]))

/* Reasons that several files expect. */
#define NOT_INT  "is not an integer"
#define NOT_UTF8 "is not valid UTF-8"

#endif
