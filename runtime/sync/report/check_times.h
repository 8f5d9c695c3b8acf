/* check_times: counts that stand for times which are hard to believe. Seconds that a definition
 * calls milliseconds are all read, as January 1970, so nothing but their dates shows the mistake.
 * Internal to report. */
#ifndef BQSYNC_SYNC_REPORT_CHECK_TIMES_H
#define BQSYNC_SYNC_REPORT_CHECK_TIMES_H

#include "encode/column_reader.h"

struct check_times {
    int rows;          /* with such a time */
    char example[300]; /* the first of them: the column, the value, what it is read as, and the
                          format that would read it as a time of today; "" if rows is 0 */
};

/* Looks at the columns of the reader's row that hold counts; the row fits. */
void check_times_look(struct check_times *times, struct column_reader *in);

#endif
