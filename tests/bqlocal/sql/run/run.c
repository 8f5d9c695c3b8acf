/* Scripts, transactions and results. */
#include "bqlocal/sql/compile/compile.h"
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/sql/parse/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The savepoint around BEGIN TRANSACTION ... COMMIT; each statement has one of its own inside. */
#define TRANSACTION "bqlocal_transaction"
#define STATEMENT   "bqlocal_statement"

bool sql_sqlite_failed(struct sql_compiler *compiler, sqlite3 *handle)
{
    int code = sqlite3_errcode(handle) & 0xFF;

    if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CORRUPT ||
        code == SQLITE_BUSY)
        return store_handle_failed(handle, compiler->err);
    const char *message = sqlite3_errmsg(handle);
    if (strcmp(message, "integer overflow") == 0)
        message = "int64 overflow";
    return sql_error(compiler->err, SQL_NO_PLACE, "%s", message);
}

bool sql_execute(struct sql_compiler *compiler, const char *sql, int64_t *out_changes)
{
    sqlite3 *handle = compiler->store->handle;
    sqlite3_stmt *statement = NULL;

    if (compiler->request->dry_run)
        return true;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return sql_sqlite_failed(compiler, compiler->store->handle);
    int status;
    do
        status = sqlite3_step(statement);
    while (status == SQLITE_ROW);
    bool ok = status == SQLITE_DONE || sql_sqlite_failed(compiler, compiler->store->handle);
    sqlite3_finalize(statement);
    if (ok && out_changes != NULL)
        *out_changes = sqlite3_changes64(handle);
    return ok;
}

bool sql_query_int64(struct sql_compiler *compiler, const char *sql, int64_t *out_number)
{
    sqlite3_stmt *statement = NULL;

    if (compiler->request->dry_run) {
        *out_number = 0;
        return true;
    }
    bool ok = sqlite3_prepare_v2(compiler->store->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
    if (ok)
        *out_number = sqlite3_column_int64(statement, 0);
    else
        sql_sqlite_failed(compiler, compiler->store->handle);
    sqlite3_finalize(statement);
    return ok;
}

/* BEGIN, COMMIT and ROLLBACK run in dry runs too, where nothing changes between them. */
static bool control(struct sql_compiler *compiler, const char *sql)
{
    if (sqlite3_exec(compiler->store->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return sql_sqlite_failed(compiler, compiler->store->handle);
}

static const char *type_name(const struct sql_node *node)
{
    static const char *const names[] = {
        [SQL_QUERY] = "SELECT",
        [SQL_INSERT] = "INSERT",
        [SQL_UPDATE] = "UPDATE",
        [SQL_DELETE] = "DELETE",
        [SQL_MERGE] = "MERGE",
        [SQL_TRUNCATE] = "TRUNCATE_TABLE",
        [SQL_CREATE_TABLE] = "CREATE_TABLE",
        [SQL_CREATE_VIEW] = "CREATE_VIEW",
        [SQL_CREATE_TABLE_FUNCTION] = "CREATE_TABLE_FUNCTION",
        [SQL_ALTER_TABLE] = "ALTER_TABLE",
        [SQL_DROP_VIEW] = "DROP_VIEW",
        [SQL_DROP_TABLE_FUNCTION] = "DROP_TABLE_FUNCTION",
        [SQL_DROP_TABLE] = "DROP_TABLE",
        [SQL_BEGIN] = "BEGIN_TRANSACTION",
        [SQL_COMMIT] = "COMMIT_TRANSACTION",
        [SQL_ROLLBACK] = "ROLLBACK_TRANSACTION",
    };

    if (node->kind == SQL_CREATE_TABLE && node->query != NULL)
        return "CREATE_TABLE_AS_SELECT";
    return names[node->kind];
}

static bool is_ddl(const struct sql_node *node)
{
    return node->kind >= SQL_CREATE_TABLE && node->kind <= SQL_DROP_TABLE;
}

static bool is_dml(const struct sql_node *node)
{
    return node->kind >= SQL_INSERT && node->kind <= SQL_TRUNCATE;
}

void sql_clear_result_set(struct store *store, struct sql_result *result)
{
    if (result->result_table[0] != '\0') {
        char *sql = sqlite3_mprintf("DROP TABLE IF EXISTS \"%w\"", result->result_table);
        sqlite3_exec(store->handle, sql, NULL, NULL, NULL);
        sqlite3_free(sql);
    }
    store_schema_clear(&result->schema);
    result->result_table[0] = '\0';
    result->result_rows = 0;
}

bool sql_name_columns(
    struct sql_compiler *compiler, const struct sql_output *output, struct store_schema *out)
{
    size_t unnamed = 0;

    out->fields = calloc(output->count + 1, sizeof *out->fields);
    if (out->fields == NULL)
        return error_set(compiler->err, ERROR_MEMORY, "out of memory for a result");
    for (size_t i = 0; i < output->count; i++) {
        const char *name = output->fields[i].name;
        int type = output->fields[i].type;
        if (name[0] == '\0')
            name = sql_printf(compiler->arena, "f%zu_", unnamed++);
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(out->fields[j].name, name) == 0)
                return sql_error(
                    compiler->err, SQL_NO_PLACE,
                    "Duplicate column names in the result are not supported when a destination "
                    "table is present. Found duplicate(s): %s",
                    name);
        out->fields[i].name = strdup(name);
        out->fields[i].type = type == SQL_TYPE_NULL ? STORE_INT64 : (enum store_type)type;
        out->count++;
    }
    return true;
}

char *sql_result_name(struct sql_compiler *compiler)
{
    uint64_t random = 0;

    sqlite3_randomness((int)sizeof random, &random);
    return sql_printf(compiler->arena, "bqlocal.result.%016llx", (unsigned long long)random);
}

bool sql_create_result(
    struct sql_compiler *compiler, sqlite3 *handle, const char *table, size_t count)
{
    const char **names = sql_alloc(compiler->arena, (count + 1) * sizeof *names);

    for (size_t i = 0; i < count; i++)
        names[i] = sql_printf(compiler->arena, "c%zu", i);
    // No declared types, so that no affinity changes what is stored.
    const char *sql = sql_printf(
        compiler->arena, "CREATE TEMP TABLE \"%s\"(%s)", table,
        sql_join(compiler, ", ", names, count));
    return sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
           sql_sqlite_failed(compiler, handle);
}

static bool run_query(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result)
{
    struct sql_output output = {0};

    sql_clear_result_set(compiler->store, result);
    if (!sql_translate_query(compiler, node->query, &output) ||
        !sql_name_columns(compiler, &output, &result->schema))
        return false;
    if (compiler->request->dry_run)
        return true;
    char *table = sql_result_name(compiler);
    bool ok = sql_create_result(compiler, compiler->store->handle, table, output.count) &&
              sql_execute(
                  compiler, sql_printf(compiler->arena, "INSERT INTO \"%s\" %s", table, output.sql),
                  &result->result_rows);
    if (ok)
        snprintf(result->result_table, sizeof result->result_table, "%s", table);
    return ok;
}

static bool run_statement(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    if (node->kind == SQL_QUERY)
        return run_query(compiler, node, result);
    sql_clear_result_set(compiler->store, result);
    if (is_dml(node))
        return sql_run_dml(compiler, node, out);
    return sql_run_ddl(compiler, node, result, out);
}

/* Runs one statement, outside of the monitor; a failure undoes all of it. Others see what it did in
 * one piece, and never between two looks of theirs: the savepoint ends inside. */
static bool run_guarded(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result,
    struct sql_statement *out)
{
    struct monitor *monitor = compiler->request->monitor;

    if (!control(compiler, "SAVEPOINT " STATEMENT))
        return false;
    if (monitor != NULL)
        monitor_leave(monitor);
    bool ok = run_statement(compiler, node, result, out);
    if (monitor != NULL)
        monitor_enter(monitor);
    if (!ok) {
        // The rollback also drops the result table of this statement.
        sqlite3_exec(
            compiler->store->handle, "ROLLBACK TO " STATEMENT "; RELEASE " STATEMENT, NULL, NULL,
            NULL);
        result->result_table[0] = '\0';
        return false;
    }
    return control(compiler, "RELEASE " STATEMENT);
}

static bool run_transaction_control(
    struct sql_compiler *compiler, const struct sql_node *node, bool *open)
{
    if (node->kind == SQL_BEGIN) {
        if (*open)
            return sql_error(
                compiler->err, node->place,
                "Transaction control statement failed: there is already an open transaction");
        *open = true;
        return control(compiler, "SAVEPOINT " TRANSACTION);
    }
    if (!*open)
        return sql_error(
            compiler->err, node->place,
            "Transaction control statement failed: there is no open transaction");
    *open = false;
    return control(
        compiler, node->kind == SQL_COMMIT ? "RELEASE " TRANSACTION
                                           : "ROLLBACK TO " TRANSACTION "; RELEASE " TRANSACTION);
}

bool sql_run_script(
    struct sql_compiler *compiler, const struct sql_list *nodes, struct sql_result *result)
{
    bool open = false;
    bool ok = true;
    int transactions = 0;

    for (size_t i = 0; ok && i < nodes->count; i++) {
        const struct sql_node *node = nodes->items[i];
        struct sql_statement *statement = &result->statements[result->statement_count];
        snprintf(statement->type, sizeof statement->type, "%s", type_name(node));
        statement->start = node->start;
        statement->end = node->end;
        transactions += node->kind == SQL_BEGIN;
        statement->transaction = open || node->kind == SQL_BEGIN ? transactions : 0;
        if (node->kind >= SQL_BEGIN)
            ok = run_transaction_control(compiler, node, &open);
        else if (open && is_ddl(node))
            ok = sql_error(
                compiler->err, node->place,
                "DDL statements on permanent tables are not allowed inside a transaction: %s",
                statement->type);
        else
            ok = run_guarded(compiler, node, result, statement);
        result->statement_count += ok;
        // The next statements may need the table, which a dry run did not make.
        if (compiler->request->dry_run && is_ddl(node) && strcmp(statement->ddl, "SKIP") != 0)
            break;
    }
    if (open) {
        // An error, or the script's end without a COMMIT, undoes the transaction.
        sqlite3_exec(
            compiler->store->handle, "ROLLBACK TO " TRANSACTION "; RELEASE " TRANSACTION, NULL,
            NULL, NULL);
        result->result_table[0] = '\0';
    }
    return ok;
}

static bool is_query(const struct sql_list *nodes)
{
    return nodes->count == 1 && ((const struct sql_node *)nodes->items[0])->kind == SQL_QUERY;
}

static bool run_query_on_reader(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_result *result)
{
    snprintf(result->statements[0].type, sizeof result->statements[0].type, "%s", type_name(node));
    result->statement_count = 1;
    return sql_run_on_reader(compiler, node, result);
}

static bool run_all(
    struct sql_compiler *compiler, const struct sql_list *nodes, struct sql_result *result)
{
    if (compiler->request->monitor == NULL)
        return sql_run_script(compiler, nodes, result);
    return is_query(nodes) ? run_query_on_reader(compiler, nodes->items[0], result)
                           : sql_run_on_writer(compiler, nodes, result);
}

bool sql_split(const char *text, struct sql_part **out_parts, size_t *out_count)
{
    struct sql_arena arena = {0};
    struct sql_list nodes = {0};
    struct error ignored;

    *out_parts = NULL;
    *out_count = 0;
    bool ok = sql_parse_script(&arena, text, &nodes, &ignored) &&
              (*out_parts = calloc(nodes.count, sizeof **out_parts)) != NULL;
    for (size_t i = 0; ok && i < nodes.count; i++) {
        const struct sql_node *node = nodes.items[i];
        (*out_parts)[(*out_count)++] = (struct sql_part){
            .type = type_name(node),
            .start = node->start,
            .end = node->end,
            .replaces = node->or_replace,
            .reads = node->kind == SQL_CREATE_TABLE ? node->query != NULL
                                                    : !is_ddl(node) && node->kind < SQL_BEGIN,
        };
    }
    sql_arena_clear(&arena);
    return ok;
}

bool sql_is_query(const char *text)
{
    struct sql_arena arena = {0};
    struct sql_list nodes = {0};
    struct error ignored;

    bool is = sql_parse_script(&arena, text, &nodes, &ignored) && is_query(&nodes);
    sql_arena_clear(&arena);
    return is;
}

bool sql_run(
    struct store *store, const struct sql_request *request, struct sql_result *out_result,
    struct error *err)
{
    struct sql_arena arena = {0};
    struct sql_list nodes = {0};
    struct sql_result result = {0};
    result.references = cJSON_CreateArray();
    result.scans = cJSON_CreateArray();
    struct sql_compiler compiler = {
        .result = &result,
        .arena = &arena,
        .store = store,
        .request = request,
        .err = err,
        .now_us = store_now_ms(store) * 1000};

    err->code = ERROR_NONE;
    bool ok =
        sql_check_parameters(&compiler) && sql_parse_script(&arena, request->text, &nodes, err);
    if (ok) {
        result.is_script = nodes.count > 1;
        result.statements = calloc(nodes.count, sizeof *result.statements);
        ok = result.statements == NULL ? error_set(err, ERROR_MEMORY, "out of memory for a script")
                                       : run_all(&compiler, &nodes, &result);
    }
    sql_arena_clear(&arena);
    if (ok)
        *out_result = result;
    else
        sql_result_clear(store, &result);
    return ok;
}

void sql_result_clear(struct store *store, struct sql_result *result)
{
    sql_clear_result_set(store, result);
    free(result->statements);
    free(result->location);
    cJSON_Delete(result->references);
    cJSON_Delete(result->scans);
    *result = (struct sql_result){0};
}

bool sql_register(struct store *store, struct error *err)
{
    return (sql_register_functions(store->handle) && sql_register_functions(store->reader) &&
            sql_register_functions(store->writer)) ||
           error_set(
               err, ERROR_SOURCE, "cannot prepare the database for queries: %s",
               sqlite3_errmsg(store->handle));
}
