/* A SELECT beside other requests: its rows are computed on the store's reader, in the snapshot of
 * the moment at which it starts, outside of the monitor, and then copied into the store. One at a
 * time; others wait inside of the monitor, which lets everybody else in. */
#include "bqlocal/sql/compile/compile.h"

#include <stdio.h>

/* On the reader; nobody else has a table of that name. */
#define ANSWER "bqlocal.answer"

bool sql_reader_take(struct store *store)
{
    if (store->reader_taken)
        return false;
    store->reader_taken = true;
    // A read transaction begins with its first read. If it fails, so will the query.
    sqlite3_exec(store->reader, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
    return true;
}

void sql_reader_give_back(struct store *store)
{
    sqlite3_exec(store->reader, "ROLLBACK", NULL, NULL, NULL);
    store->reader_taken = false;
}

/* Not 0 interrupts the statement. */
static int look(void *context)
{
    const atomic_bool *cancelled = context;

    return atomic_load(cancelled);
}

static bool compute(struct sql_compiler *compiler, const char *sql)
{
    struct monitor *monitor = compiler->request->monitor;
    sqlite3 *reader = compiler->store->reader;

    sqlite3_progress_handler(reader, 100000, look, compiler->request->cancelled);
    monitor_leave(monitor);
    bool ok = sqlite3_exec(reader, sql, NULL, NULL, NULL) == SQLITE_OK ||
              sql_sqlite_failed(compiler, reader);
    sqlite3_progress_handler(reader, 0, NULL, NULL);
    monitor_enter(monitor);
    return ok;
}

/* From the reader into a table of the store. */
static bool copy_answer(
    struct sql_compiler *compiler, const char *table, size_t count, int64_t *out_rows)
{
    struct store *store = compiler->store;
    const char **marks = sql_alloc(compiler->arena, (count + 1) * sizeof *marks);
    sqlite3_stmt *from = NULL;
    sqlite3_stmt *to = NULL;
    int status = SQLITE_OK;

    for (size_t i = 0; i < count; i++)
        marks[i] = "?";
    const char *insert = sql_printf(
        compiler->arena, "INSERT INTO \"%s\" VALUES(%s)", table,
        sql_join(compiler, ",", marks, count));
    bool ok =
        sqlite3_prepare_v2(store->reader, "SELECT * FROM temp.\"" ANSWER "\"", -1, &from, NULL) ==
            SQLITE_OK &&
        sqlite3_prepare_v2(store->handle, insert, -1, &to, NULL) == SQLITE_OK;
    while (ok && (status = sqlite3_step(from)) == SQLITE_ROW) {
        for (int i = 0; i < (int)count; i++)
            sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        ok = sqlite3_step(to) == SQLITE_DONE && sqlite3_reset(to) == SQLITE_OK;
        ++*out_rows;
    }
    ok = (ok && status == SQLITE_DONE) || sql_sqlite_failed(compiler, store->handle);
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return ok;
}

static bool keep_answer(struct sql_compiler *compiler, size_t count, struct sql_result *result)
{
    char *table = sql_result_name(compiler);

    if (!store_begin(compiler->store, compiler->err))
        return false;
    bool ok = sql_create_result(compiler, compiler->store->handle, table, count) &&
              copy_answer(compiler, table, count, &result->result_rows);
    if (!store_end(compiler->store, ok, compiler->err))
        return false;
    snprintf(result->result_table, sizeof result->result_table, "%s", table);
    return true;
}

bool sql_run_aside(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result)
{
    struct sql_output output = {0};

    return sql_translate_query(compiler, node->query, &output) &&
           sql_name_columns(compiler, &output, &result->schema) &&
           sql_create_result(compiler, compiler->store->reader, ANSWER, output.count) &&
           compute(
               compiler,
               sql_printf(compiler->arena, "INSERT INTO temp.\"" ANSWER "\" %s", output.sql)) &&
           keep_answer(compiler, output.count, result);
}
