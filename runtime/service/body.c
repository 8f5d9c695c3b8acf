#include "service/body.h"

#include "base/json_strict.h"
#include "base/text_fit.h"
#include "encode/json.h"

#include <stdio.h>
#include <stdlib.h>

/* Whether the text is JSON or empty. */
static bool is_json(struct slice body, struct reply *reply)
{
    const char *problem = body.length == 0 ? NULL : json_check(body);

    if (problem != NULL)
        reply_error(reply, 400, "malformed_json", "the body %s", problem);
    return problem == NULL;
}

bool body_is_empty(struct slice body, struct reply *reply)
{
    const char *wrong = "";

    if (body.length == 0)
        return true;
    if (!is_json(body, reply))
        return false;
    cJSON *json = json_parse_strict(body, &wrong);
    bool empty = cJSON_IsObject(json) && json->child == NULL;
    cJSON_Delete(json);
    if (!empty)
        reply_error(
            reply, 400, "bad_request",
            "a sync of all tables takes no body; POST /admin/bigquery/sync/tables takes a list of "
            "names");
    return empty;
}

void body_reply_unknown(const struct deployment *deployment, struct reply *reply, cJSON *unknown)
{
    char message[768];
    size_t used = strlen(text_format(message, sizeof message, "no such table:"));
    const cJSON *name = NULL;

    cJSON_ArrayForEach(name, unknown) used += strlen(text_format(
        message + used, sizeof message - used, "%s %s", name == unknown->child ? "" : ",",
        name->valuestring));
    cJSON *json = reply_error_json("unknown_table", message);
    cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    cJSON_AddItemToObject(error, "unknown", unknown);
    cJSON *known = cJSON_AddArrayToObject(error, "known");
    for (size_t i = 0; i < deployment->table_count; i++)
        cJSON_AddItemToArray(known, cJSON_CreateString(deployment->tables[i]->name));
    reply_json(reply, 400, json);
}

static bool contains(const struct table *const *tables, size_t count, const struct table *table)
{
    for (size_t i = 0; i < count; i++)
        if (tables[i] == table)
            return true;
    return false;
}

/* Resolves the names into out (room for all tables of the deployment); false after replying. */
static bool resolve(
    const struct deployment *deployment, const cJSON *names, const struct table **out,
    size_t *out_count, struct reply *reply)
{
    cJSON *unknown = cJSON_CreateArray();
    const cJSON *name = NULL;

    *out_count = 0;
    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name)) {
            cJSON_Delete(unknown);
            reply_error(reply, 400, "bad_request", "every entry has to be a table's name");
            return false;
        }
        const struct table *table = deployment_table(deployment, name->valuestring);
        if (table == NULL)
            cJSON_AddItemToArray(unknown, cJSON_CreateString(name->valuestring));
        else if (!contains(out, *out_count, table))
            out[(*out_count)++] = table;
    }
    if (cJSON_GetArraySize(unknown) > 0) {
        body_reply_unknown(deployment, reply, unknown);
        return false;
    }
    cJSON_Delete(unknown);
    return true;
}

bool body_tables(
    const struct deployment *deployment, struct slice body, const struct table ***out_tables,
    size_t *out_count, struct reply *reply)
{
    const struct table **tables = NULL;
    bool ok = false;

    if (!is_json(body, reply))
        return false;
    const char *wrong = "";
    cJSON *names = json_parse_strict(body, &wrong);
    if (names == NULL && body.length > 0) {
        reply_error(
            reply, 400, "malformed_json", "the body holds U+0000 at byte %zu, which no name has",
            (size_t)(wrong - body.data));
        return false;
    }
    if (!cJSON_IsArray(names) || cJSON_GetArraySize(names) == 0) {
        reply_error(
            reply, 400, "bad_request",
            "the body has to be a JSON array of table names, such as [\"users\"]");
        goto cleanup;
    }
    tables = calloc(deployment->table_count + 1, sizeof *tables);
    if (tables == NULL) {
        reply_error(reply, 500, "memory", "out of memory");
        goto cleanup;
    }
    if (!resolve(deployment, names, tables, out_count, reply))
        goto cleanup;
    *out_tables = tables;
    tables = NULL;
    ok = true;

cleanup:
    free(tables);
    cJSON_Delete(names);
    return ok;
}
