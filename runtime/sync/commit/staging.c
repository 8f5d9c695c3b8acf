#include "sync/commit/staging.h"

#include "base/log.h"
#include "warehouse/bigquery.h"
#include "warehouse/googlesql.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LIFETIME_MS ((int64_t)24 * 3600 * 1000)

/* The target's columns without what only a target needs, and the one that marks tombstones. Policy
 * tags stay: what is protected there is not to lie open here to all readers of the dataset. */
static cJSON *make_schema(const struct table *table)
{
    cJSON *fields = cJSON_Parse(table->schema_json);
    cJSON *field;

    cJSON_ArrayForEach(field, fields)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(field, "mode");
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

/* The expiration is told as a moment, so a clock that is a day behind makes it one of the past. */
static void blame_clock(int64_t now_us, struct error *err)
{
    char now[CLOCK_TEXT_SIZE];
    char message[sizeof err->message];

    if (strstr(err->message, "it is in the past") == NULL)
        return;
    snprintf(
        message, sizeof message, "this machine's clock says %s; is that right? %.800s",
        clock_format(now_us, now), err->message);
    memcpy(err->message, message, sizeof message);
}

bool staging_create(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err)
{
    char expiration[24];
    cJSON *resource = cJSON_CreateObject();
    int64_t now_us = worker->clock->wall_us(worker->clock->context);

    snprintf(expiration, sizeof expiration, "%" PRId64, now_us / 1000 + LIFETIME_MS);
    cJSON_AddStringToObject(resource, "expirationTime", expiration);
    cJSON_AddItemToObject(resource, "schema", make_schema(task->table));
    bool ok = bigquery_table_insert(worker->bigquery, intent->staging, resource, NULL, err);
    cJSON_Delete(resource);
    if (!ok)
        blame_clock(now_us, err);

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
