#include "scene.h"

#include "base/log.h"
#include "registry.h"
#include "source/capture.h"
#include "sync/commit/table_commit.h"
#include "sync/pass/history_log.h"
#include "sync/pass/plan.h"
#include "sync/pass/reading.h"
#include "sync/pass/target.h"
#include "warehouse/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char schema[] =
    "create table events(id integer primary key autoincrement, kind text not null, payload json,"
    " at integer);"
    "create table accounts(id integer primary key, email text not null unique, balance numeric,"
    " note text);"
    "create table settings(name text primary key, value text);"
    "create table devices(serial text primary key not null, online, reading);"
    "create table invoices(id integer primary key, total numeric);";

static const struct table *find_table(const char *name)
{
    for (size_t i = 0; i < registry_count; i++)
        if (strcmp(registry_tables[i]->name, name) == 0)
            return registry_tables[i];
    fail_msg("there is no table %s in tests/schemas", name);
    return NULL;
}

/* --- BigQuery ---------------------------------------------------------------------------- */

/* The text between two marks, "" if they are not there; in bytes that the second call after this
 * overwrites. */
static const char *between(const char *text, const char *before, const char *after)
{
    static char found[2][300];
    static int next;
    char *out = found[next++ % 2];
    const char *start = text == NULL ? NULL : strstr(text, before);

    out[0] = '\0';
    if (start != NULL) {
        start += strlen(before);
        snprintf(out, sizeof found[0], "%.*s", (int)strcspn(start, after), start);
    }
    return out;
}

static const char *plain(const char *table)
{
    return strncmp(table, "bqsync_staging_", 15) == 0 ? "staging" : table;
}

/* One request in a few words. */
static void describe(const struct fake_request *request, char *out, size_t size)
{
    const char *url = request->url;

    if (strstr(url, "/upload/") != NULL)
        snprintf(out, size, "upload %s", between(request->body, "\"phase\":\"", "\""));
    else if (strstr(url, "/jobs?") != NULL && strcmp(request->method, "POST") == 0)
        snprintf(out, size, "query %s", between(request->body, "\"phase\":\"", "\""));
    else if (strstr(url, "/jobs?") != NULL)
        snprintf(out, size, "list jobs");
    else if (strstr(url, "/jobs/") != NULL)
        snprintf(out, size, "get job");
    else if (strstr(url, "/tables?") != NULL && strcmp(request->method, "GET") == 0)
        snprintf(out, size, "list tables");
    else if (strcmp(request->method, "POST") == 0)
        snprintf(out, size, "insert %s", plain(between(request->body, "\"tableId\":\"", "\"")));
    else
        snprintf(
            out, size, "%s %s",
            strcmp(request->method, "PATCH") == 0 ? "patch"
            : strcmp(request->method, "GET") == 0 ? "get"
                                                  : "delete",
            plain(between(url, "/tables/", "?")));
}

/* A target, or the log of one, in line with its definition. */
static const char *live_table(const char *target)
{
    static char text[8000];

    for (size_t i = 0; i < registry_count; i++) {
        struct table table = *registry_tables[i];
        if (table.history != NULL && strcmp(table.history->log, target) == 0)
            table = history_log(&table);
        if (strcmp(table.target, target) != 0)
            continue;
        snprintf(
            text, sizeof text, "{\"schema\":{\"fields\":%s},%s", table.schema_json,
            table.resource_json + 1);
        return text;
    }
    fail_msg("there is no target %s in the definitions", target);
    return NULL;
}

static void list_table(struct buffer *out, const char *name, const char *shape, int64_t generation)
{
    buffer_printf(
        out,
        "%s{\"tableReference\":{\"tableId\":\"%s\"},\"labels\":{\"" LABEL_GENERATION
        "\":\"%d\",\"" LABEL_SHAPE "\":\"%.15s\"}}",
        out->length > 0 ? "," : "{\"tables\":[", name, (int)generation, shape);
}

/* All that a pass has labelled, with these labels. */
static const char *listed_tables(struct scene *scene)
{
    static char text[8000];
    struct buffer list;

    buffer_init(&list, sizeof text - 10);
    for (size_t i = 0; i < registry_count; i++) {
        const struct table *table = registry_tables[i];
        const struct table_history *history = table->history;
        struct watermark watermark;
        struct error err;
        expect_ok(tracking_load(&scene->tracking, table->name, &watermark, &err));
        if (watermark.label.generation == 0)
            continue;
        list_table(&list, table->target, watermark.shape_hash, watermark.label.generation);
        if (history != NULL) {
            list_table(&list, history->log, history->shape_hash, 0);
            list_table(&list, history->view, "", 0);
        }
    }
    snprintf(text, sizeof text, "%s%s", buffer_text(&list), list.length > 0 ? "]}" : "{}");
    buffer_clear(&list);
    return text;
}

static void agree(struct scene *scene, const char *line, struct fake_reply *out_reply)
{
    out_reply->status = 200;
    out_reply->body = "{}";
    if (strncmp(line, "query", 5) == 0)
        out_reply->body = "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"},"
                          "\"statistics\":{\"query\":{\"dmlStats\":{\"insertedRowCount\":\"2\","
                          "\"updatedRowCount\":\"3\",\"deletedRowCount\":\"4\"}}}}";
    else if (strncmp(line, "upload", 6) == 0 || strcmp(line, "get job") == 0)
        out_reply->body = "{\"configuration\":{\"load\":{}},\"status\":{\"state\":\"DONE\"}}";
    else if (strcmp(line, "list jobs") == 0)
        out_reply->body = "{\"jobs\":[]}";
    else if (strcmp(line, "list tables") == 0)
        out_reply->body = listed_tables(scene);
    else if (strcmp(line, "get ") == 0)
        out_reply->body = "{\"location\":\"EU\"}"; // the dataset
    else if (strncmp(line, "get ", 4) == 0)
        out_reply->body = live_table(line + 4);
}

static char *unescape(const char *json)
{
    cJSON *body = cJSON_Parse(json);
    cJSON *query = cJSON_GetObjectItem(cJSON_GetObjectItem(body, "configuration"), "query");
    const char *sql = cJSON_GetStringValue(cJSON_GetObjectItem(query, "query"));
    char *copy = sql == NULL ? NULL : strdup(sql);

    cJSON_Delete(body);
    return copy;
}

static void answer(void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    struct scene *scene = context;
    char line[400];
    int64_t open = 0;
    struct error err;

    expect_ok(database_query_int64(
        &scene->watch, "select count(*) from bq_sync_intents", 0, &open, &err));
    describe(request, line, sizeof line);
    buffer_printf(&scene->requests, "%d %s\n", (int)open, line);
    buffer_printf(&scene->urls, "%s\n", request->url);
    if (strncmp(line, "query", 5) == 0) {
        free(scene->last_sql);
        scene->last_sql = unescape(request->body);
    }
    free(scene->last_body);
    scene->last_body = strdup(request->body);

    agree(scene, line, out_reply);
    for (size_t i = 0; i < scene->answer_count; i++) {
        struct scene_answer *other = &scene->answers[i];
        if (strstr(line, other->match) == NULL ||
            (other->times > 0 && other->given >= other->times))
            continue;
        other->given++;
        if (other->meanwhile != NULL)
            scene_run(scene, other->meanwhile);
        else
            *out_reply = other->reply;
        return;
    }
}

void scene_answers(struct scene *scene, struct scene_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        answers[i].given = 0;
    scene->answers = answers;
    scene->answer_count = count;
}

const char *scene_requests(struct scene *scene)
{
    static char text[8000];

    snprintf(text, sizeof text, "%s", buffer_text(&scene->requests));
    buffer_clear(&scene->requests);
    buffer_init(&scene->requests, 1 << 20);
    return text;
}

cJSON *scene_parameter(const cJSON *job, const char *name)
{
    const cJSON *query = cJSON_GetObjectItem(cJSON_GetObjectItem(job, "configuration"), "query");
    cJSON *parameter;

    cJSON_ArrayForEach(parameter, cJSON_GetObjectItem(query, "queryParameters"))
    {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(parameter, "name")), name) == 0)
            return parameter;
    }
    return NULL;
}

const char *scene_sent_rows(const struct scene *scene)
{
    static char text[20000];
    cJSON *job = cJSON_Parse(scene->last_body);
    cJSON *parameter = scene_parameter(job, "rows");
    cJSON *value = cJSON_GetObjectItem(parameter, "parameterValue");
    const cJSON *row;
    const cJSON *member;
    size_t used = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(value, "arrayValues"))
    {
        cJSON_ArrayForEach(member, cJSON_GetObjectItem(row, "structValues"))
        {
            const char *cell = cJSON_GetStringValue(cJSON_GetObjectItem(member, "value"));
            assert_true(used < sizeof text);
            used += (size_t)snprintf(
                text + used, sizeof text - used, "%s ", cell == NULL ? "null" : cell);
        }
        text[used - 1] = '\n';
    }
    cJSON_Delete(job);
    return text;
}

/* --- making and ending ------------------------------------------------------------------- */

static struct scene *open_scene(bool apart)
{
    struct scene *scene = calloc(1, sizeof *scene);

    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/bqsync-scene-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->path, sizeof scene->path, "%s/app.db", scene->folder);
    char *state = NULL;
    assert_true(asprintf(&state, "%s/%s.db", scene->folder, apart ? "state" : "app") > 0);
    scene->config = (struct config){
        .project = "p",
        .dataset = "d",
        .sqlite_path = scene->path,
        .state_path = state,
        .state_is_source = !apart,
        .daily_minute = -1,
        .parallel = 1,
    };
    manual_clock_init(&scene->clock);
    scene->deployment = (struct deployment){
        .config = &scene->config,
        .tables = registry_tables,
        .table_count = registry_count,
        .clock = &scene->clock.clock,
        .http = &scene->http.ops,
        .retry_budget_ms = 1000,
        .quota = quota_new(&scene->clock.clock),
    };
    scene->options.kind = RUN_TABLES;
    fake_http_init(&scene->http);
    scene->http.handler = answer;
    scene->http.context = scene;
    buffer_init(&scene->requests, 1 << 20);
    buffer_init(&scene->urls, 1 << 20);
    return scene;
}

static void open_connections(struct scene *scene)
{
    const struct bigquery_options options = {
        .project = "p",
        .dataset = "d",
        .location = "EU",
        .endpoint = "http://bq.test",
        .clock = &scene->clock.clock,
        .retry_budget_ms = scene->deployment.retry_budget_ms,
        .run_id = "run1",
        .http = &scene->http.ops,
    };
    struct error err;

    expect_ok(database_open(scene->path, DATABASE_CREATE, 1000, &scene->source, &err));
    expect_ok(database_exec(&scene->source, schema, &err));
    expect_ok(tracking_open(scene->config.state_path, &scene->tracking, &err));
    expect_ok(database_open(scene->config.state_path, DATABASE_READ, 1000, &scene->watch, &err));
    scene->worker = (struct worker){
        .tracking = &scene->tracking,
        .clock = &scene->clock.clock,
        .retry_budget_ms = options.retry_budget_ms,
        .config = &scene->config,
        .project = "p",
        .dataset = "d",
        .location = "EU",
    };
    expect_ok(bigquery_open(&options, &scene->worker.bigquery, &err));
    scene->workers = (struct workers){
        .each = &scene->worker,
        .count = 1,
        .options = {.deployment = &scene->deployment, .size = 1},
    };
}

int scene_setup(void **state)
{
    struct scene *scene = open_scene(false);

    open_connections(scene);
    *state = scene;
    return 0;
}

int scene_setup_apart(void **state)
{
    struct scene *scene = open_scene(true);

    open_connections(scene);
    *state = scene;
    return 0;
}

static void forget_tasks(struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++) {
        batch_clear(&scene->tasks[i].batch);
        cJSON_Delete(scene->tasks[i].warehouse.fields);
        free(scene->tasks[i].intent);
    }
    scene->count = 0;
}

int scene_teardown(void **state)
{
    struct scene *scene = *state;
    char command[128];

    forget_tasks(scene);
    run_result_clear(&scene->result);
    bigquery_close(scene->worker.bigquery);
    quota_free(scene->deployment.quota);
    tracking_close(&scene->tracking);
    database_close(&scene->watch);
    database_close(&scene->source);
    fake_http_clear(&scene->http);
    buffer_clear(&scene->requests);
    buffer_clear(&scene->urls);
    snprintf(command, sizeof command, "rm -rf '%s'", scene->folder);
    assert_int_equal(system(command), 0);
    free(scene->config.state_path);
    free(scene->last_sql);
    free(scene->last_body);
    free(scene);
    return 0;
}

void scene_run(struct scene *scene, const char *sql)
{
    struct error err;

    expect_ok(database_exec(&scene->source, sql, &err));
}

const char *scene_state(struct scene *scene, const char *sql)
{
    static char text[1000];
    sqlite3_stmt *statement = NULL;
    struct error err;
    bool row = false;

    expect_ok(database_prepare(&scene->watch, sql, &statement, &err));
    expect_ok(database_step(&scene->watch, statement, &row, &err));
    const unsigned char *value = row ? sqlite3_column_text(statement, 0) : NULL;
    snprintf(text, sizeof text, "%s", value == NULL ? "" : (const char *)value);
    sqlite3_finalize(statement);
    return text;
}

/* --- a pass ------------------------------------------------------------------------------ */

static void add_task(struct scene *scene, const char *name)
{
    size_t i = scene->count++;
    struct task *task = &scene->tasks[i];
    struct watermark watermark;
    struct error err;

    assert_true(scene->count <= SCENE_TASKS_MAX);
    scene->outcomes[i] = (struct table_result){.table = find_table(name)};
    *task = (struct task){.table = find_table(name), .index = i, .outcome = &scene->outcomes[i]};
    scene->order[i] = task;
    expect_ok(tracking_load(&scene->tracking, name, &watermark, &err));
    task->warehouse.exists = true;
    task->warehouse.label = watermark.label;
    snprintf(
        task->warehouse.label_shape, sizeof task->warehouse.label_shape, "%.15s",
        watermark.shape_hash);
    if (task->table->history != NULL) {
        struct task_history *seen = &task->warehouse.history;
        seen->log_exists = true;
        seen->view_exists = true;
        snprintf(seen->log_shape, sizeof seen->log_shape, "%s", task->table->history->shape_hash);
    }
}

void scene_pass(struct scene *scene, ...)
{
    va_list names;

    forget_tasks(scene);
    va_start(names, scene);
    for (const char *name; (name = va_arg(names, const char *)) != NULL;)
        add_task(scene, name);
    va_end(names);
}

void scene_plan(struct scene *scene)
{
    struct error err;

    for (size_t i = 0; i < scene->count; i++) {
        struct task *task = &scene->tasks[i];
        expect_ok(plan_table(&scene->config, &scene->source, &scene->tracking, task, false, &err));
        if (!task->plan.capture.broken)
            continue;
        expect_ok(capture_install(&scene->source, task->table, &err));
        expect_ok(
            tracking_load(&scene->tracking, task->table->name, &task->source.watermark, &err));
    }
}

static bool is_sure_of_work(const struct task *task)
{
    return task_has_work(task) && !task->plan.only_if_changed;
}

void scene_read(struct scene *scene)
{
    const struct step prepare = {.wanted = is_sure_of_work, .run = target_prepare};
    struct reading reading = {
        .deployment = &scene->deployment,
        .source = &scene->source,
        .workers = &scene->workers,
        .tasks = scene->order,
        .count = scene->count,
    };
    struct error err;

    workers_run(&scene->workers, scene->order, scene->count, &prepare);
    expect_ok(reading_run(&reading, &err));
}

void scene_commit(struct scene *scene)
{
    const struct step commit = {.wanted = task_has_work, .run = table_commit};

    workers_run(&scene->workers, scene->order, scene->count, &commit);
}

void scene_sync(struct scene *scene, const char *table)
{
    scene_answers(scene, NULL, 0);
    scene_pass(scene, table, NULL);
    scene_plan(scene);
    scene_read(scene);
    scene_commit(scene);
    if (task_failed(&scene->tasks[0]))
        fail_msg("%s: %s", table, scene->outcomes[0].error.message);
    scene_requests(scene);
}

void scene_pass_run(struct scene *scene, ...)
{
    const struct table *tables[SCENE_TASKS_MAX];
    va_list names;

    scene->options.table_count = 0;
    scene->options.tables = tables;
    va_start(names, scene);
    for (const char *name; (name = va_arg(names, const char *)) != NULL;) {
        assert_true(scene->options.table_count < SCENE_TASKS_MAX);
        tables[scene->options.table_count++] = find_table(name);
    }
    va_end(names);
    run_result_clear(&scene->result);
    pass_run(&scene->deployment, &scene->options, &scene->result);
}
