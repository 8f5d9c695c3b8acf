/* call_path: the paths of BigQuery's API. For the files of warehouse that know single methods. */
#ifndef BQSYNC_WAREHOUSE_CALL_PATH_H
#define BQSYNC_WAREHOUSE_CALL_PATH_H

#include "warehouse/call.h"

/* Make a path, to be cleared by the caller: that of the project, the dataset or a table, then rest
 * as it is, then the start of the query string. Names are escaped. */
void call_path_in_project(const struct bigquery *bigquery, const char *rest, struct buffer *path);
void call_path_in_dataset(const struct bigquery *bigquery, const char *rest, struct buffer *path);
void call_path_in_table(
    const struct bigquery *bigquery, const char *table, const char *rest, struct buffer *path);
/* Appends "/bigquery/v2/projects/P". */
void call_path_project(const struct bigquery *bigquery, struct buffer *out);
/* Appends the start of the query string: "?prettyPrint=false". */
void call_path_query(struct buffer *out);
/* The same and the location, if it is known, for calls about a job. */
void call_path_query_in_location(const struct bigquery *bigquery, struct buffer *out);

#endif
