/* application_trigger: what the application's own triggers mean for capture. They may end a
 * statement, or change rows, at a moment at which capture does not see what becomes of a row. They
 * are judged by their texts. Triggers of the temp schema belong to one connection of the
 * application, so they cannot be judged. Internal to source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_APPLICATION_TRIGGER_H
#define BQSYNC_SOURCE_APPLICATION_TRIGGER_H

#include "base/error.h"
#include "source/capture.h"

#include <stdbool.h>
#include <stddef.h>

/* Looks at the triggers that could make capture of the table inexact; guarded: capture of the table
 * has guards (source/capture_guard.h).
 *
 * out_problem (of size bytes): why capture cannot be exact beside one of them; "" if it can.
 * *out_newer: one that writes was made after the table's capture. SQLite fires it first, so capture
 * has to be made again. */
MUST_CHECK bool application_trigger_judge(
    const struct source_table *in, bool guarded, char *out_problem, size_t size, bool *out_newer,
    struct error *err);

#endif
