#include "sync/pass/scan.h"

#include "source/filter_step.h"

/* Rows between two calls of look. */
#define ROWS_PER_LOOK 4096

#define STATEMENT_CEILING (1 << 20)

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

static bool use_row(struct run *run, sqlite3_stmt *row, struct error *err)
{
    const struct scan *scan = run->scan;
    enum shadow_change change;

    if (!shadow_row(run->shadow, row, &change, err))
        return false;
    run->counts.read++;
    if (change == SHADOW_SAME)
        return true;
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
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    bool more = true;
    bool ok = false;

    buffer_init(&sql, STATEMENT_CEILING);
    shadow_scan_sql(scan->table, scan->form, &sql);
    if (!buffer_check(&sql, "statement", err) ||
        !database_prepare(source, buffer_text(&sql), &statement, err))
        goto cleanup;
    while (!run->ended) {
        if (!filter_step(source, scan->table, statement, &more, err))
            goto cleanup;
        if (!more)
            break;
        if (!use_row(run, statement, err))
            goto cleanup;
        if (run->counts.read % ROWS_PER_LOOK == 0 && scan->look != NULL &&
            !scan->look(scan->context, run->counts.read, err))
            goto cleanup;
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    buffer_clear(&sql);
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
