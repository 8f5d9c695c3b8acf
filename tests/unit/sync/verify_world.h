/* verify_world: a SQLite table of two columns, and the hashes that BigQuery would compute for rows
 * of it. The texts of rows are written out here, so that row_text is not its own judge. */
#ifndef TESTS_UNIT_SYNC_VERIFY_WORLD_H
#define TESTS_UNIT_SYNC_VERIFY_WORLD_H

#include "support/prelude.h"

#include "source/database.h"
#include "sync/verify/verify_report.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct column columns[] = {
    {.name = "id", .source = "id", .type = COLUMN_INT64, .key = true},
    {.name = "v", .source = "v", .type = COLUMN_INT64},
};
static const size_t key[] = {0};
static const struct table table = {
    .name = "t",
    .target = "t",
    .capture = CAPTURE_SCAN,
    .columns = columns,
    .column_count = 2,
    .key = key,
    .key_count = 1,
    .content_hash = "c",
    .shape_hash = "s",
    .scan_sql = "select id, v from t",
    .new_rows_sql = "select id, v from t where id > ?1 order by id",
    .resource_json = "{}",
};
static const struct table *const tables[] = {&table};

/* The canonical text of an integer: its length, a colon, the digits. */
static inline void value_text(int64_t value, char out[32])
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", (long long)value);
    snprintf(out, 32, "%zu:%s", strlen(digits), digits);
}

static inline void hash_text(const char *text, char out_hex[65])
{
    unsigned char bytes[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text, strlen(text), bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out_hex + 2 * i, 3, "%02x", bytes[i]);
}

static inline void hash_row(int64_t id, int64_t v, char out_hex[65])
{
    char text[80];

    value_text(id, text);
    value_text(v, text + strlen(text));
    hash_text(text, out_hex);
}

/* A list of keys as JSON. */
static inline void expect_keys(const cJSON *list, const char *json)
{
    char *text = cJSON_PrintUnformatted(list);

    assert_string_equal(text, json);
    cJSON_free(text);
}

#endif
