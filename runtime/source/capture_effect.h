/* capture_effect: what SQLite does otherwise in a table because it has a trigger, whatever the
 * trigger does. Where a statement of the application would fail for that, the table cannot have
 * capture by triggers. Judged by the schema alone, so also for settings of a connection that nobody
 * else can see (foreign_keys). Internal to source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_EFFECT_H
#define BQSYNC_SOURCE_CAPTURE_EFFECT_H

#include "base/error.h"
#include "source/capture.h"

#include <stdbool.h>
#include <stddef.h>

/* guarded: capture of the table has guards (source/capture_guard.h), which are BEFORE triggers.
 *
 * out_problem (of size bytes): what a trigger would make fail; "" if nothing. Two cases are known:
 *
 * In a STRICT table with a BEFORE trigger, SQLite checks the types of a row before its other
 * constraints, not after them. A row that OR IGNORE or ON CONFLICT leaves out, or that fails for
 * another reason, then fails for its type.
 *
 * A foreign key that refers to columns without a unique index of theirs is an error only for
 * statements that have to look for it. An INSERT of one row into the table that it refers to does
 * not, but it does as soon as the table has a trigger. */
MUST_CHECK bool capture_effect_judge(
    const struct source_table *in, bool guarded, char *out_problem, size_t size, struct error *err);

#endif
