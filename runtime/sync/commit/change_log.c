#include "sync/commit/change_log.h"

#include "sync/commit/staging.h"
#include "sync/row_text.h"
#include "warehouse/googlesql.h"

#include <inttypes.h>
#include <string.h>

/* A letter and underscores. */
#define ALIAS_CEILING 4096

/* One commit job's logging; what its parts share. */
struct logging {
    struct buffer *sql;
    const struct worker *worker;
    const struct task *task;
    const struct intent *intent;
};

static void append_path(const struct logging *l, const char *table)
{
    googlesql_path(l->sql, l->worker->project, l->worker->dataset, table);
}

/* The columns of a version, and the select list's beginning. */
static void append_head(const struct logging *l)
{
    buffer_append_text(l->sql, "insert into ");
    append_path(l, l->task->table->history->log);
    buffer_append_text(l->sql, " (");
    staging_append_columns(l->sql, l->task->table, "");
    buffer_append_text(
        l->sql,
        ", `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)\nselect ");
}

/* The end of the select list: when and by what the version was made. */
static void append_origin(const struct logging *l)
{
    buffer_printf(
        l->sql, ", timestamp_micros(%" PRId64 "), %" PRId64 ", ", l->intent->logged_at_us,
        l->intent->generation);
    if (l->worker->run_id == NULL)
        buffer_append_text(l->sql, "cast(null as string)");
    else
        googlesql_string(l->sql, l->worker->run_id);
}

/* Of each key the last version that counts, unless it is a deletion: this appends the number of a
 * version and where it comes from, and CURRENT is the condition on both. */
#define CURRENT "`_bqsync_number` = 1 and `_bqsync_operation` <> 'delete'"
static void append_number(const struct logging *l)
{
    buffer_append_text(l->sql, ",\n      row_number() over (partition by ");
    row_text_expression(l->sql, l->task->table, ROW_TEXT_KEY);
    buffer_append_text(
        l->sql, " order by t.`_bqsync_generation` desc) as `_bqsync_number`\n    from ");
    append_path(l, l->task->table->history->log);
    buffer_append_text(l->sql, " as t\n    where t.`_bqsync_abandoned` is not true");
}

/* --- changes ----------------------------------------------------------------------------- */

/* What the generated bounds call the target, which depends on the names of its columns. */
static struct slice target_alias(const struct table *table)
{
    if (table->bounds_sql == NULL)
        return slice_of("t");
    const char *begin = strstr(table->bounds_sql, "and ") + strlen("and ");
    return (struct slice){begin, (size_t)(strchr(begin, '.') - begin)};
}

/* " and alias.k = bqsync_rows.k" for each column of the key. */
static void append_match(const struct logging *l, const char *alias)
{
    const struct table *table = l->task->table;

    for (size_t k = 0; k < table->key_count; k++) {
        const char *name = table->columns[table->key[k]].name;
        buffer_printf(l->sql, " and %s.", alias);
        googlesql_identifier(l->sql, name);
        buffer_append_text(l->sql, " = bqsync_rows.");
        googlesql_identifier(l->sql, name);
    }
}

/* Whether the log has the row's key now. */
static void append_logged_presence(const struct logging *l)
{
    buffer_append_text(l->sql, "exists (\n      select 1 from (\n        select t.*");
    append_number(l);
    buffer_append_text(l->sql, "\n      ) as bqsync_log\n      where " CURRENT);
    append_match(l, "bqsync_log");
    buffer_append_byte(l->sql, ')');
}

/* Whether the target holds the row's key. A target that keeps deleted rows as they were does not
 * tell; its log does. */
static void append_presence(const struct logging *l)
{
    const struct table *table = l->task->table;
    struct buffer alias;

    if (table->deletes == DELETES_KEEP) {
        append_logged_presence(l);
        return;
    }
    buffer_init(&alias, ALIAS_CEILING);
    buffer_append_slice(&alias, target_alias(table));
    buffer_append_text(l->sql, "exists (\n      select 1 from ");
    append_path(l, table->target);
    buffer_printf(l->sql, " as %s\n      where true", buffer_text(&alias));
    append_match(l, buffer_text(&alias));
    if (table->deletes == DELETES_MARK)
        buffer_printf(l->sql, " and %s.`" TABLE_DELETED_AT "` is null", buffer_text(&alias));
    bounds_append_condition(l->sql, &l->task->batch.bounds);
    googlesql_partition_filter(l->sql, table, buffer_text(&alias));
    buffer_append_byte(l->sql, ')');
    buffer_clear(&alias);
}

/* What the pass does not know of a row, the target tells. NULL for a tombstone of a key that it
 * does not hold: no version. */
static void append_operation(const struct logging *l)
{
    buffer_append_text(l->sql, "ifnull(bqsync_rows.`_bqsync_operation`, if(");
    append_presence(l);
    buffer_append_text(
        l->sql, ",\n      if(bqsync_rows.`_bqsync_deleted`, 'delete', 'update'),"
                "\n      if(bqsync_rows.`_bqsync_deleted`, null, 'insert')))");
}

/* Rows that are all known need no look at the target, which would be billed. */
static void append_known(const struct logging *l)
{
    append_head(l);
    staging_append_columns(l->sql, l->task->table, "bqsync_rows.");
    buffer_append_text(l->sql, ", bqsync_rows.`_bqsync_operation`");
    append_origin(l);
    buffer_append_text(l->sql, "\nfrom ");
    staging_append_source(l->sql, l->worker, l->task, l->intent);
    buffer_append_text(l->sql, " as bqsync_rows;\n");
}

static void append_changes(const struct logging *l)
{
    append_head(l);
    staging_append_columns(l->sql, l->task->table, "bqsync_versions.");
    buffer_append_text(l->sql, ", bqsync_versions.`_bqsync_operation`");
    append_origin(l);
    buffer_append_text(l->sql, "\nfrom (\n  select bqsync_rows.* except (`_bqsync_operation`), ");
    append_operation(l);
    buffer_append_text(l->sql, " as `_bqsync_operation`\n  from ");
    staging_append_source(l->sql, l->worker, l->task, l->intent);
    buffer_append_text(
        l->sql, " as bqsync_rows\n) as bqsync_versions\n"
                "where bqsync_versions.`_bqsync_operation` is not null;\n");
}

/* --- replacements ------------------------------------------------------------------------ */

/* Appends columns that tell rows and their content apart, as texts: NaN is equal to itself there,
 * and JSON can be compared. The text of a GEOGRAPHY in BigQuery is made by BigQuery on both sides,
 * so it is comparable here. */
static void append_texts(const struct logging *l)
{
    const struct table *table = l->task->table;

    buffer_append_text(l->sql, "t.*, ");
    row_text_expression(l->sql, table, ROW_TEXT_KEY);
    buffer_append_text(l->sql, " as `_bqsync_key`, concat(");
    row_text_expression(l->sql, table, ROW_TEXT_ALL);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].type != COLUMN_GEOGRAPHY)
            continue;
        buffer_append_text(l->sql, ", ifnull(st_astext(t.");
        googlesql_identifier(l->sql, table->columns[i].name);
        buffer_append_text(l->sql, "), '')");
    }
    buffer_append_text(l->sql, ") as `_bqsync_text`");
}

/* The rows that the target will hold: those that are sent, and the versions of rejected rows that
 * stay. What stays may have been logged by versions that a restore undid. */
static void append_new(const struct logging *l)
{
    buffer_append_text(l->sql, "(\n  select ");
    append_texts(l);
    buffer_append_text(l->sql, "\n  from (\n    select ");
    staging_append_columns(l->sql, l->task->table, "bqsync_rows.");
    buffer_append_text(l->sql, " from ");
    if (l->task->batch.rows > 0) {
        staging_append_source(l->sql, l->worker, l->task, l->intent);
        buffer_append_text(l->sql, " as bqsync_rows where not bqsync_rows.`_bqsync_deleted`");
    } else {
        append_path(l, l->task->table->history->log);
        buffer_append_text(l->sql, " as bqsync_rows where false");
    }
    if (l->task->batch.kept_keys > 0) {
        buffer_append_text(l->sql, "\n    union all\n    ");
        staging_append_kept(l->sql, l->worker, l->task, l->intent);
    }
    buffer_append_text(l->sql, "\n  ) as t\n) as bqsync_new");
}

static void append_compared(const struct logging *l)
{
    staging_append_columns(l->sql, l->task->table, "");
    buffer_append_text(l->sql, ", `_bqsync_key`, `_bqsync_text`");
}

/* Where versions expire, a row that has not changed for so long stands in the target alone. A log
 * that was not kept all the time lacks others. */
static void append_unlogged(const struct logging *l)
{
    const struct table *table = l->task->table;

    buffer_append_text(l->sql, "\n  union all\n  select ");
    append_compared(l);
    buffer_append_text(l->sql, " from (\n    select ");
    append_texts(l);
    staging_append_number(l->sql, table);
    buffer_append_text(l->sql, "\n    from ");
    append_path(l, table->target);
    buffer_append_text(l->sql, " as t\n    where true");
    if (table->deletes == DELETES_MARK)
        buffer_append_text(l->sql, " and t.`" TABLE_DELETED_AT "` is null");
    googlesql_partition_filter(l->sql, table, "t");
    buffer_append_text(
        l->sql, "\n  )\n  where `_bqsync_number` = 1 and `_bqsync_key` not in (\n    select ");
    row_text_expression(l->sql, table, ROW_TEXT_KEY);
    buffer_append_text(l->sql, " from ");
    append_path(l, table->history->log);
    buffer_append_text(l->sql, " as t\n    where t.`_bqsync_abandoned` is not true\n  )");
}

/* The rows as the log has them now. */
static void append_current(const struct logging *l)
{
    buffer_append_text(l->sql, "(\n  select ");
    append_compared(l);
    buffer_append_text(l->sql, " from (\n    select ");
    append_texts(l);
    append_number(l);
    buffer_append_text(l->sql, "\n  )\n  where " CURRENT);
    if (l->task->table->history->keep_days > 0 && l->intent->log_whole)
        append_unlogged(l);
    buffer_append_text(l->sql, "\n) as bqsync_old");
}

/* A deletion has the key alone. */
static void append_difference_columns(const struct logging *l)
{
    const struct table *table = l->task->table;

    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        buffer_append_text(l->sql, i > 0 ? ", " : "");
        buffer_append_text(
            l->sql, table->columns[i].key ? "if(bqsync_new.`_bqsync_key` is null, bqsync_old."
                                          : "bqsync_new.");
        googlesql_identifier(l->sql, name);
        if (!table->columns[i].key)
            continue;
        buffer_append_text(l->sql, ", bqsync_new.");
        googlesql_identifier(l->sql, name);
        buffer_append_byte(l->sql, ')');
    }
}

static void append_differences(const struct logging *l)
{
    append_head(l);
    append_difference_columns(l);
    buffer_append_text(
        l->sql, ", case when bqsync_new.`_bqsync_key` is null then 'delete'"
                " when bqsync_old.`_bqsync_key` is null then 'insert' else 'update' end");
    append_origin(l);
    buffer_append_text(l->sql, "\nfrom ");
    append_new(l);
    buffer_append_text(l->sql, "\nfull join ");
    append_current(l);
    buffer_append_text(
        l->sql, "\non bqsync_new.`_bqsync_key` = bqsync_old.`_bqsync_key`\n"
                "where bqsync_new.`_bqsync_text` is distinct from bqsync_old.`_bqsync_text`;\n");
}

static void append_abandonment(const struct logging *l)
{
    buffer_append_text(l->sql, "update ");
    append_path(l, l->task->table->history->log);
    buffer_printf(
        l->sql,
        " set `_bqsync_abandoned` = true\nwhere `_bqsync_generation` > %" PRId64
        " and `_bqsync_abandoned` is not true;\n",
        l->intent->abandons_above);
}

void change_log_append(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct logging l = {sql, worker, task, intent};

    if (task->table->history == NULL)
        return;
    if (intent->mode != SEND_REPLACE) {
        (task->batch.unknown_rows > 0 ? append_changes : append_known)(&l);
        return;
    }
    if (intent->abandons_above > 0)
        append_abandonment(&l);
    append_differences(&l);
}
