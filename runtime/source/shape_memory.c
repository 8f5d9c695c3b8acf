#include "source/shape_memory.h"

#include "base/build_id.h"
#include "source/capture_objects.h"
#include "source/siphash.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hash in hex, what follows from the schema in numbers, and the layout. */
#define ENTRY_SIZE  64
#define HASH_DIGITS 32

/* Not a secret: somebody who can craft a schema can also drop the triggers. */
static const unsigned char hash_key[SIPHASH_KEY_SIZE] = "bqsync's schema";

/* Texts are hashed with their ends, so that none runs into the next. */
static void add_text(struct siphash *hash, const char *text)
{
    siphash_update(hash, text, strlen(text) + 1);
}

/* Scans make and rename tables of bqsync's own, at which no inspection looks. */
static bool is_looked_at(const char *type, const char *table)
{
    return strcmp(type, "trigger") == 0 || strncmp(table, "bq_sync_", 8) != 0 ||
           strncmp(table, SQLITE_SQL_DIRTY_PREFIX, strlen(SQLITE_SQL_DIRTY_PREFIX)) == 0;
}

/* In the order of the rows: which of two triggers is newer counts. */
static bool hash_schema(struct database *source, uint64_t out_hash[2], struct error *err)
{
    struct siphash hash;
    sqlite3_stmt *statement = NULL;
    bool row = true;

    siphash_init_128(&hash, hash_key);
    bool ok = database_keep(
        source, "select type, name, tbl_name, sql from sqlite_master order by rowid", &statement,
        err);
    while (ok && row) {
        ok = database_step(source, statement, &row, err);
        if (!ok || !row ||
            !is_looked_at(statement_borrow_text(statement, 0), statement_borrow_text(statement, 2)))
            continue;
        for (int i = 0; i < 4; i++)
            add_text(&hash, statement_borrow_text(statement, i));
    }
    database_give_back(statement);
    siphash_finish_128(&hash, out_hash);
    return ok;
}

bool shape_memory_open(
    struct shape_memory *out_memory, struct database *source, struct tracking *tracking,
    struct error *err)
{
    struct shape_memory memory = {.source = source, .tracking = tracking};

    // The cookie first: whatever is altered from here on, a snapshot has another one.
    if (!capture_schema_cookie(source, &memory.schema_cookie, err) ||
        !hash_schema(source, memory.schema_hash, err))
        return error_wrap(err, "schema");
    *out_memory = memory;
    return true;
}

static void name_entry(const struct table *table, char *out, size_t size)
{
    snprintf(out, size, "shape %s", table->name);
}

/* The hash by which an entry is found. Of the definition, the build's own hash covers all that is
 * compiled in. False: nothing can be remembered. */
static bool hash_entry(
    const struct shape_memory *memory, const struct table *table, char out_text[HASH_DIGITS + 1])
{
    unsigned char build[BUILD_ID_SIZE];
    struct siphash hash;
    uint64_t digest[2];
    size_t length = build_id(build);

    siphash_init_128(&hash, hash_key);
    siphash_update(&hash, memory->schema_hash, sizeof memory->schema_hash);
    siphash_update(&hash, build, length);
    add_text(&hash, sqlite3_sourceid());
    add_text(&hash, table->name);
    add_text(&hash, table->content_hash);
    siphash_finish_128(&hash, digest);
    snprintf(out_text, HASH_DIGITS + 1, "%016" PRIx64 "%016" PRIx64, digest[0], digest[1]);
    return length > 0;
}

/* Everything that is not written is empty. */
static bool can_be_remembered(const struct source_shape *shape)
{
    return shape->exists && !shape->is_view && !shape->is_virtual && shape->missing_count == 0 &&
           shape->key_problem[0] == '\0' && shape->filter_problem[0] == '\0' &&
           shape->extra_problem[0] == '\0' && shape->why_scan[0] == '\0' &&
           shape->capture != CAPTURE_INTERRUPTED;
}

static void write_entry(const char *hash, const struct source_shape *shape, char out[ENTRY_SIZE])
{
    snprintf(
        out, ENTRY_SIZE, "%s %d%d%d%d %s", hash, shape->capture == CAPTURE_INTACT,
        shape->integer_key, shape->nullable_key, shape->keeps_keys, shape->layout);
}

/* False: it is of another hash, or no entry. */
static bool read_entry(const char *entry, const char *hash, struct source_shape *out_shape)
{
    const char *flags = entry + HASH_DIGITS + 1;
    struct source_shape shape = {.exists = true};

    if (strlen(entry) != HASH_DIGITS + 6 + sizeof shape.layout - 1 ||
        strncmp(entry, hash, HASH_DIGITS) != 0)
        return false;
    shape.capture = flags[0] == '1' ? CAPTURE_INTACT : CAPTURE_ABSENT;
    shape.integer_key = flags[1] == '1';
    shape.nullable_key = flags[2] == '1';
    shape.keeps_keys = flags[3] == '1';
    memcpy(shape.layout, flags + 5, sizeof shape.layout);
    *out_shape = shape;
    return true;
}

bool shape_memory_recall(
    const struct shape_memory *memory, const struct table *table, bool *out_found,
    struct source_shape *out_shape, struct error *err)
{
    char name[300];
    char entry[ENTRY_SIZE];
    char hash[HASH_DIGITS + 1];
    bool counter = false;

    *out_found = false;
    if (!hash_entry(memory, table, hash))
        return true;
    name_entry(table, name, sizeof name);
    if (!tracking_get(memory->tracking, name, entry, sizeof entry, err))
        return false;
    if (!read_entry(entry, hash, out_shape))
        return true;
    if (!capture_objects_has_counter(memory->source, table->name, &counter, err))
        return false;
    *out_found = counter == (out_shape->capture == CAPTURE_INTACT);
    return true;
}

bool shape_memory_inspect(
    const struct shape_memory *memory, const struct table *table, struct source_shape *out_shape,
    struct error *err)
{
    bool found = false;

    return shape_memory_recall(memory, table, &found, out_shape, err) &&
           (found || capture_inspect(memory->source, table, out_shape, err));
}

/* An entry to write; empty if there is none. */
struct renewal {
    char entry[ENTRY_SIZE];
};

static bool inspect_forgotten(
    struct database *source, struct tracking *tracking, const struct table *const *tables,
    struct renewal *renewals, size_t count, struct error *err)
{
    struct shape_memory memory;
    struct source_shape shape;
    bool ok = shape_memory_open(&memory, source, tracking, err);

    for (size_t i = 0; ok && i < count; i++) {
        char hash[HASH_DIGITS + 1];
        bool found = false;
        if (!hash_entry(&memory, tables[i], hash))
            continue;
        ok = shape_memory_recall(&memory, tables[i], &found, &shape, err) &&
             (found || capture_inspect(source, tables[i], &shape, err));
        if (ok && !found && can_be_remembered(&shape))
            write_entry(hash, &shape, renewals[i].entry);
    }
    return ok;
}

static bool write_renewals(
    struct tracking *tracking, const struct table *const *tables, const struct renewal *renewals,
    size_t count, struct error *err)
{
    char name[300];
    bool any = false;
    bool ok = true;

    for (size_t i = 0; i < count; i++)
        any = any || renewals[i].entry[0] != '\0';
    if (!any)
        return true;
    if (!database_begin(&tracking->database, err))
        return false;
    for (size_t i = 0; ok && i < count; i++) {
        name_entry(tables[i], name, sizeof name);
        ok = renewals[i].entry[0] == '\0' || tracking_set(tracking, name, renewals[i].entry, err);
    }
    if (ok && database_commit(&tracking->database, err))
        return true;
    database_rollback(&tracking->database);
    return false;
}

bool shape_memory_renew(
    struct database *source, struct tracking *tracking, const struct table *const *tables,
    size_t count, struct error *err)
{
    struct renewal *renewals = calloc(count + 1, sizeof *renewals);

    if (renewals == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    // In one transaction: a shape must not be noted under the hash of another schema.
    bool ok = database_begin_snapshot(source, err);
    if (ok) {
        ok = inspect_forgotten(source, tracking, tables, renewals, count, err);
        database_rollback(source);
    }
    ok = ok && write_renewals(tracking, tables, renewals, count, err);
    free(renewals);
    return ok || error_wrap(err, "what is remembered of the schema");
}
