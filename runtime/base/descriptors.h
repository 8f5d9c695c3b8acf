/* descriptors: whether the process may have as many open files as its work needs. */
#ifndef BQSYNC_BASE_DESCRIPTORS_H
#define BQSYNC_BASE_DESCRIPTORS_H

#include "base/error.h"

#include <stddef.h>

/* The open files of a worker: its connections to SQLite and to BigQuery, and what it keeps of its
 * table. */
#define DESCRIPTORS_OF_WORKER 4

/* With fewer than `needed`, some part would fail later, and say so in its own words. code: that of
 * the error, which says for what (a command) and for how many tables they are needed. */
MUST_CHECK bool descriptors_check(
    const char *what, size_t needed, size_t tables, enum error_code code, struct error *err);

/* False, with ERROR_LIMIT about `what`, if there are hardly any left: for a library that has
 * failed, and does not say why. */
bool descriptors_left(const char *what, struct error *err);

#endif
