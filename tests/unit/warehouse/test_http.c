#include "support/prelude.h"

#include "base/clock.h"
#include "support/http_server.h"
#include "warehouse/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One server and one client; replies are played by request number, the last one repeated. */
struct scene {
    struct http_server *server;
    struct http_client *client;
    const struct served_reply *replies;
    size_t reply_count;
    pthread_mutex_t lock;
    char *heads[16];
    char *bodies[16];
    size_t body_lengths[16];
    unsigned connections[16];
};

static void play(void *context, const struct served_request *request, struct served_reply *out)
{
    struct scene *scene = context;
    size_t index = request->number < scene->reply_count ? request->number : scene->reply_count - 1;

    pthread_mutex_lock(&scene->lock);
    if (request->number < 16) {
        scene->heads[request->number] = strdup(request->head);
        scene->bodies[request->number] = malloc(request->body_length + 1);
        memcpy(scene->bodies[request->number], request->body, request->body_length);
        scene->body_lengths[request->number] = request->body_length;
        scene->connections[request->number] = request->connection;
    }
    pthread_mutex_unlock(&scene->lock);
    *out = scene->replies[index];
}

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct error err = {0};

    pthread_mutex_init(&scene->lock, NULL);
    scene->server = http_server_start(play, scene);
    *state = scene;
    return http_client_open(&scene->client, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    http_client_close(scene->client);
    http_server_stop(scene->server);
    for (size_t i = 0; i < 16; i++) {
        free(scene->heads[i]);
        free(scene->bodies[i]);
    }
    pthread_mutex_destroy(&scene->lock);
    free(scene);
    return 0;
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#define PLAY(scene, ...)                                                                           \
    do {                                                                                           \
        static const struct served_reply replies_[] = {__VA_ARGS__};                               \
        (scene)->replies = replies_;                                                               \
        (scene)->reply_count = sizeof replies_ / sizeof replies_[0];                               \
    } while (0)

static bool perform(
    struct scene *scene, struct http_request *request, struct http_answer *answer,
    struct error *err)
{
    const struct http_ops *ops = http_client_ops(scene->client);

    if (request->url == NULL)
        request->url = http_server_url(scene->server);
    if (request->method == NULL)
        request->method = "GET";
    return ops->perform(ops->context, request, answer, err);
}

static void test_an_answer_comes_with_the_headers_that_matter(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {.headers = {"X-Mine: 1"}};
    struct http_answer answer;
    struct error err = {0};

    PLAY(
        scene, {.bytes = "HTTP/1.1 503 Busy\r\nLocation: http://x/y\r\nRange: bytes=0-5\r\n"
                         "ETag: \"e\"\r\nRetry-After: 12\r\nX-HTTP-Status-Code-Override: 308\r\n"
                         "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"});
    http_answer_init(&answer);
    expect_ok(perform(scene, &request, &answer, &err));

    assert_int_equal(answer.status, 503);
    assert_string_equal(buffer_text(&answer.body), "hello");
    assert_string_equal(answer.location, "http://x/y");
    assert_string_equal(answer.range, "bytes=0-5");
    assert_string_equal(answer.etag, "\"e\"");
    assert_string_equal(answer.content_type, "text/plain");
    assert_int_equal(answer.retry_after_ms, 12000);
    assert_int_equal(answer.status_override, 308);
    assert_int_equal(answer.received, 5);
    assert_non_null(strstr(scene->heads[0], "X-Mine: 1\r\n"));
    assert_non_null(strstr(scene->heads[0], "User-Agent: bqsync/" BQSYNC_VERSION " (gzip)\r\n"));
    assert_non_null(strstr(scene->heads[0], "Accept-Encoding: gzip\r\n"));
    http_answer_clear(&answer);
}

static void test_a_retry_after_may_be_a_date(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    PLAY(
        scene,
        {.bytes = "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n"
                  "Content-Length: 0\r\n\r\n"},
        {.bytes = "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
                  "Content-Length: 0\r\n\r\n"});
    http_answer_init(&answer);
    expect_ok(perform(scene, &request, &answer, &err));
    assert_int_equal(answer.retry_after_ms, 86400000);
    expect_ok(perform(scene, &request, &answer, &err));
    assert_int_equal(answer.retry_after_ms, 0);
    http_answer_clear(&answer);
}

static void test_a_compressed_answer_is_expanded(void **state)
{
    // "hello hello hello\n" by gzip -n.
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 29\r\n\r\n"
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x5c"
        "\x00\x3b\x7c\x8a\xdf\x12\x00\x00\x00";
    static struct served_reply replies[] = {{.bytes = reply, .length = sizeof reply - 1}};
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    scene->replies = replies;
    scene->reply_count = 1;
    http_answer_init(&answer);
    expect_ok(perform(scene, &request, &answer, &err));

    assert_string_equal(buffer_text(&answer.body), "hello hello hello\n");
    http_answer_clear(&answer);
}

static void test_a_connection_is_kept_for_the_next_request(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"});
    http_answer_init(&answer);
    for (int i = 0; i < 3; i++)
        expect_ok(perform(scene, &request, &answer, &err));

    assert_int_equal(scene->connections[2], 0);
    http_answer_clear(&answer);
}

/* What is still to come over the one before may be the answer to another request. */
static void test_a_new_connection_leaves_those_before(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"});
    http_answer_init(&answer);
    for (int i = 0; i < 3; i++) {
        request.new_connection = i == 1;
        expect_ok(perform(scene, &request, &answer, &err));
        assert_int_equal(scene->connections[i], i > 0);
    }
    http_answer_clear(&answer);
}

static void test_a_header_of_two_lines_is_not_sent(void **state)
{
    static const char *const lines[] = {"A: b\r\nX-Evil: 1", "A: b\n", "A: b\x7f", "A\r\n: b"};
    struct scene *scene = *state;
    struct http_answer answer;

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"});
    http_answer_init(&answer);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct http_request request = {.headers = {NULL, lines[i]}};
        struct error err = {0};
        expect_error(
            perform(scene, &request, &answer, &err), ERROR_CONFIG,
            "its header A holds a line break or another control character");
        assert_int_equal(answer.failure, HTTP_LOCAL);
    }
    assert_int_equal(http_server_requests(scene->server), 0);
    http_answer_clear(&answer);
}

static bool read_pattern(
    void *context, uint64_t offset, void *out_bytes, size_t length, struct error *err)
{
    (void)context;
    (void)err;
    for (size_t i = 0; i < length; i++)
        ((char *)out_bytes)[i] = (char)((offset + i) * 31 >> 7);
    return true;
}

static void test_a_body_is_streamed_without_waiting_for_leave(void **state)
{
    struct scene *scene = *state;
    const struct http_source source = {.length = 3000001, .read = read_pattern};
    struct http_request request = {.method = "PUT", .source = &source};
    struct http_answer answer;
    struct error err = {0};
    char expected[1000];

    PLAY(scene, {.bytes = "HTTP/1.1 308 Resume\r\nContent-Length: 0\r\n\r\n"});
    http_answer_init(&answer);
    expect_ok(perform(scene, &request, &answer, &err));

    assert_int_equal(answer.status, 308);
    assert_int_equal(answer.sent, 3000001);
    assert_int_equal(scene->body_lengths[0], 3000001);
    expect_ok(read_pattern(NULL, 2999001, expected, sizeof expected, &err));
    assert_memory_equal(scene->bodies[0] + 2999001, expected, sizeof expected);
    assert_non_null(strstr(scene->heads[0], "Content-Length: 3000001\r\n"));
    assert_null(strcasestr(scene->heads[0], "Expect:"));
    http_answer_clear(&answer);
}

static void test_an_empty_body_says_its_length(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {.method = "PUT", .body = {"", 0}};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
    http_answer_init(&answer);
    expect_ok(perform(scene, &request, &answer, &err));

    assert_non_null(strstr(scene->heads[0], "Content-Length: 0\r\n"));
    assert_memory_equal(scene->heads[0], "PUT / ", 6);
    http_answer_clear(&answer);
}

static bool read_nothing(
    void *context, uint64_t offset, void *out_bytes, size_t length, struct error *err)
{
    (void)context;
    (void)offset;
    (void)out_bytes;
    (void)length;
    return error_set(err, ERROR_DISK, "the file has gone");
}

static void test_a_body_that_cannot_be_read_is_our_own_error(void **state)
{
    struct scene *scene = *state;
    const struct http_source source = {.length = 10, .read = read_nothing};
    struct http_request request = {.method = "PUT", .source = &source};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
    http_answer_init(&answer);
    expect_error(perform(scene, &request, &answer, &err), ERROR_DISK, "the file has gone");

    assert_int_equal(answer.failure, HTTP_LOCAL);
    http_answer_clear(&answer);
}

static void test_redirects_are_not_followed(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"});
    http_answer_init(&answer);
    expect_ok(perform(scene, &request, &answer, &err));

    assert_int_equal(answer.status, 302);
    assert_int_equal(http_server_requests(scene->server), 1);
    http_answer_clear(&answer);
}

/* A port that nobody listens on: bound, never listened to. */
static int closed_port(int *out_socket)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    *out_socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*out_socket, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(*out_socket, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void test_a_refused_connection_was_never_sent(void **state)
{
    struct scene *scene = *state;
    char url[64];
    int socket = -1;
    struct http_request request = {.url = url};
    struct http_answer answer;
    struct error err = {0};

    snprintf(url, sizeof url, "http://127.0.0.1:%d/x", closed_port(&socket));
    http_answer_init(&answer);
    expect_error(perform(scene, &request, &answer, &err), ERROR_UNREACHABLE, "http://127.0.0.1:");

    assert_int_equal(answer.failure, HTTP_NOT_SENT);
    assert_null(strstr(err.message, "/x"));
    http_answer_clear(&answer);
    close(socket);
}

static void test_breaks_on_the_way_leave_the_outcome_open(void **state)
{
    static const struct served_reply replies[] = {
        {.reset = true},
        {.close = true},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"half\":", .close = true},
        {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
         .close = true},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Le", .reset = true},
    };
    struct scene *scene = *state;
    struct error err = {0};

    scene->replies = replies;
    scene->reply_count = sizeof replies / sizeof replies[0];
    for (size_t i = 0; i < scene->reply_count; i++) {
        struct http_request request = {.method = "POST", .body = {"{}", 2}};
        struct http_answer answer;
        http_answer_init(&answer);
        expect_error(perform(scene, &request, &answer, &err), ERROR_TRANSIENT, "127.0.0.1");
        assert_int_equal(answer.failure, HTTP_BROKEN);
        http_answer_clear(&answer);
    }
}

static void test_a_server_that_says_nothing_is_left(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {.stall_timeout_ms = 1000};
    struct http_answer answer;
    struct error err = {0};
    const struct clock *clock = clock_system();

    PLAY(scene, {.hold = true});
    int64_t start = clock->monotonic_ms(clock->context);
    http_answer_init(&answer);
    expect_error(perform(scene, &request, &answer, &err), ERROR_TRANSIENT, "127.0.0.1");

    assert_int_equal(answer.failure, HTTP_BROKEN);
    assert_true(clock->monotonic_ms(clock->context) - start >= 900);
    http_answer_clear(&answer);
}

/* libcurl's own limit notices it seconds later when an upload came before. */
static void test_silence_after_an_upload_ends_as_soon(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {
        .method = "POST", .body = slice_of("rows"), .stall_timeout_ms = 1000};
    struct http_answer answer;
    struct error err = {0};
    const struct clock *clock = clock_system();

    PLAY(scene, {.hold = true});
    int64_t start = clock->monotonic_ms(clock->context);
    http_answer_init(&answer);
    expect_error(
        perform(scene, &request, &answer, &err), ERROR_TRANSIENT,
        "less than a kilobyte moved in 1000 ms");

    assert_int_equal(answer.failure, HTTP_BROKEN);
    assert_true(clock->monotonic_ms(clock->context) - start >= 900);
    http_answer_clear(&answer);
}

static void test_a_server_that_sends_a_byte_now_and_then_is_left(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {.stall_timeout_ms = 1000};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", .drip = true});
    http_answer_init(&answer);
    expect_error(
        perform(scene, &request, &answer, &err), ERROR_TRANSIENT,
        "less than a kilobyte moved in 1000 ms");
    assert_int_equal(answer.failure, HTTP_BROKEN);
    http_answer_clear(&answer);
}

static void test_an_answer_above_the_ceiling_is_refused(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    http_answer_init(&answer);
    answer.body.ceiling = 4;
    expect_error(perform(scene, &request, &answer, &err), ERROR_LIMIT, "larger than 4 bytes");

    assert_int_equal(answer.failure, HTTP_LOCAL);
    http_answer_clear(&answer);
}

static void test_tls_to_a_server_without_it_is_no_connection(void **state)
{
    struct scene *scene = *state;
    char url[64];
    struct http_request request = {.url = url};
    struct http_answer answer;
    struct error err = {0};

    snprintf(url, sizeof url, "https://127.0.0.1:%d/", http_server_port(scene->server));
    PLAY(scene, {.bytes = "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", .close = true});
    http_answer_init(&answer);
    // The handshake is no request, so the server never answers; its end has to be told to it.
    request.stall_timeout_ms = 1000;
    request.connect_timeout_ms = 1000;
    expect_error(perform(scene, &request, &answer, &err), ERROR_UNREACHABLE, "https://127.0.0.1");
    http_answer_clear(&answer);
}

static void test_other_protocols_are_refused(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {.url = "file:///etc/hostname"};
    struct http_answer answer;
    struct error err = {0};

    http_answer_init(&answer);
    assert_false(perform(scene, &request, &answer, &err));

    assert_int_equal(answer.failure, HTTP_UNTRUSTED);
    http_answer_clear(&answer);
}

static void test_loopback_never_goes_through_a_proxy(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"});
    http_answer_init(&answer);
    bool ok = perform(scene, &request, &answer, &err);
    unsetenv("http_proxy");

    expect_ok(ok);
    http_answer_clear(&answer);
}

static void test_a_proxy_of_the_environment_is_used_for_other_hosts(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {.url = "http://bigquery.example/path"};
    struct http_answer answer;
    struct error err = {0};

    setenv("http_proxy", http_server_url(scene->server), 1);
    PLAY(scene, {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"});
    http_answer_init(&answer);
    bool ok = perform(scene, &request, &answer, &err);
    request.no_proxy = true;
    bool direct = perform(scene, &request, &answer, &err);
    unsetenv("http_proxy");

    assert_true(ok);
    assert_memory_equal(scene->heads[0], "GET http://bigquery.example/path ", 33);
    assert_false(direct);
    assert_int_equal(answer.failure, HTTP_NOT_SENT);
    http_answer_clear(&answer);
}

/* libcurl quotes a proxy that it cannot use whole, and cuts long texts. */
static void test_no_error_holds_the_password_of_a_proxy(void **state)
{
    static const char *const proxies[] = {
        "http://user:hunter22@127.0.0.1:1",
        "http://user:hunter22@nowhere.invalid:1",
        "http://user:hunter22/x@127.0.0.1:1",
        "user:hunter22 x@127.0.0.1:1",
        "gopher://user:hunter22@127.0.0.1:1",
        "http://user:hunter22#x@127.0.0.1:99999999",
        "http://user:hunter22-and-a-very-long-password-0123456789-0123456789-0123456789-0123456789-"
        "0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-"
        "0123456789-0123456789-0123456789@127.0.0.1:1 ",
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++) {
        struct http_request request = {.url = "http://bigquery.invalid/x"};
        struct http_answer answer;
        struct error err = {0};
        setenv("http_proxy", proxies[i], 1);

        http_answer_init(&answer);
        bool ok = perform(scene, &request, &answer, &err);
        http_answer_clear(&answer);
        unsetenv("http_proxy");

        assert_false(ok);
        assert_non_null(strstr(err.message, "http://bigquery.invalid: "));
        if (strstr(err.message, "hunter") != NULL || strchr(err.message, '@') != NULL)
            fail_msg("%s: %s", proxies[i], err.message);
    }
}

static void test_a_hang_up_does_not_end_the_process(void **state)
{
    struct sigaction action;

    (void)state;
    assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_IGN);
}

/* Last: nothing can be sent once the process has been asked to stop. */
static void test_a_stop_ends_a_request_under_way(void **state)
{
    struct scene *scene = *state;
    struct http_request request = {0};
    struct http_answer answer;
    struct error err = {0};

    PLAY(scene, {.hold = true});
    clock_stop();
    http_answer_init(&answer);
    expect_error(perform(scene, &request, &answer, &err), ERROR_STOPPED, "asked to stop");

    assert_int_equal(answer.failure, HTTP_STOPPED);
    http_answer_clear(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_an_answer_comes_with_the_headers_that_matter),
        SCENE_TEST(test_a_retry_after_may_be_a_date),
        SCENE_TEST(test_a_compressed_answer_is_expanded),
        SCENE_TEST(test_a_connection_is_kept_for_the_next_request),
        SCENE_TEST(test_a_new_connection_leaves_those_before),
        SCENE_TEST(test_a_header_of_two_lines_is_not_sent),
        SCENE_TEST(test_a_body_is_streamed_without_waiting_for_leave),
        SCENE_TEST(test_an_empty_body_says_its_length),
        SCENE_TEST(test_a_body_that_cannot_be_read_is_our_own_error),
        SCENE_TEST(test_redirects_are_not_followed),
        SCENE_TEST(test_a_refused_connection_was_never_sent),
        SCENE_TEST(test_breaks_on_the_way_leave_the_outcome_open),
        SCENE_TEST(test_a_server_that_says_nothing_is_left),
        SCENE_TEST(test_silence_after_an_upload_ends_as_soon),
        SCENE_TEST(test_a_server_that_sends_a_byte_now_and_then_is_left),
        SCENE_TEST(test_an_answer_above_the_ceiling_is_refused),
        SCENE_TEST(test_tls_to_a_server_without_it_is_no_connection),
        SCENE_TEST(test_other_protocols_are_refused),
        SCENE_TEST(test_loopback_never_goes_through_a_proxy),
        SCENE_TEST(test_a_proxy_of_the_environment_is_used_for_other_hosts),
        SCENE_TEST(test_no_error_holds_the_password_of_a_proxy),
        SCENE_TEST(test_a_hang_up_does_not_end_the_process),
        SCENE_TEST(test_a_stop_ends_a_request_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
