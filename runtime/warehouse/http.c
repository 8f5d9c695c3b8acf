#include "warehouse/http.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "warehouse/foreign_text.h"
#include "warehouse/proxy_secret.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* libcurl's own upload buffer; larger means fewer calls for an upload, and one a connection. */
#define UPLOAD_BUFFER_BYTES (256 * 1024)

struct http_client {
    CURL *curl;
    struct http_ops ops;
    char error_text[CURL_ERROR_SIZE];
};

/* One request under way, as the callbacks see it. */
struct exchange {
    CURL *curl;
    const struct http_request *request;
    struct http_answer *answer;
    struct http_source source;
    uint64_t offset;
    struct error failure; /* what a callback met; ERROR_NONE if nothing */
    bool stopped;
    /* Bytes either way when the connection was last seen to move, and when that was (monotonic). */
    curl_off_t moved;
    int64_t moved_ms;
    int64_t stall_ms;
    bool stalled;
    bool incomplete; /* an option could not be set */
};

/* In a time without so many bytes the connection stands still. */
#define MOVEMENT_LEAST_BYTES 1024

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
    struct sigaction action;

    // What OpenSSL would free at the end of the process, the system frees.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    // OpenSSL writes to sockets without MSG_NOSIGNAL: a server that hangs up in the middle of an
    // upload must be an error of that upload, not the end of the process.
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &action, NULL);
    }
}

void http_answer_init(struct http_answer *answer)
{
    *answer = (struct http_answer){0};
    buffer_init(&answer->body, HTTP_ANSWER_CEILING);
}

void http_answer_init_secret(struct http_answer *answer)
{
    *answer = (struct http_answer){0};
    buffer_init_secret(&answer->body, HTTP_ANSWER_CEILING);
}

void http_answer_clear(struct http_answer *answer)
{
    free(answer->location);
    buffer_clear(&answer->body);
    *answer = (struct http_answer){.body = answer->body};
}

/* --- callbacks --------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    struct buffer *body = &exchange->answer->body;

    buffer_append(body, bytes, size * count);
    if (!buffer_check(body, "the answer", &exchange->failure))
        return 0;
    return size * count;
}

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    uint64_t left = exchange->source.length - exchange->offset;
    size_t want = size * count;

    if (want > left)
        want = (size_t)left;
    if (want == 0)
        return 0;
    if (!exchange->source.read(
            exchange->source.context, exchange->offset, out, want, &exchange->failure))
        return CURL_READFUNC_ABORT;
    exchange->offset += want;
    exchange->answer->sent += want;
    return want;
}

/* A kept connection may turn out to be closed: libcurl then starts the body over on a new one. Not
 * so with a source: its sender asks first how much of it has arrived. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct exchange *exchange = context;

    if (exchange->request->source != NULL)
        return CURL_SEEKFUNC_FAIL;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > exchange->source.length)
        return CURL_SEEKFUNC_FAIL;
    exchange->offset = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int64_t now_ms(void)
{
    const struct clock *clock = clock_system();

    return clock->monotonic_ms(clock->context);
}

/* Called at least once a second. libcurl's own limit of the speed looks at an average over several
 * seconds after an upload, and notices silence up to six seconds late, which is too much for a
 * small budget. Until the connection stands, the limit for connecting counts. A byte now and then
 * is no movement: it could go on for ever. */
static int on_progress(
    void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct exchange *exchange = context;
    curl_off_t ready = 0;

    (void)down_total;
    (void)up_total;
    curl_easy_getinfo(exchange->curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
    if (ready == 0 || down + up - exchange->moved >= MOVEMENT_LEAST_BYTES) {
        exchange->moved = down + up;
        exchange->moved_ms = now_ms();
    }
    exchange->stopped = clock_stopped();
    exchange->stalled = now_ms() - exchange->moved_ms >= exchange->stall_ms;
    return exchange->stopped || exchange->stalled ? 1 : 0;
}

/* Seconds, or an HTTP date (RFC 9110 10.2.3), as milliseconds from now. */
static int64_t parse_retry_after(const char *value)
{
    char *end = NULL;
    long seconds = strtol(value, &end, 10);

    if (end == value) {
        time_t when = curl_getdate(value, NULL);
        seconds = when == (time_t)-1 ? 0 : (long)(when - time(NULL));
    }
    if (seconds <= 0)
        return 0;
    return seconds > 86400 ? 86400000 : (int64_t)seconds * 1000;
}

static void keep_text(char *out, size_t size, struct slice value)
{
    snprintf(out, size, "%.*s", (int)value.length, value.data);
}

static void keep_header(struct http_answer *answer, struct slice name, struct slice value)
{
    char text[128];
    const struct {
        const char *name;
        char *out;
        size_t size;
    } texts[] = {
        {"range", answer->range, sizeof answer->range},
        {"etag", answer->etag, sizeof answer->etag},
        {"content-type", answer->content_type, sizeof answer->content_type},
        {"metadata-flavor", answer->metadata_flavor, sizeof answer->metadata_flavor},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strlen(texts[i].name) == name.length &&
            strncasecmp(texts[i].name, name.data, name.length) == 0)
            keep_text(texts[i].out, texts[i].size, value);

    keep_text(text, sizeof text, value);
    if (name.length == 8 && strncasecmp(name.data, "location", 8) == 0) {
        free(answer->location);
        answer->location = strndup(value.data, value.length);
    } else if (name.length == 11 && strncasecmp(name.data, "retry-after", 11) == 0) {
        answer->retry_after_ms = parse_retry_after(text);
    } else if (
        name.length == 27 && strncasecmp(name.data, "x-http-status-code-override", 27) == 0) {
        answer->status_override = atoi(text);
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    const char *colon = memchr(line, ':', length);

    if (colon == NULL)
        return length;
    struct slice name = {line, (size_t)(colon - line)};
    const char *value = colon + 1;
    const char *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    keep_header(exchange->answer, name, (struct slice){value, (size_t)(end - value)});
    return length;
}

static bool read_slice(
    void *context, uint64_t offset, void *out_bytes, size_t length, struct error *err)
{
    const struct slice *body = context;

    (void)err;
    memcpy(out_bytes, body->data + offset, length);
    return true;
}

/* --- one exchange ------------------------------------------------------------------------ */

/* What libcurl's code means for the question whether the server may have acted. */
static enum http_failure failure_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PROXY:
        return HTTP_NOT_SENT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return HTTP_UNTRUSTED;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return HTTP_LOCAL;
    default:
        return HTTP_BROKEN;
    }
}

/* Sets an option that libcurl copies. Without memory it would keep the default, which may be
 * another method or another root of trust: then the request is not made. */
static void set_text(struct exchange *exchange, CURLoption option, const char *text)
{
    if (curl_easy_setopt(exchange->curl, option, text) == CURLE_OUT_OF_MEMORY)
        exchange->incomplete = true;
}

static bool host_of_request_is_loopback(const char *url)
{
    char host[256];

    return http_host(url, host, sizeof host) && http_host_is_loopback(host);
}

static void set_body(struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    CURL *curl = exchange->curl;

    if (request->source != NULL)
        exchange->source = *request->source;
    else
        exchange->source = (struct http_source){
            .context = (void *)&request->body,
            .length = request->body.length,
            .read = read_slice,
        };

    if (request->source == NULL && request->body.data == NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->source.length);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, exchange);
    }
    set_text(exchange, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_trust(struct exchange *exchange)
{
    CURL *curl = exchange->curl;
    const char *file = getenv("SSL_CERT_FILE");
    const char *folder = getenv("SSL_CERT_DIR");

    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    // As OpenSSL itself does: these name other roots of trust, they do not switch trust off.
    if (file != NULL && *file != '\0')
        set_text(exchange, CURLOPT_CAINFO, file);
    if (folder != NULL && *folder != '\0')
        set_text(exchange, CURLOPT_CAPATH, folder);
}

/* No total limit: an upload may take as long as it moves. */
static void set_limits(struct exchange *exchange)
{
    int64_t connect_ms = exchange->request->connect_timeout_ms;
    int64_t stall_ms = exchange->request->stall_timeout_ms;

    if (connect_ms <= 0)
        connect_ms = HTTP_CONNECT_TIMEOUT_MS;
    curl_easy_setopt(exchange->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    exchange->stall_ms = stall_ms > 0 ? stall_ms : HTTP_STALL_TIMEOUT_MS;
    exchange->moved_ms = now_ms();
}

static void set_transport(struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    CURL *curl = exchange->curl;

    set_text(exchange, CURLOPT_URL, request->url);
    set_text(exchange, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    set_text(exchange, CURLOPT_ACCEPT_ENCODING, "gzip");
    set_text(exchange, CURLOPT_USERAGENT, HTTP_USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
    if (request->no_proxy || host_of_request_is_loopback(request->url))
        set_text(exchange, CURLOPT_NOPROXY, "*");
}

static void set_callbacks(struct exchange *exchange)
{
    CURL *curl = exchange->curl;

    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
}

/* Headers carry tokens. */
static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *line = list; line != NULL; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(list);
}

/* Callers check the parts of the headers that they build; this catches what they missed. */
static bool check_headers(const struct http_request *request, struct error *err)
{
    for (size_t i = 0; i < HTTP_MAX_HEADERS; i++) {
        const char *line = request->headers[i];
        if (line != NULL && !http_is_line(line))
            return error_set(
                err, ERROR_CONFIG,
                "the request was not sent: its header %.*s holds a line break or another control "
                "character",
                (int)strcspn(line, ":\r\n"), line);
    }
    return true;
}

/* The list must outlive the exchange; NULL without memory. */
static struct curl_slist *make_headers(const struct http_request *request)
{
    // An empty Expect takes libcurl's own away: BigQuery never answers 100, and the wait costs a
    // second an upload.
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list != NULL && i < HTTP_MAX_HEADERS; i++) {
        if (request->headers[i] == NULL)
            continue;
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (longer == NULL) {
            free_headers(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

/* What libcurl says of a failure. The only way of its texts into our messages: a text that quotes a
 * proxy's setting, or any URL with a user name, may hold a password, possibly cut in the middle by
 * the size of libcurl's buffer. The name of the error code stands in for such a text. Others may
 * quote what a server or a proxy has sent. */
static const char *curl_text(
    const struct http_client *client, CURLcode code, char out[static CURL_ERROR_SIZE])
{
    const char *text = client->error_text;
    bool quotes_proxy = strcasestr(text, "proxy") != NULL && strchr(text, '\'') != NULL;

    if (quotes_proxy)
        return "the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not a URL that libcurl knows";
    if (text[0] == '\0' || strchr(text, '@') != NULL)
        return curl_easy_strerror(code);
    return foreign_text(out, CURL_ERROR_SIZE, text);
}

static bool report_failure(
    struct http_client *client, CURLcode code, struct exchange *exchange, struct error *err)
{
    struct http_answer *answer = exchange->answer;
    char origin[256] = "";
    char said[CURL_ERROR_SIZE];

    if (exchange->stopped) {
        answer->failure = HTTP_STOPPED;
        return error_set(err, ERROR_STOPPED, "asked to stop during a request");
    }
    if (exchange->failure.code != ERROR_NONE) {
        answer->failure = HTTP_LOCAL;
        *err = exchange->failure;
        return false;
    }

    http_origin(exchange->request->url, origin, sizeof origin);
    if (exchange->stalled) {
        answer->failure = HTTP_BROKEN;
        return error_set(
            err, ERROR_TRANSIENT, "%s: less than a kilobyte moved in %" PRId64 " ms", origin,
            exchange->stall_ms);
    }
    answer->failure = failure_of(code);
    if (answer->failure == HTTP_NOT_SENT && !descriptors_left(origin, err)) {
        answer->failure = HTTP_LOCAL;
        return false;
    }
    // A connection that timed out before it stood is reported like any other timeout.
    if (code == CURLE_OPERATION_TIMEDOUT) {
        curl_off_t connected = 0;
        curl_easy_getinfo(client->curl, CURLINFO_CONNECT_TIME_T, &connected);
        if (connected == 0)
            answer->failure = HTTP_NOT_SENT;
    }
    enum error_code kind = ERROR_TRANSIENT;
    if (answer->failure == HTTP_NOT_SENT || answer->failure == HTTP_UNTRUSTED)
        kind = ERROR_UNREACHABLE;
    else if (answer->failure == HTTP_LOCAL)
        kind = ERROR_MEMORY;
    return error_set(err, kind, "%s: %s", origin, curl_text(client, code, said));
}

/* A handle has its connections for itself. Without memory for another one they stay, and the answer
 * is looked at as closely as any. */
static void forget_connections(struct http_client *client)
{
    CURL *fresh = curl_easy_init();

    if (fresh == NULL)
        return;
    curl_easy_cleanup(client->curl);
    client->curl = fresh;
}

static bool client_perform(
    void *context, const struct http_request *request, struct http_answer *answer,
    struct error *err)
{
    struct http_client *client = context;

    if (request->new_connection)
        forget_connections(client);
    CURL *curl = client->curl;
    struct exchange exchange = {.curl = curl, .request = request, .answer = answer};

    http_answer_clear(answer);
    if (!check_headers(request, err)) {
        answer->failure = HTTP_LOCAL;
        return false;
    }
    struct curl_slist *headers = make_headers(request);
    if (headers == NULL) {
        answer->failure = HTTP_LOCAL;
        return error_set(err, ERROR_MEMORY, "out of memory for request headers");
    }

    // Resetting keeps connections, names and TLS sessions; only options go.
    curl_easy_reset(curl);
    client->error_text[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error_text);
    set_transport(&exchange);
    set_trust(&exchange);
    set_limits(&exchange);
    set_callbacks(&exchange);
    set_body(&exchange);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

    CURLcode code = exchange.incomplete ? CURLE_OUT_OF_MEMORY : curl_easy_perform(curl);
    free_headers(headers);

    curl_off_t received = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &received);
    answer->received = (uint64_t)received;
    if (code != CURLE_OK)
        return report_failure(client, code, &exchange, err);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    return true;
}

bool http_client_open(struct http_client **out_client, struct error *err)
{
    pthread_once(&global_once, global_init);
    proxy_secret_keep();
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an HTTP client");
    client->curl = curl_easy_init();
    if (client->curl == NULL) {
        free(client);
        return error_set(err, ERROR_MEMORY, "libcurl cannot be initialised");
    }
    client->ops = (struct http_ops){.context = client, .perform = client_perform};
    *out_client = client;
    return true;
}

void http_client_close(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

const struct http_ops *http_client_ops(struct http_client *client)
{
    return &client->ops;
}
