/* history_log: what keeps the history of a table in BigQuery (struct table_history): its log, as a
 * table that can be compared and changed like a target, and the statements for view and function.
 * Pure: contacts nobody. */
#ifndef BQSYNC_SYNC_PASS_HISTORY_LOG_H
#define BQSYNC_SYNC_PASS_HISTORY_LOG_H

#include "base/table.h"

#include <stdbool.h>

/* The label that says by which key a log tells rows apart, and how its values are converted. */
#define LABEL_KEY "bqsync_key"

/* The log of a table with history; texts are borrowed from it. It is for what concerns BigQuery:
 * name is that of the log, and what concerns the source is the table's. */
struct table history_log(const struct table *table);
/* Whether this is what history_log returns. */
bool history_is_log(const struct table *table);

/* The script that creates view and function, returned owned; NULL if memory is short. */
char *history_readers_sql(const struct table *table, const char *project, const char *dataset);

#endif
