#include "sync/pass/batch.h"

void batch_release(struct batch *batch)
{
    spool_free(batch->spool);
    shadow_free(batch->shadow);
    if (batch->has_rejects)
        tracking_close(&batch->rejects);
    batch->spool = NULL;
    batch->shadow = NULL;
    batch->has_rejects = false;
}

void batch_clear(struct batch *batch)
{
    batch_release(batch);
    partitions_clear(&batch->partitions);
    *batch = (struct batch){0};
}
