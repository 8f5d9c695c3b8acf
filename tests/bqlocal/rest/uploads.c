#include "bqlocal/rest/uploads.h"

#include "bqlocal/jobs/job_check.h"
#include "bqlocal/jobs/job_runner.h"
#include "bqlocal/jobs/media.h"
#include "bqlocal/jobs/multipart.h"
#include "bqlocal/rest/resources.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Every chunk but the last is a multiple of this. */
#define CHUNK_UNIT 262144

/* A resumable upload. */
struct session {
    char id[33];
    cJSON *job;
    struct media_writer *writer;
    uint64_t received;
    bool busy;    /* a request is writing to it */
    char *job_id; /* of the job it has become, NULL before */
    struct session *next;
};

struct uploads {
    struct session *first;
};

/* What a request with media is writing to. */
struct upload_body {
    char *boundary; /* of a multipart body, NULL for a chunk */
    struct media_writer *writer;
    struct session *session;
    bool is_probe;   /* asks for the state, without content */
    uint64_t first;  /* of the chunk */
    int64_t last;    /* -1: not given */
    int64_t total;   /* -1: not known yet */
    uint64_t offset; /* of the next byte */
};

bool uploads_new(struct uploads **out_uploads, struct error *err)
{
    *out_uploads = calloc(1, sizeof **out_uploads);
    return *out_uploads != NULL || error_set(err, ERROR_MEMORY, "out of memory for uploads");
}

static void session_free(struct session *session)
{
    cJSON_Delete(session->job);
    media_writer_free(session->writer);
    free(session->job_id);
    free(session);
}

void uploads_free(struct uploads *uploads)
{
    if (uploads == NULL)
        return;
    while (uploads->first != NULL) {
        struct session *next = uploads->first->next;
        session_free(uploads->first);
        uploads->first = next;
    }
    free(uploads);
}

static struct session *find_session(const struct uploads *uploads, const char *id)
{
    struct session *session = uploads->first;

    while (session != NULL && (id == NULL || strcmp(session->id, id) != 0))
        session = session->next;
    return session;
}

/* Frees the session (NULL or unknown: none) unless a request is writing to it. */
static void forget(struct uploads *uploads, const char *upload_id)
{
    struct session *session = find_session(uploads, upload_id);
    struct session **link = &uploads->first;

    if (session == NULL || session->busy)
        return;
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    session_free(session);
}

bool upload_vanish(const struct parts *in, struct request *request, struct error *err)
{
    const char *id = request_query(request, "upload_id");

    upload_body_end(request);
    forget(in->uploads, id);
    return id == NULL || failure_set(err, "notFound", "Not found: upload session %.64s", id);
}

/* Whether the media of such a job is counted instead of kept. */
static bool is_forgetful(const struct parts *in, const cJSON *job)
{
    const char *format = json_text(json_at(json_at(job, "configuration"), "load"), "sourceFormat");

    return in->jobs->settings.discards && format != NULL && strcmp(format, "AVRO") == 0;
}

// "bytes 0-99/200", "bytes 0-99/*", "bytes */200"; false for anything else.
static bool parse_range(const char *text, struct upload_body *body)
{
    unsigned long long first, last, total;
    int end = 0;

    body->total = -1;
    body->last = -1;
    if (sscanf(text, "bytes */%llu%n", &total, &end) == 1 && text[end] == '\0') {
        body->is_probe = true;
        body->total = (int64_t)total;
        return true;
    }
    if (strcmp(text, "bytes */*") == 0) {
        body->is_probe = true;
        return true;
    }
    if (sscanf(text, "bytes %llu-%llu/%n", &first, &last, &end) != 2 || end == 0 || last < first)
        return false;
    body->first = first;
    body->last = (int64_t)last;
    if (strcmp(text + end, "*") == 0)
        return true;
    int64_t number;
    if (!value_parse_int64(slice_of(text + end), &number) || number <= (int64_t)last)
        return false;
    body->total = number;
    return true;
}

static bool check_chunk(const struct upload_body *body, struct error *err)
{
    bool is_last = body->total >= 0 && body->last + 1 == body->total;
    uint64_t length = body->last < 0 ? 0 : (uint64_t)body->last + 1 - body->first;

    if (!body->is_probe && body->last >= 0 && !is_last && length % CHUNK_UNIT != 0)
        return failure_set(
            err, "invalid",
            "Invalid request. The number of bytes uploaded is required to be equal "
            "or greater than 262144, except for the final request (it's "
            "recommended to be the exact multiple of 262144). The received request "
            "contained %llu bytes, which does not meet this requirement.",
            (unsigned long long)length);
    return true;
}

static bool begin_chunk(
    const struct parts *in, struct request *request, const char *id, struct upload_body *body,
    struct error *err)
{
    const char *range = request_header(request, "Content-Range");
    struct session *session = find_session(in->uploads, id);

    if (session == NULL)
        return failure_set(err, "notFound", "Not found: upload session %.64s", id);
    if (session->busy)
        return failure_set(err, "backendError", "Another request is writing to the upload session");
    body->last = body->total = -1;
    if (range != NULL && !parse_range(range, body))
        return failure_set(err, "invalid", "Invalid Content-Range: %.100s", range);
    if (!check_chunk(body, err))
        return false;
    body->session = session;
    body->offset = body->first;
    session->busy = true;
    return true;
}

bool upload_body_begin(const struct parts *in, struct request *request, struct error *err)
{
    const char *type = request_query(request, "uploadType");
    const char *id = request_query(request, "upload_id");
    struct upload_body *body;

    // The start of a resumable upload has a plain JSON body.
    if (id == NULL && type != NULL && strcmp(type, "resumable") == 0)
        return true;
    if (id == NULL && (type == NULL || strcmp(type, "multipart") != 0))
        return failure_set(
            err, "badRequest", "uploadType has to be multipart or resumable, not %.40s",
            type == NULL ? "missing" : type);
    body = calloc(1, sizeof *body);
    if (body == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an upload");
    request->upload = body;
    if (id != NULL)
        return begin_chunk(in, request, id, body, err);
    body->boundary = multipart_boundary(request_header(request, "Content-Type"));
    if (body->boundary == NULL)
        return failure_set(
            err, "badRequest", "Content-Type has to be multipart/related with a boundary");
    return media_writer_new(false, &body->writer, err);
}

void upload_body_end(struct request *request)
{
    struct upload_body *body = request->upload;

    if (body == NULL)
        return;
    if (body->session != NULL)
        body->session->busy = false;
    media_writer_free(body->writer);
    free(body->boundary);
    free(body);
    request->upload = NULL;
}

/* Bytes the session has already are not written again; bytes behind a gap are not taken. */
static bool write_chunk(struct upload_body *body, struct slice bytes, struct error *err)
{
    struct session *session = body->session;

    if (session->job_id != NULL || body->is_probe || body->offset > session->received)
        return true;
    uint64_t known = session->received - body->offset;
    size_t skip = known < bytes.length ? (size_t)known : bytes.length;
    body->offset += bytes.length;
    bytes.data += skip;
    bytes.length -= skip;
    session->received += bytes.length;
    return bytes.length == 0 || media_write(session->writer, bytes, err);
}

bool upload_body_write(struct request *request, struct slice bytes, struct error *err)
{
    struct upload_body *body = request->upload;

    return body->session != NULL ? write_chunk(body, bytes, err)
                                 : media_write(body->writer, bytes, err);
}

/* Makes a job of the media, which it takes, and answers with it. */
static bool insert_job(
    const struct parts *in, struct request *request, const cJSON *body, struct media *media,
    struct error *err)
{
    struct job_origin origin = {request->method, request->target};
    struct job *job = NULL;

    if (!jobs_insert(in->jobs, &origin, body, media, &job, err)) {
        media_clear(media);
        return false;
    }
    return resource_answer_job(in, request, job);
}

/* The part of the spool as media that is counted and forgotten. */
static bool count_media(
    const struct spool *spool, uint64_t offset, uint64_t length, struct media *out_media,
    struct error *err)
{
    struct media_writer *counter = NULL;
    char chunk[65536];
    bool ok = media_writer_new(true, &counter, err);

    for (uint64_t at = 0; ok && at < length;) {
        size_t size = length - at < sizeof chunk ? (size_t)(length - at) : sizeof chunk;
        ok = spool_read(spool, offset + at, chunk, size, err) &&
             media_write(counter, (struct slice){chunk, size}, err);
        at += size;
    }
    ok = ok && media_take(counter, 0, length, out_media, err);
    media_writer_free(counter);
    return ok;
}

static bool finish_multipart(const struct parts *in, struct request *request, struct error *err)
{
    const struct upload_body *body = request->upload;
    const struct spool *spool = media_spool(body->writer);
    struct media media = {.forgotten_rows = -1};
    cJSON *job = NULL;
    uint64_t offset = 0;
    uint64_t length = 0;

    if (!multipart_split(spool, body->boundary, &job, &offset, &length, err))
        return false;
    bool ok = request_check_json(request, job, err) &&
              (is_forgetful(in, job) ? count_media(spool, offset, length, &media, err)
                                     : media_take(body->writer, offset, length, &media, err)) &&
              insert_job(in, request, job, &media, err);
    cJSON_Delete(job);
    return ok;
}

static bool start_session(const struct parts *in, struct request *request, struct error *err)
{
    struct session *session = calloc(1, sizeof *session);
    enum job_kind kind;
    unsigned char random[16];
    struct buffer location;

    if (session == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an upload");
    if (!request_json(request, &session->job, err) ||
        !job_check_configuration(session->job, true, &kind, err) ||
        !media_writer_new(is_forgetful(in, session->job), &session->writer, err)) {
        session_free(session);
        return false;
    }
    sqlite3_randomness(sizeof random, random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(session->id + 2 * i, 3, "%02x", random[i]);
    session->next = in->uploads->first;
    in->uploads->first = session;

    buffer_init(&location, 16384);
    buffer_printf(
        &location, "%s%s?uploadType=resumable&upload_id=%s", request->origin, request->path,
        session->id);
    request->answer.location = buffer_take(&location);
    return answer_empty(&request->answer, 200);
}

/* "Go on": 308, or 200 for clients that would follow a 308. */
static bool answer_incomplete(struct request *request, const struct session *session)
{
    const char *no_308 = request_header(request, "X-GUploader-No-308");
    struct answer *answer = &request->answer;

    if (session->received > 0)
        snprintf(
            answer->range, sizeof answer->range, "bytes=0-%llu",
            (unsigned long long)session->received - 1);
    bool as_200 = no_308 != NULL && strcasecmp(no_308, "yes") == 0;
    if (as_200)
        answer->override_status = 308;
    return answer_empty(answer, as_200 ? 200 : 308);
}

static bool finish_session(
    const struct parts *in, struct request *request, struct session *session, struct error *err)
{
    struct job_origin origin = {request->method, request->target};
    struct media media = {.forgotten_rows = -1};
    struct job *job = NULL;

    // The media stays with the session where the id is used: a repeated request meets 409 again.
    if (!jobs_check_id_free(in->jobs, session->job, err) ||
        !media_take(session->writer, 0, session->received, &media, err))
        return false;
    if (!jobs_insert(in->jobs, &origin, session->job, &media, &job, err)) {
        media_clear(&media);
        session->busy = false;
        request->upload->session = NULL;
        forget(in->uploads, session->id);
        return false;
    }
    session->job_id = strdup(job->id);
    return resource_answer_job(in, request, job);
}

static bool answer_finished(
    const struct parts *in, struct request *request, const struct session *session,
    struct error *err)
{
    const struct job *job = jobs_get(in->jobs, session->job_id);

    return job != NULL ? resource_answer_job(in, request, job)
                       : failure_set(err, "notFound", "Not found: Job %s", session->job_id);
}

static bool finish_chunk(const struct parts *in, struct request *request, struct error *err)
{
    struct upload_body *body = request->upload;
    struct session *session = body->session;
    uint64_t expected =
        body->last < 0 ? request->content_bytes : (uint64_t)body->last + 1 - body->first;

    if (session->job_id != NULL)
        return answer_finished(in, request, session, err);
    if (!body->is_probe && request->content_bytes != expected)
        return failure_set(
            err, "invalid", "Content-Range promises %llu bytes, but %llu came",
            (unsigned long long)expected, (unsigned long long)request->content_bytes);
    // Without a range the body is the whole file.
    bool whole = !body->is_probe && body->last < 0;
    bool complete = whole || (body->total >= 0 && session->received == (uint64_t)body->total);
    return complete ? finish_session(in, request, session, err)
                    : answer_incomplete(request, session);
}

bool rest_upload(const struct parts *in, struct request *request, struct error *err)
{
    if (request->upload == NULL)
        return start_session(in, request, err);
    if (request->upload->session != NULL)
        return finish_chunk(in, request, err);
    return finish_multipart(in, request, err);
}

bool rest_upload_cancel(const struct parts *in, struct request *request, struct error *err)
{
    const char *id = request_query(request, "upload_id");

    if (find_session(in->uploads, id) == NULL)
        return failure_set(err, "notFound", "Not found: upload session");
    forget(in->uploads, id);
    return answer_empty(&request->answer, 499);
}
