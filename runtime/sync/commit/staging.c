#include "sync/commit/staging.h"

#include "base/log.h"
#include "warehouse/bigquery.h"
#include "warehouse/googlesql.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#define LIFETIME_MS ((int64_t)24 * 3600 * 1000)

/* The target's columns without what only a target needs, and the one that marks tombstones. */
static cJSON *make_schema(const struct table *table)
{
    cJSON *fields = cJSON_Parse(table->schema_json);
    cJSON *field;

    cJSON_ArrayForEach(field, fields)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(field, "mode");
        cJSON_DeleteItemFromObjectCaseSensitive(field, "policyTags");
        cJSON_DeleteItemFromObjectCaseSensitive(field, "description");
    }
    field = cJSON_CreateObject();
    cJSON_AddStringToObject(field, "name", "_bqsync_deleted");
    cJSON_AddStringToObject(field, "type", "BOOL");
    cJSON_AddItemToArray(fields, field);

    cJSON *schema = cJSON_CreateObject();
    cJSON_AddItemToObject(schema, "fields", fields);
    return schema;
}

bool staging_create(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err)
{
    char expiration[24];
    cJSON *resource = cJSON_CreateObject();
    int64_t now_ms = worker->clock->wall_us(worker->clock->context) / 1000;

    snprintf(expiration, sizeof expiration, "%" PRId64, now_ms + LIFETIME_MS);
    cJSON_AddStringToObject(resource, "expirationTime", expiration);
    cJSON_AddItemToObject(resource, "schema", make_schema(task->table));
    bool ok = bigquery_table_insert(worker->bigquery, intent->staging, resource, err);
    cJSON_Delete(resource);

    // The name is ours alone: a table of that name was made by a request whose answer got lost.
    return ok || err->code == ERROR_CONFLICT;
}

void staging_append_merge(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    // An insert of rows that are all new reads only the target's key; an update bills all of it.
    const char *statement = task->batch.changed_rows == 0 ? table->merge_new_sql : table->merge_sql;
    googlesql_render(sql, statement, worker->project, worker->dataset, intent->staging);
}

/* --- a replacement ----------------------------------------------------------------------- */

static void append_columns(struct buffer *sql, const struct table *table, const char *prefix)
{
    for (size_t i = 0; i < table->column_count; i++) {
        buffer_append_text(sql, i > 0 ? ", " : "");
        buffer_append_text(sql, prefix);
        googlesql_identifier(sql, table->columns[i].name);
    }
}

static void append_key_columns(struct buffer *sql, const struct table *table)
{
    for (size_t k = 0; k < table->key_count; k++) {
        buffer_append_text(sql, k > 0 ? ", " : "");
        googlesql_identifier(sql, table->columns[table->key[k]].name);
    }
}

/* The kept rows of the target: those of keys that the staging table only marks. */
static void append_kept(
    struct buffer *sql, const struct worker *worker, const struct table *table,
    const struct intent *intent)
{
    buffer_append_text(sql, "\n  union all\n  select ");
    append_columns(sql, table, "bqsync_old.");
    buffer_append_text(sql, "\n  from ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    buffer_append_text(sql, " as bqsync_old\n  join (\n    select ");
    append_key_columns(sql, table);
    buffer_append_text(sql, "\n    from ");
    googlesql_path(sql, worker->project, worker->dataset, intent->staging);
    buffer_append_text(sql, "\n    group by ");
    append_key_columns(sql, table);
    buffer_append_text(
        sql, "\n    having countif(not `_bqsync_deleted`) = 0\n  ) as bqsync_kept\n  on true");
    for (size_t k = 0; k < table->key_count; k++) {
        const char *name = table->columns[table->key[k]].name;
        buffer_append_text(sql, " and bqsync_old.");
        googlesql_identifier(sql, name);
        buffer_append_text(sql, " = bqsync_kept.");
        googlesql_identifier(sql, name);
    }
    googlesql_partition_filter(sql, table, "bqsync_old");
}

/* ON FALSE makes a MERGE an atomic replacement (BigQuery documentation, "Data manipulation language
 * syntax", "MERGE statement", constant false predicate): no row matches, so all of the source's are
 * inserted and all of the target's are deleted. One statement is one commit job, and a target with
 * doubled keys is no error for it. The rows that stay are among those inserted. */
void staging_append_replacement(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    buffer_append_text(sql, "merge into ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    buffer_append_text(sql, " as bqsync_target\nusing (\n  select ");
    append_columns(sql, table, "bqsync_new.");
    buffer_append_text(sql, "\n  from ");
    googlesql_path(sql, worker->project, worker->dataset, intent->staging);
    buffer_append_text(sql, " as bqsync_new\n  where not bqsync_new.`_bqsync_deleted`");
    append_kept(sql, worker, table, intent);
    buffer_append_text(
        sql, "\n) as bqsync_rows\non false\nwhen not matched by target then\n  insert (");
    append_columns(sql, table, "");
    buffer_append_text(sql, ")\n  values (");
    append_columns(sql, table, "bqsync_rows.");
    buffer_append_text(sql, ")\nwhen not matched by source");
    googlesql_partition_filter(sql, table, "bqsync_target");
    buffer_append_text(sql, " then\n  delete");
}

void staging_drop(struct worker *worker, const struct intent *intent)
{
    struct error ignored;

    if (intent->staging[0] == '\0')
        return;
    if (!bigquery_table_delete(worker->bigquery, intent->staging, &ignored))
        log_warn(
            "staging table is left to expire", LOG_TEXT("table", intent->table),
            LOG_TEXT("staging", intent->staging), LOG_TEXT("reason", ignored.message));
}
