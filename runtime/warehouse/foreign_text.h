/* foreign_text: what others have written, made fit for an error, a log or the state: the only way
 * of an answer's texts into a message. Secrets are cut out, and characters that a terminal obeys.
 * For the files of this group. Thread-safe. */
#ifndef BQSYNC_WAREHOUSE_FOREIGN_TEXT_H
#define BQSYNC_WAREHOUSE_FOREIGN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* What stands in the place of a secret. */
#define FOREIGN_SECRET "[secret]"

/* Copies the text, cut between two characters if it is too long. "[secret]" stands for what this
 * process has sent as a secret (base/secrets.h) and for what looks like one, a space for each
 * control character and for those that turn the direction of writing around. Returns out; size is
 * at least 1. */
char *foreign_text(char *out, size_t size, const char *text);

/* The same for a message of BigQuery, which may quote values of rows: ".." stands for what is
 * quoted, and for what follows "value:" and the like without quotes. Names stay: what stands in
 * backticks, what foreign_value_know knows, and `names`, a list that ends with NULL. */
char *foreign_message(char *out, size_t size, const char *text, const char *const *names);

/* What is used and not shown stays as it is, or is refused: without memory, or if a short secret
 * stands in it, foreign_text would put "[secret]" in its place. Only letters, digits and _ : . -
 * are in a location or a job's id. */
bool foreign_is_name(const char *text);
/* A reason to compare: letters, digits and _, else, or if it is too long, "unknown". Returns out.
 */
char *foreign_reason(char *out, size_t size, const char *text);

#endif
