#include "support/fake_http.h"

#include "support/fake_about.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void forget_requests(struct fake_http *fake)
{
    for (size_t i = 0; i < fake->request_count; i++) {
        free(fake->requests[i].method);
        free(fake->requests[i].url);
        free(fake->requests[i].headers);
        free(fake->requests[i].body);
    }
    fake->request_count = 0;
}

static struct fake_request *record(struct fake_http *fake, const struct http_request *request)
{
    struct buffer headers;

    fake->requests = realloc(fake->requests, (fake->request_count + 1) * sizeof *fake->requests);
    struct fake_request *kept = &fake->requests[fake->request_count++];
    buffer_init(&headers, 1 << 20);
    for (size_t i = 0; i < HTTP_MAX_HEADERS; i++)
        if (request->headers[i] != NULL)
            buffer_printf(&headers, "%s\n", request->headers[i]);
    *kept = (struct fake_request){
        .method = strdup(request->method),
        .url = strdup(request->url),
        .headers = buffer_take(&headers),
        .connect_timeout_ms = request->connect_timeout_ms,
        .stall_timeout_ms = request->stall_timeout_ms,
        .new_connection = request->new_connection,
    };
    return kept;
}

/* Takes the body, as a connection would. */
static bool take_body(
    struct fake_request *kept, const struct http_request *request, uint64_t *sent,
    struct error *err)
{
    uint64_t length = request->source != NULL ? request->source->length : request->body.length;

    kept->body = calloc(1, (size_t)length + 1);
    kept->body_length = (size_t)length;
    if (request->source == NULL) {
        memcpy(kept->body, length > 0 ? request->body.data : "", (size_t)length);
        *sent = length;
        return true;
    }
    // In odd pieces, so that the source is asked across the borders of its parts.
    for (uint64_t at = 0; at < length;) {
        size_t piece = length - at < 7001 ? (size_t)(length - at) : 7001;
        if (!request->source->read(request->source->context, at, kept->body + at, piece, err))
            return false;
        at += piece;
        *sent += piece;
    }
    return true;
}

static bool fake_perform(
    void *context, const struct http_request *request, struct http_answer *answer,
    struct error *err)
{
    struct fake_http *fake = context;
    struct fake_reply reply = {0};
    struct fake_request *kept = record(fake, request);
    bool scripted = fake->handler == NULL;

    http_answer_clear(answer);
    if (scripted) {
        reply = fake->replies[fake->next];
        if (fake->next + 1 < fake->reply_count)
            fake->next++;
    }
    if (!take_body(kept, request, &answer->sent, err)) {
        answer->failure = HTTP_LOCAL;
        return false;
    }
    if (!scripted)
        fake->handler(fake->context, kept, &reply);
    if (reply.status == 0) {
        answer->failure = reply.failure;
        if (fake->advance_ms != NULL)
            *fake->advance_ms += fake->silence_ms;
        return error_set(
            err,
            reply.failure == HTTP_BROKEN    ? ERROR_TRANSIENT
            : reply.failure == HTTP_STOPPED ? ERROR_STOPPED
                                            : ERROR_UNREACHABLE,
            "http://fake: no answer (%d)", (int)reply.failure);
    }
    answer->status = reply.status;
    answer->status_override = reply.status_override;
    answer->retry_after_ms = reply.retry_after_ms;
    if (reply.location != NULL)
        answer->location = strdup(reply.location);
    snprintf(answer->range, sizeof answer->range, "%s", reply.range == NULL ? "" : reply.range);
    snprintf(
        answer->content_type, sizeof answer->content_type, "%s",
        reply.content_type == NULL ? "" : reply.content_type);
    const char *body = reply.body == NULL ? "" : reply.body;
    if (fake->bare || reply.status >= 300)
        buffer_append_text(&answer->body, body);
    else
        fake_about_complete(kept, body, &fake->job_id, &answer->body);
    return true;
}

void fake_http_init(struct fake_http *fake)
{
    *fake = (struct fake_http){0};
    fake->ops = (struct http_ops){.context = fake, .perform = fake_perform};
}

void fake_http_clear(struct fake_http *fake)
{
    forget_requests(fake);
    free(fake->requests);
    free(fake->job_id);
    fake->requests = NULL;
    fake->job_id = NULL;
}

void fake_http_script(struct fake_http *fake, const struct fake_reply *replies, size_t count)
{
    forget_requests(fake);
    fake->replies = replies;
    fake->reply_count = count;
    fake->next = 0;
    fake->handler = NULL;
}

const char *fake_http_header(const struct fake_request *request, const char *name)
{
    static char value[4096];
    size_t length = strlen(name);

    for (const char *line = request->headers; *line != '\0';) {
        size_t end = strcspn(line, "\n");
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            snprintf(value, sizeof value, "%.*s", (int)(end - length - 2), line + length + 2);
            return value;
        }
        line += end + (line[end] == '\n');
    }
    return NULL;
}
