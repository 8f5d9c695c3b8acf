/* capture_filter: reads the filter of a partial index, and says whether it is inert: whether a
 * trigger may evaluate it without ever failing and without calling anything. Only the forms listed
 * below are inert; what this module does not understand is not. It evaluates nothing and asks
 * SQLite nothing. Internal to source. Any thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_FILTER_H
#define BQSYNC_SOURCE_CAPTURE_FILTER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* What a filter may name. All borrowed. */
struct capture_filter_names {
    const char *table;
    /* Columns that can be read without evaluating anything: not generated, and with a collation
     * that is built into SQLite. */
    const char *const *columns;
    size_t count;
};

/* Reads the filter of a CREATE INDEX statement as SQLite keeps it. Inert are columns, literals,
 * comparisons, IS [NOT], ISNULL, NOTNULL, [NOT] IN with a list of literals, NOT, AND, OR and
 * parentheses. If the filter is inert, appends it to *out_sql without its comments and with each
 * column qualified and quoted, sets used[i] for each column i that it names (it sets none to
 * false), and returns true. Returns false for any other statement; *out_sql may then hold a part
 * of it. The caller checks *out_sql for failure. */
bool capture_filter_read(
    const char *index_sql, const struct capture_filter_names *names, struct buffer *out_sql,
    bool *used);

#endif
