#include "sync/pass/batch.h"

void batch_release(struct batch *batch)
{
    spool_free(batch->spool);
    spool_free(batch->inlined);
    shadow_free(batch->shadow);
    if (batch->has_rejects)
        tracking_close(&batch->rejects);
    batch->spool = NULL;
    batch->inlined = NULL;
    batch->shadow = NULL;
    batch->has_rejects = false;
}

void batch_clear(struct batch *batch)
{
    batch_release(batch);
    partitions_clear(&batch->partitions);
    bounds_clear(&batch->bounds);
    *batch = (struct batch){0};
}

bool batch_only_adds(const struct batch *batch, const struct table *table)
{
    return batch->changed_rows == 0 && table->add_sql != NULL;
}

uint64_t batch_bytes(const struct batch *batch)
{
    const struct spool *sent = batch->inlined != NULL ? batch->inlined : batch->spool;

    return sent == NULL ? 0 : spool_size(sent);
}
