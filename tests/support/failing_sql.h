/* failing_sql: a database of which one call fails, as if the disk were full. What is linked with it
 * gets a sqlite3_step, sqlite3_exec and sqlite3_prepare_v2 that can be told to; a ROLLBACK is never
 * among them.
 */
#ifndef TESTS_SUPPORT_FAILING_SQL_H
#define TESTS_SUPPORT_FAILING_SQL_H

#include <stdbool.h>

/* From here on the n-th call fails, from 1, and no other; 0: none does. */
void failing_sql_at(int n);
/* Ends that. Whether a call has failed since it began. */
bool failing_sql_end(void);

#endif
