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

static bool is_known_trigger(
    const struct registry *registry, const char *table, const char *name, const char *sql)
{
    if (is_known(registry, table))
        return true;
    for (size_t i = 0; i < registry->count; i++) {
        if (capture_objects_owns_trigger(registry->tables[i]->name, name, sql))
            return true;
    }
    return false;
}

/* The columns of each query below: what is found, its name and the table of the application that it
 * is for; of a trigger, the one that it is on and its text. */
enum { FOUND_KIND, FOUND_NAME, FOUND_TABLE, FOUND_SQL };

// Triggers come first: one without its dirty set makes the application's statements fail.
static const char objects_sql[] =
    "select type, name, case type when 'trigger' then tbl_name"
    " else substr(name, instr(substr(name, 9), '_') + 9) end, sql from sqlite_master"
    " where (type = 'trigger' and name like 'bq\\_sync\\_%' escape '\\')"
    " or (type = 'table' and (name like 'bq\\_sync\\_dirty\\_%' escape '\\'"
    " or name like 'bq\\_sync\\_shadow\\_%' escape '\\'"
    " or name like 'bq\\_sync\\_pending\\_%' escape '\\')) order by 1 desc, 2";

/* Appends the statement that removes what the row says, if its table is not defined. */
static void append_removal(const struct registry *registry, sqlite3_stmt *row, struct buffer *sql)
{
    const char *kind = statement_borrow_text(row, FOUND_KIND);
    const char *name = statement_borrow_text(row, FOUND_NAME);
    const char *table = statement_borrow_text(row, FOUND_TABLE);
    bool trigger = strcmp(kind, "trigger") == 0;

    if (trigger ? is_known_trigger(registry, table, name, statement_borrow_text(row, FOUND_SQL))
                : is_known(registry, table))
        return;
    if (strcmp(kind, "row") == 0)
        sqlite_sql_append(sql, "delete from $n where table_name = $t;\n", name, table);
    else
        sqlite_sql_append(sql, "drop $r $n;\n", kind, name);
}

static bool append_removals(
    struct database *source, const struct registry *registry, const char *query, struct buffer *sql,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    bool ok = database_prepare(source, query, &statement, err);

    while (ok && row) {
        ok = database_step(source, statement, &row, err);
        if (ok && row)
            append_removal(registry, statement, sql);
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool collect(
    struct database *source, const struct registry *registry, struct buffer *sql, struct error *err)
{
    static const char *const lists[] = {"bq_sync_capture", "bq_sync_shadows"};

    buffer_reset(sql);
    bool ok = append_removals(source, registry, objects_sql, sql, err);
    for (size_t i = 0; ok && i < sizeof lists / sizeof lists[0]; i++) {
        char query[96];
        bool exists = false;
        snprintf(query, sizeof query, "select 'row', '%s', table_name from %s", lists[i], lists[i]);
        ok = database_has_table(source, lists[i], &exists, err) &&
             (!exists || append_removals(source, registry, query, sql, err));
    }
    return ok && buffer_check(sql, "removal", err);
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
    struct database *source, const struct table *const *tables, size_t count, cJSON *out_names,
    struct error *err)
{
    const struct registry registry = {tables, count};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!database_prepare(
            source,
            "select substr(name, length('" SQLITE_SQL_DIRTY_PREFIX "') + 1) from sqlite_master"
            " where type = 'table' and name like 'bq\\_sync\\_dirty\\_%' escape '\\' order by 1",
            &statement, err))
        return false;
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        const char *name = statement_borrow_text(statement, 0);
        if (!is_known(&registry, name))
            cJSON_AddItemToArray(out_names, cJSON_CreateString(name));
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}
