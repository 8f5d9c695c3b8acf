#include "encode/column_reader.h"

#include "base/buffer.h"
#include "base/zone.h"
#include "encode/digest.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A text that is made takes as much as SQLite allows a value to have by default (SQLite
 * documentation, "Limits"). */
#define TEXT_MAX 1000000000

/* Whether the statement's database stores text as UTF-16. */
static bool read_encoding(sqlite3_stmt *row, bool *out_utf16, struct error *err)
{
    sqlite3 *db = sqlite3_db_handle(row);
    sqlite3_stmt *pragma = NULL;

    bool ok = sqlite3_prepare_v2(db, "PRAGMA encoding", -1, &pragma, NULL) == SQLITE_OK &&
              sqlite3_step(pragma) == SQLITE_ROW;
    // The name is converted in a database of UTF-16, for which memory may be missing.
    const char *name = ok ? (const char *)sqlite3_column_text(pragma, 0) : NULL;
    ok = name != NULL;
    if (ok)
        *out_utf16 = sqlite3_strnicmp(name, "UTF-16", 6) == 0;
    else
        error_set(
            err, sqlite3_errcode(db) == SQLITE_NOMEM ? ERROR_MEMORY : ERROR_SOURCE,
            "cannot read the text encoding: %s", sqlite3_errmsg(db));
    sqlite3_finalize(pragma);
    return ok;
}

static bool out_of_memory(const struct table *table, struct error *err)
{
    return error_set(err, ERROR_MEMORY, "table %s: out of memory for a reader", table->name);
}

static bool open_zones(struct column_reader *in, struct error *err)
{
    const struct table *table = in->table;

    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->zone == NULL)
            continue;
        if (in->zones == NULL)
            in->zones = calloc(table->column_count, sizeof in->zones[0]);
        if (in->zones == NULL)
            return out_of_memory(table, err);
        if (!zone_load(column->zone, &in->zones[i], err))
            return error_wrap(err, "table %s, column %s", table->name, column->source);
    }
    return true;
}

static bool make_texts(struct column_reader *in, struct error *err)
{
    const struct table *table = in->table;

    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].blob != BLOB_JSONB && !table->columns[i].unfit)
            continue;
        if (in->texts == NULL)
            in->texts = calloc(table->column_count, sizeof in->texts[0]);
        if (in->texts == NULL)
            return out_of_memory(table, err);
        buffer_init(&in->texts[i], TEXT_MAX);
    }
    return true;
}

static bool make_unfit(struct column_reader *in, struct error *err)
{
    const struct table *table = in->table;
    bool any = false;

    for (size_t i = 0; i < table->column_count; i++)
        any = any || table->columns[i].unfit;
    if (!any)
        return true;
    in->unfit = calloc(table->column_count, sizeof in->unfit[0]);
    return in->unfit != NULL || out_of_memory(table, err);
}

bool column_reader_init(
    struct column_reader *in, const struct table *table, sqlite3_stmt *row, struct error *err)
{
    *in = (struct column_reader){.table = table, .row = row};
    if (!read_encoding(row, &in->utf16, err)) {
        *in = (struct column_reader){.table = NULL};
        return error_wrap(err, "table %s", table->name);
    }
    in->scratch = malloc(table->column_count * COLUMN_SCRATCH_SIZE);
    bool ok = in->scratch != NULL ? true : out_of_memory(table, err);
    ok = ok && digest_new(table, &in->digest, err) && open_zones(in, err) && make_texts(in, err) &&
         make_unfit(in, err);
    if (!ok)
        column_reader_clear(in);
    return ok;
}

void column_reader_clear(struct column_reader *in)
{
    size_t count = in->table == NULL ? 0 : in->table->column_count;

    for (size_t i = 0; i < count; i++) {
        if (in->zones != NULL)
            zone_free(in->zones[i]);
        if (in->texts != NULL)
            buffer_clear(&in->texts[i]);
    }
    free(in->zones);
    free(in->texts);
    free(in->unfit);
    digest_free(in->digest);
    free(in->scratch);
    *in = (struct column_reader){.table = NULL};
}

void column_reader_next(struct column_reader *in, bool tombstone)
{
    in->tombstone = tombstone;
    in->problem_count = 0;
    if (in->unfit_count > 0) {
        memset(in->unfit, 0, in->table->column_count * sizeof in->unfit[0]);
        in->unfit_count = 0;
    }
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
