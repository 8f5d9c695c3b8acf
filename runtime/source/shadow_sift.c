#include "source/shadow_sift.h"

#include "source/filter_step.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <string.h>

/* Rows between two calls of look. */
#define ROWS_PER_LOOK 4096

#define FUNCTION "bq_sync_differs"

static bool count_row(struct shadow_sift *sift, struct error *err)
{
    return ++sift->rows % ROWS_PER_LOOK != 0 || sift->look == NULL ||
           sift->look(sift->context, sift->rows, err);
}

/* bq_sync_differs(column, ...): whether the row with these values differs. SQLite calls it once for
 * each row, in the order of the statement, and steps to the row before it calls it again. */
static void differs(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct shadow_sift *sift = sqlite3_user_data(context);

    (void)count;
    sift->failed = !shadow_values(
                       sift->shadow, sqlite3_context_db_handle(context), values, &sift->change,
                       &sift->failure) ||
                   !count_row(sift, &sift->failure);
    if (sift->failed)
        sqlite3_result_error(context, "the comparison failed", -1);
    else
        sqlite3_result_int(context, sift->change != SHADOW_SAME);
}

/* The columns of the scan have names of ours here, since its own may be the same twice. */
static void append_names(const struct table *table, struct buffer *sql)
{
    for (size_t i = 0; i < table->column_count; i++)
        buffer_printf(sql, "%sc%zu", i > 0 ? ", " : "", i + 1);
}

static void append_sifted(const struct table *table, struct buffer *sql)
{
    buffer_append_text(sql, "with bq_sync_rows(");
    append_names(table, sql);
    buffer_printf(
        sql, ") as (\n%s\n) select * from bq_sync_rows where " FUNCTION "(", table->scan_sql);
    append_names(table, sql);
    buffer_printf(sql, ") order by c%zu", table->key[0] + 1);
}

/* Whether SQLite would sort the rows: then it calls the function in another order. */
static bool sorts(
    struct shadow_sift *sift, struct buffer *statement, bool *out_sorts, struct error *err)
{
    sqlite3_stmt *plan = NULL;
    struct buffer sql;
    bool row = true;

    *out_sorts = false;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    buffer_append_text(&sql, "explain query plan ");
    buffer_append_slice(&sql, buffer_slice(statement));
    bool ok = statement_prepare_buffer(sift->source, &sql, &plan, err);
    while (ok && row) {
        ok = database_step(sift->source, plan, &row, err);
        if (ok && row && strstr(statement_borrow_text(plan, 3), "B-TREE") != NULL)
            *out_sorts = true;
    }
    sqlite3_finalize(plan);
    buffer_clear(&sql);
    return ok;
}

static bool register_function(struct shadow_sift *sift, struct error *err)
{
    int result = sqlite3_create_function_v2(
        sift->source->handle, FUNCTION, (int)sift->table->column_count,
        SQLITE_UTF8 | SQLITE_DIRECTONLY, sift, differs, NULL, NULL, NULL);

    sift->by_function = result == SQLITE_OK;
    return sift->by_function ||
           error_set(
               err, ERROR_MEMORY, "scan of %s: %s", sift->table->name, sqlite3_errstr(result));
}

/* *out_prepared: the statement that passes over rows itself can be used, and is prepared. */
static bool prepare_sifted(struct shadow_sift *sift, bool *out_prepared, struct error *err)
{
    int limit = sqlite3_limit(sift->source->handle, SQLITE_LIMIT_FUNCTION_ARG, -1);
    struct buffer sql;
    bool sorted = true;

    *out_prepared = false;
    if (sift->form != SHADOW_FORM_PACKED || shadow_replaces(sift->mode) ||
        sift->table->where != NULL || sift->table->column_count > (size_t)limit)
        return true;
    if (!register_function(sift, err))
        return false;
    buffer_init(&sql, SQLITE_SQL_CEILING);
    append_sifted(sift->table, &sql);
    bool ok = buffer_check(&sql, "statement", err) && sorts(sift, &sql, &sorted, err) &&
              (sorted || database_prepare(sift->source, buffer_text(&sql), &sift->row, err));
    buffer_clear(&sql);
    *out_prepared = ok && !sorted;
    return ok;
}

bool shadow_sift_open(struct shadow_sift *sift, struct error *err)
{
    struct buffer sql;
    bool prepared = false;

    if (!prepare_sifted(sift, &prepared, err))
        return false;
    if (prepared)
        return true;
    shadow_sift_close(sift);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    shadow_scan_sql(sift->table, sift->form, &sql);
    bool ok = statement_prepare_buffer(sift->source, &sql, &sift->row, err);
    buffer_clear(&sql);
    return ok;
}

static bool step_sifted(struct shadow_sift *sift, bool *out_row, struct error *err)
{
    if (database_step(sift->source, sift->row, out_row, err))
        return true;
    if (sift->failed)
        *err = sift->failure;
    return false;
}

bool shadow_sift_next(
    struct shadow_sift *sift, bool *out_row, enum shadow_change *out_change, struct error *err)
{
    bool ok = true;

    if (sift->by_function) {
        ok = step_sifted(sift, out_row, err);
    } else {
        do {
            ok = filter_step(sift->source, sift->table, sift->row, out_row, err) &&
                 (!*out_row || (shadow_row(sift->shadow, sift->row, &sift->change, err) &&
                                count_row(sift, err)));
        } while (ok && *out_row && sift->change == SHADOW_SAME);
    }
    *out_change = sift->change;
    return ok;
}

void shadow_sift_close(struct shadow_sift *sift)
{
    sqlite3_finalize(sift->row);
    sift->row = NULL;
    if (sift->by_function)
        sqlite3_create_function_v2(
            sift->source->handle, FUNCTION, (int)sift->table->column_count, SQLITE_UTF8, NULL, NULL,
            NULL, NULL, NULL);
    sift->by_function = false;
}
