/* support: what the tests of source share: databases that vanish with the test, table descriptors
 * with the capture SQL that the generator makes, and shorthands for statements. */
#ifndef BQSYNC_TESTS_SOURCE_SUPPORT_H
#define BQSYNC_TESTS_SOURCE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/database.h"
#include "source/statement.h"
#include "source/tracking.h"
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The error that expect_ok and expect_error look at. */
static struct error err;

/* A fresh folder; remove_folder deletes it with the files in it. */
struct folder {
    char path[64];
};

static inline struct folder make_folder(void)
{
    struct folder folder = {"/tmp/bqsync-test-XXXXXX"};

    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static inline char *path_in(const struct folder *folder, const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    return path;
}

static inline void remove_folder(const struct folder *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder->path);
    assert_int_equal(system(command), 0);
}

static inline int64_t query_int(struct database *database, const char *sql)
{
    int64_t value = 0;

    expect_ok(database_query_int64(database, sql, INT64_MIN, &value, &err));
    return value;
}

/* The first column of the first row as text, in bytes that the next call overwrites. */
static inline const char *query_text(struct database *database, const char *sql)
{
    static char text[1 << 15];
    sqlite3_stmt *statement = NULL;
    bool row = false;

    expect_ok(database_prepare(database, sql, &statement, &err));
    expect_ok(database_step(database, statement, &row, &err));
    text[0] = '\0';
    if (row)
        statement_text(statement, 0, text, sizeof text);
    sqlite3_finalize(statement);
    return text;
}

static inline void run(struct database *database, const char *sql)
{
    expect_ok(database_exec(database, sql, &err));
}

/* A descriptor built at run time, with all that it points to. */
struct fixture {
    struct table table;
    struct column columns[8];
    size_t key[8];
    char *texts[4];
};

static inline void append_key_list(
    struct buffer *out, const struct fixture *fixture, const char *format, const char *between)
{
    for (size_t i = 0; i < fixture->table.key_count; i++) {
        if (i > 0)
            buffer_append_text(out, between);
        for (const char *at = format; *at != '\0'; at++) {
            if (*at == '#')
                buffer_printf(out, "%zu", i + 1);
            else if (*at == '@')
                buffer_append_text(out, fixture->columns[fixture->key[i]].source);
            else
                buffer_append_byte(out, (uint8_t)*at);
        }
    }
}

/* row: the one whose key is noted, "new" or "old". */
static inline void append_trigger_sql(
    struct buffer *out, const struct fixture *fixture, const char *name, const char *event,
    const char *row)
{
    const char *table = fixture->table.name;
    const char *key = fixture->columns[fixture->key[0]].source;
    bool new_row = strcmp(row, "new") == 0;
    bool watermark = fixture->table.new_rows_sql != NULL;

    buffer_printf(
        out, "create trigger if not exists \"bq_sync_%s_%s\"\nafter %s on \"%s\"\n", table, name,
        event, table);
    if (strcmp(name, "rekey") == 0) {
        buffer_append_text(out, "when ");
        append_key_list(out, fixture, "new.\"@\" collate binary is not old.\"@\"", " or ");
    } else if (strcmp(name, "insert") == 0 && watermark) {
        buffer_printf(
            out,
            "when exists (select 1 from bq_sync_capture where table_name = '%s'"
            " and (new.\"%s\" > watermark) is not true)",
            table, key);
    }
    buffer_printf(out, "\nbegin\ninsert into \"bq_sync_dirty_%s\" (", table);
    append_key_list(out, fixture, "bq_sync_key_#", ", ");
    buffer_append_text(out, ", bq_sync_sequence) select ");
    append_key_list(out, fixture, new_row ? "new.\"@\"" : "old.\"@\"", ", ");
    buffer_printf(out, ", sequence from bq_sync_capture where table_name = '%s' and ", table);
    append_key_list(
        out, fixture, new_row ? "new.\"@\" is not null" : "old.\"@\" is not null", " and ");
    if (watermark && strcmp(name, "insert") != 0)
        buffer_printf(out, " and (%s.\"%s\" > watermark) is not true", row, key);
    buffer_append_text(out, " on conflict (");
    append_key_list(out, fixture, "bq_sync_key_#", ", ");
    buffer_append_text(
        out, ") do update set bq_sync_sequence = excluded.bq_sync_sequence"
             " where bq_sync_sequence <> excluded.bq_sync_sequence;\nend;\n");
}

/* The capture SQL as the generator makes it; test_capture compares the two. */
static inline char *make_install_sql(const struct fixture *fixture)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    buffer_printf(&out, "create table if not exists \"bq_sync_dirty_%s\" (", fixture->table.name);
    append_key_list(&out, fixture, "bq_sync_key_# not null on conflict ignore", ", ");
    buffer_append_text(&out, ", bq_sync_sequence integer, primary key (");
    append_key_list(&out, fixture, "bq_sync_key_#", ", ");
    buffer_append_text(&out, ")) without rowid;\n");
    append_trigger_sql(&out, fixture, "insert", "insert", "new");
    append_trigger_sql(&out, fixture, "update", "update", "old");
    append_trigger_sql(&out, fixture, "rekey", "update", "new");
    append_trigger_sql(&out, fixture, "delete", "delete", "old");
    return buffer_take(&out);
}

static inline void append_columns(struct buffer *out, const struct fixture *fixture, bool dirty)
{
    for (size_t i = 0; i < fixture->table.column_count; i++) {
        buffer_append_text(out, i > 0 ? ", " : "");
        size_t number = 0;
        for (size_t k = 0; dirty && k < fixture->table.key_count; k++)
            number = fixture->key[k] == i ? k + 1 : number;
        if (number > 0)
            buffer_printf(out, "d.bq_sync_key_%zu", number);
        else
            buffer_printf(out, "\"%s\".\"%s\"", fixture->table.name, fixture->columns[i].source);
    }
}

static inline char *make_scan_sql(const struct fixture *fixture, const char *where)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    buffer_append_text(&out, "select ");
    append_columns(&out, fixture, false);
    buffer_printf(&out, " from \"%s\"%s", fixture->table.name, where);
    return buffer_take(&out);
}

static inline char *make_changes_sql(const struct fixture *fixture)
{
    const char *table = fixture->table.name;
    struct buffer out;

    buffer_init(&out, 1 << 20);
    buffer_append_text(&out, "select ");
    append_columns(&out, fixture, true);
    buffer_printf(
        &out, ", \"%s\".\"%s\" is null from \"bq_sync_dirty_%s\" as d left join \"%s\" on ", table,
        fixture->columns[fixture->key[0]].source, table, table);
    append_key_list(
        &out, fixture, "@ = d.bq_sync_key_# and @ collate binary = d.bq_sync_key_#", " and ");
    buffer_append_text(&out, " where d.bq_sync_sequence > ?1");
    if (fixture->table.new_rows_sql != NULL)
        buffer_append_text(&out, " and (d.bq_sync_key_1 > ?2) is not true");
    return buffer_take(&out);
}

/* names: the columns, ", " between, those of the key first. integer: the key is one INT64 column.
 */
static inline struct fixture *make_fixture(
    const char *table, const char *names, size_t key_count, bool integer)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char *copy = strdup(names);
    char *rest = copy;

    assert_non_null(fixture);
    fixture->texts[0] = copy;
    fixture->table = (struct table){
        .name = table,
        .target = table,
        .mode = SEND_MERGE,
        .columns = fixture->columns,
        .key = fixture->key,
        .key_count = key_count,
        .content_hash = "00000000c0de",
        .shape_hash = "00000000face",
    };
    for (char *name; (name = strtok_r(rest, ", ", &rest)) != NULL;) {
        size_t i = fixture->table.column_count++;
        fixture->columns[i] = (struct column){
            .name = name,
            .source = name,
            .type = integer && i == 0 ? COLUMN_INT64 : COLUMN_STRING,
            .key = i < key_count,
            .required = i < key_count,
        };
        fixture->key[i] = i;
    }
    char where[128];
    snprintf(where, sizeof where, " where \"%s\".\"%s\" > ?1", table, fixture->columns[0].source);
    fixture->table.new_rows_sql =
        integer ? fixture->texts[1] = make_scan_sql(fixture, where) : NULL;
    fixture->table.changes_sql = fixture->texts[2] = make_changes_sql(fixture);
    fixture->table.capture_install_sql = fixture->texts[3] = make_install_sql(fixture);
    return fixture;
}

static inline void free_fixture(struct fixture *fixture)
{
    for (int i = 0; i < 4; i++)
        free(fixture->texts[i]);
    free(fixture);
}

#endif
