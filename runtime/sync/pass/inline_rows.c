#include "sync/pass/inline_rows.h"

#include "encode/parameter.h"

/* In memory: many tables may wait for their turn. */
#define TEXT_MEMORY (128 << 10)

bool inline_rows_begin(struct inline_rows *rows, const struct task *task, struct error *err)
{
    const struct plan *plan = &task->plan;

    inline_rows_clear(rows);
    buffer_init(&rows->row, INLINE_TEXT_MAX);
    return plan->mode != SEND_MERGE || plan->in_transaction || !parameter_carries(task->table) ||
           spool_new(TEXT_MEMORY, &rows->text, err);
}

static void give_up(struct inline_rows *rows)
{
    spool_free(rows->text);
    rows->text = NULL;
}

bool inline_rows_add(
    struct inline_rows *rows, const struct table *table, struct slice record, struct error *err)
{
    if (rows->text == NULL)
        return true;
    rows->data_bytes += record.length;
    if (++rows->rows > INLINE_ROWS_MAX || rows->data_bytes > INLINE_DATA_MAX) {
        give_up(rows);
        return true;
    }
    buffer_reset(&rows->row);
    if (rows->rows > 1)
        buffer_append_byte(&rows->row, ',');
    parameter_append_row(&rows->row, table, record);
    if (rows->row.failure == BUFFER_OK &&
        spool_size(rows->text) + rows->row.length <= INLINE_TEXT_MAX)
        return spool_write(rows->text, buffer_slice(&rows->row), err);
    give_up(rows);
    return true;
}

struct spool *inline_rows_take(struct inline_rows *rows)
{
    struct spool *text = rows->text;

    rows->text = NULL;
    return text;
}

void inline_rows_clear(struct inline_rows *rows)
{
    give_up(rows);
    buffer_clear(&rows->row);
    *rows = (struct inline_rows){0};
}
