#include "sync/pass/scan.h"

#include "source/shadow_sift.h"

/* One scan under way. */
struct run {
    const struct scan *scan;
    struct shadow *shadow;
    struct scan_counts counts;
    bool ended;
};

static bool hand_on(
    struct run *run, sqlite3_stmt *row, enum shadow_change change, bool deleted, struct error *err)
{
    const struct scan *scan = run->scan;
    const struct scan_row differing = {row, change, deleted, run->shadow};
    enum scan_fate fate = SCAN_SENT;

    if (scan->row == NULL)
        return true;
    if (!scan->row(scan->context, &differing, &fate, err))
        return false;
    run->ended =
        run->ended || fate == SCAN_STOPPED || (fate == SCAN_TOOK_PLACE && scan->until_changed);
    return true;
}

static bool use_row(
    struct run *run, sqlite3_stmt *row, enum shadow_change change, struct error *err)
{
    const struct scan *scan = run->scan;

    if (change == SHADOW_NEW)
        run->counts.new_rows++;
    else
        run->counts.changed++;
    if (scan->until_changed && change == SHADOW_CHANGED) {
        run->ended = true;
        return true;
    }
    return hand_on(run, row, change, false, err);
}

static bool read_rows(struct run *run, struct database *source, struct error *err)
{
    const struct scan *scan = run->scan;
    enum shadow_change change = SHADOW_SAME;
    bool more = true;
    struct shadow_sift sift = {
        .source = source,
        .shadow = run->shadow,
        .table = scan->table,
        .form = scan->form,
        .mode = scan->mode,
        .look = scan->look,
        .context = scan->context,
    };

    bool ok = shadow_sift_open(&sift, err);
    while (ok && !run->ended && more)
        ok = shadow_sift_next(&sift, &more, &change, err) &&
             (!more || use_row(run, sift.row, change, err));
    run->counts.read = sift.rows;
    shadow_sift_close(&sift);
    return ok;
}

/* Visits a key that is gone. Once the scan has ended early the rest is only passed over. */
static bool use_deleted(void *context, sqlite3_stmt *row, struct error *err)
{
    struct run *run = context;

    run->counts.deleted++;
    if (run->scan->until_changed)
        run->ended = true;
    return run->ended || hand_on(run, row, SHADOW_CHANGED, true, err);
}

static bool differs(const struct scan_counts *counts)
{
    return counts->new_rows + counts->changed + counts->deleted > 0;
}

bool scan_run(
    const struct scan *scan, struct database *source, struct scan_counts *out_counts,
    bool *out_ended, struct shadow **out_shadow, struct error *err)
{
    struct run run = {.scan = scan};
    bool ok = false;

    if (!shadow_begin(scan->state, scan->table, scan->form, scan->mode, &run.shadow, err))
        return false;
    if (!read_rows(&run, source, err))
        goto cleanup;
    if (!run.ended && !shadow_deleted(run.shadow, use_deleted, &run, err))
        goto cleanup;

    *out_counts = run.counts;
    *out_ended = run.ended;
    *out_shadow = NULL;
    // A replacement by no rows is kept as well: it empties the shadow.
    if (!run.ended &&
        (shadow_replaces(scan->mode) || (scan->mode == SHADOW_CHANGES && differs(&run.counts)))) {
        *out_shadow = run.shadow;
        run.shadow = NULL;
    }
    ok = true;

cleanup:
    shadow_free(run.shadow);
    return ok;
}
