/* describe: the compiled-in tables as documents, for the command line and the admin API. Pure. */
#ifndef BQSYNC_SYNC_REPORT_TABLE_REPORT_H
#define BQSYNC_SYNC_REPORT_TABLE_REPORT_H

#include "base/table.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* {"tables":[{"table","target","mode","key":["id"],"columns":[{"name","type","mode"}]}]}, owned. */
cJSON *describe_tables(const struct table *const *tables, size_t count);

/* "append", "upsert" or "replace". */
const char *describe_mode(enum send_mode mode);
/* GoogleSQL's name of a type. */
const char *describe_type(enum column_type type);

#endif
