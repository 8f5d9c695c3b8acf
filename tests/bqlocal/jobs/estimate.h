/* estimate: how many bytes tables have and queries read, in BigQuery's logical sizes ("Estimate and
 * control costs"): good enough to compare statements with each other, not to the byte. Callers are
 * inside of the monitor. */
#ifndef BQLOCAL_JOBS_ESTIMATE_H
#define BQLOCAL_JOBS_ESTIMATE_H

#include "bqlocal/store/store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Of a table with this number of rows, by the mean size of its first rows; 0 if the table does not
 * exist. */
int64_t estimate_table_bytes(
    struct store *store, const char *dataset, const char *table, int64_t rows);

/* What a statement reads: every table it names, less what its scans leave out, nothing of a target
 * that rows are only inserted into, and the target once more where it updates or deletes. Billed
 * are whole MB, 10 at least for each table ("BigQuery pricing"); nothing for a table without bytes,
 * for TRUNCATE, which reads none, and for DDL without a query.
 */
struct estimate {
    int64_t processed;
    int64_t billed;
};

/* Of a script, by its statements, and the sum of them, which is what its job says. */
struct estimates {
    struct estimate *each; /* owned */
    size_t count;
    struct estimate sum;
};

/* scans: of sql_result, NULL if nothing is known of them; blocks: as in pruning. None for a text
 * whose syntax is wrong. */
struct estimates estimate_script(
    struct store *store, const char *text, const char *default_dataset, const cJSON *scans,
    bool blocks);
void estimates_clear(struct estimates *estimates);

#endif
