#include "source/shadow_merge.h"

#include "base/buffer.h"
#include "source/pacing.h"
#include "source/shadow_pack.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

/* Entries of two chunks, of nine bytes at least. */
#define TWO_CHUNKS_ROWS (2 * SHADOW_PACK_BYTES / 9 + 2)

/* The chunk of the shadow that a key belongs to: the last one that begins with the key or before
 * it, or else the first. */
struct place {
    bool any;      /* there is one */
    bool has_next; /* and one behind it, */
    int64_t next;  /* which begins with this key */
    int64_t first;
    struct shadow_pack_reader chunk;
};

/* The statements of one merge. */
struct merge {
    struct database *state;
    const struct table *table;
    sqlite3_stmt *pending; /* the first chunk of pending */
    sqlite3_stmt *find;    /* key, rows and entries of the chunk that ?1 belongs to */
    sqlite3_stmt *next;    /* where the chunk behind ?1 begins */
    struct shadow_pack_writer writer;
};

static bool prepare(
    struct merge *merge, const char *format, sqlite3_stmt **out_statement, struct error *err)
{
    return statement_prepare_expanded(merge->state, merge->table, format, out_statement, err);
}

static bool prepare_merge(struct merge *merge, struct error *err)
{
    return prepare(merge, "select * from $p order by $k limit 1", &merge->pending, err) &&
           prepare(
               merge,
               "select * from $s where $k = coalesce((select max($k) from $s where $k <= ?1),"
               " (select min($k) from $s))",
               &merge->find, err) &&
           prepare(merge, "select min($k) from $s where $k > ?1", &merge->next, err) &&
           shadow_pack_writer_open(&merge->writer, merge->state, merge->table, "main.$s", err);
}

/* Takes the chunk that a key belongs to out of the shadow. */
static bool take_place(struct merge *merge, int64_t key, struct place *out_place, struct error *err)
{
    struct buffer sql;
    bool row = false;

    *out_place = (struct place){0};
    sqlite3_bind_int64(merge->find, 1, key);
    bool ok = database_step(merge->state, merge->find, &out_place->any, err);
    if (ok && out_place->any) {
        out_place->first = sqlite3_column_int64(merge->find, 0);
        ok = shadow_pack_open_chunk(&out_place->chunk, merge->table, merge->find, err);
    }
    sqlite3_reset(merge->find);
    if (!ok || !out_place->any)
        return ok;
    sqlite3_bind_int64(merge->next, 1, out_place->first);
    ok = database_step(merge->state, merge->next, &row, err);
    out_place->has_next = ok && sqlite3_column_type(merge->next, 0) != SQLITE_NULL;
    out_place->next = sqlite3_column_int64(merge->next, 0);
    sqlite3_reset(merge->next);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, merge->table, "delete from $s where $k = ?1");
    ok = ok && buffer_check(&sql, "statement", err) &&
         statement_run(merge->state, buffer_text(&sql), err, "i", out_place->first);
    buffer_clear(&sql);
    return ok;
}

/* Writes one chunk of the shadow again with the changes that belong into it. If it has become too
 * large it is halved, so that the next keys between its own find room; but ids rise, so the last
 * chunk is filled and followed by another one. */
static bool merge_place(
    struct merge *merge, struct place *place, struct shadow_pack_reader *changes, struct error *err)
{
    struct shadow_pack_entry entries[TWO_CHUNKS_ROWS];
    const int64_t *before = place->has_next ? &place->next : NULL;
    size_t before_bytes = place->chunk.chunk.length;
    int64_t before_rows = place->any ? place->chunk.left + 1 : 0;
    size_t count = 0;
    bool any = true;

    while (any) {
        if (!shadow_pack_merge(&place->chunk, changes, before, &any, &entries[count], err))
            return false;
        if (any && ++count == TWO_CHUNKS_ROWS)
            return error_set(err, ERROR_SOURCE, "the shadow of %s is damaged", merge->table->name);
    }
    int64_t grown = (int64_t)count - before_rows;
    bool splits = place->has_next && grown > 0 &&
                  before_bytes + (size_t)grown * SHADOW_PACK_ENTRY_BYTES > SHADOW_PACK_BYTES;
    merge->writer.full = splits ? SHADOW_PACK_BYTES / 2 : SHADOW_PACK_BYTES;
    for (size_t i = 0; i < count; i++)
        if (!shadow_pack_add(&merge->writer, &entries[i], err))
            return false;
    return shadow_pack_flush(&merge->writer, err);
}

/* Merges one chunk of changes into the shadow and deletes it from pending. */
static bool merge_chunk(struct merge *merge, sqlite3_stmt *pending, struct error *err)
{
    struct shadow_pack_reader changes = {0};
    struct buffer sql;
    int64_t first = sqlite3_column_int64(pending, 0);

    bool ok = shadow_pack_open_chunk(&changes, merge->table, pending, err);
    sqlite3_reset(pending);
    while (ok && changes.has) {
        struct place place;
        ok = take_place(merge, changes.entry.key, &place, err) &&
             merge_place(merge, &place, &changes, err);
        shadow_pack_close(&place.chunk);
    }
    shadow_pack_close(&changes);
    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, merge->table, "delete from $p where $k = ?1");
    ok = ok && buffer_check(&sql, "statement", err) &&
         statement_run(merge->state, buffer_text(&sql), err, "i", first);
    buffer_clear(&sql);
    return ok;
}

bool shadow_merge_chunks(struct database *state, const struct table *table, struct error *err)
{
    struct merge merge = {.state = state, .table = table};
    struct pacing pacing = pacing_of(state);
    bool row = true;
    bool ok = prepare_merge(&merge, err);

    while (ok && row) {
        ok = pacing_begin(&pacing, err) && database_step(state, merge.pending, &row, err) &&
             (!row || merge_chunk(&merge, merge.pending, err));
        sqlite3_reset(merge.pending);
        ok = (ok && pacing_commit(&pacing, err)) || pacing_fail(&pacing);
    }
    sqlite3_finalize(merge.pending);
    sqlite3_finalize(merge.find);
    sqlite3_finalize(merge.next);
    shadow_pack_writer_clear(&merge.writer);
    return ok;
}
