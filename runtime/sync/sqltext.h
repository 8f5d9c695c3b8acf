/* sqltext: GoogleSQL made at run time, with every name and text quoted here and nowhere else
 * ("Lexical structure and syntax" of GoogleSQL). Pure functions. */
#ifndef BQSYNC_SYNC_SQLTEXT_H
#define BQSYNC_SYNC_SQLTEXT_H

#include "base/buffer.h"

/* Appends an identifier in backticks. */
void sqltext_identifier(struct buffer *out, const char *name);

/* Appends a string literal in double quotes. */
void sqltext_string(struct buffer *out, const char *text);

/* Appends `project`.`dataset`.`table`. */
void sqltext_path(struct buffer *out, const char *project, const char *dataset, const char *table);

/* Appends a generated statement with its placeholders ${project}, ${dataset} and ${staging}, which
 * stand inside backticks, replaced. staging may be NULL if the statement has none. */
void sqltext_render(
    struct buffer *out, const char *statement, const char *project, const char *dataset,
    const char *staging);

#endif
