#include "sync/commit/load_schema.h"

#include "sync/commit/staging.h"
#include "sync/pass/target.h"

/* The target's columns that the file has, as tables.get shows them. A column that the target does
 * not have is for BigQuery to refuse. */
static cJSON *target_fields(const struct task *task)
{
    cJSON *wanted = cJSON_Parse(task->table->schema_json);
    cJSON *fields = cJSON_CreateArray();

    for (size_t i = 0; i < task->table->column_count; i++) {
        const cJSON *live = target_field(task, i);
        const cJSON *field = live != NULL ? live : cJSON_GetArrayItem(wanted, (int)i);
        cJSON_AddItemToArray(fields, cJSON_Duplicate(field, true));
    }
    cJSON_Delete(wanted);
    return fields;
}

cJSON *load_schema(const struct task *task)
{
    if (task->batch.staged)
        return staging_schema(task);
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddItemToObject(schema, "fields", target_fields(task));
    return schema;
}
