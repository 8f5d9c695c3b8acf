/* scan_memory: which scanned tables need not be read, because this process has read all their rows,
 * BigQuery has them, and nothing has been committed since (source/commits.h). A table without
 * triggers costs a full read in each pass; in `serve`, a pass that nobody has committed anything
 * for costs none. The memory ends with the process: another one knows nothing and reads.
 *
 * It holds as long as the state says of the table what it said then. A state that was reset, that
 * `verify --repair` has marked, or that another process has moved on is one of which nothing is
 * known here. Tables that may change without a commit are never remembered
 * (plan_changes_by_commits).
 *
 * One for the deployment, used by one pass at a time. */
#ifndef BQSYNC_SYNC_SCAN_MEMORY_H
#define BQSYNC_SYNC_SCAN_MEMORY_H

#include "base/error.h"
#include "base/table.h"
#include "source/commits.h"
#include "source/tracking.h"

#include <stdbool.h>
#include <stddef.h>

struct scan_memory;

/* Knows of no table. The tables are all of the deployment, borrowed. scans: some of them will be
 * scanned, as far as that is known beforehand. Returned owned. */
MUST_CHECK bool scan_memory_new(
    const struct table *const *tables, size_t table_count, bool scans,
    struct scan_memory **out_memory, struct error *err);
void scan_memory_free(struct scan_memory *memory);

/* In all of these, NULL is a process that remembers nothing. */

/* Whether a pass has use for a mark, because it may scan. A process that scans nothing keeps no
 * connection open for marks. */
bool scan_memory_is_used(const struct scan_memory *memory);

/* All rows of the table were read in a pass that began at this mark, and BigQuery has them; the
 * state says this of it now. */
void scan_memory_note(
    struct scan_memory *memory, const struct table *table, const struct commits_mark *mark,
    const struct watermark *watermark);

/* Whether that holds for a pass that begins at this mark, with this state. */
bool scan_memory_holds(
    const struct scan_memory *memory, const struct table *table, const struct commits_mark *mark,
    const struct watermark *watermark);

#endif
