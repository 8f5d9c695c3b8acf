#include "bqlocal/jobs/multipart.h"

#include "base/buffer.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The first part is a job's configuration, the headers of parts are short. */
#define HEAD_BYTES_MAX ((size_t)16 << 20)

/* What may stand behind the closing boundary. */
#define TAIL_BYTES 1024

char *multipart_boundary(const char *content_type)
{
    const char *at = content_type == NULL ? NULL : strcasestr(content_type, "boundary=");

    if (at == NULL || strncasecmp(content_type, "multipart/", 10) != 0)
        return NULL;
    at += strlen("boundary=");
    bool quoted = *at == '"';
    at += quoted;
    size_t length = strcspn(at, quoted ? "\"" : "; \t");
    return length == 0 ? NULL : strndup(at, length);
}

static bool malformed(struct error *err, const char *what)
{
    return failure_set(err, "badRequest", "Malformed multipart body: %s", what);
}

/* Behind a delimiter line at *at, or NULL: --boundary, maybe blanks, a line end. */
static const char *skip_delimiter(const char *at, const char *end, const char *boundary)
{
    size_t length = strlen(boundary);

    if ((size_t)(end - at) < length + 2 || memcmp(at, "--", 2) != 0 ||
        memcmp(at + 2, boundary, length) != 0)
        return NULL;
    at += length + 2;
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at < end && *at == '\n' ? at + 1 : NULL;
}

/* Behind the empty line that ends a part's headers, or NULL. */
static const char *skip_headers(const char *at, const char *end)
{
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            return NULL;
        bool empty = line_end == at || (line_end == at + 1 && *at == '\r');
        at = line_end + 1;
        if (empty)
            return at;
    }
    return NULL;
}

/* Finds the two parts in the start of a body; *out_needs_more: the second part has not begun. */
static bool split_head(
    struct slice start, const char *boundary, cJSON **out_job, size_t *out_offset,
    bool *out_needs_more, struct error *err)
{
    const char *end = start.data + start.length;
    const char *at = start.data;
    char line[300];

    *out_needs_more = start.length < HEAD_BYTES_MAX;
    // A preamble is an empty line at most.
    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    const char *first = at == end ? NULL : skip_delimiter(at, end, boundary);
    const char *json = first == NULL ? NULL : skip_headers(first, end);
    int length = snprintf(line, sizeof line, "\n--%s", boundary);
    if (length < 0 || (size_t)length >= sizeof line)
        return malformed(err, "the boundary is too long");
    const char *second =
        json == NULL ? NULL : memmem(json, (size_t)(end - json), line, (size_t)length);
    const char *headers = second == NULL ? NULL : skip_delimiter(second + 1, end, boundary);
    const char *media = headers == NULL ? NULL : skip_headers(headers, end);
    if (media == NULL)
        return *out_needs_more || malformed(err, "it needs two parts, a job as JSON and the media");
    *out_needs_more = false;
    *out_offset = (size_t)(media - start.data);
    return json_body_parse((struct slice){json, (size_t)(second - json)}, out_job, err);
}

/* Where the media ends: before the line end that belongs to the last delimiter. */
static bool find_end(
    const struct spool *spool, const char *boundary, uint64_t media, uint64_t *out_end,
    struct error *err)
{
    uint64_t size = spool_size(spool);
    size_t length = size - media < TAIL_BYTES ? (size_t)(size - media) : TAIL_BYTES;
    uint64_t from = size - length;
    char tail[TAIL_BYTES];
    char delimiter[300];
    const char *found = NULL;

    if (!spool_read(spool, from, tail, length, err))
        return false;
    int wanted = snprintf(delimiter, sizeof delimiter, "\n--%s--", boundary);
    for (const char *at = tail;; at = found + 1) {
        const char *next = memmem(at, (size_t)(tail + length - at), delimiter, (size_t)wanted);
        if (next == NULL)
            break;
        found = next;
    }
    if (found == NULL)
        return malformed(err, "it does not end in its boundary");
    *out_end = from + (uint64_t)(found - tail);
    return true;
}

/* Whether the body's first line ends in CRLF: then the line end before a delimiter is one too. */
static bool uses_crlf(const char *start, size_t length)
{
    const char *line_end = length > 2 ? memchr(start + 2, '\n', length - 2) : NULL;

    return line_end != NULL && line_end[-1] == '\r';
}

bool multipart_split(
    const struct spool *spool, const char *boundary, cJSON **out_job, uint64_t *out_offset,
    uint64_t *out_length, struct error *err)
{
    struct buffer head;
    cJSON *job = NULL;
    uint64_t end = 0;
    size_t offset = 0;
    bool needs_more = true;
    bool ok = false;

    buffer_init(&head, HEAD_BYTES_MAX);
    for (size_t size = 65536; needs_more; size *= 4) {
        size_t length = spool_size(spool) < size ? (size_t)spool_size(spool) : size;
        buffer_reset(&head);
        char *room = buffer_reserve(&head, length);
        if (room == NULL || !spool_read(spool, 0, room, length, err)) {
            malformed(err, "its first part is too large");
            goto cleanup;
        }
        head.length = length;
        if (!split_head(buffer_slice(&head), boundary, &job, &offset, &needs_more, err))
            goto cleanup;
        if (needs_more && length == spool_size(spool)) {
            malformed(err, "it needs two parts, a job as JSON and the media");
            goto cleanup;
        }
    }
    if (!find_end(spool, boundary, offset - 1, &end, err))
        goto cleanup;
    uint64_t line_end = uses_crlf(head.data, head.length) ? 1 : 0;
    // Empty media: the line end of its headers is that of the delimiter.
    *out_length = end >= offset + line_end ? end - offset - line_end : 0;
    *out_offset = offset;
    *out_job = job;
    job = NULL;
    ok = true;

cleanup:
    cJSON_Delete(job);
    buffer_clear(&head);
    return ok;
}
