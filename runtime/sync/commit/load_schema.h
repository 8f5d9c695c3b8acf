/* load_schema: the schema of a load job, for the types that an Avro file cannot name. Any thread.
 */
#ifndef BQSYNC_SYNC_COMMIT_LOAD_SCHEMA_H
#define BQSYNC_SYNC_COMMIT_LOAD_SCHEMA_H

#include "sync/pass/task.h"

#include <cjson/cJSON.h>

/* Returns owned the schema of the task's file as the REST API describes it, or NULL where the Avro
 * schema says enough: only a GEOGRAPHY column needs more, because its WKT is loaded from a plain
 * string "if a schema specifies a GEOGRAPHY column" (Google Cloud documentation, "Work with
 * geospatial data", "Loading WKT or WKB data"). Modes are those of the destination. */
cJSON *load_schema(const struct task *task);

#endif
