/* rows: pages of rows as tabledata.list and getQueryResults answer them. */
#ifndef BQLOCAL_STORE_ROWS_H
#define BQLOCAL_STORE_ROWS_H

#include "bqlocal/http/exchange.h"
#include "bqlocal/store/store.h"

struct rows_source {
    const char *quoted;         /* the SQLite table, quoted */
    const char *const *columns; /* names in it, one a field of the schema */
    const struct store_schema *schema;
    int64_t total;
};

/* Appends `"totalRows":"5","rows":[...],"pageToken":"..."` as far as each applies. The request
 * gives maxResults, startIndex, pageToken and the format of timestamps; a page also ends at about
 * 10 MB. "rows" is left out where there are none. */
MUST_CHECK bool rows_append_page(
    struct store *store, const struct request *request, const struct rows_source *source,
    int64_t default_size, struct buffer *out, struct error *err);

/* The same with the window given: for jobs.query, whose options are in its body. */
struct rows_window {
    int64_t first;
    int64_t size;  /* at most */
    int64_t rowid; /* rows behind this one; -1: skip `first` rows instead */
    bool int64_timestamps;
    bool iso_timestamps;
};
MUST_CHECK bool rows_append_window(
    struct store *store, const struct rows_source *source, const struct rows_window *window,
    struct buffer *out, struct error *err);

/* Appends a cell's value as JSON. */
void rows_append_cell(
    struct buffer *out, sqlite3_value *value, enum store_type type,
    const struct rows_window *window);

/* Appends a JSON string. */
void rows_append_string(struct buffer *out, struct slice text);

#endif
