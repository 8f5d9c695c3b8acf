#include "service/status.h"

#include "base/clock.h"
#include "base/text_fit.h"
#include "base/url.h"
#include "service/past_runs.h"
#include "service/status_document.h"
#include "source/capture.h"
#include "source/database.h"
#include "source/file_stamp.h"
#include "source/rejects.h"
#include "source/shape_memory.h"
#include "source/tracking.h"
#include "source/tracking_bill.h"
#include "sync/pass/plan.h"
#include "sync/pass/quota_record.h"
#include "sync/pass/sent_form.h"
#include "sync/report/spending_json.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long to wait for SQLite's lock. A user waits for the answer, and a writer that holds the lock
 * longer should be reported. */
#define BUSY_TIMEOUT_MS 2000

/* Counting pending changes is slow if there are many, and with a busy writer every request would
 * count them again. So reading is limited by a credit: it may take a quarter of the time in the
 * long run, and up to a second at once. When the credit is used up, the values of the last read are
 * shown, at most a second old. A client that asks rarely always gets new values. */
#define CREDIT_MAX_MS 1000
#define CREDIT_PART   4
#define REUSE_MAX_MS  1000

/* Values are read again after this time even if no file has changed: some file systems keep no
 * honest times. */
#define KEEP_MAX_MS 10000

/* What can be written: the state, the source, and the WAL of each. */
enum { STATE, STATE_WAL, SOURCE, SOURCE_WAL, FILES };

/* What SQLite says of a table, as long as the schema stays as it was. */
struct known_shape {
    bool known;
    struct source_shape shape;
};

struct status {
    const struct config *config;
    size_t count;

    pthread_mutex_t mutex; /* protects what readers see */
    pthread_cond_t done;
    bool refreshing; /* a thread reads the databases with the mutex released */
    uint64_t wanted; /* incremented by status_invalidate */
    bool filled;
    uint64_t filled_for; /* the value of wanted that was read for */
    int64_t filled_ms;   /* monotonic */
    int64_t credit_ms;   /* how much reading may still take, as of credited_ms */
    int64_t credited_ms;
    struct status_table *tables;
    cJSON *last_run; /* as recorded; NULL: none */
    struct spending spending;

    /* Used only by the thread that is refreshing. */
    struct tracking tracking;
    struct database source;
    bool current; /* what was read is of the files below */
    int64_t current_ms;
    struct file_stamp files[FILES];
    struct status_table *next;
    struct spending next_spending;
    struct known_shape *shapes; /* one for each table, under this schema */
    uint64_t schema_hash[2];
};

bool status_new(
    const struct config *config, const struct table *const *tables, size_t count,
    struct status **out_status, struct error *err)
{
    struct status *status = calloc(1, sizeof *status);
    struct status_table *rows = calloc(count + 1, sizeof *rows);
    struct status_table *next = calloc(count + 1, sizeof *next);
    struct known_shape *shapes = calloc(count + 1, sizeof *shapes);

    if (status == NULL || rows == NULL || next == NULL || shapes == NULL) {
        free(status);
        free(rows);
        free(next);
        free(shapes);
        return error_set(err, ERROR_MEMORY, "out of memory");
    }
    status->config = config;
    status->count = count;
    status->tables = rows;
    status->next = next;
    status->shapes = shapes;
    for (size_t i = 0; i < count; i++)
        rows[i].table = next[i].table = tables[i];
    pthread_mutex_init(&status->mutex, NULL);
    pthread_cond_init(&status->done, NULL);
    *out_status = status;
    return true;
}

void status_free(struct status *status)
{
    if (status == NULL)
        return;
    cJSON_Delete(status->last_run);
    free(status->tables);
    free(status->next);
    free(status->shapes);
    pthread_cond_destroy(&status->done);
    pthread_mutex_destroy(&status->mutex);
    free(status);
}

/* --- connections ------------------------------------------------------------------------- */

/* The connections are open only while they are read: all connections of a process share what SQLite
 * knows of a WAL, and one that stayed open would keep it when the file is restored from a backup.
 */
static bool open_both(struct status *status, struct error *err)
{
    const char *state = status->config->state_path;
    const char *source = status->config->sqlite_path;

    if (!database_open(source, DATABASE_READ, BUSY_TIMEOUT_MS, &status->source, err))
        return false;
    if (!tracking_open_read(state, &status->tracking, err)) {
        database_close(&status->source);
        return false;
    }
    sqlite3_busy_timeout(status->tracking.database.handle, BUSY_TIMEOUT_MS);
    return true;
}

static void close_both(struct status *status)
{
    tracking_close(&status->tracking);
    database_close(&status->source);
}

/* --- files ------------------------------------------------------------------------------- */

static void look_at(const char *path, struct file_stamp *out_file, struct file_stamp *out_wal)
{
    struct slice file = slice_of(path);
    char name[PATH_MAX];

    (void)url_is_immutable_file(path, &file);
    text_format(name, sizeof name, "%.*s", (int)file.length, file.data);
    (void)file_stamp_read(name, out_file);
    text_format(name, sizeof name, "%.*s-wal", (int)file.length, file.data);
    (void)file_stamp_read(name, out_wal);
}

static void look_at_files(const struct status *status, struct file_stamp out_files[FILES])
{
    look_at(status->config->state_path, &out_files[STATE], &out_files[STATE_WAL]);
    look_at(status->config->sqlite_path, &out_files[SOURCE], &out_files[SOURCE_WAL]);
}

static bool are_same(const struct file_stamp a[FILES], const struct file_stamp b[FILES])
{
    bool same = true;

    for (size_t i = 0; i < FILES; i++)
        same = same && file_stamp_same(&a[i], &b[i]);
    return same;
}

/* A missing database is nothing to keep values of. */
static bool are_settled(const struct file_stamp files[FILES], int64_t wall_us)
{
    bool settled = files[STATE].inode != 0 && files[SOURCE].inode != 0;

    for (size_t i = 0; i < FILES; i++)
        settled = settled && file_stamp_is_settled(&files[i], wall_us);
    return settled;
}

/* --- reading ----------------------------------------------------------------------------- */

/* Asked of SQLite at most once for each schema, and not at all if a pass has noted it. */
static bool know_shape(
    const struct shape_memory *memory, const struct table *table, struct known_shape *known,
    struct error *err)
{
    known->known = known->known || shape_memory_inspect(memory, table, &known->shape, err);
    return known->known;
}

/* Whether the next pass reads the whole table: to find its changes, or to send all of it because
 * some may have been missed. */
static bool is_read_whole(
    const struct config *config, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, bool *out_scanned)
{
    char form[TRACKING_CONTENT_SIZE];
    struct plan_capture capture = {0};
    struct error ignored; // the pass will say it

    if (!plan_capture(config, table, shape, &capture, &ignored)) {
        *out_scanned = false;
        return false;
    }
    *out_scanned = capture.by == CAPTURE_SCAN;
    sent_form_write(table, shape, capture.by, form);
    return *out_scanned || capture.broken || sent_form_change(table, watermark, form) != NULL;
}

static bool count_pending(
    const struct source_table *in, const struct watermark *watermark, bool whole, int64_t *out_rows,
    struct error *err)
{
    struct pending pending = {0};

    if (!capture_check_columns(in->table, in->shape, in->source->path, err))
        return false;
    // A table that was never synced is sent as a whole.
    if (!watermark->found)
        return capture_count_rows(in, out_rows, err);
    if (whole) {
        *out_rows = STATUS_UNKNOWN;
        return true;
    }
    if (!capture_pending(in, watermark, &pending, err))
        return false;
    *out_rows = pending.new_rows + pending.dirty_keys;
    return true;
}

struct billing {
    struct status *status;
    char today[BILL_DAY_SIZE];
};

static void add_bill(void *context, const struct table_bill *bill)
{
    const struct billing *billing = context;
    struct status *status = billing->status;

    for (size_t i = 0; i < status->count; i++) {
        struct status_table *row = &status->next[i];
        if (strcmp(row->table->name, bill->table) != 0)
            continue;
        row->billed_month += bill->bytes;
        if (strcmp(bill->day, billing->today) == 0)
            row->billed_today += bill->bytes;
    }
}

static bool read_bills(struct status *status, int64_t now_us, struct error *err)
{
    struct billing billing = {.status = status};
    char month[BILL_DAY_SIZE];

    for (size_t i = 0; i < status->count; i++)
        status->next[i].billed_today = status->next[i].billed_month = 0;
    tracking_bill_day(now_us, billing.today);
    return tracking_bill_each(
               &status->tracking, tracking_bill_month(now_us, month), billing.today, add_bill,
               &billing, err) &&
           spending_read(status->config, &status->tracking, now_us, &status->next_spending, err);
}

static bool read_table(
    struct status *status, const struct shape_memory *memory, size_t index, struct error *err)
{
    struct status_table *row = &status->next[index];
    struct known_shape *known = &status->shapes[index];
    const struct clock *clock = clock_system();
    struct watermark watermark;
    struct intent intent;
    struct error problem;
    bool intends = false;

    if (!tracking_load(&status->tracking, row->table->name, &watermark, err) ||
        !tracking_intent(&status->tracking, row->table->name, &intends, &intent, err) ||
        !rejects_count(&status->tracking, row->table->name, &row->rejected, err) ||
        !quota_record_used(
            status->config, &status->tracking, row->table, clock->wall_us(clock->context),
            &row->modifications, err))
        return false;
    row->has_intent = intends;
    row->last_synced_row_id = watermark.last_synced_row_id;
    row->source_rows = watermark.source_rows;
    memcpy(row->last_synced_at, watermark.last_synced_at, sizeof row->last_synced_at);
    memcpy(row->last_error, watermark.last_error, sizeof row->last_error);
    row->problem[0] = '\0';
    row->scanned = false;
    // The error is shown with its table, and the other tables are still read.
    bool knows = know_shape(memory, row->table, known, &problem);
    bool whole = knows && is_read_whole(
                              status->config, row->table, &known->shape, &watermark, &row->scanned);
    const struct source_table in = {&status->source, row->table, &known->shape};
    if (!knows || !count_pending(&in, &watermark, whole, &row->pending, &problem)) {
        row->pending = STATUS_UNKNOWN;
        text_format(row->problem, sizeof row->problem, "%s", problem.message);
    }
    return true;
}

static void forget_shapes(struct status *status)
{
    for (size_t i = 0; i < status->count; i++)
        status->shapes[i].known = false;
}

/* What was read while the schema changed may be of neither schema. */
static bool read_tables(struct status *status, struct error *err)
{
    struct shape_memory memory;
    int64_t cookie = 0;

    if (!shape_memory_open(&memory, &status->source, &status->tracking, err))
        return false;
    if (memcmp(memory.schema_hash, status->schema_hash, sizeof memory.schema_hash) != 0)
        forget_shapes(status);
    memcpy(status->schema_hash, memory.schema_hash, sizeof memory.schema_hash);
    bool ok = true;
    for (size_t i = 0; ok && i < status->count; i++)
        ok = read_table(status, &memory, i, err);
    ok = ok && capture_schema_cookie(&status->source, &cookie, err);
    if (!ok || cookie != memory.schema_cookie)
        forget_shapes(status);
    return ok;
}

static bool read_all(struct status *status, cJSON **out_last_run, struct error *err)
{
    const struct clock *clock = clock_system();
    cJSON *runs = NULL;

    if (!read_bills(status, clock->wall_us(clock->context), err) || !read_tables(status, err))
        return false;
    if (!past_runs_list(&status->tracking, NULL, 1, &runs, err))
        return false;
    *out_last_run = cJSON_DetachItemFromArray(runs, 0);
    cJSON_Delete(runs);
    return true;
}

static int64_t monotonic_ms(void)
{
    const struct clock *clock = clock_system();

    return clock->monotonic_ms(clock->context);
}

/* The files are looked at before they are read, so that the next call sees a commit between the
 * two. *out_read: false if nothing has changed since the last read. Called without the mutex, by
 * one thread at a time. */
static bool read_if_changed(
    struct status *status, bool *out_read, cJSON **out_last_run, struct error *err)
{
    const struct clock *clock = clock_system();
    int64_t wall_us = clock->wall_us(clock->context);
    int64_t now_ms = monotonic_ms();
    struct file_stamp files[FILES];

    look_at_files(status, files);
    // Bills are of a day, which ends without a commit.
    *out_read = !status->current || !are_same(files, status->files) ||
                now_ms - status->current_ms >= KEEP_MAX_MS ||
                wall_us >= status->next_spending.day_ends_us;
    if (!*out_read)
        return true;
    status->current = false;
    if (!open_both(status, err))
        return false;
    bool ok = read_all(status, out_last_run, err);
    close_both(status);
    status->current = ok && are_settled(files, wall_us);
    status->current_ms = now_ms;
    memcpy(status->files, files, sizeof status->files);
    return ok;
}

/* Whether the last read is new enough. The caller holds the mutex. */
static bool is_usable(struct status *status)
{
    int64_t now_ms = monotonic_ms();
    int64_t earned_ms = (now_ms - status->credited_ms) / CREDIT_PART;

    if (earned_ms > 0) {
        status->credit_ms += earned_ms;
        status->credited_ms = now_ms;
        if (status->credit_ms > CREDIT_MAX_MS)
            status->credit_ms = CREDIT_MAX_MS;
    }
    return status->filled && status->filled_for == status->wanted && status->credit_ms <= 0 &&
           now_ms - status->filled_ms < REUSE_MAX_MS;
}

static void swap(struct status *status, cJSON *last_run)
{
    struct status_table *read = status->next;

    status->next = status->tables;
    status->tables = read;
    status->spending = status->next_spending;
    cJSON_Delete(status->last_run);
    status->last_run = last_run;
}

/* Reads the databases if the last read is too old. The caller holds the mutex, which is released
 * during the read. */
static bool refresh(struct status *status, struct error *err)
{
    bool read = false;
    cJSON *last_run = NULL;

    for (;;) {
        if (is_usable(status))
            return true;
        if (!status->refreshing)
            break;
        pthread_cond_wait(&status->done, &status->mutex);
    }

    uint64_t wanted = status->wanted;
    status->refreshing = true;
    pthread_mutex_unlock(&status->mutex);
    int64_t began_ms = monotonic_ms();
    bool ok = read_if_changed(status, &read, &last_run, err);
    int64_t now_ms = monotonic_ms();

    pthread_mutex_lock(&status->mutex);
    status->refreshing = false;
    pthread_cond_broadcast(&status->done);
    status->filled = ok;
    status->filled_for = wanted;
    if (read && ok) {
        swap(status, last_run);
        status->filled_ms = began_ms;
        status->credit_ms -= now_ms - began_ms;
    }
    return ok;
}

void status_invalidate(struct status *status)
{
    pthread_mutex_lock(&status->mutex);
    status->wanted++;
    pthread_mutex_unlock(&status->mutex);
}

bool status_read(struct status *status, struct status_table *out_tables, struct error *err)
{
    pthread_mutex_lock(&status->mutex);
    bool ok = refresh(status, err);
    if (ok)
        memcpy(out_tables, status->tables, status->count * sizeof *out_tables);
    pthread_mutex_unlock(&status->mutex);
    return ok;
}

bool status_spending(struct status *status, struct spending *out_spending, struct error *err)
{
    pthread_mutex_lock(&status->mutex);
    bool ok = refresh(status, err);
    if (ok)
        *out_spending = status->spending;
    pthread_mutex_unlock(&status->mutex);
    return ok;
}

cJSON *status_last_run(struct status *status)
{
    struct error ignored;

    pthread_mutex_lock(&status->mutex);
    bool ok = refresh(status, &ignored);
    cJSON *run = ok && status->last_run != NULL ? cJSON_Duplicate(status->last_run, true) : NULL;
    pthread_mutex_unlock(&status->mutex);
    return run;
}

/* --- the document ------------------------------------------------------------------------ */

cJSON *status_json(struct status *status, struct status_live *live)
{
    cJSON *json = cJSON_CreateObject();
    struct error err;

    status_document_begin(json, status->config, live);
    pthread_mutex_lock(&status->mutex);
    bool ok = refresh(status, &err);
    cJSON_AddItemToObject(
        json, "last_run",
        status_document_last_run(ok ? status->last_run : NULL, live->recent, live->now_us));
    if (ok)
        spending_json_add(json, status->config, &status->spending);
    if (ok)
        status_document_follow(json, status->tables, status->count);
    cJSON *tables = cJSON_AddArrayToObject(json, "tables");
    for (size_t i = 0; i < status->count; i++)
        cJSON_AddItemToArray(
            tables,
            status_document_table(
                status->config, &status->tables[i], ok, &live->ledger->tables[i], live->now_us));
    pthread_mutex_unlock(&status->mutex);
    status_document_end(json, ok ? NULL : &err, live);
    return json;
}
