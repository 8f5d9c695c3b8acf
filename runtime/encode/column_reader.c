#include "encode/column_reader.h"

#include "encode/digest.h"

#include <stdlib.h>

/* Whether the statement's database stores text as UTF-16. */
static bool read_encoding(sqlite3_stmt *row, bool *out_utf16, struct error *err)
{
    sqlite3 *db = sqlite3_db_handle(row);
    sqlite3_stmt *pragma = NULL;

    bool ok = sqlite3_prepare_v2(db, "PRAGMA encoding", -1, &pragma, NULL) == SQLITE_OK &&
              sqlite3_step(pragma) == SQLITE_ROW;
    if (ok)
        *out_utf16 =
            sqlite3_strnicmp((const char *)sqlite3_column_text(pragma, 0), "UTF-16", 6) == 0;
    else
        error_set(err, ERROR_SOURCE, "cannot read the text encoding: %s", sqlite3_errmsg(db));
    sqlite3_finalize(pragma);
    return ok;
}

bool column_reader_init(
    struct column_reader *in, const struct table *table, sqlite3_stmt *row, struct error *err)
{
    struct column_reader made = {.table = table, .row = row};

    if (!read_encoding(row, &made.utf16, err))
        return error_wrap(err, "table %s", table->name);
    made.scratch = malloc(table->column_count * COLUMN_SCRATCH_SIZE);
    if (made.scratch == NULL)
        return error_set(err, ERROR_MEMORY, "table %s: out of memory for a reader", table->name);
    if (!digest_new(table, &made.digest, err)) {
        free(made.scratch);
        return false;
    }
    *in = made;
    return true;
}

void column_reader_clear(struct column_reader *in)
{
    digest_free(in->digest);
    free(in->scratch);
    *in = (struct column_reader){.table = NULL};
}

void column_reader_next(struct column_reader *in, bool tombstone)
{
    in->tombstone = tombstone;
    in->problem_count = 0;
}

bool column_reader_row_fits(const struct column_reader *in)
{
    return in->problem_count == 0;
}

bool column_reader_key_fits(const struct column_reader *in)
{
    for (size_t i = 0; i < in->problem_count; i++)
        if (in->table->columns[in->problems[i].column].key)
            return false;
    return true;
}
