#include "source/tracking_schema.h"

#include "base/buffer.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>

struct added_column {
    const char *table;
    const char *name;
    const char *type;
};

/* last_synced_row_id and last_synced_at are known to operators; keep their names and meanings.
 * intent_nonce is the nonce of the intent that may move this row: an intent recorded before the row
 * was deleted does not find its nonce and moves nothing. epoch counts how often the row was marked
 * to be sent again: a plan that read another value is out of date. */
static const char create_sql[] = "create table if not exists bq_sync_meta(\n"
                                 "    name text primary key,\n"
                                 "    value text not null\n"
                                 ") without rowid;\n"
                                 "create table if not exists bq_sync_tracking(\n"
                                 "    table_name text primary key,\n"
                                 "    last_synced_row_id integer not null default 0,\n"
                                 "    last_synced_at text\n"
                                 ");\n"
                                 "create table if not exists bq_sync_generations(\n"
                                 "    table_name text primary key,\n"
                                 "    generation integer not null\n"
                                 ") without rowid;\n"
                                 "create table if not exists bq_sync_intents(\n"
                                 "    table_name text primary key,\n"
                                 "    kind text not null,\n"
                                 "    generation integer not null,\n"
                                 "    nonce text not null\n"
                                 ") without rowid;\n"
                                 "create table if not exists bq_sync_runs(\n"
                                 "    number integer primary key,\n"
                                 "    run_id text not null unique,\n"
                                 "    state text not null,\n"
                                 "    document text not null\n"
                                 ");\n"
                                 "create table if not exists bq_sync_shadows(\n"
                                 "    table_name text primary key,\n"
                                 "    state text not null,\n"
                                 "    whole integer not null,\n"
                                 "    nonce text not null default '',\n"
                                 "    hash_key blob not null\n"
                                 ") without rowid;\n"
                                 "create table if not exists bq_sync_loads(\n"
                                 "    table_name text not null,\n"
                                 "    hour integer not null,\n"
                                 "    modifications integer not null,\n"
                                 "    primary key (table_name, hour)\n"
                                 ") without rowid;\n"
                                 "create table if not exists bq_sync_billed(\n"
                                 "    table_name text not null,\n"
                                 "    day text not null,\n"
                                 "    bytes integer not null default 0,\n"
                                 "    queries integer not null default 0,\n"
                                 "    reserved integer not null default 0,\n"
                                 "    needed integer not null default 0,\n"
                                 "    primary key (table_name, day)\n"
                                 ") without rowid;\n"
                                 "create table if not exists bq_sync_rejects(\n"
                                 "    table_name text not null,\n"
                                 "    key_json text not null,\n"
                                 "    column_name text not null,\n"
                                 "    storage_class text not null,\n"
                                 "    reason text not null,\n"
                                 "    since text not null,\n"
                                 "    primary key (table_name, key_json, column_name)\n"
                                 ") without rowid;\n";

static const char *const table_names[] = {
    "bq_sync_meta",    "bq_sync_tracking", "bq_sync_intents", "bq_sync_generations", "bq_sync_runs",
    "bq_sync_rejects", "bq_sync_shadows",  "bq_sync_loads",   "bq_sync_billed"};
#define TABLE_COUNT (sizeof table_names / sizeof table_names[0])

/* Columns beyond those of create_sql, each added where it is missing. */
static const struct added_column columns[] = {
    {"bq_sync_tracking", "synced_sequence", "integer not null default 0"},
    {"bq_sync_tracking", "content_hash", "text not null default ''"},
    {"bq_sync_tracking", "shape_hash", "text not null default ''"},
    {"bq_sync_tracking", "target", "text not null default ''"},
    {"bq_sync_tracking", "last_error", "text not null default ''"},
    {"bq_sync_tracking", "source_rows", "integer not null default 0"},
    {"bq_sync_tracking", "intent_nonce", "text not null default ''"},
    {"bq_sync_tracking", "epoch", "integer not null default 0"},
    {"bq_sync_generations", "content_hash", "text not null default ''"},
    {"bq_sync_generations", "target", "text not null default ''"},
    {"bq_sync_generations", "since", "integer not null default 0"},
    {"bq_sync_generations", "labelled", "integer"},
    {"bq_sync_generations", "series", "text not null default ''"},
    {"bq_sync_generations", "logged_at_us", "integer not null default 0"},
    {"bq_sync_generations", "logged", "integer not null default 0"},
    {"bq_sync_generations", "log_whole", "integer not null default 0"},
    {"bq_sync_generations", "jobs", "text not null default ''"},
    {"bq_sync_generations", "before", "integer not null default 0"},
    {"bq_sync_generations", "jobs_before", "text not null default ''"},
    {"bq_sync_generations", "fixed_rejects", "integer not null default 0"},
    {"bq_sync_shadows", "hash_version", "integer not null default 1"},
    {"bq_sync_tracking", "fingerprint", "text not null default ''"},
    {"bq_sync_intents", "commit_job", "text not null default ''"},
    {"bq_sync_intents", "staging", "text not null default ''"},
    {"bq_sync_intents", "upper_sequence", "integer not null default 0"},
    {"bq_sync_intents", "upper_row_id", "integer not null default 0"},
    {"bq_sync_intents", "row_count", "integer not null default 0"},
    {"bq_sync_intents", "content_hash", "text not null default ''"},
    {"bq_sync_intents", "shape_hash", "text not null default ''"},
    {"bq_sync_intents", "target", "text not null default ''"},
    {"bq_sync_intents", "project", "text not null default ''"},
    {"bq_sync_intents", "dataset", "text not null default ''"},
    {"bq_sync_intents", "location", "text not null default ''"},
    {"bq_sync_intents", "fingerprint", "text not null default ''"},
    {"bq_sync_intents", "bytes_reserved", "integer not null default 0"},
};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])

/* Whether every table and column is there and the version is this build's. */
static bool is_current(struct database *database, bool *out_current, struct error *err)
{
    int64_t version = 0;
    bool exists = false;

    *out_current = false;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!database_has_table(database, table_names[i], &exists, err))
            return false;
        if (!exists)
            return true;
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (!database_has_column(database, columns[i].table, columns[i].name, &exists, err))
            return false;
        if (!exists)
            return true;
    }
    if (!database_query_int64(
            database,
            "select max(case name when 'schema_version' then cast(value as integer) end)"
            " from bq_sync_meta where name in ('schema_version', 'instance') having count(*) = 2",
            0, &version, err))
        return false;
    *out_current = version == TRACKING_SCHEMA_VERSION;
    return true;
}

bool tracking_schema_refuse_newer(struct database *database, struct error *err)
{
    int64_t version = 0;
    bool exists = false;

    if (!database_has_table(database, "bq_sync_meta", &exists, err))
        return false;
    if (!exists)
        return true;
    if (!database_query_int64(
            database,
            "select cast(value as integer) from bq_sync_meta where name = 'schema_version'", 0,
            &version, err))
        return false;
    if (version > TRACKING_SCHEMA_VERSION)
        return error_set(
            err, ERROR_SOURCE,
            "%s: its control tables have version %lld, this bqsync knows up to %d: use the newer "
            "bqsync that wrote them, or drop the tables bq_sync_*, but bq_sync_capture and "
            "bq_sync_dirty_*, to sync everything again",
            database->path, (long long)version, TRACKING_SCHEMA_VERSION);
    return true;
}

static bool add_columns(struct database *database, struct error *err)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        bool exists = false;
        struct buffer sql;

        if (!database_has_column(database, columns[i].table, columns[i].name, &exists, err))
            return false;
        if (exists)
            continue;
        buffer_init(&sql, SQLITE_SQL_CEILING);
        sqlite_sql_append(
            &sql, "alter table $n add column $r $r", columns[i].table, columns[i].name,
            columns[i].type);
        bool ok = statement_exec_buffer(database, &sql, err);
        buffer_clear(&sql);
        if (!ok)
            return false;
    }
    return true;
}

/* An earlier version counted by days in Pacific time. When in its day a load was is not known, so
 * that it counts as one of now. */
static bool take_over_quota(struct database *database, struct error *err)
{
    bool exists = false;

    if (!database_has_table(database, "bq_sync_quota", &exists, err))
        return false;
    return !exists ||
           database_exec(
               database,
               "insert or ignore into bq_sync_loads(table_name, hour, modifications)"
               " select table_name, strftime('%s', 'now') / 3600, modifications from bq_sync_quota"
               " where day >= (strftime('%s', 'now') - 8 * 3600) / 86400 - 1;"
               "drop table bq_sync_quota",
               err);
}

static bool upgrade(struct database *database, struct error *err)
{
    char version_sql[128];

    sqlite3_snprintf(
        sizeof version_sql, version_sql,
        "insert or replace into bq_sync_meta(name, value) values ('schema_version', '%d')",
        TRACKING_SCHEMA_VERSION);
    return database_exec(database, create_sql, err) && add_columns(database, err) &&
           take_over_quota(database, err) &&
           database_exec(
               database,
               "insert or ignore into bq_sync_meta(name, value)"
               " values ('instance', lower(hex(randomblob(8))))",
               err) &&
           database_exec(database, version_sql, err);
}

bool tracking_schema_prepare(struct database *database, struct error *err)
{
    bool current = false;

    if (!tracking_schema_refuse_newer(database, err) || !is_current(database, &current, err))
        return false;
    if (current)
        return true;
    if (!database_begin(database, err))
        return false;
    if (!tracking_schema_refuse_newer(database, err) || !upgrade(database, err) ||
        !database_commit(database, err)) {
        database_rollback(database);
        return error_wrap(err, "cannot create the control tables");
    }
    return true;
}

bool tracking_schema_distrust(struct database *database, const char *table, struct error *err)
{
    return statement_run(
        database,
        "update bq_sync_tracking set content_hash = '', intent_nonce = '', epoch = epoch + 1"
        " where table_name = ?1",
        err, "s", table);
}
