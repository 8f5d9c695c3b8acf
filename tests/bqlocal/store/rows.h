/* rows: pages of rows as tabledata.list and getQueryResults answer them. Callers are inside of the
 * monitor. */
#ifndef BQLOCAL_STORE_ROWS_H
#define BQLOCAL_STORE_ROWS_H

#include "base/buffer.h"
#include "bqlocal/store/store.h"

struct rows_source {
    const char *table;                 /* the SQLite table, not quoted */
    const struct store_schema *schema; /* of the columns that are shown */
    int64_t total;
    bool numbered; /* the columns are called c0, c1 and so on, as a query result's are */
};

/* Timestamps as seconds with a fraction, as whole microseconds, or as ISO 8601. */
enum rows_timestamps { ROWS_SECONDS, ROWS_MICROSECONDS, ROWS_ISO };

struct rows_window {
    int64_t first;
    int64_t size;  /* at most */
    int64_t rowid; /* rows behind this one; -1: skip `first` rows instead */
    enum rows_timestamps timestamps;
};

/* From formatOptions: timestampOutputFormat (NULL: not given) and useInt64Timestamp. */
enum rows_timestamps rows_timestamps(const char *output_format, bool use_int64);

/* One stored cell as REST answers it: NULL is JSON null, everything else a string. Owned. */
cJSON *store_cell_json(sqlite3_value *value, enum store_type type, enum rows_timestamps timestamps);

/* Where the page behind a token starts; invalid if the token is not one of ours. */
MUST_CHECK bool rows_token_parse(const char *token, struct rows_window *window, struct error *err);

/* Appends `"totalRows":"5","rows":[...],"pageToken":"..."` as far as each applies: "rows" is left
 * out where there are none. A page also ends at about 10 MB. */
MUST_CHECK bool rows_append_window(
    struct store *store, const struct rows_source *source, const struct rows_window *window,
    struct buffer *out, struct error *err);

#endif
