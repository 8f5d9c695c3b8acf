#include "fuzz/one_value.h"

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void one_value_open(struct one_value_reader *out, const struct table *table, const char *encoding)
{
    char pragma[64];
    struct error err;
    char *sql = malloc(16 + 4 * table->column_count);

    FUZZ_REQUIRE(sql != NULL, "out of memory");
    snprintf(pragma, sizeof pragma, "pragma encoding = '%s'", encoding);
    FUZZ_REQUIRE(
        sqlite3_open(":memory:", &out->db) == SQLITE_OK &&
            sqlite3_exec(out->db, pragma, NULL, NULL, NULL) == SQLITE_OK,
        "SQLite: %s", sqlite3_errmsg(out->db));
    size_t length = (size_t)sprintf(sql, "select ?1");
    for (size_t i = 1; i < table->column_count; i++)
        length += (size_t)sprintf(sql + length, ",?1");
    FUZZ_REQUIRE(
        sqlite3_prepare_v2(out->db, sql, -1, &out->row, NULL) == SQLITE_OK, "SQLite: %s",
        sqlite3_errmsg(out->db));
    free(sql);
    FUZZ_REQUIRE(column_reader_init(&out->in, table, out->row, &err), "%s", err.message);
}

static int bind(sqlite3_stmt *row, const struct one_value *value)
{
    switch (value->storage) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(row, 1, value->integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(row, 1, value->real);
    case SQLITE_TEXT:
        return sqlite3_bind_text64(
            row, 1, value->bytes.data, value->bytes.length, SQLITE_STATIC,
            value->utf16 ? SQLITE_UTF16 : SQLITE_UTF8);
    case SQLITE_BLOB:
        return sqlite3_bind_blob64(row, 1, value->bytes.data, value->bytes.length, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(row, 1);
    }
}

void one_value_set(struct one_value_reader *reader, const struct one_value *value)
{
    sqlite3_reset(reader->row);
    FUZZ_REQUIRE(
        bind(reader->row, value) == SQLITE_OK && sqlite3_step(reader->row) == SQLITE_ROW,
        "SQLite: %s", sqlite3_errmsg(reader->db));
    column_reader_next(&reader->in, false);
}

bool one_value_refused(const struct one_value_reader *reader, size_t column)
{
    if (reader->in.unfit != NULL && reader->in.unfit[column] != 0)
        return true;
    for (size_t i = 0; i < reader->in.problem_count; i++)
        if (reader->in.problems[i].column == column)
            return true;
    return false;
}
