/* one_value: an SQLite value that several columns of one table read, as generated readers do. The
 * table belongs to the fuzzer, which may change its columns between two values, but for their
 * number, transforms, zones and forms of blobs. */
#ifndef TESTS_FUZZ_ONE_VALUE_H
#define TESTS_FUZZ_ONE_VALUE_H

#include "base/slice.h"
#include "base/table.h"
#include "encode/column_reader.h"

#include <sqlite3.h>
#include <stdint.h>

struct one_value {
    int storage; /* SQLITE_INTEGER and so on; SQLITE_NULL needs nothing else */
    int64_t integer;
    double real;
    struct slice bytes; /* of a text or a blob */
    bool utf16;         /* the bytes of a text are UTF-16 of this machine's byte order */
};

struct one_value_reader {
    sqlite3 *db;
    sqlite3_stmt *row;
    struct column_reader in;
};

/* encoding: "UTF-8" or "UTF-16", in which the database keeps texts. It lives as long as the
 * process. */
void one_value_open(struct one_value_reader *out, const struct table *table, const char *encoding);

/* Makes the value the row that reader->in reads from. */
void one_value_set(struct one_value_reader *reader, const struct one_value *value);

/* Whether the column noted a problem with the value. */
bool one_value_refused(const struct one_value_reader *reader, size_t column);

#endif
