#include "sync/commit/load.h"

#include "sync/commit/load_schema.h"
#include "sync/pass/progress.h"

static void note_codec(struct task *task)
{
    const struct batch *batch = &task->batch;

    task->outcome->codec = codec_name(batch->codec);
    task->outcome->codec_level = batch->codec_level;
    task->outcome->compression_ratio = (double)batch->raw_bytes / (double)spool_size(batch->spool);
}

bool load_start(
    struct worker *worker, struct task *task, const struct load *load, struct error *err)
{
    uint64_t sent = 0;
    cJSON *schema = load_schema(task);

    progress_phase(worker->progress, task->index, PHASE_SENDING);
    bool ok = bigquery_load(
        worker->bigquery,
        &(struct load_request){
            .job_id = load->job_id,
            .table = load->destination,
            .disposition = load->disposition,
            .file = task->batch.spool,
            .schema = schema,
            .partitions = task->batch.staged ? 0 : partitions_modified(&task->batch.partitions),
            .label_table = task->table->name,
            .label_phase = load->phase,
        },
        &sent, err);
    cJSON_Delete(schema);
    task->outcome->bytes_sent += (int64_t)sent;
    note_codec(task);
    progress_bytes(worker->progress, task->index, task->outcome->bytes_sent);
    progress_phase(worker->progress, task->index, PHASE_RUNNING);
    return ok;
}
