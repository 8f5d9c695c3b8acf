/* sql: the GoogleSQL that bqlocal understands (docs/bqlocal.md), parsed, typed, translated to
 * SQLite and run on the store. Callers are inside of the monitor. */
#ifndef BQLOCAL_SQL_RUN_SQL_H
#define BQLOCAL_SQL_RUN_SQL_H

#include "base/error.h"
#include "bqlocal/store/monitor.h"
#include "bqlocal/store/store.h"

#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sql_request {
    const char *text;            /* one statement or a script */
    const char *default_dataset; /* NULL: names need a dataset */
    const char *location;        /* datasets elsewhere are not found; NULL: those of any are */
    const cJSON *parameters;     /* queryParameters array, NULL if none */
    bool dry_run;                /* analyse only */
    /* The monitor is left while statements run: for a single SELECT the caller has taken the
     * store's reader; anything else runs on its writer, which does nothing else at that time. NULL:
     * the monitor is not left. Not for a dry run, nor in a transaction of the caller's. */
    struct monitor *monitor;
    atomic_bool *cancelled; /* with monitor: ends the running statement when it becomes true */
};

/* One child of a script, or the only statement. */
struct sql_statement {
    char type[32]; /* SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE_TABLE, CREATE_TABLE_AS_SELECT,
                      ALTER_TABLE, DROP_TABLE, TRUNCATE_TABLE, BEGIN_TRANSACTION, CREATE_VIEW,
                      CREATE_TABLE_FUNCTION ... */
    char ddl[16];  /* CREATE, REPLACE, SKIP, ALTER, DROP; "" */
    char target_dataset[256];
    char target_table[1100];
    char target_routine[300]; /* of CREATE and DROP TABLE FUNCTION, instead of a table */
    size_t start;             /* offsets in the text */
    size_t end;
    int transaction; /* number of its transaction within the script, from 1; 0: none */
    bool is_dml;
    int64_t inserted;
    int64_t updated;
    int64_t deleted;
};

/* The result set is kept as a temporary SQLite table of store->handle: "bqlocal.result.<n>" with
 * columns c0, c1 ... */
struct sql_result {
    struct sql_statement *statements;
    size_t statement_count;
    bool is_script;             /* more than one statement */
    struct store_schema schema; /* of the last statement's result; count 0 if none */
    char result_table[64];      /* unquoted SQLite name; "" if there is no result set */
    int64_t result_rows;
    /* {"statement", "dataset", "table", "alias", "filters": [{"column", "sql"}]} for each time that
     * a table is read, by the statement's number from 0: conditions that compare a column with
     * constants, as SQL of SQLite over the alias. */
    cJSON *scans;
    cJSON *references; /* the tables that it reads or changes, as an array of table references */
    char *location;    /* of the first dataset that is named; NULL: none is */
};

/* Runs everything; on failure all effects of the failing statement (and of an open transaction) are
 * undone. Errors: reason and http_status as in store.h; invalidQuery 400 with "... at
 * [line:column]" for syntax, unknown names and types. */
MUST_CHECK bool sql_run(
    struct store *store, const struct sql_request *request, struct sql_result *out_result,
    struct error *err);
/* Takes the store's reader, which shows the moment of this call until it is given back. False if
 * somebody else has it. */
bool sql_reader_take(struct store *store);
void sql_reader_give_back(struct store *store);
/* A statement of a script that has not run: its place in the text. */
struct sql_part {
    const char *type; /* as in struct sql_statement; static */
    size_t start;
    size_t end;
    bool reads;    /* false: DDL without a query, or the begin or end of a transaction */
    bool replaces; /* CREATE OR REPLACE */
};
/* The statements of the text; *out_parts is the caller's to free. False if its syntax is wrong. */
bool sql_split(const char *text, struct sql_part **out_parts, size_t *out_count);
/* Whether the text is one SELECT. */
bool sql_is_query(const char *text);
/* Gives the body of a view, with `view`, the columns of its query as `schema`; descriptions of
 * columns that a schema in the body has stay. Errors as of the query. */
MUST_CHECK bool sql_complete_view(struct store *store, cJSON *resource, struct error *err);
/* Frees the result and drops its result table. */
void sql_result_clear(struct store *store, struct sql_result *result);

/* Registers the functions that translated SQL calls, on all connections. Called by store_open's
 * caller. */
MUST_CHECK bool sql_register(struct store *store, struct error *err);

#endif
