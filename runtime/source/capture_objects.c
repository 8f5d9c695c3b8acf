#include "source/capture_objects.h"

#include "base/buffer.h"
#include "source/sqlite_sql.h"
#include "source/sqlite_token.h"
#include "source/statement.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void capture_objects_clear(struct object_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].table);
        free(list->items[i].sql);
    }
    free(list->items);
    *list = (struct object_list){0};
}

static bool add_object(struct object_list *list, sqlite3_stmt *statement, struct error *err)
{
    struct object *items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (items == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory listing triggers");
    list->items = items;
    struct object *item = &items[list->count++];
    *item = (struct object){
        .trigger = sqlite3_column_int(statement, 0) == 1,
        .name = strdup(statement_borrow_text(statement, 1)),
        .table = strdup(statement_borrow_text(statement, 2)),
        .sql = strdup(statement_borrow_text(statement, 3)),
    };
    if (item->name == NULL || item->table == NULL || item->sql == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory listing triggers");
    return true;
}

/* Whether this is the rest of the table's name in quotes, up to the closing one. */
static bool is_rest_of_quoted(const char *rest, const char *table)
{
    for (; *table != '\0'; table++, rest++) {
        if (tolower((unsigned char)*rest) != tolower((unsigned char)*table))
            return false;
        if (*table == '"' && *++rest != '"')
            return false;
    }
    return rest[0] == '"' && rest[1] != '"';
}

bool capture_objects_owns_trigger(const char *table, const char *trigger, const char *sql)
{
    static const char dirty_set[] = "\"" SQLITE_SQL_DIRTY_PREFIX;

    // Each name has the table's in it, and names are short.
    if (strcasestr(trigger, table) == NULL)
        return false;
    for (const char *at = strcasestr(sql, dirty_set); at != NULL;
         at = strcasestr(at + 1, dirty_set))
        if (is_rest_of_quoted(at + strlen(dirty_set), table))
            return true;
    return false;
}

/* The query below selects the dirty set by its name, but every trigger of ours. */
static bool is_of_table(const char *table, sqlite3_stmt *object)
{
    return sqlite3_column_int(object, 0) == 0 ||
           strcasecmp(statement_borrow_text(object, 2), table) == 0 ||
           capture_objects_owns_trigger(
               table, statement_borrow_text(object, 1), statement_borrow_text(object, 3));
}

bool capture_objects_actual(
    struct database *source, const char *table, struct object_list *out_list, struct error *err)
{
    struct object_list list = {0};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!statement_bind(
            source,
            "select type = 'trigger', name, tbl_name, sql from sqlite_master"
            " where (type = 'trigger' and name like 'bq\\_sync\\_%' escape '\\')"
            " or (type = 'table' and lower(name) = lower('bq_sync_dirty_' || ?1))"
            " order by 1, 2",
            &statement, err, "s", table))
        goto cleanup;
    for (;;) {
        if (!database_step(source, statement, &row, err))
            goto cleanup;
        if (!row)
            break;
        if (is_of_table(table, statement) && !add_object(&list, statement, err))
            goto cleanup;
    }
    *out_list = list;
    list = (struct object_list){0};
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    capture_objects_clear(&list);
    return ok;
}

/* The end of the statement that starts at sql, behind its semicolon; those within a trigger do not
 * end it. NULL if there is no memory. */
static const char *statement_end(const char *sql)
{
    for (const char *at = strchr(sql, ';'); at != NULL; at = strchr(at + 1, ';')) {
        char *head = strndup(sql, (size_t)(at - sql) + 1);
        if (head == NULL)
            return NULL;
        bool complete = sqlite3_complete(head) != 0;
        free(head);
        if (complete)
            return at + 1;
    }
    return sql + strlen(sql);
}

/* A name as it stands in SQL, without its quotes. Returns owned. */
static char *plain_name(const char *quoted)
{
    char *name = strdup(quoted);
    size_t length = 0;

    if (name == NULL || quoted[0] != '"')
        return name;
    for (const char *at = quoted + 1; *at != '\0'; at++) {
        if (*at == '"' && *++at != '"')
            break;
        name[length++] = *at;
    }
    name[length] = '\0';
    return name;
}

/* Adds what SQLite stores for one statement of ours: "CREATE TABLE" or "CREATE TRIGGER" in
 * capitals, then the statement's own text from the name on. */
static bool add_expected(
    const struct table *table, const char *sql, size_t length, struct object_list *list,
    struct error *err)
{
    static const char *const heads[] = {
        "create table if not exists ", "create trigger if not exists "};
    struct object *items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (items == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory listing triggers");
    list->items = items;
    bool trigger = strncmp(sql, heads[1], strlen(heads[1])) == 0;
    assert(trigger || strncmp(sql, heads[0], strlen(heads[0])) == 0);
    const char *name = sql + strlen(heads[trigger]);
    struct object object = {.trigger = trigger, .name = plain_name(name)};
    if (asprintf(
            &object.sql, "CREATE %s %.*s", trigger ? "TRIGGER" : "TABLE",
            (int)(length - (size_t)(name - sql)), name) < 0)
        object.sql = NULL;
    object.table = strdup(trigger || object.name == NULL ? table->name : object.name);
    list->items[list->count++] = object;
    if (object.name == NULL || object.sql == NULL || object.table == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory listing triggers");
    return true;
}

static int compare_objects(const void *a, const void *b)
{
    const struct object *left = a;
    const struct object *right = b;

    if (left->trigger != right->trigger)
        return left->trigger - right->trigger;
    return strcmp(left->name, right->name);
}

static bool add_statements(
    const struct table *table, const char *sql, struct object_list *list, struct error *err)
{
    for (;;) {
        sql += strspn(sql, " \t\r\n");
        if (*sql == '\0')
            return true;
        const char *end = statement_end(sql);
        if (end == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory listing triggers");
        const char *last = end;
        while (last > sql && strchr("; \t\r\n", last[-1]) != NULL)
            last--;
        if (!add_expected(table, sql, (size_t)(last - sql), list, err))
            return false;
        sql = end;
    }
}

bool capture_objects_expected(
    const struct table *table, const char *guards_sql, struct object_list *out_list,
    struct error *err)
{
    struct object_list list = {0};

    if (!add_statements(table, table->capture_install_sql, &list, err) ||
        !add_statements(table, guards_sql, &list, err)) {
        capture_objects_clear(&list);
        return false;
    }
    qsort(list.items, list.count, sizeof *list.items, compare_objects);
    *out_list = list;
    return true;
}

/* A walk over a statement that skips white space outside of quotes and the quotes of plain names.
 */
struct reader {
    const char *at;
    char quote; /* of the text or name that the walk is inside of; '\0' outside */
    bool plain; /* that name is plain, so its quotes are skipped */
};

static bool is_plain_name(const char *quoted)
{
    const char *at = quoted + 1;

    if (!isalpha((unsigned char)*at) && *at != '_')
        return false;
    while (isalnum((unsigned char)*at) || *at == '_')
        at++;
    return *at == '"';
}

/* The next character that matters, '\0' at the end. */
static char next_character(struct reader *reader)
{
    for (;;) {
        char character = *reader->at;
        if (character == '\0')
            return '\0';
        reader->at++;
        if (reader->quote != '\0') {
            if (character != reader->quote)
                return character;
            reader->quote = '\0';
            if (!reader->plain)
                return character;
        } else if (character == '\'' || character == '"') {
            reader->quote = character;
            reader->plain = character == '"' && is_plain_name(reader->at - 1);
            if (!reader->plain)
                return character;
        } else if (!isspace((unsigned char)character)) {
            return character;
        }
    }
}

static bool same_sql(const char *a, const char *b)
{
    struct reader left = {.at = a};
    struct reader right = {.at = b};

    for (;;) {
        char character = next_character(&left);
        if (character != next_character(&right))
            return false;
        if (character == '\0')
            return true;
    }
}

/* The text of a trigger without "of ..." behind its event; owned, NULL if there is none, or no
 * memory. */
static char *without_update_of(const char *sql)
{
    const char *place = sql;
    const char *of = NULL;
    char *text = NULL;

    for (;;) {
        const char *start = place;
        struct token token = sqlite_token_next(&place);
        // In front of BEGIN, OF and ON stand only around the list: no name of ours is one of them.
        if (token.kind == TOKEN_END || sqlite_token_is(&token, TOKEN_WORD, "begin"))
            return NULL;
        if (of != NULL && sqlite_token_is(&token, TOKEN_WORD, "on"))
            return asprintf(&text, "%.*s%s", (int)(of - sql), sql, start) < 0 ? NULL : text;
        if (of == NULL && sqlite_token_is(&token, TOKEN_WORD, "of"))
            of = start;
    }
}

/* Whether a trigger does what the expected one does. One that fires for every UPDATE, as those of
 * earlier versions do, misses nothing that UPDATE OF would find. */
static bool serves_as(const struct object *actual, const struct object *expected)
{
    if (same_sql(actual->sql, expected->sql))
        return true;
    char *text = expected->trigger ? without_update_of(expected->sql) : NULL;
    bool serves = text != NULL && same_sql(actual->sql, text);
    free(text);
    return serves;
}

bool capture_objects_serve(const struct object_list *actual, const struct object_list *expected)
{
    if (actual->count != expected->count)
        return false;
    for (size_t i = 0; i < actual->count; i++) {
        const struct object *left = &actual->items[i];
        const struct object *right = &expected->items[i];
        if (left->trigger != right->trigger || strcasecmp(left->name, right->name) != 0 ||
            strcasecmp(left->table, right->table) != 0 || !serves_as(left, right))
            return false;
    }
    return true;
}

bool capture_objects_has_counter(
    struct database *source, const char *table, bool *out_exists, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!database_has_table(source, "bq_sync_capture", out_exists, err))
        return false;
    if (!*out_exists)
        return true;
    if (!statement_keep(
            source, "select 1 from bq_sync_capture where table_name = ?1", &statement, err, "s",
            table))
        return false;
    bool ok = database_step(source, statement, out_exists, err);
    database_give_back(statement);
    return ok;
}

bool capture_objects_state(
    const struct source_table *in, const char *guards_sql, enum capture_state *out_state,
    struct error *err)
{
    const char *table = in->table->name;
    struct object_list expected = {0};
    struct object_list actual = {0};
    bool known = false;

    if (!capture_objects_has_counter(in->source, table, &known, err) ||
        !capture_objects_actual(in->source, table, &actual, err))
        return false;
    if (!known && actual.count == 0) {
        *out_state = CAPTURE_ABSENT;
        return true;
    }
    bool ok = capture_objects_expected(in->table, guards_sql, &expected, err);
    bool intact =
        known && in->shape->why_scan[0] == '\0' && capture_objects_serve(&actual, &expected);
    *out_state = intact ? CAPTURE_INTACT : CAPTURE_INTERRUPTED;
    capture_objects_clear(&expected);
    capture_objects_clear(&actual);
    return ok;
}

bool capture_objects_has_dirty_set(
    struct database *source, const char *table, bool *out_exists, struct error *err)
{
    char *name = sqlite3_mprintf(SQLITE_SQL_DIRTY_PREFIX "%s", table);

    if (name == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    bool ok = database_has_table(source, name, out_exists, err);
    sqlite3_free(name);
    return ok;
}

bool capture_objects_remove_counters(struct database *source, struct error *err)
{
    bool exists = false;
    int64_t users = 0;

    if (!database_has_table(source, "bq_sync_capture", &exists, err))
        return false;
    if (!exists)
        return true;
    if (!database_query_int64(
            source,
            "select (select count(*) from bq_sync_capture) + (select count(*) from sqlite_master"
            " where type = 'trigger' and sql like '%bq\\_sync\\_capture%' escape '\\')",
            0, &users, err))
        return false;
    return users > 0 || database_exec(source, "drop table bq_sync_capture", err);
}
