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

/* What a query reads: every table it names, less what its scans leave out (pruning; NULL: nothing
 * is known of them; blocks: as there), nothing of a target that rows are only inserted into, and
 * the target once more where a statement updates or deletes in it. Billed are whole MB, 10 at least
 * for each table ("BigQuery pricing"); nothing for a table without bytes.
 */
struct estimate {
    int64_t processed;
    int64_t billed;
};
struct estimate estimate_query(
    struct store *store, const char *text, const char *default_dataset, const cJSON *scans,
    bool blocks);

#endif
