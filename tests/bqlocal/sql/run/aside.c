/* Statements beside other requests, outside of the monitor. A SELECT computes its rows on the
 * store's reader, in the snapshot of the moment at which it starts; one at a time, others wait
 * inside of the monitor, which lets everybody else in. Everything else runs on the store's writer:
 * readers see the tables without its changes, and requests that change something wait for it. In
 * the end the rows are copied to the connection that answers are read from. */
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

static void watch(const struct sql_compiler *compiler, sqlite3 *handle)
{
    sqlite3_progress_handler(handle, 100000, look, compiler->request->cancelled);
}

static void unwatch(sqlite3 *handle)
{
    sqlite3_progress_handler(handle, 0, NULL, NULL);
}

static bool compute(struct sql_compiler *compiler, const char *sql)
{
    struct monitor *monitor = compiler->request->monitor;
    sqlite3 *reader = compiler->store->reader;

    watch(compiler, reader);
    monitor_leave(monitor);
    bool ok = sqlite3_exec(reader, sql, NULL, NULL, NULL) == SQLITE_OK ||
              sql_sqlite_failed(compiler, reader);
    unwatch(reader);
    monitor_enter(monitor);
    return ok;
}

/* From a table of another connection into one of the store's handle. */
static bool copy_answer(
    struct sql_compiler *compiler, sqlite3 *other, const char *name, const char *table,
    struct sql_result *result)
{
    size_t count = result->schema.count;
    const char **marks = sql_alloc(compiler->arena, (count + 1) * sizeof *marks);
    sqlite3_stmt *from = NULL;
    sqlite3_stmt *to = NULL;
    int status = SQLITE_OK;

    for (size_t i = 0; i < count; i++)
        marks[i] = "?";
    const char *insert = sql_printf(
        compiler->arena, "INSERT INTO \"%s\" VALUES(%s)", table,
        sql_join(compiler, ",", marks, count));
    const char *select = sql_printf(compiler->arena, "SELECT * FROM temp.\"%s\"", name);
    bool ok = sqlite3_prepare_v2(other, select, -1, &from, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(compiler->store->handle, insert, -1, &to, NULL) == SQLITE_OK;
    result->result_rows = 0;
    while (ok && (status = sqlite3_step(from)) == SQLITE_ROW) {
        for (int i = 0; i < (int)count; i++)
            sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        ok = sqlite3_step(to) == SQLITE_DONE && sqlite3_reset(to) == SQLITE_OK;
        result->result_rows++;
    }
    ok = (ok && status == SQLITE_DONE) || sql_sqlite_failed(compiler, compiler->store->handle);
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return ok;
}

static bool keep_answer(
    struct sql_compiler *compiler, sqlite3 *other, const char *name, struct sql_result *result)
{
    char *table = sql_result_name(compiler);

    if (!store_begin(compiler->store, compiler->err))
        return false;
    bool ok = sql_create_result(compiler, compiler->store->handle, table, result->schema.count) &&
              copy_answer(compiler, other, name, table, result);
    if (!store_end(compiler->store, ok, compiler->err))
        return false;
    snprintf(result->result_table, sizeof result->result_table, "%s", table);
    return true;
}

bool sql_run_on_reader(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result)
{
    struct sql_output output = {0};
    sqlite3 *reader = compiler->store->reader;

    return sql_translate_query(compiler, node->query, &output) &&
           sql_name_columns(compiler, &output, &result->schema) &&
           sql_create_result(compiler, reader, ANSWER, output.count) &&
           compute(
               compiler,
               sql_printf(compiler->arena, "INSERT INTO temp.\"" ANSWER "\" %s", output.sql)) &&
           keep_answer(compiler, reader, ANSWER, result);
}

/* The rows that the last statement of a script left with the writer. */
static bool take_over(
    struct sql_compiler *compiler, struct store *writer, struct sql_result *result)
{
    const char *name = sql_printf(compiler->arena, "%s", result->result_table);

    result->result_table[0] = '\0';
    bool ok = name[0] == '\0' || keep_answer(compiler, writer->handle, name, result);
    const char *drop = sql_printf(compiler->arena, "DROP TABLE IF EXISTS temp.\"%s\"", name);
    sqlite3_exec(writer->handle, drop, NULL, NULL, NULL);
    return ok;
}

bool sql_run_on_writer(
    struct sql_compiler *compiler, const struct sql_list *nodes, struct sql_result *result)
{
    struct store *store = compiler->store;
    struct store writer = store_take_writer(store);

    compiler->store = &writer;
    watch(compiler, writer.handle);
    bool ok = sql_run_script(compiler, nodes, result);
    unwatch(writer.handle);
    store_give_back_writer(store, &writer);
    compiler->store = store;
    if (!ok)
        sql_clear_result_set(&writer, result);
    return ok && take_over(compiler, &writer, result);
}
