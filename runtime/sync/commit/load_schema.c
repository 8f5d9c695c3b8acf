#include "sync/commit/load_schema.h"

#include "encode/column_type.h"

static void add_field(cJSON *fields, const char *name, enum column_type type, bool nullable)
{
    cJSON *field = cJSON_CreateObject();

    cJSON_AddStringToObject(field, "name", name);
    cJSON_AddStringToObject(field, "type", column_type_info(type)->name);
    cJSON_AddStringToObject(field, "mode", nullable ? "NULLABLE" : "REQUIRED");
    cJSON_AddItemToArray(fields, field);
}

/* As the target has it, if it was asked; the columns of a staging table are all NULLABLE. */
static bool is_nullable(const struct task *task, size_t column)
{
    if (task->batch.staged)
        return true;
    return task->warehouse.nullable != NULL ? task->warehouse.nullable[column]
                                            : !task->table->columns[column].required;
}

cJSON *load_schema(const struct task *task)
{
    const struct table *table = task->table;
    bool needed = false;

    for (size_t i = 0; i < table->column_count; i++)
        needed = needed || table->columns[i].type == COLUMN_GEOGRAPHY;
    if (!needed)
        return NULL;
    cJSON *schema = cJSON_CreateObject();
    cJSON *fields = cJSON_AddArrayToObject(schema, "fields");
    for (size_t i = 0; i < table->column_count; i++)
        add_field(fields, table->columns[i].name, table->columns[i].type, is_nullable(task, i));
    if (task->batch.staged)
        add_field(fields, "_bqsync_deleted", COLUMN_BOOL, true);
    return schema;
}
