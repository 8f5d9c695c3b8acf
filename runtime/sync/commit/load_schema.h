/* load_schema: the schema of a load job. Any thread. */
#ifndef BQSYNC_SYNC_COMMIT_LOAD_SCHEMA_H
#define BQSYNC_SYNC_COMMIT_LOAD_SCHEMA_H

#include "sync/pass/task.h"

#include <cjson/cJSON.h>

/* Returns owned the schema of the task's file, as the destination has it. Each load carries one:
 * without it BigQuery takes every field of a file for NULLABLE and refuses to append to REQUIRED
 * columns (python-bigquery issue 1981); a GEOGRAPHY column takes the WKT of a plain string only "if
 * a schema specifies a GEOGRAPHY column" ("Work with geospatial data"); and a JSON column takes a
 * string likewise ("Loading Avro data"). */
cJSON *load_schema(const struct task *task);

#endif
