#include "sync/commit/budget.h"

#include "base/shell_word.h"
#include "source/tracking_bill.h"
#include "sync/commit/staging.h"
#include "sync/spending.h"

/* Between two looks at what other tables have left. */
#define PAUSE_MS 200

/* Of a batch whose commit job is a statement: BigQuery bills 10 MB at least for each table that it
 * names. 0: the commit job is a load, or a TRUNCATE, which reads nothing. The script of a
 * transaction is capped by what its tables have reserved, so that none of them may reserve nothing.
 */
static int64_t least_bill(const struct worker *worker, const struct task *task)
{
    const struct batch *batch = &task->batch;
    bool logged = task->table->history != NULL;
    int64_t read = 0;

    if (batch->rows == 0)
        return logged || worker->config->sync_atomic || staging_keeps_deleted(task)
                   ? CONFIG_LEAST_BILLED_BYTES
                   : 0;
    // What is logged is read from the staging table, too, and compared with the target or the log.
    if (logged)
        read = (batch->inlined != NULL ? 0 : 1) +
               (batch->mode == SEND_REPLACE || batch->unknown_rows > 0 ? 1 : 0);
    read += batch->inlined != NULL ? 1 : batch->staged ? 2 : 0;
    return read * CONFIG_LEAST_BILLED_BYTES;
}

struct bill_limit budget_limit(const struct worker *worker)
{
    return (struct bill_limit){
        .bytes_a_day = worker->config->max_bytes_a_day,
        .now_us = worker->clock->wall_us(worker->clock->context),
    };
}

/* What is spent, and what the table's statement needs as far as is known. */
static bool look(
    struct worker *worker, const char *table, struct spending *out_spending, int64_t *out_needed,
    struct error *err)
{
    int64_t now_us = worker->clock->wall_us(worker->clock->context);
    struct tracking *tracking = worker_take_state(worker);

    bool ok = spending_read(worker->config, tracking, now_us, out_spending, err) &&
              tracking_bill_need(tracking, table, now_us, out_needed, err);
    worker_give_state(worker);
    return ok;
}

/* A table whose changes never fit can be replaced, as a rule for free: not in a transaction, and
 * not if a replacement is staged, too, as it is for its history and for rows that stay. */
static bool refuse(
    const struct worker *worker, const struct task *task, const struct spending *spending,
    int64_t needed, struct error *err)
{
    char word[SHELL_WORD_SIZE];

    spending_refuse(spending, needed, err);
    if (spending_never_fits(spending, needed) && task->batch.mode != SEND_REPLACE &&
        !worker->config->sync_atomic && task->table->history == NULL &&
        task->table->deletes == DELETES_MIRROR && !task->source.json_as_text &&
        task->outcome->rows_rejected_before == 0)
        error_note(
            err, "or send all rows by a load, which bills nothing: bqsync sync --full %s",
            shell_word(task->table->name, word));
    return false;
}

/* The tables of a transaction keep what they have reserved until all of them have it. */
bool budget_reserve(
    struct worker *worker, const struct task *task, struct intent *intent, struct error *err)
{
    const struct clock *clock = worker->clock;
    int64_t least = least_bill(worker, task);

    intent->bytes_reserved = 0;
    if (worker->config->max_bytes_a_day == 0 || least == 0)
        return true;
    for (int64_t waited_ms = 0;; waited_ms += PAUSE_MS) {
        struct spending spending;
        int64_t needed = 0;
        if (!look(worker, task->table->name, &spending, &needed, err))
            return false;
        needed = needed > least ? needed : least;
        intent->bytes_reserved = spending_grant(&spending, worker->config, needed);
        if (intent->bytes_reserved > 0)
            return true;
        if (spending.of_intents == 0 || worker->config->sync_atomic ||
            spending_never_fits(&spending, needed) || waited_ms >= worker->retry_budget_ms)
            return refuse(worker, task, &spending, needed, err);
        if (!clock->sleep_ms(clock->context, PAUSE_MS))
            return error_set(err, ERROR_STOPPED, "stopped while it waited for the day's budget");
    }
}

bool budget_learn(
    const struct worker *worker, struct intent *intent, const struct error *failure,
    struct error *err)
{
    intent->bytes_needed = spending_needed(worker->config, failure, intent->bytes_reserved);
    if (intent->bytes_needed == 0)
        return false;
    *err = *failure;
    err->code = ERROR_BUDGET;
    return true;
}

bool budget_reserve_more(
    struct worker *worker, struct intent *intent, int64_t reserved, int64_t needed,
    struct error *err)
{
    struct spending spending;
    int64_t ignored = 0;

    if (!look(worker, intent->table, &spending, &ignored, err))
        return false;
    if (spending_left(&spending) < needed - reserved)
        return spending_refuse(&spending, needed, err);
    intent->bytes_reserved += needed - reserved;
    intent->bytes_needed = intent->bytes_reserved;
    return true;
}
