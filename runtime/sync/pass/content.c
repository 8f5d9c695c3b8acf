#include "sync/pass/content.h"

#include "base/clock.h"
#include "source/filter_step.h"
#include "source/rejects.h"
#include "source/sqlite_sql.h"

#include <string.h>

bool content_has_key(const struct table *table, sqlite3_stmt *row)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (sqlite3_column_type(row, (int)table->key[i]) == SQLITE_NULL)
            return false;
    return table->key_count > 0;
}

int64_t content_rejected(const struct table *table, int64_t rejected)
{
    return table->mode == SEND_REPLACE ? rejected : rejected > 0;
}

static bool read_rows(
    struct database *source, const struct table *table, const char *sql,
    struct fingerprint *fingerprint, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    bool ok = database_prepare(source, sql, &statement, err);

    while (ok && row) {
        ok = filter_step(source, table, statement, &row, err);
        if (ok && row)
            ok = fingerprint_add(fingerprint, statement, table->column_count, err);
        if (ok && clock_stopped())
            ok = error_set(err, ERROR_STOPPED, "stopped while reading");
    }
    sqlite3_finalize(statement);
    return ok;
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
    buffer_init(&sql, SQLITE_SQL_CEILING);
    if (table->mode == SEND_REPLACE)
        buffer_append_text(&sql, table->scan_sql);
    else
        capture_append_keyless_sql(&sql, table);
    bool ok = buffer_check(&sql, "statement", err) &&
              read_rows(source, table, buffer_text(&sql), &fingerprint, err) &&
              rejects_count(tracking, table->name, &rejected, err);
    buffer_clear(&sql);
    if (!ok)
        return filter_wrap(err, "content of", table);
    fingerprint_text(&fingerprint, content_rejected(table, rejected), text);
    *out_same = strcmp(text, known) == 0;
    return true;
}
