/* pacing: large writes as a series of short transactions with pauses, so that the application,
 * which may live in the same database, gets the write lock in between. A transaction writes at most
 * pacing.rows rows, which adapts to what fits into 20 ms; the pause after it lasts at least as long
 * as it held the lock. One struct belongs to one thread.
 *
 *     struct pacing pacing = pacing_of(database);
 *     while (there is more) {
 *         if (!pacing_begin(&pacing, err))
 *             return false;
 *         if (!write_up_to(pacing.rows) || !pacing_commit(&pacing, err))
 *             return pacing_fail(&pacing);
 *     } */
#ifndef BQSYNC_SOURCE_PACING_H
#define BQSYNC_SOURCE_PACING_H

#include "base/clock.h"
#include "base/error.h"
#include "source/database.h"

#include <stdbool.h>
#include <stdint.h>

struct pacing {
    struct database *database; /* borrowed */
    const struct clock *clock; /* the system's, unless a test puts another one here */
    /* At most so many rows in the transaction that is open, or that is opened next. */
    int64_t rows;
    /* Monotonic, in milliseconds: when the lock was taken, and until when it is left to others. */
    int64_t began_ms;
    int64_t free_until_ms;
};

struct pacing pacing_of(struct database *database);

/* Waits for the end of the pause and takes the write lock. Errors are those of database_begin, and
 * ERROR_STOPPED if the process was asked to stop during the pause. */
MUST_CHECK bool pacing_begin(struct pacing *pacing, struct error *err);
MUST_CHECK bool pacing_commit(struct pacing *pacing, struct error *err);
/* Rolls back; returns false. */
bool pacing_fail(struct pacing *pacing);

#endif
