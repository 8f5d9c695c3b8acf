/* estimate: how many bytes tables have and queries read, in BigQuery's logical sizes ("Estimate and
 * control costs"): good enough to compare statements with each other, not to the byte. Callers are
 * inside of the monitor. */
#ifndef BQLOCAL_JOBS_ESTIMATE_H
#define BQLOCAL_JOBS_ESTIMATE_H

#include "bqlocal/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a table with this number of rows, by the mean size of its first rows; 0 if the table does not
 * exist. */
int64_t estimate_table_bytes(
    struct store *store, const char *dataset, const char *table, int64_t rows);

/* What a query reads: every table it names, and the target once more where a statement updates or
 * deletes in it. */
int64_t estimate_query_bytes(struct store *store, const char *text, const char *default_dataset);

/* What is billed for it: whole MB, 10 at least; nothing for nothing. */
int64_t estimate_billed_bytes(int64_t processed);

#endif
