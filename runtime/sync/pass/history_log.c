#include "sync/pass/history_log.h"

#include "base/buffer.h"
#include "warehouse/googlesql.h"

struct table history_log(const struct table *table)
{
    const struct table_history *history = table->history;
    struct table log = *table;

    log.name = history->log;
    log.target = history->log;
    log.ddl_sql = history->log_ddl_sql;
    log.schema_json = history->log_schema_json;
    log.resource_json = history->log_resource_json;
    log.shape_hash = history->shape_hash;
    log.clusters_by_default = true;
    return log;
}

bool history_is_log(const struct table *table)
{
    return table->history != NULL && table->target == table->history->log;
}

char *history_readers_sql(const struct table *table, const char *project, const char *dataset)
{
    struct buffer script;

    // Two statements, each of which may be that long.
    buffer_init(&script, 2 * GOOGLESQL_STATEMENT_CEILING);
    googlesql_render(&script, slice_of(table->history->view_sql), project, dataset, NULL);
    buffer_append_text(&script, ";\n");
    googlesql_render(&script, slice_of(table->history->function_sql), project, dataset, NULL);
    return buffer_take(&script);
}
