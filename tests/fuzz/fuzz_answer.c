/* BigQuery's answers, whole, cut anywhere or made up: each call that reads one ends, with a success
 * or with an error that can be shown. A whole answer is understood; of an answer that was cut
 * nothing is believed. */
#include "fuzz/fuzz.h"

#include "base/log.h"
#include "encode/text.h"
#include "support/fake_http.h"
#include "support/manual_clock.h"
#include "warehouse/bigquery.h"

#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 40

static const char listing[] =
    "{\"kind\":\"bigquery#tableList\",\"tables\":[{\"id\":\"p:d.t\",\"tableReference\":{"
    "\"projectId\":\"p\",\"datasetId\":\"d\",\"tableId\":\"t\"},\"type\":\"TABLE\",\"labels\":{"
    "\"bqsync_generation\":\"7\"},\"expirationTime\":\"1\"}],\"totalItems\":1}";
static const char table_text[] =
    "{\"tableReference\":{\"projectId\":\"p\",\"datasetId\":\"d\",\"tableId\":\"t\"},"
    "\"schema\":{\"fields\":[{\"name\":\"a\",\"type\":\"STRING\"}]},\"etag\":\"x\"}";
static const char job_text[] =
    "{\"jobReference\":{\"projectId\":\"p\",\"jobId\":\"j\",\"location\":\"EU\"},"
    "\"configuration\":{\"jobType\":\"LOAD\",\"load\":{}},\"status\":{\"state\":\"DONE\"},"
    "\"statistics\":{\"load\":{\"outputRows\":\"3\"}}}";
static const char failed_text[] =
    "{\"jobReference\":{\"jobId\":\"j\"},\"configuration\":{\"query\":{\"query\":\"q\"}},"
    "\"status\":{\"state\":\"DONE\",\"errorResult\":{\"reason\":\"backendError\",\"message\":\"m\"}"
    "}}";
static const char children_text[] =
    "{\"jobs\":[{\"jobReference\":{\"jobId\":\"k\"},\"status\":{\"state\":\"DONE\"},\"statistics\":"
    "{"
    "\"query\":{\"statementType\":\"MERGE\",\"dmlStats\":{\"insertedRowCount\":\"1\"}}}}]}";
static const char rows_text[] = "{\"jobComplete\":true,\"jobReference\":{\"projectId\":\"p\","
                                "\"jobId\":\"j\",\"location\":\"EU\"},"
                                "\"schema\":{\"fields\":[{\"name\":\"a\",\"type\":\"STRING\"},{"
                                "\"name\":\"b\",\"type\":\"INT64\"}]},"
                                "\"rows\":[{\"f\":[{\"v\":\"1\"},{\"v\":null}]}],\"totalRows\":"
                                "\"1\",\"totalBytesBilled\":\"9\"}";
static const char dataset_text[] = "{\"location\":\"EU\",\"isCaseInsensitive\":false}";
static const char permissions_text[] = "{\"permissions\":[\"bigquery.tables.get\"]}";

/* The network: what it answers, and how often it was asked. */
struct network {
    struct fuzz *in;
    const char *whole;
    char *body; /* of the last answer, owned */
    bool made_up;
    int requests;
};

enum call { LIST, GET, INSERT, JOB, FAILED, WAIT, CHILDREN, SELECT, DATASET, PERMISSIONS, CALLS };

static const char *const answers[] = {
    [LIST] = listing,           [GET] = table_text,
    [INSERT] = table_text,      [JOB] = job_text,
    [FAILED] = failed_text,     [WAIT] = job_text,
    [CHILDREN] = children_text, [SELECT] = rows_text,
    [DATASET] = dataset_text,   [PERMISSIONS] = permissions_text,
};

static bool visit_table(void *context, const struct listed_table *table)
{
    int *visits = context;

    FUZZ_REQUIRE(table->name != NULL, "a table without a name");
    (*visits)++;
    return true;
}

static void visit_child(void *context, const struct job_child *child)
{
    int *visits = context;

    FUZZ_REQUIRE(
        child->statement != NULL && child->table != NULL && child->dataset != NULL,
        "a statement without texts");
    (*visits)++;
}

static bool visit_row(void *context, size_t count, const char *const *cells)
{
    int *visits = context;
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += cells[i] == NULL ? 0 : strlen(cells[i]);
    *visits += length < SIZE_MAX;
    return true;
}

static void make_up(struct network *network, struct fake_reply *out)
{
    static const int statuses[] = {200, 200, 200, 400, 401, 403, 404, 409, 412, 429, 500, 503, 0};
    struct fuzz *in = network->in;

    out->status = statuses[fuzz_choice(in, sizeof statuses / sizeof statuses[0])];
    out->failure = out->status == 0 ? HTTP_BROKEN : HTTP_OK;
    out->retry_after_ms = fuzz_byte(in);
    if (fuzz_choice(in, 2) == 0) {
        // A part of the right answer, and something else behind it.
        size_t length = strlen(network->whole);
        size_t kept = fuzz_byte(in) * length / 255;
        struct slice rest = fuzz_text(in, 200);
        network->body = calloc(1, kept + rest.length + 1);
        FUZZ_REQUIRE(network->body != NULL, "out of memory");
        memcpy(network->body, network->whole, kept);
        memcpy(network->body + kept, rest.data, rest.length);
    } else {
        network->body = fuzz_rest_text(in);
    }
    out->body = network->body;
}

static void answer(void *context, const struct fake_request *request, struct fake_reply *out)
{
    struct network *network = context;

    (void)request;
    free(network->body);
    network->body = NULL;
    *out = (struct fake_reply){.status = 200, .body = network->whole};
    if (++network->requests > REQUESTS_MAX)
        *out = (struct fake_reply){.failure = HTTP_STOPPED};
    else if (network->made_up)
        make_up(network, out);
}

static bool make_call(struct bigquery *bigquery, enum call call, int *visits, struct error *err)
{
    static const char *const permissions[] = {"bigquery.tables.get", "bigquery.tables.update"};
    struct dataset dataset;
    struct job job;
    cJSON *resource = NULL;
    bool held[2];
    int64_t billed;
    bool ok = false;

    switch (call) {
    case LIST:
        return bigquery_tables_list(bigquery, visit_table, visits, err);
    case GET:
        ok = bigquery_table_get(bigquery, "t", &resource, err);
        break;
    case INSERT: {
        cJSON *wanted = cJSON_CreateObject();
        ok = bigquery_table_insert(bigquery, "t", wanted, &resource, err);
        cJSON_Delete(wanted);
        break;
    }
    case JOB:
    case FAILED:
        return bigquery_job_get(bigquery, "j", &job, err);
    case WAIT:
        return bigquery_job_wait(bigquery, "j", &job, err);
    case CHILDREN:
        return bigquery_job_children(bigquery, "j", visit_child, visits, err);
    case SELECT:
        return bigquery_select(bigquery, "select 1", visit_row, visits, &billed, err);
    case DATASET:
        return bigquery_dataset_get(bigquery, &dataset, err);
    default:
        return bigquery_table_permissions(bigquery, "t", permissions, 2, held, err);
    }
    cJSON_Delete(resource);
    return ok;
}

static void check(struct network *network, enum call call, bool whole, bool cut)
{
    struct manual_clock clock;
    struct fake_http http;
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    int visits = 0;

    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    manual_clock_init(&clock);
    fake_http_init(&http);
    http.handler = answer;
    http.context = network;
    const struct bigquery_options options = {
        .project = "p",
        .dataset = "d",
        .location = "EU",
        .endpoint = "http://bq.test",
        .clock = &clock.clock,
        .retry_budget_ms = 30000,
        .job_timeout_ms = 60000,
        .http = &http.ops,
    };
    FUZZ_REQUIRE(bigquery_open(&options, &bigquery, &err), "%s", err.message);
    bool ok = make_call(bigquery, call, &visits, &err);
    FUZZ_REQUIRE(ok || !whole, "call %d: %s", (int)call, err.message);
    FUZZ_REQUIRE(!ok || !cut, "call %d believes \"%s\"", (int)call, network->whole);
    FUZZ_REQUIRE(
        ok || (err.code != ERROR_NONE && err.message[0] != '\0' &&
               text_check(slice_of(err.message)) == NULL),
        "call %d: the error \"%s\" (%d) cannot be shown", (int)call, err.message, (int)err.code);
    bigquery_close(bigquery);
    fake_http_clear(&http);
    free(network->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);
    enum call call = (enum call)fuzz_choice(&in, CALLS);
    struct network network = {.in = &in, .whole = answers[call]};
    size_t mode = fuzz_choice(&in, 4);
    char *cut = NULL;

    network.made_up = mode >= 2;
    if (mode == 1) {
        size_t kept = fuzz_uint64(&in) % strlen(answers[call]);
        cut = strndup(answers[call], kept);
        network.whole = cut;
    }
    check(&network, call, mode == 0, mode == 1);
    free(cut);
    return 0;
}
