/* send_mode: how the rows of a table reach BigQuery, in one word for everybody: the definition's
 * declaration, the plan of a pass, the file that is sent, the intent on disk, and the result that
 * people see. Pure; any thread may call it. */
#ifndef BQSYNC_BASE_SEND_MODE_H
#define BQSYNC_BASE_SEND_MODE_H

#include <stdbool.h>

/* A definition declares one of the last three; its JSON says "upsert" for SEND_MERGE. A pass may
 * choose another than the declared one: an append table with changed rows is merged, and any table
 * is replaced when what was sent before can no longer be trusted. */
enum send_mode {
    /* No rows are sent. */
    SEND_NOTHING,
    /* A load job adds the rows to the target. */
    SEND_APPEND,
    /* A load job fills a staging table, and a MERGE brings its rows into the target. */
    SEND_MERGE,
    /* A load job replaces the target's data. */
    SEND_REPLACE,
};

/* "nothing", "append", "merge" or "replace": in the state database, in logs and in the documents of
 * `sync --json` and `plan --json`. Static. */
const char *send_mode_name(enum send_mode mode);

/* The mode of a name that send_mode_name has given. False, and *out_mode is untouched, if there is
 * none. */
bool send_mode_of_name(const char *name, enum send_mode *out_mode);

#endif
