/* scarce_sql: memory of SQLite of which an allocation fails. In a program that is linked with it,
 * SQLite takes each allocation from malloc: it has no lookaside.
 */
#ifndef TESTS_SUPPORT_SCARCE_SQL_H
#define TESTS_SUPPORT_SCARCE_SQL_H

#include <stdbool.h>

/* From here on the n-th allocation fails, from 1, and no other; 0: none does. */
void scarce_sql_fail(int n);
/* Ends that. Whether an allocation has failed since it began. */
bool scarce_sql_end(void);

#endif
