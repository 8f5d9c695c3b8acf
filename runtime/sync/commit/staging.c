#include "sync/commit/staging.h"

#include "base/json_text.h"
#include "base/log.h"
#include "base/text_fit.h"
#include "sync/pass/plan.h"
#include "sync/row_text.h"
#include "warehouse/bigquery.h"
#include "warehouse/googlesql.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIFETIME_MS ((int64_t)24 * 3600 * 1000)

bool staging_keeps_deleted(const struct task *task)
{
    return task->table->deletes != DELETES_MIRROR && task->batch.mode == SEND_REPLACE &&
           task->batch.staged;
}

static bool is_column(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcasecmp(table->columns[i].name, name) == 0)
            return true;
    return false;
}

static void add_field(cJSON *fields, const char *name, const char *type)
{
    cJSON *field = cJSON_CreateObject();

    cJSON_AddStringToObject(field, "name", name);
    cJSON_AddStringToObject(field, "type", type);
    cJSON_AddItemToArray(fields, field);
}

/* Returns owned the columns of the target that the table does not have: they go over with the rows
 * that a replacement keeps. */
static cJSON *carried_fields(const struct task *task)
{
    cJSON *carried = cJSON_CreateArray();
    const cJSON *field;

    if (!staging_keeps_deleted(task))
        return carried;
    cJSON_ArrayForEach(field, task->warehouse.fields)
    {
        if (!is_column(task->table, json_text_of(field, "name", "")))
            cJSON_AddItemToArray(carried, cJSON_Duplicate(field, true));
    }
    if (task->warehouse.fields == NULL && task->table->deletes == DELETES_MARK)
        add_field(carried, TABLE_DELETED_AT, "TIMESTAMP");
    return carried;
}

/* The target's columns without what only a target needs, and the one that marks tombstones. Policy
 * tags stay: what is protected there is not to lie open here to all readers of the dataset. */
cJSON *staging_schema(const struct task *task)
{
    const struct table *table = task->table;
    cJSON *fields = cJSON_Parse(table->schema_json);
    cJSON *field;

    while (cJSON_GetArraySize(fields) > (int)table->column_count)
        cJSON_DeleteItemFromArray(fields, (int)table->column_count);
    cJSON_ArrayForEach(field, fields)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(field, "mode");
        cJSON_DeleteItemFromObjectCaseSensitive(field, "description");
        cJSON *type = cJSON_GetObjectItemCaseSensitive(field, "type");
        if (task->batch.json_as_text && strcmp(cJSON_GetStringValue(type), "JSON") == 0)
            cJSON_SetValuestring(type, "STRING");
    }
    add_field(fields, "_bqsync_deleted", "BOOL");
    if (table->history != NULL)
        add_field(fields, "_bqsync_operation", "STRING");

    cJSON *schema = cJSON_CreateObject();
    cJSON_AddItemToObject(schema, "fields", fields);
    return schema;
}

/* The expiration is an absolute time, so with a clock that is a day behind it lies in the past. */
static void blame_clock(int64_t now_us, struct error *err)
{
    char now[CLOCK_TEXT_SIZE];
    char message[sizeof err->message];

    // foreign_value.c keeps these words of the message.
    if (strstr(err->message, "it is in the past") == NULL)
        return;
    text_format(
        message, sizeof message, "this machine's clock says %s; is that right? %s",
        clock_format(now_us, now), err->message);
    memcpy(err->message, message, sizeof message);
}

/* Where the kept rows join those that were sent, which bring nothing for these columns. */
static void add_carried(cJSON *fields, const struct task *task)
{
    cJSON *carried = carried_fields(task);
    cJSON *field;

    while ((field = cJSON_DetachItemFromArray(carried, 0)) != NULL) {
        cJSON_DeleteItemFromObjectCaseSensitive(field, "description");
        cJSON_AddItemToArray(fields, field);
    }
    cJSON_Delete(carried);
}

bool staging_create(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err)
{
    char expiration[24];
    cJSON *resource = cJSON_CreateObject();
    int64_t now_us = worker->clock->wall_us(worker->clock->context);

    snprintf(expiration, sizeof expiration, "%" PRId64, now_us / 1000 + LIFETIME_MS);
    cJSON_AddStringToObject(resource, "expirationTime", expiration);
    cJSON *schema = staging_schema(task);
    cJSON_AddItemToObject(resource, "schema", schema);
    add_carried(cJSON_GetObjectItemCaseSensitive(schema, "fields"), task);
    bool ok = bigquery_table_insert(worker->bigquery, intent->staging, resource, NULL, err);
    cJSON_Delete(resource);
    if (!ok)
        blame_clock(now_us, err);

    // The name is ours alone: a table of that name was made by a request whose answer got lost.
    return ok || err->code == ERROR_CONFLICT;
}

/* How generated statements name the staging table. */
#define STAGING_PATH "`${project}`.`${dataset}`.`${staging}`"

/* The rows as they were sent: in the staging table, or in the statement itself. */
static void append_rows(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    if (task->batch.inlined != NULL)
        buffer_append_text(sql, "unnest(@rows)");
    else
        googlesql_path(sql, worker->project, worker->dataset, intent->staging);
}

/* Numbers are rounded as columns with `"json": "exact"` have been checked to stand it ("JSON
 * functions", PARSE_JSON). */
void staging_append_source(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;
    bool first = true;

    if (!plan_has_json(table) || !(task->batch.json_as_text || task->batch.inlined != NULL)) {
        append_rows(sql, worker, task, intent);
        return;
    }
    buffer_append_text(sql, "(select * except (");
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].type != COLUMN_JSON)
            continue;
        buffer_append_text(sql, first ? "" : ", ");
        googlesql_identifier(sql, table->columns[i].name);
        first = false;
    }
    buffer_append_byte(sql, ')');
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].type != COLUMN_JSON)
            continue;
        buffer_append_text(sql, ", parse_json(");
        googlesql_identifier(sql, table->columns[i].name);
        buffer_append_text(sql, ", wide_number_mode => 'round') as ");
        googlesql_identifier(sql, table->columns[i].name);
    }
    buffer_append_text(sql, " from ");
    append_rows(sql, worker, task, intent);
    buffer_append_byte(sql, ')');
}

/* Appends a generated statement up to a part that it has; returns what comes behind that part. */
static const char *append_before(
    struct buffer *sql, const struct worker *worker, const char *statement, const char *part)
{
    const char *at = strstr(statement, part);

    assert(at != NULL);
    const struct slice before = {statement, (size_t)(at - statement)};
    googlesql_render(sql, before, worker->project, worker->dataset, NULL);
    return at + strlen(part);
}

void staging_append_change(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    // To add rows that are all new reads the target's key at most; an update bills all of it.
    const char *rest = batch_only_adds(&task->batch, table) ? table->add_sql
                       : task->batch.bounds.within          ? table->merge_within_sql
                                                            : table->merge_sql;
    rest = append_before(sql, worker, rest, STAGING_PATH);
    staging_append_source(sql, worker, task, intent);
    if (table->bounds_sql != NULL && strstr(rest, table->bounds_sql) != NULL) {
        rest = append_before(sql, worker, rest, table->bounds_sql);
        bounds_append_condition(sql, &task->batch.bounds);
    }
    googlesql_render(sql, slice_of(rest), worker->project, worker->dataset, intent->staging);
}

void staging_append_columns(struct buffer *sql, const struct table *table, const char *alias)
{
    for (size_t i = 0; i < table->column_count; i++) {
        buffer_append_text(sql, i > 0 ? ", " : "");
        buffer_append_text(sql, alias);
        googlesql_identifier(sql, table->columns[i].name);
    }
}

/* Behind the table's own columns. alias NULL: nothing, for rows that were sent. */
static void append_carried(struct buffer *sql, const struct task *task, const char *alias)
{
    cJSON *carried = carried_fields(task);
    const cJSON *field;

    cJSON_ArrayForEach(field, carried)
    {
        buffer_append_text(sql, ", ");
        buffer_append_text(sql, alias != NULL ? alias : "null as ");
        googlesql_identifier(sql, json_text_of(field, "name", ""));
    }
    cJSON_Delete(carried);
}

/* All columns that go into the target. */
static void append_target_columns(struct buffer *sql, const struct task *task, const char *alias)
{
    staging_append_columns(sql, task->table, alias);
    append_carried(sql, task, alias);
}

static void append_key_columns(struct buffer *sql, const struct table *table)
{
    for (size_t k = 0; k < table->key_count; k++) {
        buffer_append_text(sql, k > 0 ? ", " : "");
        googlesql_identifier(sql, table->columns[table->key[k]].name);
    }
}

/* Keys that the staging table only marks. */
static void append_kept_keys(
    struct buffer *sql, const struct worker *worker, const struct table *table,
    const struct intent *intent)
{
    buffer_append_text(sql, "(\n      select ");
    append_key_columns(sql, table);
    buffer_append_text(sql, "\n      from ");
    googlesql_path(sql, worker->project, worker->dataset, intent->staging);
    buffer_append_text(sql, "\n      group by ");
    append_key_columns(sql, table);
    buffer_append_text(sql, "\n      having countif(not `_bqsync_deleted`) = 0\n    )");
}

/* "exists (...)": the row t of the target has a kept key, or, live, one of a row that was sent. */
static void append_exists(
    struct buffer *sql, const struct worker *worker, const struct table *table,
    const struct intent *intent, bool live)
{
    buffer_append_text(sql, "exists (select 1 from ");
    if (live)
        googlesql_path(sql, worker->project, worker->dataset, intent->staging);
    else
        append_kept_keys(sql, worker, table, intent);
    buffer_append_text(sql, " as bqsync_kept\n    where ");
    buffer_append_text(sql, live ? "not bqsync_kept.`_bqsync_deleted`" : "true");
    for (size_t k = 0; k < table->key_count; k++) {
        const char *name = table->columns[table->key[k]].name;
        buffer_append_text(sql, " and t.");
        googlesql_identifier(sql, name);
        buffer_append_text(sql, " = bqsync_kept.");
        googlesql_identifier(sql, name);
    }
    buffer_append_byte(sql, ')');
}

/* The carried columns of the rows that stay. Those that are not marked as deleted yet, and whose
 * key is not that of a rejected row, are marked now. */
static void append_old_carried(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    cJSON *carried = carried_fields(task);
    const cJSON *field;

    cJSON_ArrayForEach(field, carried)
    {
        const char *name = json_text_of(field, "name", "");
        bool mark = task->table->deletes == DELETES_MARK && strcasecmp(name, TABLE_DELETED_AT) == 0;
        bool kept = mark && task->batch.kept_keys > 0;
        buffer_append_text(sql, ", ");
        if (kept) {
            buffer_append_text(sql, "if(");
            append_exists(sql, worker, task->table, intent, false);
            buffer_append_text(sql, ", t.`" TABLE_DELETED_AT "`, ");
        }
        buffer_append_text(sql, mark ? "coalesce(t." : "t.");
        googlesql_identifier(sql, name);
        buffer_append_text(sql, mark ? ", @snapshot_at)" : "");
        buffer_append_text(sql, kept ? ")" : "");
        if (mark)
            buffer_append_text(sql, " as `" TABLE_DELETED_AT "`");
    }
    cJSON_Delete(carried);
}

/* By the text of the key: a window has no partitions by FLOAT64. */
void staging_append_number(struct buffer *sql, const struct table *table)
{
    buffer_append_text(sql, ", row_number() over (partition by ");
    row_text_expression(sql, table, ROW_TEXT_KEY);
    buffer_append_text(sql, ") as `_bqsync_number`");
}

/* The rows of the target that stay, all of them if none was sent: one of each key, should somebody
 * have doubled it. */
static void append_from_kept(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;
    bool keeps = staging_keeps_deleted(task);
    bool sent = intent->staging[0] != '\0';

    buffer_append_text(sql, "\n  from (\n    select ");
    staging_append_columns(sql, table, "t.");
    append_old_carried(sql, worker, task, intent);
    staging_append_number(sql, table);
    buffer_append_text(sql, "\n    from ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    buffer_append_text(sql, " as t\n    where ");
    buffer_append_text(sql, !sent ? "true" : keeps ? "not " : "");
    if (sent)
        append_exists(sql, worker, table, intent, keeps);
    googlesql_partition_filter(sql, table, "t");
    buffer_append_text(sql, "\n  ) as bqsync_old\n  where bqsync_old.`_bqsync_number` = 1");
}

/* Rows that are marked as deleted are left out: for the log they are gone. */
void staging_append_kept(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    buffer_append_text(sql, "select ");
    staging_append_columns(sql, table, "bqsync_old.");
    buffer_append_text(sql, " from (\n      select ");
    staging_append_columns(sql, table, "t.");
    staging_append_number(sql, table);
    buffer_append_text(sql, "\n      from ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    buffer_append_text(sql, " as t\n      where ");
    append_exists(sql, worker, table, intent, false);
    if (table->deletes == DELETES_MARK)
        buffer_append_text(sql, " and t.`" TABLE_DELETED_AT "` is null");
    googlesql_partition_filter(sql, table, "t");
    buffer_append_text(sql, "\n    ) as bqsync_old\n    where bqsync_old.`_bqsync_number` = 1");
}

/* The rows that were sent, and the union with what follows. */
static void append_sent(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    if (intent->staging[0] == '\0')
        return;
    buffer_append_text(sql, "select ");
    staging_append_columns(sql, task->table, "bqsync_new.");
    append_carried(sql, task, NULL);
    buffer_append_text(sql, "\n  from ");
    staging_append_source(sql, worker, task, intent);
    buffer_append_text(
        sql, " as bqsync_new\n  where not bqsync_new.`_bqsync_deleted`\n  union all\n  ");
}

/* ON FALSE makes a MERGE an atomic replacement (BigQuery documentation, "Data manipulation language
 * syntax", "MERGE statement", constant false predicate): no row matches, so all of the source's are
 * inserted and all of the target's are deleted. One statement is one commit job, and a target with
 * doubled keys is no error for it. The rows that stay are among those inserted. */
static void append_keeping(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    buffer_append_text(sql, "merge into ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    buffer_append_text(sql, " as bqsync_target\nusing (\n  ");
    append_sent(sql, worker, task, intent);
    buffer_append_text(sql, "select ");
    append_target_columns(sql, task, "bqsync_old.");
    append_from_kept(sql, worker, task, intent);
    buffer_append_text(
        sql, "\n) as bqsync_rows\non false\nwhen not matched by target then\n  insert (");
    append_target_columns(sql, task, "");
    buffer_append_text(sql, ")\n  values (");
    append_target_columns(sql, task, "bqsync_rows.");
    buffer_append_text(sql, ")\nwhen not matched by source");
    googlesql_partition_filter(sql, table, "bqsync_target");
    buffer_append_text(sql, " then\n  delete");
}

/* The rows that stay join those that were sent, before the target is emptied. */
static void append_rescue(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    buffer_append_text(sql, "insert into ");
    googlesql_path(sql, worker->project, worker->dataset, intent->staging);
    buffer_append_text(sql, " (");
    append_target_columns(sql, task, "");
    buffer_append_text(sql, ", `_bqsync_deleted`)\n  select ");
    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        buffer_append_text(sql, i > 0 ? ", " : "");
        if (table->columns[i].type == COLUMN_JSON && task->batch.json_as_text) {
            buffer_append_text(sql, "if(bqsync_old.");
            googlesql_identifier(sql, name);
            buffer_append_text(sql, " is null, null, to_json_string(bqsync_old.");
            googlesql_identifier(sql, name);
            buffer_append_text(sql, "))");
        } else {
            buffer_append_text(sql, "bqsync_old.");
            googlesql_identifier(sql, name);
        }
    }
    append_carried(sql, task, "bqsync_old.");
    buffer_append_text(sql, ", false");
    append_from_kept(sql, worker, task, intent);
    buffer_append_text(sql, ";\n");
}

static void append_insert(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent, size_t part)
{
    const struct partitions *partitions = &task->batch.partitions;

    buffer_append_text(sql, ";\ninsert into ");
    googlesql_path(sql, worker->project, worker->dataset, task->table->target);
    buffer_append_text(sql, " (");
    append_target_columns(sql, task, "");
    buffer_append_text(sql, ")\nselect ");
    append_target_columns(sql, task, "s.");
    buffer_append_text(sql, "\nfrom ");
    staging_append_source(sql, worker, task, intent);
    buffer_append_text(sql, " as s");
    if (task->batch.kept_keys == 0 && partitions_parts(partitions) == 1)
        return;
    buffer_append_text(sql, "\nwhere ");
    if (task->batch.kept_keys > 0)
        buffer_append_text(sql, "not s.`_bqsync_deleted` and ");
    partitions_append_condition(sql, partitions, part, "s.");
}

bool staging_replaces_at_once(const struct task *task)
{
    bool stay = task->batch.kept_keys > 0 || staging_keeps_deleted(task);
    bool one = !task->warehouse.many_partitions && partitions_parts(&task->batch.partitions) == 1;

    // Without a row there is no staging table for the way in parts.
    return stay && (one || task->batch.rows == 0);
}

bool staging_needs_snapshot(const struct task *task)
{
    return task->table->deletes == DELETES_MARK &&
           (task->batch.mode != SEND_REPLACE || staging_keeps_deleted(task));
}

/* TRUNCATE is free, and needs no filter where the table requires one for its partitions. */
void staging_append_replacement(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    bool sent = intent->staging[0] != '\0';

    if (staging_replaces_at_once(task)) {
        append_keeping(sql, worker, task, intent);
        return;
    }
    if (task->batch.kept_keys > 0 || staging_keeps_deleted(task))
        append_rescue(sql, worker, task, intent);
    buffer_append_text(sql, "truncate table ");
    googlesql_path(sql, worker->project, worker->dataset, task->table->target);
    for (size_t part = 0; sent && part < partitions_parts(&task->batch.partitions); part++)
        append_insert(sql, worker, task, intent, part);
}

/* The words of GoogleSQL's own refusal; whether a load has the same is documented nowhere, so any
 * word of JSON will do. foreign_value.c keeps these words of the message. */
static bool is_about_json(const struct task *task, const struct error *failure)
{
    return plan_has_json(task->table) && !task->batch.json_as_text && task->batch.inlined == NULL &&
           !error_is_retryable(failure->code) &&
           (strstr(failure->message, "round-trip") != NULL ||
            strstr(failure->message, "JSON") != NULL);
}

bool staging_adopt_text(
    struct worker *worker, struct task *task, const struct error *failure, struct error *err)
{
    if (!is_about_json(task, failure))
        return true;
    log_warn(
        "BigQuery refused JSON; from now on it is loaded as text and parsed there",
        LOG_TEXT("table", task->table->name), LOG_TEXT("reason", failure->message));
    bool ok = tracking_set_json_text(worker_take_state(worker), task->table->name, err);
    worker_give_state(worker);
    if (!ok)
        return false;
    task->outdated = "BigQuery refused a number in its JSON";
    return true;
}

bool staging_adopt_parts(struct task *task, const struct error *failure)
{
    // foreign_value.c keeps these words of the message.
    if (task->batch.partitions.unit == PARTITION_NONE || task->warehouse.many_partitions ||
        strstr(failure->message, "Too many partitions") == NULL)
        return false;
    task->warehouse.many_partitions = true;
    task->outdated = "BigQuery refused to change so many partitions in one job";
    return true;
}

bool staging_adopt_unbounded(struct task *task, const struct error *failure)
{
    // foreign_value.c keeps these words of the message.
    if (!task->batch.bounds.within || strstr(failure->message, "is declared immutable") == NULL)
        return false;
    log_warn(
        "a changed row was not found in BigQuery by the immutable column of its table: the column "
        "was changed although it is declared immutable, or the row took an old id or was missing; "
        "the table is merged without bounds for that column",
        LOG_TEXT("table", task->table->name), LOG_TEXT("reason", failure->message));
    task->warehouse.unbounded = true;
    task->outdated = "a row was not found by its immutable column";
    return true;
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
