/* bill: what queries bill, in bytes and US dollars, as `status` and `plan` show it to people. */
#ifndef BQSYNC_CLI_BILL_H
#define BQSYNC_CLI_BILL_H

#include "base/config.h"
#include "sync/spending.h"

#include <stdint.h>

#define BILL_BYTES_SIZE 24

/* In the units of BigQuery's price: "10.0 MiB", "1.60 TiB", "?" for SPENDING_UNKNOWN, in the
 * caller's bytes; returns out. */
const char *bill_bytes(int64_t bytes, char out[static BILL_BYTES_SIZE]);

/* Prints what today and this month have billed, what a month costs as measured, and what is left of
 * the day's budget; nothing if nothing was billed and no budget is set. warn and end: escape
 * sequences around warnings, "" for none. */
void bill_print(
    const struct config *config, const struct spending *spending, const char *warn,
    const char *end);

#endif
