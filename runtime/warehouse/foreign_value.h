/* foreign_value: the values of rows in a message of BigQuery, and the names that are none. A part
 * of foreign_text; the owner of the tables calls foreign_value_know. Thread-safe. */
#ifndef BQSYNC_WAREHOUSE_FOREIGN_VALUE_H
#define BQSYNC_WAREHOUSE_FOREIGN_VALUE_H

#include "base/buffer.h"
#include "base/table.h"

/* What stands in the place of a value. */
#define FOREIGN_VALUE ".."

/* Appends the message without values; names as in foreign_message. The texts that decisions look
 * for (the table `decisive`) always stay. */
void foreign_value_cut(const char *message, const char *const *names, struct buffer *out);

/* The tables whose names and columns messages may show; borrowed until the next call or until they
 * are forgotten. */
void foreign_value_know(const struct table *const *tables, size_t count);
/* Does nothing if others are known by now. */
void foreign_value_forget(const struct table *const *tables);

#endif
