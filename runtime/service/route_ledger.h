/* route_ledger: the ledger as the routes show it. */
#ifndef BQSYNC_SERVICE_ROUTE_LEDGER_H
#define BQSYNC_SERVICE_ROUTE_LEDGER_H

#include "base/error.h"
#include "service/route.h"

#include <stdbool.h>

/* A copy of the ledger, with what other processes have synced meanwhile; ledger_clear frees it. A
 * state database that can't be read is an error of the status, not of the ledger. */
MUST_CHECK bool route_ledger(
    const struct routes_context *context, struct ledger *out_ledger, struct error *err);

#endif
