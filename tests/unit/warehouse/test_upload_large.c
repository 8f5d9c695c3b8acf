/* A large upload by the real client over loopback through twenty faults: all bytes arrive, little
 * is sent twice, and the sender's memory stays small. The sender is a process of its own, so that
 * its memory can be told from the server's. */
#include "support/prelude.h"

#include "base/clock.h"
#include "base/log.h"
#include "support/http_server.h"
#include "warehouse/bigquery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define CHUNK      ((uint64_t)(SANITIZED ? 2 : 8) << 20)
#define FILE_BYTES (((uint64_t)(SANITIZED ? 125 : 500) << 20) + 12345)
#define FAULTS     20
#define JOB        "{\"jobReference\":{\"jobId\":\"j\"},\"status\":{\"state\":\"RUNNING\"}}"
#define RSS_KB     (64 * 1024)

/* What the sender reports. */
struct outcome {
    bool ok;
    uint64_t sent;
    long rss_kb;
    char message[500];
};

struct session {
    _Atomic(struct http_server *) server; /* its own threads ask for it */
    uint64_t stored;
    uint64_t hash;
    unsigned faults;
    unsigned chunks;
    char reply[300];
};

/* FNV-1a over eight bytes at a time is enough to see a byte lost, doubled or moved. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return hash;
}

static void go_on(struct session *session, struct served_reply *out)
{
    if (session->stored == FILE_BYTES)
        snprintf(
            session->reply, sizeof session->reply,
            "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(JOB), JOB);
    else if (session->stored == 0)
        snprintf(
            session->reply, sizeof session->reply,
            "HTTP/1.1 308 Resume\r\nContent-Length: 0\r\n\r\n");
    else
        snprintf(
            session->reply, sizeof session->reply,
            "HTTP/1.1 308 Resume\r\nRange: bytes=0-%" PRIu64 "\r\nContent-Length: 0\r\n\r\n",
            session->stored - 1);
    out->bytes = session->reply;
}

static void serve(void *context, const struct served_request *request, struct served_reply *out)
{
    struct session *session = context;
    const char *range = strstr(request->head, "Content-Range: bytes ");
    uint64_t first = 0;

    if (range == NULL) {
        snprintf(
            session->reply, sizeof session->reply,
            "HTTP/1.1 200 OK\r\nLocation: %s/session\r\nContent-Length: 0\r\n\r\n",
            http_server_url(session->server));
        out->bytes = session->reply;
        return;
    }
    bool chunk = sscanf(range, "Content-Range: bytes %" SCNu64, &first) == 1;
    // Every second chunk meets a fault, of four kinds in turn.
    unsigned kind = chunk && session->chunks++ % 2 == 1 && session->faults < FAULTS
                        ? 1 + session->faults++ % 4
                        : 0;
    if (kind == 1) {
        out->bytes = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
        return;
    }
    if (kind == 2) {
        out->reset = true;
        return;
    }
    if (chunk && first == session->stored) {
        session->hash = hash_bytes(session->hash, request->body, request->body_length);
        session->stored += request->body_length;
    }
    if (kind == 3)
        out->reset = true; // stored, but the answer is lost
    else
        go_on(session, out);
    if (kind == 4)
        http_server_cut(session->server, request->number + 1, CHUNK / 2);
}

static bool short_sleep(void *context, int64_t ms)
{
    const struct clock *system = clock_system();

    (void)context;
    return system->sleep_ms(system->context, ms / 100);
}

static uint64_t fill(struct spool *spool)
{
    static char block[1 << 16];
    uint64_t hash = 1469598103934665603u;
    uint64_t left = FILE_BYTES;
    uint64_t state = 88172645463325252u;
    struct error err = {0};

    while (left > 0) {
        size_t length = left < sizeof block ? (size_t)left : sizeof block;
        for (size_t i = 0; i < sizeof block; i += 8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            memcpy(block + i, &state, 8);
        }
        if (!spool_write(spool, (struct slice){block, length}, &err))
            abort();
        hash = hash_bytes(hash, block, length);
        left -= length;
    }
    return hash;
}

/* In the child: uploads and reports. */
static void send_file(const char *url, const struct spool *file, int report)
{
    struct clock clock = *clock_system();
    struct bigquery *bigquery = NULL;
    struct outcome outcome = {0};
    struct error err = {0};
    struct rusage usage;

    clock.sleep_ms = short_sleep;
    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    const struct bigquery_options options = {
        .project = "p",
        .dataset = "d",
        .endpoint = url,
        .clock = &clock,
        .retry_budget_ms = 30000,
        .upload_chunk_bytes = CHUNK,
    };
    const struct load_request request = {.job_id = "j", .table = "t", .file = file};
    outcome.ok = bigquery_open(&options, &bigquery, &err) &&
                 bigquery_load(bigquery, &request, &outcome.sent, &err);
    snprintf(outcome.message, sizeof outcome.message, "%.490s", err.message);
    bigquery_close(bigquery);
    getrusage(RUSAGE_SELF, &usage);
    outcome.rss_kb = usage.ru_maxrss;
    if (write(report, &outcome, sizeof outcome) != (ssize_t)sizeof outcome)
        abort();
}

static void test_a_large_upload_survives_twenty_faults_in_little_memory(void **state)
{
    struct session session = {.hash = 1469598103934665603u};
    struct spool *file = NULL;
    struct outcome outcome = {0};
    struct error err = {0};
    int report[2];
    int status = 0;

    (void)state;
    expect_ok(spool_new(1 << 20, &file, &err));
    uint64_t hash = fill(file);
    assert_int_equal(pipe(report), 0);
    // The child must be made before there are threads; it learns the server's address afterwards.
    int address[2];
    assert_int_equal(pipe(address), 0);
    pid_t child = fork();
    if (child == 0) {
        char url[64] = "";
        if (read(address[0], url, sizeof url) > 0)
            send_file(url, file, report[1]);
        _exit(0);
    }
    session.server = http_server_start(serve, &session);
    char url[64] = "";
    snprintf(url, sizeof url, "%s", http_server_url(session.server));
    assert_int_equal(write(address[1], url, sizeof url), sizeof url);
    assert_int_equal(read(report[0], &outcome, sizeof outcome), sizeof outcome);
    waitpid(child, &status, 0);
    http_server_stop(session.server);

    if (!outcome.ok)
        fail_msg("%s", outcome.message);
    assert_int_equal(session.stored, FILE_BYTES);
    assert_int_equal(session.hash, hash);
    assert_int_equal(session.faults, FAULTS);
    // A fault costs the chunk it hit; those that are stored cost nothing. Kinds 1, 2 and the cut.
    uint64_t most = FILE_BYTES + FAULTS * 3 / 4 * (CHUNK + CHUNK / 20);
    print_message(
        "%" PRIu64 " of %" PRIu64 " bytes sent, at most %" PRIu64 "; %ld KiB resident\n",
        outcome.sent, FILE_BYTES, most, outcome.rss_kb);
    assert_in_range(outcome.sent, FILE_BYTES, most);
    if (!SANITIZED)
        assert_in_range(outcome.rss_kb, 1, RSS_KB);
    for (int i = 0; i < 2; i++) {
        close(report[i]);
        close(address[i]);
    }
    spool_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_large_upload_survives_twenty_faults_in_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
