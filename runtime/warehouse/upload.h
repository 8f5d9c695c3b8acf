/* upload: the bytes of a load job on their way to BigQuery, in one multipart request or through a
 * resumable session whose chunks are read from the spool while they are sent, so that memory does
 * not grow with the file ("Upload data with the API"). After any fault the session is asked how
 * much it has, and only the rest is sent. For the files of this group. */
#ifndef BQSYNC_WAREHOUSE_UPLOAD_H
#define BQSYNC_WAREHOUSE_UPLOAD_H

#include "warehouse/call.h"

/* Every chunk but the last is a multiple of this. */
#define UPLOAD_GRANULE_BYTES   (256u * 1024)
#define UPLOAD_CHUNK_BYTES     (8u << 20)
#define UPLOAD_MULTIPART_BYTES (8u << 20)

/* What is sent; all borrowed. */
struct upload {
    const char *job_id;
    const cJSON *job; /* the Job resource */
    const struct spool *file;
};

/* Sends a load job and its file. *out_answer: the Job as BigQuery has it, owned, or NULL when the
 * job id exists already (409), which is success. *out_sent: media bytes handed to connections,
 * repetitions included. */
MUST_CHECK bool upload_send(
    struct bigquery *bigquery, const struct upload *upload, cJSON **out_answer, uint64_t *out_sent,
    struct error *err);

/* How far a session has come by a Range header of a 308 answer: the offset to go on from. */
uint64_t upload_offset_of(const char *range);

#endif
