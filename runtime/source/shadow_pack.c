#include "source/shadow_pack.h"

#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <stdio.h>

#define HASH_BYTES 8

#define STATEMENT_SIZE 200

/* The columns of a chunk. */
enum { CHUNK_KEY, CHUNK_ROWS, CHUNK_ENTRIES };

/* Prepares a statement (a format of sqlite_sql_expand with one %s in it, which becomes `name`). */
static bool prepare(
    struct database *state, const struct table *table, const char *format, const char *name,
    sqlite3_stmt **out_statement, struct error *err)
{
    char named[STATEMENT_SIZE];

    snprintf(named, sizeof named, format, name);
    return statement_prepare_expanded(state, table, named, out_statement, err);
}

/* --- reading ------------------------------------------------------------------------------ */

static bool is_damaged(const struct shadow_pack_reader *reader, struct error *err)
{
    return error_set(
        err, ERROR_SOURCE,
        "%s%s in the state database is damaged: drop it, and the next sync sends the table again",
        SQLITE_SQL_SHADOW_PREFIX, reader->table->name);
}

/* The distance that reader->at stands on; false if the bytes end within it. */
static bool read_distance(struct shadow_pack_reader *reader, uint64_t *out_distance)
{
    const uint8_t *bytes = (const uint8_t *)reader->chunk.data;
    uint64_t distance = 0;

    for (int shift = 0; shift < 64 && reader->at < reader->chunk.length; shift += 7) {
        uint8_t byte = bytes[reader->at++];
        distance |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out_distance = distance;
            return true;
        }
    }
    return false;
}

static bool read_hash(struct shadow_pack_reader *reader, uint64_t *out_hash)
{
    const uint8_t *bytes = (const uint8_t *)reader->chunk.data + reader->at;

    if (reader->chunk.length - reader->at < HASH_BYTES)
        return false;
    // Written out, compilers know it as one load.
    *out_hash = (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
                (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
                (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
    reader->at += HASH_BYTES;
    return true;
}

/* Takes the chunk that `row` stands on and reads its first entry. */
static bool take_chunk(struct shadow_pack_reader *reader, sqlite3_stmt *row, struct error *err)
{
    const void *entries = sqlite3_column_blob(row, CHUNK_ENTRIES);

    buffer_reset(&reader->chunk);
    buffer_append(&reader->chunk, entries, (size_t)sqlite3_column_bytes(row, CHUNK_ENTRIES));
    if (!buffer_check(&reader->chunk, "entries", err))
        return false;
    reader->at = 0;
    reader->left = sqlite3_column_int64(row, CHUNK_ROWS) - 1;
    reader->entry.key = sqlite3_column_int64(row, CHUNK_KEY);
    reader->has = true;
    return read_hash(reader, &reader->entry.hash) || is_damaged(reader, err);
}

/* Reads the first chunk whose first key is not below the given one. */
static bool load_from(struct shadow_pack_reader *reader, int64_t key, struct error *err)
{
    bool found = false;

    sqlite3_bind_int64(reader->next, 1, key);
    bool ok = database_step(reader->state, reader->next, &found, err) &&
              (!found || take_chunk(reader, reader->next, err));
    sqlite3_reset(reader->next);
    reader->has = reader->has && ok && found;
    return ok;
}

bool shadow_pack_open(
    struct shadow_pack_reader *reader, struct database *state, const struct table *table,
    const char *from, struct error *err)
{
    *reader = (struct shadow_pack_reader){.table = table, .state = state};
    buffer_init(&reader->chunk, SQLITE_SQL_CEILING);
    return prepare(
               state, table,
               "select bq_sync_key_1, bq_sync_rows, bq_sync_entries from %s"
               " where bq_sync_key_1 >= ?1 order by bq_sync_key_1 limit 1",
               from, &reader->next, err) &&
           load_from(reader, INT64_MIN, err);
}

bool shadow_pack_open_chunk(
    struct shadow_pack_reader *reader, const struct table *table, sqlite3_stmt *row,
    struct error *err)
{
    *reader = (struct shadow_pack_reader){.table = table};
    buffer_init(&reader->chunk, SQLITE_SQL_CEILING);
    return take_chunk(reader, row, err);
}

bool shadow_pack_next(struct shadow_pack_reader *reader, struct error *err)
{
    uint64_t distance = 0;

    if (reader->left > 0) {
        if (!read_distance(reader, &distance) || !read_hash(reader, &reader->entry.hash))
            return is_damaged(reader, err);
        reader->entry.key = (int64_t)((uint64_t)reader->entry.key + distance);
        reader->left--;
        return true;
    }
    if (reader->at != reader->chunk.length)
        return is_damaged(reader, err);
    if (reader->next != NULL && reader->entry.key < INT64_MAX)
        return load_from(reader, reader->entry.key + 1, err);
    reader->has = false;
    return true;
}

void shadow_pack_close(struct shadow_pack_reader *reader)
{
    sqlite3_finalize(reader->next);
    buffer_clear(&reader->chunk);
    *reader = (struct shadow_pack_reader){0};
}

bool shadow_pack_merge(
    struct shadow_pack_reader *shadow, struct shadow_pack_reader *changes, const int64_t *before,
    bool *out_any, struct shadow_pack_entry *out_entry, struct error *err)
{
    for (;;) {
        bool change = changes->has && (before == NULL || changes->entry.key < *before);
        *out_any = shadow->has || change;
        if (!*out_any)
            return true;
        if (!change || (shadow->has && shadow->entry.key < changes->entry.key)) {
            *out_entry = shadow->entry;
            return shadow_pack_next(shadow, err);
        }
        *out_entry = changes->entry;
        if ((shadow->has && shadow->entry.key == changes->entry.key &&
             !shadow_pack_next(shadow, err)) ||
            !shadow_pack_next(changes, err))
            return false;
        if (out_entry->hash != SHADOW_PACK_GONE)
            return true;
    }
}

/* --- writing ------------------------------------------------------------------------------ */

bool shadow_pack_writer_open(
    struct shadow_pack_writer *writer, struct database *state, const struct table *table,
    const char *into, struct error *err)
{
    *writer = (struct shadow_pack_writer){.state = state, .full = SHADOW_PACK_BYTES};
    buffer_init(&writer->chunk, SHADOW_PACK_BYTES);
    return prepare(
        state, table,
        "insert into %s(bq_sync_key_1, bq_sync_rows, bq_sync_entries) values (?1, ?2, ?3)", into,
        &writer->insert, err);
}

bool shadow_pack_add(
    struct shadow_pack_writer *writer, const struct shadow_pack_entry *entry, struct error *err)
{
    uint8_t bytes[SHADOW_PACK_ENTRY_BYTES];
    size_t length = 0;

    if ((writer->chunk.length >= writer->full ||
         writer->chunk.length + SHADOW_PACK_ENTRY_BYTES > SHADOW_PACK_BYTES) &&
        !shadow_pack_flush(writer, err))
        return false;
    if (writer->rows == 0) {
        writer->first = entry->key;
    } else {
        uint64_t distance = (uint64_t)entry->key - (uint64_t)writer->last;
        for (; distance >= 0x80; distance >>= 7)
            bytes[length++] = (uint8_t)(0x80 | (distance & 0x7f));
        bytes[length++] = (uint8_t)distance;
    }
    for (int i = 0; i < HASH_BYTES; i++)
        bytes[length++] = (uint8_t)(entry->hash >> (8 * i));
    buffer_append(&writer->chunk, bytes, length);
    writer->last = entry->key;
    writer->rows++;
    return buffer_check(&writer->chunk, "entries", err);
}

bool shadow_pack_flush(struct shadow_pack_writer *writer, struct error *err)
{
    bool ignored;

    if (writer->rows == 0)
        return true;
    sqlite3_bind_int64(writer->insert, CHUNK_KEY + 1, writer->first);
    sqlite3_bind_int64(writer->insert, CHUNK_ROWS + 1, writer->rows);
    sqlite3_bind_blob64(
        writer->insert, CHUNK_ENTRIES + 1, writer->chunk.data, writer->chunk.length, SQLITE_STATIC);
    bool ok = database_step(writer->state, writer->insert, &ignored, err);
    sqlite3_reset(writer->insert);
    sqlite3_clear_bindings(writer->insert);
    buffer_reset(&writer->chunk);
    writer->rows = 0;
    return ok;
}

void shadow_pack_writer_clear(struct shadow_pack_writer *writer)
{
    sqlite3_finalize(writer->insert);
    buffer_clear(&writer->chunk);
    *writer = (struct shadow_pack_writer){0};
}
