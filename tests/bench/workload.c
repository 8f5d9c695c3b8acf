/* workload: one piece of the product on fixed data, for counting its instructions.
 *
 *     workload compiler                         what it was compiled with, and SQLite's version
 *     workload utf8|time|reader|encoder
 *
 * The counter (instructions.py) counts between entry and exit of the functions measure_*. */
#include "base/table.h"
#include "chat_history.h"
#include "encode/avro.h"
#include "encode/civil.h"
#include "encode/column.h"
#include "encode/column_reader.h"
#include "encode/text.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1000

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif
#ifdef __OPTIMIZE__
#define OPTIMISED "optimised"
#else
#define OPTIMISED "not optimised"
#endif

/* Not inlined, so that the counter finds it. */
#define MEASURED __attribute__((noinline, used))

static const char *const messages[] = {
    "Could you explain once more why the loop ends before the last element is printed?",
    "for i in range(10):\n    print(i)  # 0 to 9\n",
    "\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87, "
    "\xe0\xa4\x95\xe0\xa5\x8d\xe0\xa4\xaf\xe0\xa4\xbe this is na\xc3\xafve \xf0\x9f\x99\x82?",
    "ok",
};
static const char *const times[] = {
    "2024-02-29 12:30:45",
    "2025-11-03T08:15:00.123456Z",
    "2023-07-14 23:59:59.999+05:30",
    "2026-01-01",
};
#define KINDS 4

static void die(const char *why)
{
    fprintf(stderr, "workload: %s\n", why);
    exit(1);
}

MEASURED static void measure_utf8(struct slice text)
{
    if (text_check(text) != NULL)
        die("a message is not valid UTF-8");
}

MEASURED static void measure_time(struct slice text)
{
    const struct civil_rules plain = {.zone = NULL};
    int64_t us;

    if (civil_timestamp_of_text(text, &plain, &us) != NULL)
        die("a time is not valid");
}

MEASURED static void measure_reader(
    const struct table *table, struct column_reader *reader, void *values)
{
    column_reader_next(reader, false);
    table->read(reader, values);
    if (!column_reader_row_fits(reader))
        die("a row does not fit");
}

MEASURED static void measure_encoder(
    const struct table *table, struct avro_writer *writer, const void *values)
{
    buffer_reset(writer->out);
    writer->field = 0;
    table->encode(writer, values);
}

/* As many rows as ROWS, in memory; the four messages and times take turns. */
static sqlite3_stmt *open_rows(sqlite3 *db, const struct table *table)
{
    sqlite3_stmt *insert;
    sqlite3_stmt *rows;

    if (sqlite3_exec(
            db,
            "create table chat_history(id integer primary key, user_id, question_id, task_id,"
            " role text, content text, response_type text, created_at, updated_at, deleted_at)",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(
            db,
            "insert into chat_history values(?1, ?1 * 7, ?1 * 3, null, 'user', ?2, 'text', ?3, ?3, "
            "null)",
            -1, &insert, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    for (int i = 0; i < ROWS; i++) {
        sqlite3_bind_int(insert, 1, i + 1);
        sqlite3_bind_text(insert, 2, messages[i % KINDS], -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, times[i % KINDS], -1, SQLITE_STATIC);
        sqlite3_step(insert);
        if (sqlite3_reset(insert) != SQLITE_OK)
            die(sqlite3_errmsg(db));
    }
    sqlite3_finalize(insert);
    if (sqlite3_prepare_v2(db, table->scan_sql, -1, &rows, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    return rows;
}

/* Reads and encodes every row; the counter counts one of the two. */
static void run_rows(void)
{
    const struct table *table = &chat_history_table;
    bool nullable[64] = {false};
    struct column_reader reader;
    struct buffer row;
    struct error err;
    sqlite3 *db;
    void *values = malloc(table->row_size);

    if (values == NULL || sqlite3_open(":memory:", &db) != SQLITE_OK)
        die("out of memory");
    for (size_t i = 0; i < table->column_count; i++)
        nullable[i] = !table->columns[i].required;
    buffer_init(&row, 1 << 20);
    struct avro_writer writer = {.out = &row, .nullable = nullable};
    sqlite3_stmt *rows = open_rows(db, table);
    if (!column_reader_init(&reader, table, rows, &err))
        die(err.message);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        measure_reader(table, &reader, values);
        measure_encoder(table, &writer, values);
    }
    column_reader_clear(&reader);
    buffer_clear(&row);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    free(values);
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (strcmp(what, "compiler") == 0) {
        printf("%s, %s, SQLite %s\n", COMPILER, OPTIMISED, sqlite3_libversion());
    } else if (strcmp(what, "utf8") == 0) {
        for (int i = 0; i < ROWS; i++)
            measure_utf8(slice_of(messages[i % KINDS]));
    } else if (strcmp(what, "time") == 0) {
        for (int i = 0; i < ROWS; i++)
            measure_time(slice_of(times[i % KINDS]));
    } else if (strcmp(what, "reader") == 0 || strcmp(what, "encoder") == 0) {
        run_rows();
    } else {
        fprintf(stderr, "usage: workload compiler|utf8|time|reader|encoder\n");
        return 2;
    }
    return 0;
}
