#include "sync/verify/checksum_sql.h"

#include "sync/row_text.h"
#include "warehouse/googlesql.h"

/* The target with the alias t, and a WHERE clause that can be extended with AND. */
static void append_from(struct buffer *sql, const struct config *config, const struct table *table)
{
    buffer_append_text(sql, " from ");
    googlesql_path(sql, config->project, config->dataset, table->target);
    buffer_append_text(sql, " as t where true");
    googlesql_partition_filter(sql, table, "t");
}

/* A row that is marked as deleted. */
static void append_marked(struct buffer *sql)
{
    buffer_append_text(sql, "t.`" TABLE_DELETED_AT "` is not null");
}

/* The first hex digits of the hash of a row's key. */
static void append_bucket(struct buffer *sql, const struct table *table, int digits)
{
    buffer_append_text(sql, "substr(to_hex(sha256(");
    row_text_expression(sql, table, ROW_TEXT_KEY);
    buffer_printf(sql, ")), 1, %d)", digits);
}

void checksum_sql_buckets(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits)
{
    buffer_append_text(sql, "select r.bucket, count(*)");
    for (int part = 0; part < CHECKSUM_PARTS; part++)
        buffer_printf(
            sql, ", sum(cast(concat('0x', substr(r.row_hash, %d, %d)) as int64))",
            part * CHECKSUM_DIGITS + 1, CHECKSUM_DIGITS);
    buffer_append_text(sql, " from (select ");
    if (table->deletes == DELETES_MARK) {
        buffer_append_text(sql, "if(");
        append_marked(sql);
        buffer_append_text(sql, ", '" CHECKSUM_KEPT "', ");
    }
    append_bucket(sql, table, bucket_digits);
    if (table->deletes == DELETES_MARK)
        buffer_append_byte(sql, ')');
    buffer_append_text(sql, " as bucket, to_hex(sha256(");
    row_text_expression(sql, table, ROW_TEXT_ALL);
    buffer_append_text(sql, ")) as row_hash");
    append_from(sql, config, table);
    buffer_append_text(sql, ") as r group by r.bucket");
}

/* A key column as the report shows it. BYTES need not be UTF-8, so CAST fails for some, and that of
 * a TIMESTAMP follows the project's option default_time_zone. */
static void append_shown(struct buffer *sql, const struct column *column)
{
    const bool bytes = column->type == COLUMN_BYTES;
    const bool timestamp = column->type == COLUMN_TIMESTAMP;

    buffer_append_text(sql, bytes ? ", to_hex(t." : timestamp ? ", string(t." : ", cast(t.");
    googlesql_identifier(sql, column->name);
    buffer_append_text(sql, bytes ? ")" : timestamp ? ", 'UTC')" : " as string)");
}

void checksum_sql_rows(
    struct buffer *sql, const struct config *config, const struct table *table, int bucket_digits)
{
    buffer_append_text(sql, "select ");
    row_text_expression(sql, table, ROW_TEXT_KEY);
    buffer_append_text(sql, " as key_text, to_hex(sha256(");
    row_text_expression(sql, table, ROW_TEXT_COMPARED);
    buffer_append_text(sql, "))");
    for (size_t k = 0; k < table->key_count; k++)
        append_shown(sql, &table->columns[table->key[k]]);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].type != COLUMN_JSON)
            continue;
        // TO_JSON_STRING returns the text null both for NULL and for a JSON null.
        buffer_append_text(sql, ", if(t.");
        googlesql_identifier(sql, table->columns[i].name);
        buffer_append_text(sql, " is null, null, to_json_string(t.");
        googlesql_identifier(sql, table->columns[i].name);
        buffer_append_text(sql, "))");
    }
    append_from(sql, config, table);
    buffer_append_text(sql, " and ");
    if (table->deletes == DELETES_MARK) {
        buffer_append_text(sql, "not ");
        append_marked(sql);
        buffer_append_text(sql, " and ");
    }
    append_bucket(sql, table, bucket_digits);
}
