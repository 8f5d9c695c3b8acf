/* Requests to the admin API, behind the server that has taken them apart: whatever the body is, it
 * names tables of this build, or the answer is an error that is JSON; whatever the path is, it
 * leads to a route that fits it or to none. cJSON says what is in a body. */
#include "fuzz/fuzz.h"

#include "service/body.h"
#include "service/routes.h"

#include <stdlib.h>
#include <string.h>

static const struct table users = {.name = "users"};
static const struct table orders = {.name = "orders"};
static const struct table odd = {.name = "o\"d\\d \xc3\xa9"};
static const struct table *const tables[] = {&users, &orders, &odd};
static const struct deployment deployment = {.tables = tables, .table_count = 3};

static void check_refusal(const struct reply *reply)
{
    cJSON *json = cJSON_ParseWithLength(reply->body, reply->length);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "code"));
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));

    FUZZ_REQUIRE(
        reply->status == 400 && code != NULL && message != NULL && message[0] != '\0', "%d: %.*s",
        reply->status, (int)reply->length, reply->body);
    cJSON_Delete(json);
}

static bool names(const cJSON *body, const char *name)
{
    const cJSON *entry = NULL;

    cJSON_ArrayForEach(
        entry,
        body) if (cJSON_IsString(entry) && strcmp(entry->valuestring, name) == 0) return true;
    return false;
}

static void check_tables(struct slice body)
{
    const struct table **named = NULL;
    size_t count = 0;
    struct reply reply = {0};
    cJSON *json = cJSON_ParseWithLength(body.data, body.length);

    if (body_tables(&deployment, body, &named, &count, &reply)) {
        FUZZ_REQUIRE(count > 0 && cJSON_IsArray(json), "%.*s is taken", FUZZ_TEXT(body));
        for (size_t i = 0; i < deployment.table_count; i++) {
            size_t times = 0;
            for (size_t k = 0; k < count; k++)
                times += named[k] == tables[i];
            FUZZ_REQUIRE(
                times == names(json, tables[i]->name), "%s is there %zu times in %.*s",
                tables[i]->name, times, FUZZ_TEXT(body));
        }
        free((void *)named);
    } else {
        check_refusal(&reply);
    }
    reply_clear(&reply);
    if (body_is_empty(body, &reply))
        FUZZ_REQUIRE(
            body.length == 0 || (cJSON_IsObject(json) && json->child == NULL), "%.*s is empty",
            FUZZ_TEXT(body));
    else
        check_refusal(&reply);
    reply_clear(&reply);
    cJSON_Delete(json);
}

static void check_path(const char *path)
{
    const char *tail = NULL;
    const struct route *route = routes_find(path, &tail);

    if (route == NULL)
        return;
    size_t fixed = strcspn(route->path, "{");
    FUZZ_REQUIRE(
        strncmp(path, route->path, fixed) == 0 &&
            (route->path[fixed] == '\0' ? path[fixed] == '\0' : path + fixed == tail),
        "%s leads to %s", path, route->path);
    FUZZ_REQUIRE(
        routes_handler(route, "GET") == routes_handler(route, "HEAD") &&
            routes_handler(route, "TRACE") == NULL,
        "the methods of %s", path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);

    if (fuzz_choice(&in, 4) == 0) {
        char *path = fuzz_rest_text(&in);
        check_path(path);
        free(path);
    } else {
        check_tables(fuzz_rest(&in));
    }
    return 0;
}
