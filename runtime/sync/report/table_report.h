/* table_report: the compiled-in tables as a document, for the command line and the admin API. The
 * report's struct is struct table itself. Pure. */
#ifndef BQSYNC_SYNC_REPORT_TABLE_REPORT_H
#define BQSYNC_SYNC_REPORT_TABLE_REPORT_H

#include "base/table.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* {"tables":[{"table","target","mode","key":["id"],"columns":[{"name","type","mode"}]}]}, returned
 * owned. */
cJSON *table_report_json(const struct table *const *tables, size_t count);

/* The mode in the words of schema files: "append", "upsert" or "replace". */
const char *table_report_mode(enum send_mode mode);

#endif
