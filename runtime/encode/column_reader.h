/* column_reader: where the typed reads of column.h are made: one row of a statement, and the
 * problems that its values have. One thread at a time. */
#ifndef BQSYNC_ENCODE_COLUMN_READER_H
#define BQSYNC_ENCODE_COLUMN_READER_H

#include "base/error.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>

/* SQLite's own type, named here so that generated code compiles without SQLite's header. */
typedef struct sqlite3_stmt sqlite3_stmt;
struct buffer;
struct digest;
struct zone;

#define COLUMN_PROBLEMS_MAX 16

/* Bytes that a transformed value may take: a digest, or a REAL as a JSON number. */
#define COLUMN_SCRATCH_SIZE 64

/* One value that does not fit. */
struct column_problem {
    size_t column;             /* index into table->columns */
    const char *storage_class; /* "null", "integer", "real", "text" or "blob"; static */
    const char *reason; /* for people, static: "is not an integer", "is not valid UTF-8" ... */
};

struct column_reader {
    const struct table *table; /* borrowed */
    sqlite3_stmt *row;         /* borrowed */
    bool tombstone;            /* the row is deleted: NULL is only a problem in key columns */
    bool utf16;    /* the database stores text as UTF-16, where a surrogate may stand alone */
    char *scratch; /* COLUMN_SCRATCH_SIZE bytes for each column; owned */
    struct zone *
        *zones; /* one for each column, NULL where it names none; owned. NULL: no column does */
    struct buffer
        *texts; /* one for each column, of texts that are made; owned. NULL: none makes one */
    struct digest *digest; /* of the hashing transforms, NULL if there are none; owned */
    /* Of a table that sends values which do not fit in a column of their own: for each column the
     * storage class of such a value, 0 where it fits; owned. Else NULL. */
    unsigned char *unfit;
    size_t unfit_count;
    size_t problem_count;
    struct column_problem problems[COLUMN_PROBLEMS_MAX];
};

/* Binds the reader to a statement whose first result columns are the table's columns in order. Both
 * are borrowed until column_reader_clear. Keys of hmac_sha256 columns are read from their
 * environment variables here, and time zones from the system: ERROR_CONFIG names the table, the
 * column and the variable or the zone that is missing. */
MUST_CHECK bool column_reader_init(
    struct column_reader *in, const struct table *table, sqlite3_stmt *row, struct error *err);
void column_reader_clear(struct column_reader *in);

/* To be called after each step of the statement: forgets the problems of the previous row.
 * tombstone: only the key columns are read, the others are NULL, as of a row that is deleted. */
void column_reader_next(struct column_reader *in, bool tombstone);

/* Whether every value that was read since column_reader_next fits, or stands in a column for those
 * that do not. */
bool column_reader_row_fits(const struct column_reader *in);
/* The same of the key's values alone. */
bool column_reader_key_fits(const struct column_reader *in);

#endif
