/* scarce: memory of which an allocation fails. What is linked with it gets a malloc, calloc,
 * realloc, strdup and strndup that can be told to fail; libraries keep theirs.
 */
#ifndef TESTS_SUPPORT_SCARCE_H
#define TESTS_SUPPORT_SCARCE_H

#include <stdbool.h>

/* From here on the n-th allocation fails, from 1, and no other; 0: none does. */
void scarce_fail(int n);
/* The n-th fails and all that follow it. */
void scarce_fail_from(int n);
/* Ends that. Whether an allocation has failed since it began. */
bool scarce_end(void);

#endif
