#include "source/shadow_scan.h"

#include "source/sqlite_sql.h"
#include "source/statement.h"

#include <inttypes.h>

static bool make_temporary(struct shadow_scan *scan, struct error *err)
{
    return database_exec(
               scan->state,
               "create temp table bq_sync_seen(number integer primary key, bq_sync_key_1,"
               " bq_sync_rows, bq_sync_entries);"
               "create temp table bq_sync_gone(number integer primary key, bq_sync_key_1)",
               err) &&
           database_prepare(
               scan->state, "insert into temp.bq_sync_gone(bq_sync_key_1) values (?1)", &scan->gone,
               err) &&
           shadow_pack_writer_open(
               &scan->found, scan->state, scan->table, "temp.bq_sync_seen", err);
}

/* Acknowledged changes may still wait for being merged when a read may not write (`plan`). */
static bool open_known(
    struct shadow_scan *scan, const struct shadow_store *store, struct error *err)
{
    if (store->pending != PENDING_EFFECTIVE_WHOLE &&
        !shadow_pack_open(&scan->shadow, scan->state, scan->table, "main.$s", err))
        return false;
    return store->pending == PENDING_NONE ||
           shadow_pack_open(&scan->changes, scan->state, scan->table, "main.$p", err);
}

/* Takes the next entry of what BigQuery holds. */
static bool next_known(struct shadow_scan *scan, struct error *err)
{
    return shadow_pack_merge(
        &scan->shadow, &scan->changes, NULL, &scan->has_known, &scan->known, err);
}

bool shadow_scan_init(
    struct shadow_scan *scan, struct database *state, const struct table *table,
    const struct shadow_store *store, const struct shadow_scan_options *options, struct error *err)
{
    *scan = (struct shadow_scan){
        .state = state,
        .table = table,
        .options = *options,
    };
    return make_temporary(scan, err) && (!store->exists || !options->knows ||
                                         (open_known(scan, store, err) && next_known(scan, err)));
}

void shadow_scan_clear(struct shadow_scan *scan)
{
    sqlite3_finalize(scan->gone);
    shadow_pack_writer_clear(&scan->found);
    shadow_pack_close(&scan->shadow);
    shadow_pack_close(&scan->changes);
}

static bool write_held(struct shadow_scan *scan, struct error *err)
{
    bool ok =
        !scan->holds || !scan->options.writes || shadow_pack_add(&scan->found, &scan->last, err);

    scan->holds = false;
    return ok;
}

/* What is known has no row in the table. */
static bool note_gone(struct shadow_scan *scan, struct error *err)
{
    const struct shadow_pack_entry entry = {scan->known.key, SHADOW_PACK_GONE};
    bool ignored;

    if (scan->options.whole)
        return true;
    sqlite3_bind_int64(scan->gone, 1, entry.key);
    bool ok = database_step(scan->state, scan->gone, &ignored, err);
    sqlite3_reset(scan->gone);
    return ok && (!scan->options.writes || shadow_pack_add(&scan->found, &entry, err));
}

bool shadow_scan_row(
    struct shadow_scan *scan, int64_t key, uint64_t hash, bool *out_known, bool *out_same,
    struct error *err)
{
    if (scan->any && key <= scan->last.key)
        return error_set(
            err, ERROR_SOURCE,
            "%s: the row %" PRId64 " follows %" PRId64 ": the database is damaged, see what"
            " \"pragma integrity_check\" says",
            scan->table->name, key, scan->last.key);
    if (!write_held(scan, err))
        return false;
    while (scan->has_known && scan->known.key < key)
        if (!note_gone(scan, err) || !next_known(scan, err))
            return false;
    scan->any = true;
    scan->last = (struct shadow_pack_entry){key, shadow_pack_hash(hash)};
    scan->was_known = scan->has_known && scan->known.key == key;
    bool same = scan->was_known && scan->known.hash == scan->last.hash;
    scan->holds = scan->options.whole || !same;
    *out_known = scan->was_known;
    *out_same = same;
    return !scan->was_known || next_known(scan, err);
}

void shadow_scan_reject(struct shadow_scan *scan, bool kept)
{
    scan->holds = kept;
    scan->last.hash = SHADOW_PACK_KEPT;
}

bool shadow_scan_finish(struct shadow_scan *scan, struct error *err)
{
    if (!write_held(scan, err))
        return false;
    while (scan->has_known)
        if (!note_gone(scan, err) || !next_known(scan, err))
            return false;
    return shadow_pack_flush(&scan->found, err);
}
