/* Filters of partial indexes, judged by SQLite: one that is inert by capture_filter prepares, calls
 * nothing, never fails, and chooses the same rows as the index does. And the tokens of a statement,
 * put together again with blanks between, are the same statement: SQLite compiles both alike. */
#include "fuzz/fuzz.h"

#include "base/buffer.h"
#include "source/capture_filter.h"
#include "source/sqlite_token.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "the table"

static const char *const columns[] = {"a", "b c", "true", "x\"y", "d]"};

#define COLUMNS (sizeof columns / sizeof columns[0])

static const char setup[] =
    "create table \"" TABLE
    "\"(id integer primary key, a, \"b c\", \"true\", \"x\"\"y\", \"d]\", g as (a+1));"
    "insert into \"" TABLE "\" values(1, 1, 'x', 0, x'00', null);"
    "insert into \"" TABLE "\" values(2, null, 'é', 1, 2.5, 'y');"
    "insert into \"" TABLE "\" values(3, 'a', null, 'true', '', -1);"
    "insert into \"" TABLE "\" values(4, -9223372036854775808, 1e308, null, '1', x'61');";

static sqlite3 *db;

static bool calls_function;

/* SQLite asks before it compiles a call. */
static int authorize(
    void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)context, (void)a, (void)b, (void)c, (void)d;
    calls_function = calls_function || action == SQLITE_FUNCTION || action == SQLITE_SELECT;
    return SQLITE_OK;
}

static void open_database(void)
{
    FUZZ_REQUIRE(
        sqlite3_open(":memory:", &db) == SQLITE_OK &&
            sqlite3_exec(db, setup, NULL, NULL, NULL) == SQLITE_OK,
        "SQLite: %s", sqlite3_errmsg(db));
    sqlite3_set_authorizer(db, authorize, NULL);
}

/* Appends the first column of a query's rows, a line each; false if SQLite refuses it. */
static bool query(const char *sql, struct buffer *out)
{
    sqlite3_stmt *statement = NULL;
    int status = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    // No statement in a schema has parameters, and their tokens are not known.
    if (sqlite3_bind_parameter_count(statement) > 0)
        status = SQLITE_ERROR;
    while (status == SQLITE_OK || status == SQLITE_ROW) {
        status = sqlite3_step(statement);
        for (int i = 0; status == SQLITE_ROW && i < sqlite3_column_count(statement); i++)
            buffer_printf(out, "%s|", (const char *)sqlite3_column_text(statement, i));
    }
    sqlite3_finalize(statement);
    return status == SQLITE_DONE;
}

/* What SQLite compiles the statement to. */
static bool compile(const char *sql, struct buffer *out)
{
    struct buffer explain;

    buffer_init(&explain, 1 << 20);
    buffer_printf(&explain, "explain %s", sql);
    bool ok = query(buffer_text(&explain), out);
    buffer_clear(&explain);
    return ok;
}

static void check_tokens(const char *sql)
{
    struct buffer joined;
    struct buffer before;
    struct buffer after;
    const char *at = sql;

    buffer_init(&joined, 1 << 20);
    buffer_init(&before, 1 << 24);
    buffer_init(&after, 1 << 24);
    for (;;) {
        struct token token = sqlite_token_next(&at);
        if (token.kind == TOKEN_END)
            break;
        FUZZ_REQUIRE(
            token.text.length > 0 && token.text.data + token.text.length == at, "an empty token");
        buffer_append_slice(&joined, token.text);
        buffer_append_text(&joined, " ");
    }
    FUZZ_REQUIRE(*at == '\0', "the end is not at the end");
    // What is made keeps its text, so that blanks show.
    if (sqlite3_strnicmp(joined.length == 0 ? "" : joined.data, "create", 6) != 0 &&
        compile(sql, &before)) {
        FUZZ_REQUIRE(
            compile(buffer_text(&joined), &after) &&
                slice_equals(buffer_slice(&before), buffer_slice(&after)),
            "\"%s\" is another statement than \"%s\"", buffer_text(&joined), sql);
    }
    buffer_clear(&joined);
    buffer_clear(&before);
    buffer_clear(&after);
}

/* The tokens of the filter where it chooses rows. */
static void check_select(const char *filter)
{
    struct buffer sql;

    buffer_init(&sql, 1 << 20);
    buffer_printf(&sql, "select id from \"" TABLE "\" where %s", filter);
    check_tokens(buffer_text(&sql));
    buffer_clear(&sql);
}

/* The statement as SQLite keeps it, owned; NULL if it refuses the filter. */
static char *create_index(const char *filter)
{
    struct buffer sql;
    struct buffer kept;
    char *text = NULL;

    buffer_init(&sql, 1 << 20);
    buffer_init(&kept, 1 << 20);
    buffer_printf(&sql, "create index i on \"" TABLE "\"(a, (length(\"b c\"))) where %s", filter);
    sqlite3_exec(db, "begin", NULL, NULL, NULL);
    if (sqlite3_exec(db, buffer_text(&sql), NULL, NULL, NULL) == SQLITE_OK &&
        query("select sql from sqlite_schema where name = 'i'", &kept) && kept.length > 0) {
        kept.length--; // the line behind the row
        text = buffer_take(&kept);
    }
    sqlite3_exec(db, "rollback", NULL, NULL, NULL);
    buffer_clear(&sql);
    buffer_clear(&kept);
    return text;
}

static void check_inert(const char *filter, const char *inert)
{
    struct buffer sql;
    struct buffer rows;
    struct buffer expected;

    buffer_init(&sql, 1 << 20);
    buffer_init(&rows, 1 << 20);
    buffer_init(&expected, 1 << 20);
    buffer_printf(&sql, "select id from \"" TABLE "\" where %s", filter);
    bool known = query(buffer_text(&sql), &expected);
    buffer_reset(&sql);
    buffer_printf(&sql, "update \"" TABLE "\" set a = a where %s", inert);
    calls_function = false;
    FUZZ_REQUIRE(compile(buffer_text(&sql), &rows), "%s: %s", sqlite3_errmsg(db), inert);
    FUZZ_REQUIRE(!calls_function, "a call in %s", inert);
    buffer_reset(&rows);
    buffer_reset(&sql);
    buffer_printf(&sql, "select id from \"" TABLE "\" where %s", inert);
    FUZZ_REQUIRE(query(buffer_text(&sql), &rows), "%s: %s", sqlite3_errmsg(db), inert);
    FUZZ_REQUIRE(
        !known || slice_equals(buffer_slice(&rows), buffer_slice(&expected)),
        "\"%s\" chooses other rows than \"%s\"", inert, filter);
    buffer_clear(&sql);
    buffer_clear(&rows);
    buffer_clear(&expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct capture_filter_names names = {TABLE, columns, COLUMNS};
    struct fuzz in = fuzz_of(data, size);
    char *filter = fuzz_rest_text(&in);
    struct buffer inert;
    bool used[COLUMNS] = {false};

    if (db == NULL)
        open_database();
    char *index_sql = create_index(filter);
    if (index_sql != NULL) {
        buffer_init(&inert, 1 << 20);
        check_select(filter);
        if (capture_filter_read(index_sql, &names, &inert, used))
            check_inert(filter, buffer_text(&inert));
        buffer_clear(&inert);
        free(index_sql);
    } else {
        check_tokens(filter);
    }
    free(filter);
    return 0;
}
