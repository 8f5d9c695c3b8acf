/* fixture: a BigQuery client on a scripted network and a clock that a test owns. */
#ifndef TESTS_UNIT_WAREHOUSE_FIXTURE_H
#define TESTS_UNIT_WAREHOUSE_FIXTURE_H

#include "support/prelude.h"

#include "base/log.h"
#include "support/fake_http.h"
#include "support/manual_clock.h"
#include "warehouse/bigquery.h"
#include "warehouse/quota.h"

#include <stdlib.h>

struct fixture {
    struct manual_clock clock;
    struct fake_http http;
    struct bigquery *bigquery;
};

#define FIXTURE_BUDGET_MS 30000

static inline uint64_t count_retries(const struct traffic *traffic)
{
    uint64_t sum = 0;

    for (size_t reason = 0; reason < TRAFFIC_REASONS; reason++)
        sum += traffic->retries[reason];
    return sum;
}

static inline struct bigquery_options fixture_options(struct fixture *fixture)
{
    return (struct bigquery_options){
        .project = "p",
        .dataset = "d",
        .location = "EU",
        .endpoint = "http://bq.test",
        .clock = &fixture->clock.clock,
        .retry_budget_ms = FIXTURE_BUDGET_MS,
        .run_id = "run1",
        .http = &fixture->http.ops,
        .upload_chunk_bytes = 256 * 1024,
        .upload_multipart_bytes = 1000,
    };
}

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error err = {0};

    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    manual_clock_init(&fixture->clock);
    fake_http_init(&fixture->http);
    struct bigquery_options options = fixture_options(fixture);
    *state = fixture;
    return bigquery_open(&options, &fixture->bigquery, &err) ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    bigquery_close(fixture->bigquery);
    fake_http_clear(&fixture->http);
    free(fixture);
    return 0;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Google's error body. */
#define REFUSAL(code, reason, message)                                                             \
    "{\"error\":{\"code\":" #code ",\"message\":\"" message "\",\"errors\":[{\"reason\":\"" reason \
    "\",\"message\":\"" message "\",\"domain\":\"global\"}]}}"

#endif
