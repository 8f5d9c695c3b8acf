/* codec_record: what earlier passes and processes have found out about sending files, kept in the
 * state database: how fast the link to BigQuery is, and whether BigQuery has refused zstd. */
#ifndef BQSYNC_SYNC_PASS_CODEC_RECORD_H
#define BQSYNC_SYNC_PASS_CODEC_RECORD_H

#include "base/error.h"
#include "source/tracking.h"
#include "sync/deployment.h"
#include "sync/pass/extract_options.h"

#include <stdbool.h>
#include <stdint.h>

/* How the next files are packed. The link of this process counts, once it has sent enough; else
 * what an earlier one has left. */
MUST_CHECK bool codec_record_load(
    const struct deployment *deployment, struct tracking *tracking, struct extract_codec *out_codec,
    struct error *err);

/* Keeps the speed of the link if it is known and differs by more than a tenth from the one that is
 * kept; else it writes nothing. */
MUST_CHECK bool codec_record_save(
    const struct deployment *deployment, struct tracking *tracking, struct error *err);

/* From now on files are packed with DEFLATE. *out_news: until now they were not. */
MUST_CHECK bool codec_record_refuse(struct tracking *tracking, bool *out_news, struct error *err);

#endif
