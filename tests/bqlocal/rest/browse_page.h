/* browse_page: the HTML that bqlocal's pages for a browser are made of. */
#ifndef BQLOCAL_REST_BROWSE_PAGE_H
#define BQLOCAL_REST_BROWSE_PAGE_H

#include "bqlocal/http/exchange.h"
#include "bqlocal/store/store.h"

#include <sqlite3.h>

/* Begins a page: its head, style and first heading. out is initialised here. */
void browse_begin(struct buffer *out, const char *title);
/* Ends it and makes it the answer; clears out. */
MUST_CHECK bool browse_send(
    struct request *request, int status, struct buffer *out, struct error *err);

/* Text, with what HTML would read as markup escaped. */
void browse_text(struct buffer *out, struct slice text);
/* A name as one segment of a path. */
void browse_segment(struct buffer *out, const char *name);

/* The box for a query, with this text in it. */
void browse_query_box(struct buffer *out, const char *query);

/* A heading, and the start of a table that scrolls by itself where the screen is narrow. */
void browse_table_begin(struct buffer *out, const char *heading);
void browse_table_end(struct buffer *out);
/* The head and the rows of a statement, whose columns are those of the schema. Times are ISO 8601;
 * long texts are cut. */
void browse_rows(struct buffer *out, sqlite3_stmt *row, const struct store_schema *schema);

#endif
