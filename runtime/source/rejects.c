#include "source/rejects.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text_fit.h"
#include "source/capture_objects.h"
#include "source/json_key.h"
#include "source/pacing.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdlib.h>
#include <string.h>

/* SQLite's own ceiling of a text is a billion bytes; a key beyond this is an error. */
#define KEY_CEILING (64 << 20)

#define COLLECTION "temp.bq_sync_collected"

/* What of the collection has to be written, numbered from 1. */
#define WORK "temp.bq_sync_rejects_work"

bool rejects_begin(struct tracking *tracking, const struct table *table, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, 1 << 16);
    buffer_append_text(
        &sql, "drop table if exists " COLLECTION ";\n"
              "create table " COLLECTION "(number integer primary key, key_json, column_name,"
              " storage_class, reason");
    for (size_t i = 0; i < table->key_count; i++)
        buffer_printf(&sql, ", key_%zu", i + 1);
    buffer_append_text(&sql, ", unique (key_json, column_name));");
    if (table->key_count > 0) {
        buffer_append_text(&sql, "create index temp.bq_sync_collected_keys on bq_sync_collected(");
        sqlite_sql_numbers(&sql, table, "key_$r", ", ");
        buffer_append_text(&sql, ");");
    }
    bool ok = buffer_check(&sql, "statement", err) &&
              database_exec(&tracking->database, buffer_text(&sql), err);
    buffer_clear(&sql);
    return ok || error_wrap(err, "rejected rows of %s", table->name);
}

static bool insert_collected(
    struct database *database, const struct table *table, sqlite3_stmt *row, struct slice key_json,
    const struct bad_value *value, struct error *err)
{
    const char *texts[] = {table->columns[value->column].name, value->storage_class, value->reason};
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool ignored = false;
    bool ok = false;

    buffer_init(&sql, 1 << 16);
    buffer_append_text(&sql, "insert or replace into " COLLECTION " values (null, ?1, ?2, ?3, ?4");
    for (size_t i = 0; i < table->key_count; i++)
        buffer_append_text(&sql, ", ?");
    buffer_append_text(&sql, ")");
    if (!statement_prepare_buffer(database, &sql, &statement, err))
        goto cleanup;
    ok = database_bound(
        database,
        sqlite3_bind_text64(
            statement, 1, key_json.data, key_json.length, SQLITE_STATIC, SQLITE_UTF8),
        err);
    for (int i = 0; ok && i < 3; i++)
        ok = database_bound(
            database, sqlite3_bind_text(statement, 2 + i, texts[i], -1, SQLITE_STATIC), err);
    for (size_t i = 0; ok && i < table->key_count; i++) {
        sqlite3_value *part = sqlite3_column_value(row, (int)table->key[i]);
        ok = database_bound(database, sqlite3_bind_value(statement, 5 + (int)i, part), err);
    }
    ok = ok && database_step(database, statement, &ignored, err);

cleanup:
    sqlite3_finalize(statement);
    buffer_clear(&sql);
    return ok;
}

bool rejects_add(
    struct tracking *tracking, const struct table *table, sqlite3_stmt *row,
    const struct bad_value *value, struct error *err)
{
    struct buffer key_json;

    buffer_init(&key_json, KEY_CEILING);
    bool ok =
        json_key_append(&key_json, table, row, value->row_number, err) &&
        insert_collected(&tracking->database, table, row, buffer_slice(&key_json), value, err);
    buffer_clear(&key_json);
    return ok || error_wrap(err, "rejected rows of %s", table->name);
}

/* --- publishing -------------------------------------------------------------------------- */

/* One difference between the collection and what the database holds. Both statements may use ?1
 * (the table's name), ?2 (now) and ?3 (the sequence of the pass); `write` works on the entries ?4
 * to ?5 of WORK. */
struct difference {
    const char *find; /* a SELECT of what has to be written */
    const char *write;
};

/* What is published, and as of when. */
struct publication {
    const struct table *table;
    int64_t sequence;
    const char *now;
    bool *changed; /* set if anything had to be written */
};

/* Only finding is done for all rows: it locks nothing that the application needs for writing. What
 * has to be written is written in short transactions (pacing.h); mostly that is nothing. */
static bool write_difference(
    struct database *database, const struct publication *publication,
    const struct difference *difference, struct error *err)
{
    const char *table = publication->table->name;
    struct pacing pacing = pacing_of(database);
    struct buffer fill;
    int64_t last = 0;

    buffer_init(&fill, SQLITE_SQL_CEILING);
    buffer_printf(&fill, "create table " WORK " as %s", difference->find);
    bool ok = buffer_check(&fill, "statement", err) &&
              database_exec(database, "drop table if exists " WORK, err) &&
              statement_run(
                  database, buffer_text(&fill), err, "ssi", table, publication->now,
                  publication->sequence) &&
              database_query_int64(database, "select max(rowid) from " WORK, 0, &last, err);
    buffer_clear(&fill);
    *publication->changed = *publication->changed || last > 0;
    for (int64_t first = 1, rows; ok && first <= last; first += rows) {
        rows = pacing.rows;
        ok = (pacing_begin(&pacing, err) &&
              statement_run(
                  database, difference->write, err, "ssiii", table, publication->now,
                  publication->sequence, first, first + rows - 1) &&
              pacing_commit(&pacing, err)) ||
             pacing_fail(&pacing);
    }
    return ok;
}

#define FIXED                                                                                      \
    "select key_json, column_name from bq_sync_rejects r where table_name = ?1 and not exists ("   \
    "select 1 from " COLLECTION " c where c.key_json = r.key_json"                                 \
    " and c.column_name = r.column_name)"

/* The log of a table with history has to be told what becomes of a row that was rejected, because
 * nothing else tells whether the target holds it. If the pass that publishes sends nothing in the
 * end, the next one no longer meets the row among the rejects. */
static bool note_fixed(struct database *database, const struct table *table, struct error *err)
{
    bool found = false;

    return statement_has_row(database, FIXED " limit 1", &found, err, "s", table->name) &&
           (!found || statement_run(
                          database,
                          "update bq_sync_generations set fixed_rejects = 1"
                          " where table_name = ?1 and fixed_rejects = 0",
                          err, "s", table->name));
}

/* Values that were fixed, or whose rows are gone; and values that are new or bad for another
 * reason. */
static bool publish_values(
    struct database *database, const struct publication *publication, struct error *err)
{
    static const struct difference fixed = {
        .find = FIXED,
        .write = "delete from bq_sync_rejects where table_name = ?1 and (key_json, column_name) in"
                 " (select key_json, column_name from " WORK " where rowid between ?4 and ?5)",
    };
    static const struct difference found = {
        .find = "select key_json, column_name, storage_class, reason from " COLLECTION " c"
                " where not exists (select 1 from bq_sync_rejects r where r.table_name = ?1"
                " and r.key_json = c.key_json and r.column_name = c.column_name"
                " and r.storage_class = c.storage_class and r.reason = c.reason)",
        .write = "insert into bq_sync_rejects(table_name, key_json, column_name, storage_class,"
                 " reason, since) select ?1, key_json, column_name, storage_class, reason, ?2"
                 " from " WORK " where rowid between ?4 and ?5"
                 " on conflict(table_name, key_json, column_name) do update set"
                 " storage_class = excluded.storage_class, reason = excluded.reason",
    };

    return (publication->table->history == NULL || note_fixed(database, publication->table, err)) &&
           write_difference(database, publication, &fixed, err) &&
           write_difference(database, publication, &found, err);
}

/* "key_1 = bq_sync_key_1 and ..." */
static void append_same_key(struct buffer *sql, const struct table *table)
{
    for (size_t i = 1; i <= table->key_count; i++)
        buffer_printf(sql, "%skey_%zu = bq_sync_key_%zu", i > 1 ? " and " : "", i, i);
}

/* Rejected keys that the dirty set does not list for every pass. Keys with a NULL cannot be in it
 * (nor match anything in BigQuery). An entry that the application made since the snapshot stays: it
 * is a change for the next pass, which a key that is listed for every pass is not. */
static bool list_rejected(
    struct database *database, const struct publication *publication, struct error *err)
{
    const struct table *table = publication->table;
    struct buffer find, write;

    buffer_init(&find, SQLITE_SQL_CEILING);
    buffer_init(&write, SQLITE_SQL_CEILING);
    buffer_append_text(&find, "select distinct ");
    sqlite_sql_numbers(&find, table, "key_$r", ", ");
    sqlite_sql_expand(
        &find, table,
        " from " COLLECTION " where not exists (select 1 from $d where bq_sync_sequence > ?3 and ");
    append_same_key(&find, table);
    buffer_append_byte(&find, ')');
    sqlite_sql_numbers(&find, table, " and key_$r is not null", "");

    sqlite_sql_expand(&write, table, "insert into $d($k, bq_sync_sequence) select ");
    sqlite_sql_numbers(&write, table, "key_$r", ", ");
    sqlite_sql_expand(
        &write, table,
        ", " CAPTURE_SEQUENCE_REJECTED_SQL " from " WORK " where rowid between ?4 and ?5"
        " on conflict($k) do update set bq_sync_sequence = excluded.bq_sync_sequence"
        " where bq_sync_sequence <= ?3");
    bool ok = buffer_check(&find, "statement", err) && buffer_check(&write, "statement", err) &&
              write_difference(
                  database, publication,
                  &(struct difference){buffer_text(&find), buffer_text(&write)}, err);
    buffer_clear(&find);
    buffer_clear(&write);
    return ok;
}

/* Keys that were listed as rejected and no longer are become ordinary changes of this pass, which
 * are deleted when it is acknowledged. Until then a crash must not lose them. */
static bool release_fixed(
    struct database *database, const struct publication *publication, struct error *err)
{
    const struct table *table = publication->table;
    struct buffer find, write;

    buffer_init(&find, SQLITE_SQL_CEILING);
    buffer_init(&write, SQLITE_SQL_CEILING);
    sqlite_sql_expand(
        &find, table,
        "select $k from $d where bq_sync_sequence = " CAPTURE_SEQUENCE_REJECTED_SQL
        " and not exists (select 1 from " COLLECTION " where ");
    append_same_key(&find, table);
    buffer_append_byte(&find, ')');
    sqlite_sql_expand(
        &write, table,
        "update $d set bq_sync_sequence = ?3 where bq_sync_sequence "
        "= " CAPTURE_SEQUENCE_REJECTED_SQL " and ($k) in (select $k from " WORK
        " where rowid between ?4 and ?5)");
    bool ok = buffer_check(&find, "statement", err) && buffer_check(&write, "statement", err) &&
              write_difference(
                  database, publication,
                  &(struct difference){buffer_text(&find), buffer_text(&write)}, err);
    buffer_clear(&find);
    buffer_clear(&write);
    return ok;
}

bool rejects_publish(
    struct tracking *tracking, const struct table *table, const struct rejects_pass *pass,
    bool *out_changed, struct error *err)
{
    struct database *database = &tracking->database;
    char now[CLOCK_TEXT_SIZE];
    bool has_dirty_set = false;
    const struct publication publication = {
        .table = table,
        .sequence = pass->sequence,
        .now = clock_format(pass->now_us, now),
        .changed = out_changed,
    };

    *out_changed = false;

    bool ok = capture_objects_has_dirty_set(database, table->name, &has_dirty_set, err) &&
              publish_values(database, &publication, err);
    if (ok && pass->by == CAPTURE_TRIGGERS && has_dirty_set && table->key_count > 0)
        ok = (table->mode == SEND_REPLACE || list_rejected(database, &publication, err)) &&
             release_fixed(database, &publication, err);
    return ok || error_wrap(err, "rejected rows of %s", table->name);
}

/* --- reading ----------------------------------------------------------------------------- */

const char *rejects_reason_without_key(const char *reason)
{
    return strncmp(reason, REJECTS_OTHER_ROW, strlen(REJECTS_OTHER_ROW)) == 0
               ? "and that of another row" REJECTS_ONE_KEY
               : reason;
}

static void show_reason(sqlite3_stmt *statement, char *out_reason, size_t size)
{
    const char *reason = statement_borrow_text(statement, 2);

    text_format(
        out_reason, size, "%s: %s value %s", statement_borrow_text(statement, 0),
        statement_borrow_text(statement, 1), rejects_reason_without_key(reason));
}

bool rejects_first_reason(
    struct tracking *tracking, const char *table, char *out_reason, size_t size, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    out_reason[0] = '\0';
    if (!database_has_table(&tracking->database, "bq_sync_rejects", &row, err))
        return false;
    if (!row)
        return true;
    if (!statement_bind(
            &tracking->database,
            "select column_name, storage_class, reason"
            " from bq_sync_rejects where table_name = ?1 order by key_json, column_name limit 1",
            &statement, err, "s", table))
        return false;
    bool ok = database_step(&tracking->database, statement, &row, err);
    if (ok && row) {
        show_reason(statement, out_reason, size);
        ok = statement_check(&tracking->database, err);
    }
    sqlite3_finalize(statement);
    return ok;
}

/* What sql counts for a table; 0 before the first sync. */
static bool count(
    struct tracking *tracking, const char *sql, const char *table, int64_t *out_rows,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;

    *out_rows = 0;
    if (!database_has_table(&tracking->database, "bq_sync_rejects", &row, err))
        return false;
    if (!row)
        return true;
    if (!statement_keep(&tracking->database, sql, &statement, err, "s", table))
        return false;
    bool ok = database_step(&tracking->database, statement, &row, err);
    if (ok)
        *out_rows = sqlite3_column_int64(statement, 0);
    database_give_back(statement);
    return ok;
}

bool rejects_count(
    struct tracking *tracking, const char *table, int64_t *out_rows, struct error *err)
{
    return count(
        tracking, "select count(distinct key_json) from bq_sync_rejects where table_name = ?1",
        table, out_rows, err);
}

bool rejects_count_listed(
    struct tracking *tracking, const char *table, int64_t *out_rows, struct error *err)
{
    return count(
               tracking,
               "select count(distinct key_json) from bq_sync_rejects where table_name = ?1"
               " and not exists (select 1 from json_each(key_json) where type = 'null')",
               table, out_rows, err) ||
           error_wrap(err, "rejected rows of %s", table);
}

static struct reject read_reject(sqlite3_stmt *statement)
{
    return (struct reject){
        .table = statement_borrow_text(statement, 0),
        .key_json = statement_borrow_text(statement, 1),
        .column = statement_borrow_text(statement, 2),
        .storage_class = statement_borrow_text(statement, 3),
        .reason = statement_borrow_text(statement, 4),
        .since = statement_borrow_text(statement, 5),
    };
}

bool rejects_each_after(
    struct tracking *tracking, const char *table_or_null, const struct reject_place *after,
    bool (*visit)(void *context, const struct reject *reject), void *context, struct error *err)
{
    static const char one_table[] =
        "select table_name, key_json, column_name, storage_class, reason, since"
        " from bq_sync_rejects where table_name = ?1 and (key_json, column_name) > (?3, ?4)"
        " order by key_json, column_name";
    static const char all_tables[] =
        "select table_name, key_json, column_name, storage_class, reason, since"
        " from bq_sync_rejects where (table_name, key_json, column_name) > (?2, ?3, ?4)"
        " order by table_name, key_json, column_name";
    static const struct reject_place first = {"", "", ""};
    const struct reject_place *from = after == NULL ? &first : after;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!database_has_table(&tracking->database, "bq_sync_rejects", &row, err))
        return false;
    if (!row)
        return true;
    if (!statement_bind(
            &tracking->database, table_or_null != NULL ? one_table : all_tables, &statement, err,
            "ssss", table_or_null, from->table, from->key_json, from->column))
        return false;
    for (;;) {
        if (!database_step(&tracking->database, statement, &row, err))
            goto cleanup;
        struct reject reject = row ? read_reject(statement) : (struct reject){0};
        if (!row || !visit(context, &reject))
            break;
    }
    ok = statement_check(&tracking->database, err);

cleanup:
    sqlite3_finalize(statement);
    return ok;
}

bool rejects_each(
    struct tracking *tracking, const char *table_or_null,
    bool (*visit)(void *context, const struct reject *reject), void *context, struct error *err)
{
    return rejects_each_after(tracking, table_or_null, NULL, visit, context, err);
}
