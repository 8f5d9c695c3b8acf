/* check_source: the part of check that looks at SQLite. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_SOURCE_H
#define BQSYNC_SYNC_REPORT_CHECK_SOURCE_H

#include "sync/report/checker.h"

/* Checks the source database, the control tables, the free disk space, and each table with a sample
 * of its rows. Writes nothing. */
void check_source(const struct checker *c);

#endif
