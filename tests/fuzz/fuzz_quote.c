/* Names and texts in statements for SQLite: SQLite reads each as what it was. And those for
 * GoogleSQL, read by the rules of its lexical structure ("Lexical structure and syntax"). */
#include "fuzz/fuzz.h"

#include "base/buffer.h"
#include "source/sqlite_sql.h"
#include "source/sqlite_token.h"
#include "warehouse/googlesql.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *db;

/* SQLite's reading of a name, as that of a result column, and of a text. */
static void check_sqlite(const char *text)
{
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    struct buffer name;

    buffer_init(&sql, 1 << 20);
    buffer_init(&name, 1 << 20);
    sqlite_sql_append(&sql, "select $t as $n, $t as $d", text, text, text, text);
    FUZZ_REQUIRE(
        sqlite3_prepare_v2(db, buffer_text(&sql), -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW,
        "%s: %s", sqlite3_errmsg(db), buffer_text(&sql));
    buffer_printf(&name, SQLITE_SQL_DIRTY_PREFIX "%s", text);
    FUZZ_REQUIRE(
        strcmp((const char *)sqlite3_column_text(statement, 0), text) == 0 &&
            strcmp(sqlite3_column_name(statement, 0), text) == 0 &&
            strcmp(sqlite3_column_name(statement, 1), buffer_text(&name)) == 0,
        "SQLite reads %s otherwise", buffer_text(&sql));
    sqlite3_finalize(statement);
    buffer_reset(&sql);
    sqlite_sql_append(&sql, "$n", text);
    const char *at = buffer_text(&sql);
    struct token token = sqlite_token_next(&at);
    char *read = sqlite_token_name(&token);
    FUZZ_REQUIRE(
        *at == '\0' && read != NULL && strcmp(read, text) == 0 &&
            sqlite_token_is_name(&token, text),
        "the token %s is read otherwise", buffer_text(&sql));
    free(read);
    buffer_clear(&sql);
    buffer_clear(&name);
}

/* Reads what stands between two quotes: no quote, no end of a line, and only escapes that exist. */
static void check_google(const char *text, const char *sql, char quote)
{
    struct buffer read;
    const char *at = sql + 1;

    buffer_init(&read, 1 << 20);
    FUZZ_REQUIRE(*sql == quote, "%s", sql);
    for (; *at != quote; at++) {
        char hex[3] = {0};
        FUZZ_REQUIRE(*at != '\0' && *at != '\n' && *at != '\r', "%s ends too soon", sql);
        if (*at != '\\') {
            buffer_append_byte(&read, (uint8_t)*at);
            continue;
        }
        switch (*++at) {
        case 'n':
            buffer_append_byte(&read, '\n');
            break;
        case 'x':
            memcpy(hex, at + 1, 2);
            FUZZ_REQUIRE(strspn(hex, "0123456789abcdefABCDEF") == 2, "%s", sql);
            buffer_append_byte(&read, (uint8_t)strtol(hex, NULL, 16));
            at += 2;
            break;
        default:
            FUZZ_REQUIRE(*at != '\0' && strchr("\\`\"'?", *at) != NULL, "%s", sql);
            buffer_append_byte(&read, (uint8_t)*at);
        }
    }
    FUZZ_REQUIRE(
        at[1] == '\0' && strcmp(buffer_text(&read), text) == 0, "%s is read otherwise", sql);
    buffer_clear(&read);
}

static void check_googlesql(const char *text)
{
    static const char template[] = "select * from `${project}.x` -- ${other} ${";
    struct buffer sql;

    buffer_init(&sql, 1 << 20);
    googlesql_identifier(&sql, text);
    check_google(text, buffer_text(&sql), '`');
    buffer_reset(&sql);
    googlesql_string(&sql, text);
    check_google(text, buffer_text(&sql), '"');
    // A placeholder in the value is no placeholder.
    buffer_reset(&sql);
    googlesql_render(&sql, slice_of(template), text, "d", NULL);
    const char *start = strchr(buffer_text(&sql), '`');
    static const char end[] = ".x` -- ${other} ${";
    FUZZ_REQUIRE(
        start != NULL && sql.length >= sizeof end &&
            strcmp(sql.data + sql.length - (sizeof end - 1), end) == 0,
        "%s", buffer_text(&sql));
    sql.length -= sizeof end - 1;
    buffer_append_byte(&sql, '`');
    check_google(text, strchr(buffer_text(&sql), '`'), '`');
    buffer_clear(&sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    char *text = fuzz_rest_text(&in);

    if (db == NULL)
        FUZZ_REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK, "SQLite does not open");
    check_sqlite(text);
    check_googlesql(text);
    free(text);
    return 0;
}
