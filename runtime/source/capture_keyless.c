#include "source/capture_keyless.h"

#include "source/filter_step.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

/* A row with a NULL in its key is noted in the table's row of bq_sync_capture: its watermark, which
 * only a table with an INTEGER PRIMARY KEY needs otherwise, becomes the present sequence. A table
 * of mode replace is not noted: there such rows are sent, and all rows are compared by a
 * fingerprint as long as there are any. */
static bool is_noted(const struct source_table *in)
{
    return in->shape->nullable_key && !in->shape->integer_key && in->table->key_count > 1 &&
           in->table->mode != SEND_REPLACE;
}

/* "(row."a" is null or row."b" is null)", for rows of the table with an empty prefix. */
static void append_condition(struct buffer *sql, const struct table *table, const char *prefix)
{
    for (size_t i = 0; i < table->key_count; i++)
        sqlite_sql_append(
            sql, "$r$r$n is null", i > 0 ? " or " : "(", prefix, sqlite_sql_key_name(table, i));
    buffer_append_text(sql, ")");
}

void capture_keyless_append_sql(const struct source_table *in, struct buffer *out_sql)
{
    static const char *const events[][2] = {
        {"keyless_insert", "insert"}, {"keyless_update", "update"}};
    const char *table = in->table->name;

    for (size_t i = 0; is_noted(in) && i < 2; i++) {
        sqlite_sql_append(
            out_sql, "create trigger if not exists $g\nafter $r on $n\nwhen ", events[i][0], table,
            events[i][1], table);
        append_condition(out_sql, in->table, "new.");
        sqlite_sql_append(
            out_sql,
            "\nbegin\n  update bq_sync_capture set watermark = sequence\n  where table_name = $t"
            " and watermark is not sequence;\nend;\n",
            table);
    }
}

/* *out_found: the number in the only row, 0 if there is none. */
static bool query(
    const struct source_table *in, struct buffer *sql, int64_t *out_found, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    bool ok = statement_prepare_buffer(in->source, sql, &statement, err) &&
              filter_step(in->source, in->table, statement, &row, err);
    if (ok)
        *out_found = row ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return ok;
}

bool capture_has_keyless(
    const struct source_table *in, const struct watermark *watermark, bool *out_keyless,
    struct error *err)
{
    const struct table *table = in->table;
    int64_t found = !in->shape->integer_key && in->shape->nullable_key;
    struct buffer sql;
    bool ok = true;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    if (found == 1 && is_noted(in)) {
        sqlite_sql_append(
            &sql, "select coalesce(max(watermark), 0) from bq_sync_capture where table_name = $t",
            table->name);
        ok = query(in, &sql, &found, err);
        found = found > watermark->synced_sequence;
    }
    if (ok && found == 1) {
        buffer_reset(&sql);
        sqlite_sql_append(&sql, "select 1 from $n where ", table->name);
        append_condition(&sql, table, "");
        sqlite_sql_append_filter(&sql, table);
        buffer_append_text(&sql, " limit 1");
        ok = query(in, &sql, &found, err);
    }
    buffer_clear(&sql);
    *out_keyless = ok && found == 1;
    return ok || filter_wrap(err, "rows without a key of", table);
}
