/* googlesql: GoogleSQL made at run time, with every name and text quoted here
 * ("Lexical structure and syntax" of GoogleSQL). Pure functions. */
#ifndef BQSYNC_WAREHOUSE_GOOGLESQL_H
#define BQSYNC_WAREHOUSE_GOOGLESQL_H

#include "base/buffer.h"
#include "base/slice.h"
#include "base/table.h"

/* "Quotas and limits": a statement, or a script of several, has at most 1,024 KB of text. In
 * bytes. */
#define GOOGLESQL_STATEMENT_CEILING (1 << 20)

/* Appends an identifier in backticks. */
void googlesql_identifier(struct buffer *out, const char *name);

/* Appends a string literal in double quotes. */
void googlesql_string(struct buffer *out, const char *text);

/* Appends `project`.`dataset`.`table`. */
void googlesql_path(
    struct buffer *out, const char *project, const char *dataset, const char *table);

/* "project.dataset.table" into out, cut to size: the name of a table in messages and in the state
 * database. It is not quoted, so it never goes into a statement. */
void googlesql_plain_name(
    char *out, size_t size, const char *project, const char *dataset, const char *table);

/* Appends a generated statement, or a part of one, with its placeholders ${project}, ${dataset} and
 * ${staging}, which stand inside backticks, replaced. staging may be NULL if the statement has
 * none. */
void googlesql_render(
    struct buffer *out, struct slice statement, const char *project, const char *dataset,
    const char *staging);

/* Appends " and (a.c is null or a.c is not null)" for the column c by which the target is
 * partitioned if it requires a filter, where a is the alias of the target; nothing otherwise.
 * BigQuery rejects a statement without a condition on that column; this one is true for every row.
 */
void googlesql_partition_filter(struct buffer *out, const struct table *table, const char *alias);

#endif
