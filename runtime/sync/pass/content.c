#include "sync/pass/content.h"

#include "base/clock.h"
#include "source/rejects.h"

#include <string.h>

#define STATEMENT_CEILING (1 << 20)

bool content_has_key(const struct table *table, sqlite3_stmt *row)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (sqlite3_column_type(row, (int)table->key[i]) == SQLITE_NULL)
            return false;
    return table->key_count > 0;
}

static bool read_rows(
    struct database *source, const char *sql, size_t columns, struct fingerprint *fingerprint,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    bool ok = database_prepare(source, sql, &statement, err);

    while (ok && row) {
        ok = database_step(source, statement, &row, err);
        if (ok && row)
            ok = fingerprint_add(fingerprint, statement, columns, err);
        if (ok && clock_stopped())
            ok = error_set(err, ERROR_STOPPED, "stopped while reading");
    }
    sqlite3_finalize(statement);
    return ok;
}

/* Whether the rows that the fingerprint counted as rejected, or any if they have no key, are
 * listed.
 */
static bool count_rejected(
    struct tracking *tracking, const struct task *task, int64_t *out_rejected, struct error *err)
{
    const char *table = task->table->name;
    bool any = false;

    if (task->table->mode == SEND_REPLACE)
        return rejects_count(tracking, table, out_rejected, err);
    if (!rejects_keyless(tracking, table, &any, err))
        return false;
    *out_rejected = any;
    return true;
}

bool content_is_same(
    struct database *source, struct tracking *tracking, const struct task *task, bool *out_same,
    struct error *err)
{
    const struct table *table = task->table;
    const char *known = task->source.watermark.fingerprint;
    struct fingerprint fingerprint;
    char text[FINGERPRINT_SIZE];
    struct buffer sql;
    int64_t rejected = 0;

    fingerprint_begin(&fingerprint, known);
    buffer_init(&sql, STATEMENT_CEILING);
    if (table->mode == SEND_REPLACE)
        buffer_append_text(&sql, table->scan_sql);
    else
        capture_append_keyless_sql(&sql, table);
    bool ok = buffer_check(&sql, "statement", err) &&
              read_rows(source, buffer_text(&sql), table->column_count, &fingerprint, err) &&
              count_rejected(tracking, task, &rejected, err);
    buffer_clear(&sql);
    if (!ok)
        return error_wrap(err, "content of %s", table->name);
    fingerprint_text(&fingerprint, rejected, text);
    *out_same = strcmp(text, known) == 0;
    return true;
}
