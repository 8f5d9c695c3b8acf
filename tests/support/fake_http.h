/* fake_http: stands in for the network behind struct http_ops. A test scripts the replies, in
 * order, or gives a handler; every request is kept for it to look at. One thread. */
#ifndef TESTS_SUPPORT_FAKE_HTTP_H
#define TESTS_SUPPORT_FAKE_HTTP_H

#include "warehouse/http.h"

struct fake_reply {
    int status; /* 0: no answer, for the reason in failure */
    const char *body;
    enum http_failure failure;
    const char *location;
    const char *range;
    const char *content_type;
    int64_t retry_after_ms;
    int status_override;
};

struct fake_request {
    char *method;
    char *url;
    char *headers; /* joined by newlines */
    char *body;    /* with a terminator behind it */
    size_t body_length;
    int64_t connect_timeout_ms;
    int64_t stall_timeout_ms;
    bool new_connection;
};

struct fake_http {
    struct http_ops ops;
    const struct fake_reply *replies;
    size_t reply_count;
    size_t next;
    /* Instead of replies: fills *out_reply, whose texts must live until the next call. */
    void (*handler)(
        void *context, const struct fake_request *request, struct fake_reply *out_reply);
    void *context;
    struct fake_request *requests;
    size_t request_count;
    int64_t *advance_ms; /* a clock's time to move by silence_ms at each request without answer */
    int64_t silence_ms;
    bool bare;    /* answers go out as they are: they say themselves what they are about */
    char *job_id; /* of the job started last */
};

void fake_http_init(struct fake_http *fake);
void fake_http_clear(struct fake_http *fake);
/* Plays these next; the last one is repeated when more is asked for. Forgets earlier requests. */
void fake_http_script(struct fake_http *fake, const struct fake_reply *replies, size_t count);

/* The value of a header of the request, up to its line's end, in a static buffer; NULL if none. */
const char *fake_http_header(const struct fake_request *request, const char *name);

#define FAKE_HTTP_SCRIPT(fake, ...)                                                                \
    do {                                                                                           \
        static const struct fake_reply script_[] = {__VA_ARGS__};                                  \
        fake_http_script(fake, script_, sizeof script_ / sizeof script_[0]);                       \
    } while (0)

#endif
