/* shadow_pack: integer keys with the hashes of their rows, a few hundred in one blob. A chunk is a
 * row (bq_sync_key_1, bq_sync_rows, bq_sync_entries): the first key, the number of entries, and the
 * entries in ascending order of their keys. An entry is the distance from the key before it, seven
 * bits a byte with the lowest first and the high bit set in all but the last, and then eight bytes
 * of hash, the lowest first; the first entry has no distance. So a row takes nine bytes where ids
 * are dense. Chunks of one table do not overlap.
 *
 * Internal to source; each struct belongs to the thread of its connection. Memory does not grow
 * with the number of entries. */
#ifndef BQSYNC_SOURCE_SHADOW_PACK_H
#define BQSYNC_SOURCE_SHADOW_PACK_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* A chunk has at most so many bytes of entries, so that it fills one page of 4 KiB. */
#define SHADOW_PACK_BYTES 4000
/* What an entry takes at most. */
#define SHADOW_PACK_ENTRY_BYTES 18

/* Two hashes say something else; shadow_pack_hash gives them to no row. */
enum {
    SHADOW_PACK_GONE, /* of a change: the key was deleted */
    SHADOW_PACK_KEPT, /* BigQuery holds an older version of a row that was rejected */
    SHADOW_PACK_FIRST_HASH,
};

struct shadow_pack_entry {
    int64_t key;
    uint64_t hash;
};

/* The hash of a row as an entry holds it. */
static inline uint64_t shadow_pack_hash(uint64_t hash)
{
    return hash < SHADOW_PACK_FIRST_HASH ? hash + SHADOW_PACK_FIRST_HASH : hash;
}

/* Reads entries in ascending order of their keys, of one chunk or of all chunks of a table. */
struct shadow_pack_reader {
    const struct table *table;
    struct database *state; /* borrowed */
    sqlite3_stmt *next;     /* the first chunk from a key on; NULL: there is only one chunk */
    struct buffer chunk;
    size_t at;
    int64_t left; /* entries of the chunk that were not read yet */
    bool has;     /* the entry below is one; false: there are no more */
    struct shadow_pack_entry entry;
};

/* Reads all chunks of the table that from names, a format of sqlite_sql_expand ("main.$s"). Each
 * chunk is read in a transaction of its own, so nothing is locked in between. Stands on the first
 * entry. On failure too, shadow_pack_close frees what there is. */
MUST_CHECK bool shadow_pack_open(
    struct shadow_pack_reader *reader, struct database *state, const struct table *table,
    const char *from, struct error *err);
/* Reads the chunk that `row` stands on, whose columns are those of a chunk. */
MUST_CHECK bool shadow_pack_open_chunk(
    struct shadow_pack_reader *reader, const struct table *table, sqlite3_stmt *row,
    struct error *err);
/* Goes to the next entry. ERROR_SOURCE if the chunk is not one. */
MUST_CHECK bool shadow_pack_next(struct shadow_pack_reader *reader, struct error *err);
/* A zeroed struct is fine. */
void shadow_pack_close(struct shadow_pack_reader *reader);

/* Steps both readers through the entries of `shadow` with the changes of `changes` applied.
 * *out_any: there is one more, in *out_entry. before: changes from that key on stay where they are;
 * NULL: all are taken. */
MUST_CHECK bool shadow_pack_merge(
    struct shadow_pack_reader *shadow, struct shadow_pack_reader *changes, const int64_t *before,
    bool *out_any, struct shadow_pack_entry *out_entry, struct error *err);

/* Fills chunks and inserts each into a table when it is full. */
struct shadow_pack_writer {
    struct database *state; /* borrowed */
    sqlite3_stmt *insert;
    struct buffer chunk;
    size_t full; /* bytes from which on a chunk is full */
    int64_t first;
    int64_t last;
    int64_t rows; /* in the chunk */
};

/* into: a format of sqlite_sql_expand, a table with its columns: "main.$s". On failure too,
 * shadow_pack_writer_clear frees what there is. */
MUST_CHECK bool shadow_pack_writer_open(
    struct shadow_pack_writer *writer, struct database *state, const struct table *table,
    const char *into, struct error *err);
/* Keys ascend. */
MUST_CHECK bool shadow_pack_add(
    struct shadow_pack_writer *writer, const struct shadow_pack_entry *entry, struct error *err);
/* Inserts the chunk that is being filled, if there is one. */
MUST_CHECK bool shadow_pack_flush(struct shadow_pack_writer *writer, struct error *err);
/* A zeroed struct is fine. */
void shadow_pack_writer_clear(struct shadow_pack_writer *writer);

#endif
