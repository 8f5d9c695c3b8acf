/* The whole text of the statements that are built at run time to change or compare a target, for
 * each kind of table and batch, as statements.sql has it. Whether the statements are right is for
 * the tests against bqlocal and Google's engine to say; here no word of them changes unseen.
 *
 *     BQSYNC_REWRITE=1 build/unit_sync_test_statements      rewrites statements.sql
 */
#include "support/prelude.h"

#include "support/expect.h"
#include "sync/commit/change_log.h"
#include "sync/commit/staging.h"
#include "sync/verify/checksum_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN BQSYNC_SOURCE_DIR "/tests/unit/sync/statements.sql"

/* A batch of the table below. Every flag is one more thing that statements depend on. */
struct kind {
    const char *label;
    enum send_mode mode;
    enum deletes_choice deletes;
    bool logged;
    bool expires; /* versions do, and the log is whole */
    bool unknown; /* a row of which only the target says what it is */
    bool kept;    /* the key of a rejected row */
    bool added;   /* all rows are new */
    bool no_rows;
    bool text; /* JSON travels as text */
    bool more; /* the target has a column that the table has not */
    bool many; /* the rows lie in too many partitions for one job */
    bool filtered;
};

static const struct kind kinds[] = {
    {.label = "changes", .mode = SEND_MERGE},
    {.label = "changes with JSON as text", .mode = SEND_MERGE, .text = true},
    {.label = "new rows alone", .mode = SEND_APPEND, .added = true},
    {.label = "changes, logged", .mode = SEND_MERGE, .logged = true},
    {.label = "changes of which the target knows, logged",
     .mode = SEND_MERGE,
     .logged = true,
     .unknown = true,
     .filtered = true},
    {.label = "the same where deleted rows are marked",
     .mode = SEND_MERGE,
     .deletes = DELETES_MARK,
     .logged = true,
     .unknown = true},
    {.label = "the same where deleted rows are kept",
     .mode = SEND_MERGE,
     .deletes = DELETES_KEEP,
     .logged = true,
     .unknown = true},
    {.label = "a replacement", .mode = SEND_REPLACE, .text = true},
    {.label = "a replacement in parts", .mode = SEND_REPLACE, .many = true},
    {.label = "a replacement in parts with a rejected row",
     .mode = SEND_REPLACE,
     .kept = true,
     .many = true,
     .text = true},
    {.label = "a replacement with a rejected row", .mode = SEND_REPLACE, .kept = true},
    {.label = "a replacement with a rejected row, logged",
     .mode = SEND_REPLACE,
     .kept = true,
     .logged = true,
     .filtered = true},
    {.label = "a replacement where deleted rows are marked",
     .mode = SEND_REPLACE,
     .deletes = DELETES_MARK,
     .filtered = true},
    {.label = "the same with a rejected row and one more column, logged",
     .mode = SEND_REPLACE,
     .deletes = DELETES_MARK,
     .kept = true,
     .more = true,
     .logged = true,
     .expires = true},
    {.label = "the same in parts",
     .mode = SEND_REPLACE,
     .deletes = DELETES_MARK,
     .kept = true,
     .more = true,
     .many = true,
     .text = true},
    {.label = "a replacement where deleted rows are kept",
     .mode = SEND_REPLACE,
     .deletes = DELETES_KEEP,
     .more = true,
     .logged = true,
     .expires = true,
     .filtered = true},
    {.label = "a replacement by nothing where deleted rows are marked",
     .mode = SEND_REPLACE,
     .deletes = DELETES_MARK,
     .no_rows = true,
     .logged = true},
};

struct world {
    struct column columns[5];
    size_t key[2];
    struct table_history history;
    struct table table;
    struct partition partitions[4001];
    struct worker worker;
    struct task task;
    struct intent intent;
    struct buffer sql;
};

static void make_table(struct world *world, const struct kind *kind)
{
    const struct column columns[] = {
        {.name = "id", .type = COLUMN_INT64, .key = true},    {.name = "at", .type = COLUMN_DATE},
        {.name = "code", .type = COLUMN_STRING, .key = true}, {.name = "body", .type = COLUMN_JSON},
        {.name = "place", .type = COLUMN_GEOGRAPHY},
    };

    memcpy(world->columns, columns, sizeof columns);
    world->key[0] = 0;
    world->key[1] = 2;
    world->history =
        (struct table_history){.log = "orders_changes", .keep_days = kind->expires ? 30 : 0};
    world->table = (struct table){
        .name = "orders",
        .target = "orders",
        .deletes = kind->deletes,
        .history = kind->logged ? &world->history : NULL,
        .columns = world->columns,
        .column_count = 5,
        .key = world->key,
        .key_count = 2,
        .merge_sql = "merge into `${project}`.`${dataset}`.`orders` as t\nusing "
                     "`${project}`.`${dataset}`.`${staging}` as s\non t.`id` = s.`id` ...",
        .add_sql = kind->deletes == DELETES_MIRROR
                       ? "insert into `${project}`.`${dataset}`.`orders`\nselect ... from "
                         "`${project}`.`${dataset}`.`${staging}` as s"
                       : NULL,
        .schema_json = "[{\"name\":\"id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"},"
                       "{\"name\":\"at\",\"type\":\"DATE\",\"description\":\"when\"},"
                       "{\"name\":\"code\",\"type\":\"STRING\"},"
                       "{\"name\":\"body\",\"type\":\"JSON\"},"
                       "{\"name\":\"place\",\"type\":\"GEOGRAPHY\"},"
                       "{\"name\":\"_bqsync_deleted_at\",\"type\":\"TIMESTAMP\"}]",
        .resource_json = kind->filtered
                             ? "{\"requirePartitionFilter\":true,"
                               "\"timePartitioning\":{\"type\":\"DAY\",\"field\":\"at\"}}"
                             : "{}",
    };
}

static void make_batch(struct world *world, const struct kind *kind)
{
    struct batch *batch = &world->task.batch;

    batch->mode = kind->mode;
    batch->staged = true;
    batch->json_as_text = kind->text;
    batch->rows = kind->no_rows ? 0 : 5;
    batch->changed_rows = kind->added ? 0 : 3;
    batch->kept_keys = kind->kept ? 1 : 0;
    batch->unknown_rows = kind->unknown ? 1 : 0;
    batch->partitions =
        (struct partitions){.table = &world->table, .unit = PARTITION_DAY, .column = 1};
    if (!kind->many)
        return;
    for (size_t i = 0; i < sizeof world->partitions / sizeof world->partitions[0]; i++)
        world->partitions[i] = (struct partition){.number = (int64_t)i, .least = (int64_t)i};
    batch->partitions.found = world->partitions;
    batch->partitions.count = sizeof world->partitions / sizeof world->partitions[0];
}

static void append_schema(struct world *world)
{
    cJSON *schema = staging_schema(&world->task);
    char *text = cJSON_PrintUnformatted(schema);

    buffer_printf(&world->sql, "-- staged as %s\n", text);
    cJSON_free(text);
    cJSON_Delete(schema);
}

static void append_kind(struct world *world, const struct kind *kind)
{
    buffer_printf(&world->sql, "\n-- %s\n", kind->label);
    make_table(world, kind);
    world->worker = (struct worker){.project = "p", .dataset = "d", .run_id = "run-1"};
    world->task = (struct task){.table = &world->table};
    make_batch(world, kind);
    if (kind->more)
        world->task.warehouse.fields =
            cJSON_Parse("[{\"name\":\"ID\",\"type\":\"INTEGER\"},{\"name\":\"note\",\"type\":"
                        "\"STRING\"},{\"name\":\"_bqsync_deleted_at\",\"type\":\"TIMESTAMP\"}]");
    world->intent = (struct intent){
        .mode = kind->mode, .generation = 7, .logged_at_us = 1500000, .log_whole = kind->expires};
    if (!kind->no_rows)
        strcpy(world->intent.staging, "staged");

    append_schema(world);
    buffer_printf(
        &world->sql, "-- keeps deleted rows: %d, at once: %d, needs the snapshot's time: %d\n",
        staging_keeps_deleted(&world->task), staging_replaces_at_once(&world->task),
        staging_needs_snapshot(&world->task));
    change_log_append(&world->sql, &world->worker, &world->task, &world->intent);
    (kind->mode == SEND_REPLACE ? staging_append_replacement : staging_append_change)(
        &world->sql, &world->worker, &world->task, &world->intent);
    buffer_append_text(&world->sql, "\n");
    cJSON_Delete(world->task.warehouse.fields);
}

/* The two queries of verify. */
static void append_verify(struct world *world, enum deletes_choice deletes)
{
    const struct kind kind = {.deletes = deletes, .filtered = deletes == DELETES_MIRROR};
    const struct config config = {.project = "p", .dataset = "d"};

    make_table(world, &kind);
    buffer_printf(&world->sql, "\n-- verify, deletes %d\n", (int)deletes);
    checksum_sql_buckets(&world->sql, &config, &world->table, 2);
    buffer_append_text(&world->sql, "\n");
    checksum_sql_rows(&world->sql, &config, &world->table, 3);
    buffer_append_text(&world->sql, "'abc'\n");
}

static char *golden(void)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(GOLDEN, "r");

    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void test_each_statement_is_the_one_on_record(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    (void)state;
    buffer_init(&world->sql, 1 << 20);
    buffer_append_text(&world->sql, "-- What test_statements.c compares.\n");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        append_kind(world, &kinds[i]);
    append_verify(world, DELETES_MIRROR);
    append_verify(world, DELETES_MARK);
    append_verify(world, DELETES_KEEP);
    if (getenv("BQSYNC_REWRITE") != NULL) {
        FILE *file = fopen(GOLDEN, "w");
        assert_non_null(file);
        fputs(buffer_text(&world->sql), file);
        assert_int_equal(fclose(file), 0);
    }
    char *expected = golden();

    assert_string_equal(buffer_text(&world->sql), expected);

    free(expected);
    buffer_clear(&world->sql);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_statement_is_the_one_on_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
