#include "warehouse/upload.h"

#include "base/json_memory.h"
#include "warehouse/call_path.h"
#include "warehouse/link.h"
#include "warehouse/quota.h"
#include "warehouse/spool_body.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A job names every column of its destination, with descriptions. */
#define ENVELOPE_CEILING (16u << 20)
#define LOAD_PERMISSION  "bigquery.jobs.create and bigquery.tables.updateData"

/* Sessions live for hours ("Upload data with the API"): one that is lost is bad luck, more
 * than these are not. */
#define MAX_RESTARTS 5

static void upload_path(const struct bigquery *bigquery, const char *type, struct buffer *out)
{
    buffer_append_text(out, "/upload");
    call_path_project(bigquery, out);
    buffer_append_text(out, "/jobs");
    call_path_query(out);
    buffer_printf(out, "&uploadType=%s", type);
}

static const char *destination_of(const cJSON *job)
{
    static const char *const path[] = {
        "configuration", "load", "destinationTable", "tableId", NULL};

    return cJSON_GetStringValue(call_member(job, path));
}

/* --- multipart --------------------------------------------------------------------------- */

static bool send_multipart(
    struct bigquery *bigquery, const struct upload *upload, cJSON **out_answer, uint64_t *sent,
    struct error *err)
{
    struct buffer path;
    struct buffer before;
    char boundary[40];
    char type[120];
    char after[60];
    char *metadata = json_print(upload->job);

    // Long and random: Avro data does not hold it.
    snprintf(
        boundary, sizeof boundary, "bqsync%016" PRIx64 "%08" PRIx64,
        (uint64_t)retry_random(&bigquery->random, INT64_MAX),
        (uint64_t)retry_random(&bigquery->random, UINT32_MAX));
    snprintf(type, sizeof type, "multipart/related; boundary=%s", boundary);
    snprintf(after, sizeof after, "\r\n--%s--\r\n", boundary);
    buffer_init(&path, CALL_PATH_CEILING);
    upload_path(bigquery, "multipart", &path);
    buffer_init(&before, ENVELOPE_CEILING);
    buffer_printf(
        &before,
        "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n%s\r\n"
        "--%s\r\nContent-Type: application/octet-stream\r\n\r\n",
        boundary, metadata == NULL ? "" : metadata, boundary);
    struct spool_body part = {
        .file = upload->file,
        .length = spool_size(upload->file),
        .before = buffer_slice(&before),
        .after = slice_of(after),
        .sent = sent,
    };
    const struct http_source source = spool_body_source(&part);
    const struct call call = {
        .what = TRAFFIC_LOAD,
        .subject = upload->job_id,
        .permission = LOAD_PERMISSION,
        .method = "POST",
        .path = buffer_text(&path),
        .source = &source,
        .content_type = type,
        .fresh = destination_of(upload->job),
    };
    bool ok = metadata != NULL || error_set(err, ERROR_MEMORY, "out of memory for a load job");
    ok = ok && buffer_check(&before, "a load job", err) &&
         call_json(bigquery, &call, out_answer, err);
    cJSON_free(metadata);
    buffer_clear(&before);
    buffer_clear(&path);
    return ok || err->code == ERROR_CONFLICT;
}

/* --- resumable --------------------------------------------------------------------------- */

/* One upload through sessions. */
struct session {
    struct bigquery *bigquery;
    const struct upload *upload;
    uint64_t total;
    uint64_t offset;   /* what the session has, as far as we know */
    uint64_t furthest; /* the largest offset so far: progress is what passes it */
    char *url;         /* NULL: none yet */
    unsigned restarts; /* sessions that were lost */
    bool probe;        /* ask before sending: we do not know what it has */
    bool refreshed;    /* the token was renewed since the last progress */
    bool answered;     /* since the last progress */
    struct retry retry;
    uint64_t *sent;
    bool done;
    cJSON *answer;
};

uint64_t upload_offset_of(const char *range)
{
    // "bytes=0-K", from some servers "0-K"; no header: nothing is stored.
    const char *last = strchr(range, '-');

    if (last == NULL)
        return 0;
    return strtoull(last + 1, NULL, 10) + 1;
}

/* Starts a session. BigQuery reports a job id that exists already here or at the end; either way
 * the job is ours. */
static bool session_start(struct session *session, struct error *err)
{
    struct bigquery *bigquery = session->bigquery;
    struct buffer path;
    struct http_answer answer;
    char length[80];

    snprintf(length, sizeof length, "X-Upload-Content-Length: %" PRIu64, session->total);
    buffer_init(&path, CALL_PATH_CEILING);
    upload_path(bigquery, "resumable", &path);
    const struct call call = {
        .what = TRAFFIC_UPLOAD,
        .subject = session->upload->job_id,
        .permission = LOAD_PERMISSION,
        .method = "POST",
        .path = buffer_text(&path),
        .header = length,
        .body = session->upload->job,
        .fresh = destination_of(session->upload->job),
    };
    http_answer_init(&answer);
    bool ok = call_answer(bigquery, &call, &answer, err);
    if (ok) {
        free(session->url);
        session->url = answer.location;
        answer.location = NULL;
        session->offset = 0;
        session->probe = false;
    } else if (err->code == ERROR_CONFLICT) {
        session->done = ok = true;
    }
    http_answer_clear(&answer);
    buffer_clear(&path);
    return ok;
}

/* The request, and how long it takes. A multipart upload tells less of the link: its answer waits
 * for the job to be made. */
static bool send_chunk(
    struct session *session, const struct call *call, struct call_try *try, struct error *err)
{
    struct link *link = call->source->length >= LINK_CHUNK_MIN ? session->bigquery->link : NULL;

    if (link != NULL)
        link_begin(link);
    bool ok = call_once(session->bigquery, call, try, err);
    if (link != NULL)
        link_end(link, ok || try->answer->status == 308 ? call->source->length : 0);
    return ok;
}

/* One request to the session: the next chunk, or the question what it has. */
static bool session_request(
    struct session *session, struct http_answer *answer, enum retry_action *action,
    struct error *err)
{
    char range[120];
    uint64_t left = session->total - session->offset;
    uint64_t chunk = session->bigquery->upload_chunk_bytes;
    struct spool_body part = {
        .file = session->upload->file,
        .first = session->offset,
        .length = left < chunk ? left : chunk,
        .sent = session->sent,
    };

    if (session->probe || left == 0) {
        part.length = 0;
        snprintf(range, sizeof range, "Content-Range: bytes */%" PRIu64, session->total);
    } else {
        snprintf(
            range, sizeof range, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
            session->offset, session->offset + part.length - 1, session->total);
    }
    const struct http_source source = spool_body_source(&part);
    const struct call call = {
        .what = TRAFFIC_UPLOAD,
        .subject = session->upload->job_id,
        .permission = LOAD_PERMISSION,
        .method = "PUT",
        .header = range,
        .source = &source,
        .place = RETRY_SESSION,
    };
    struct call_try try = {
        .url = session->url,
        .left_ms = retry_left_ms(&session->retry),
        .answer = answer,
    };
    bool ok = send_chunk(session, &call, &try, err);
    *action = try.action;
    return ok;
}

/* "Go on": the session told how much it has. */
static void session_advance(struct session *session, const char *range)
{
    uint64_t offset = upload_offset_of(range);

    session->offset = offset > session->total ? session->total : offset;
    session->probe = false;
    if (session->offset > session->furthest) {
        session->furthest = session->offset;
        session->refreshed = false;
        session->answered = false;
        retry_progress(&session->retry);
    }
}

/* The end: 200 or 201 with the Job. An answer cut on its way, or about something else, leaves that
 * for the next probe. */
static bool session_finish(
    struct session *session, const struct http_answer *answer, struct error *err)
{
    const struct call call = {.what = TRAFFIC_UPLOAD, .subject = session->upload->job_id};

    session->done = call_believes(session->bigquery, &call, answer, &session->answer, err);
    session->probe = !session->done;
    if (session->done)
        call_went_well(session->bigquery);
    return session->done;
}

/* Chooses what comes next after a failure, and waits before it; false: give up. */
static bool session_recover(struct session *session, enum retry_action action, struct error *err)
{
    const struct call call = {.what = TRAFFIC_UPLOAD, .subject = session->upload->job_id};

    switch (action) {
    case RETRY_REFRESH_TOKEN:
        if (session->refreshed)
            return false;
        session->refreshed = true;
        bigquery_count_retry(session->bigquery, err);
        return true;
    case RETRY_NEW_SESSION:
        if (++session->restarts > MAX_RESTARTS)
            return false;
        // The new one starts from nothing: what it stores is progress again.
        session->furthest = 0;
        free(session->url);
        session->url = NULL;
        break;
    case RETRY_AGAIN:
    case RETRY_PROBE:
        session->probe = true;
        break;
    default:
        return false;
    }
    return call_pause(session->bigquery, &call, &session->retry, session->answered, err);
}

/* One step. False: this one failed, with what to do about it in *action. */
static bool session_step(struct session *session, enum retry_action *action, struct error *err)
{
    struct http_answer answer;
    uint64_t before = session->offset;
    bool asked = session->probe;

    http_answer_init(&answer);
    bool ok = session_request(session, &answer, action, err);
    session->answered = session->answered || answer.failure == HTTP_OK;
    bool go_on = answer.failure == HTTP_OK &&
                 (answer.status == 308 || (ok && answer.status_override == 308));
    if (go_on) {
        call_went_well(session->bigquery);
        session_advance(session, answer.range);
        // An acknowledgement of nothing new, without a question asked, must not become a busy loop.
        ok = asked || session->offset > before;
        *action = RETRY_PROBE;
        if (!ok) {
            // It may be the answer to an earlier chunk.
            session->bigquery->distrusts = true;
            error_set(
                err, ERROR_TRANSIENT, "BigQuery: upload %s: no progress at byte %" PRIu64,
                session->upload->job_id, session->offset);
            err->http_status = 308;
        }
    } else if (ok) {
        *action = RETRY_PROBE;
        ok = session_finish(session, &answer, err);
    } else if (err->code == ERROR_CONFLICT) {
        session->done = ok = true;
    }
    http_answer_clear(&answer);
    return ok;
}

static bool send_resumable(struct session *session, struct error *err)
{
    struct bigquery *bigquery = session->bigquery;

    retry_begin(&session->retry, bigquery->clock, bigquery->retry_budget_ms, &bigquery->random);
    while (!session->done) {
        enum retry_action action = RETRY_GIVE_UP;
        if (session->url == NULL) {
            if (!session_start(session, err)) {
                // A session that was lost may have made the job.
                err->refused = err->refused && session->restarts == 0;
                return false;
            }
        } else if (!session_step(session, &action, err) && !session_recover(session, action, err)) {
            return false;
        }
    }
    return true;
}

bool upload_send(
    struct bigquery *bigquery, const struct upload *upload, cJSON **out_answer, uint64_t *out_sent,
    struct error *err)
{
    struct session session = {
        .bigquery = bigquery,
        .upload = upload,
        .total = spool_size(upload->file),
        .sent = out_sent,
    };

    *out_answer = NULL;
    *out_sent = 0;
    if (session.total <= bigquery->upload_multipart_bytes)
        return send_multipart(bigquery, upload, out_answer, out_sent, err);
    bool ok = send_resumable(&session, err);
    free(session.url);
    if (ok)
        *out_answer = session.answer;
    return ok;
}
