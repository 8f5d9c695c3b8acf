/* The part of capture.h that removes the capture of tables that are no longer defined. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/capture_objects.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The tables that are defined. */
struct registry {
    const struct table *const *tables;
    size_t count;
};

static bool is_known(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcasecmp(registry->tables[i]->name, name) == 0)
            return true;
    }
    return false;
}

static bool is_known_trigger(const struct registry *registry, const char *name, const char *table)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcasecmp(registry->tables[i]->name, table) == 0 ||
            capture_objects_owns_trigger(registry->tables[i]->name, name))
            return true;
    }
    return false;
}

/* Appends a DROP for each trigger and dirty set of ours whose table is not defined. */
static bool append_drops(
    struct database *source, const struct registry *registry, struct buffer *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    // Triggers come first: one without its dirty set makes the application's statements fail.
    if (!database_prepare(
            source,
            "select type = 'trigger', name, tbl_name from sqlite_master"
            " where (type = 'trigger' and name like 'bq\\_sync\\_%' escape '\\')"
            " or (type = 'table' and name like 'bq\\_sync\\_dirty\\_%' escape '\\')"
            " order by 1 desc, 2",
            &statement, err))
        return false;
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        const char *name = (const char *)sqlite3_column_text(statement, 1);
        const char *table = (const char *)sqlite3_column_text(statement, 2);
        if (sqlite3_column_int(statement, 0) == 1) {
            if (!is_known_trigger(registry, name, table))
                sqlite_sql_append(sql, "drop trigger $n;\n", name);
        } else if (!is_known(registry, name + strlen(SQLITE_SQL_DIRTY_PREFIX))) {
            sqlite_sql_append(sql, "drop table $n;\n", name);
        }
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

static bool append_deletes(
    struct database *source, const struct registry *registry, struct buffer *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!database_has_table(source, "bq_sync_capture", &row, err))
        return false;
    if (!row)
        return true;
    if (!database_prepare(source, "select table_name from bq_sync_capture", &statement, err))
        return false;
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (!is_known(registry, name))
            sqlite_sql_append(sql, "delete from bq_sync_capture where table_name = $t;\n", name);
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

static bool collect(
    struct database *source, const struct registry *registry, struct buffer *sql, struct error *err)
{
    buffer_reset(sql);
    return append_drops(source, registry, sql, err) && append_deletes(source, registry, sql, err) &&
           buffer_check(sql, "removal", err);
}

bool capture_remove_unknown(
    struct database *source, const struct table *const *tables, size_t count, struct error *err)
{
    const struct registry registry = {tables, count};
    struct buffer sql;
    bool ok = false;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    // Looked at without the write lock first: nearly always there is nothing to do.
    if (!collect(source, &registry, &sql, err))
        goto cleanup;
    if (sql.length == 0) {
        ok = true;
        goto cleanup;
    }
    if (!database_begin(source, err))
        goto cleanup;
    ok = collect(source, &registry, &sql, err) && database_exec(source, buffer_text(&sql), err) &&
         capture_objects_remove_counters(source, err) && database_commit(source, err);
    if (!ok)
        database_rollback(source);

cleanup:
    buffer_clear(&sql);
    return ok || error_wrap(err, "change capture of tables no longer defined");
}

bool capture_list_unknown(
    struct database *source, const struct table *const *tables, size_t count, char *out_names,
    size_t size, struct error *err)
{
    const struct registry registry = {tables, count};
    sqlite3_stmt *statement = NULL;
    size_t used = 0;
    bool row = false;
    bool ok = false;

    out_names[0] = '\0';
    if (!database_prepare(
            source,
            "select name from sqlite_master where type = 'table'"
            " and name like 'bq\\_sync\\_dirty\\_%' escape '\\' order by 1",
            &statement, err))
        return false;
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        const char *name =
            (const char *)sqlite3_column_text(statement, 0) + strlen(SQLITE_SQL_DIRTY_PREFIX);
        if (!is_known(&registry, name) && used < size)
            used +=
                (size_t)snprintf(out_names + used, size - used, "%s%s", used > 0 ? ", " : "", name);
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}
