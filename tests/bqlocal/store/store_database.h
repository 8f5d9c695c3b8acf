/* store_database: the SQLite database that the store keeps everything in: its connections,
 * statements and transactions, and the clock and versions of what is kept. Callers are inside of
 * the monitor. The functions here use `handle`. */
#ifndef BQLOCAL_STORE_STORE_DATABASE_H
#define BQLOCAL_STORE_STORE_DATABASE_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct store {
    sqlite3 *handle;
    sqlite3 *reader;       /* reads one snapshot at a time, without keeping out who writes */
    bool reader_taken;     /* by a query that is computed outside of the monitor */
    sqlite3 *writer;       /* runs statements outside of the monitor, while handle reads */
    bool writing;          /* it is doing so: nothing is changed through handle meanwhile */
    char *project;         /* named in answers; requests may name any */
    int64_t clock_skew_ms; /* added to the machine's time */
    int64_t last_version;  /* of resources, only ever rises; etags are made of it */
};

/* path NULL: in a file that vanishes with the process. */
MUST_CHECK bool store_open(
    const char *path, const char *project, struct store *out_store, struct error *err);
void store_close(struct store *store);

/* Milliseconds since 1970-01-01 as the store sees them. */
int64_t store_now_ms(const struct store *store);

/* SQLite's last message as internalError, or backendError (503) where the disk or a lock is at
 * fault and not the request; returns false. */
bool store_sqlite_failed(struct store *store, struct error *err);
/* The same of any connection. */
bool store_handle_failed(sqlite3 *handle, struct error *err);
/* Steps; *out_row: whether there is a row. */
MUST_CHECK bool store_step(
    struct store *store, sqlite3_stmt *statement, bool *out_row, struct error *err);

/* Runs statements without parameters or results. */
MUST_CHECK bool store_execute(struct store *store, const char *sql, struct error *err);
/* The same from a format of sqlite3_mprintf (%Q, %w). */
MUST_CHECK bool store_executef(struct store *store, struct error *err, const char *format, ...);
/* Prepares a statement and binds the texts, NULL-terminated list. */
MUST_CHECK bool store_prepare(
    struct store *store, const char *sql, sqlite3_stmt **out_statement, struct error *err, ...);

/* Nested transactions: keeps (ok) or undoes everything since begin. Returns ok, or false when
 * keeping fails. */
MUST_CHECK bool store_begin(struct store *store, struct error *err);
MUST_CHECK bool store_end(struct store *store, bool ok, struct error *err);

/* The same database through its writer, which does nothing else until it is given back: readers see
 * the tables without its changes, and the monitor may be left meanwhile. */
struct store store_take_writer(struct store *store);
void store_give_back_writer(struct store *store, const struct store *writer);

/* A version newer than all before. */
int64_t store_next_version(struct store *store);

/* Merges as a patch of a resource does: keys replace, null removes, labels merge by key. */
void store_merge_patch(cJSON *resource, const cJSON *patch);

#endif
