#include "service/routes_verify.h"

#include "base/clock.h"
#include "base/json_exact.h"
#include "service/body.h"
#include "service/route_ledger.h"

#include <stdlib.h>

void routes_post_verify(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    const struct table **tables = NULL;
    size_t count = 0;
    char id[RUN_ID_SIZE];
    cJSON *json = NULL;

    if (request->body.length > 0 &&
        !body_tables(context->deployment, request->body, &tables, &count, reply))
        return;
    switch (verifier_request(context->verifier, tables, count, id)) {
    case VERIFIER_ACCEPTED:
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "verify_id", id);
        reply_json(reply, 202, json);
        break;
    case VERIFIER_BUSY:
        reply_already_running(
            reply, "a verification is running; wait for its end", "verify_id", id);
        break;
    case VERIFIER_STOPPING:
        reply_stopping(reply);
        break;
    }
    free(tables);
}

/* Every table that is known to differ, whichever verification has found it. */
static cJSON *differing_json(const struct ledger *ledger)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_table *table = &ledger->tables[i];
        char at[CLOCK_TEXT_SIZE];
        if (table->differences <= 0)
            continue;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "table", table->table->name);
        json_add_int64(item, "differences", table->differences);
        cJSON_AddStringToObject(item, "verified_at", clock_format(table->verified_us, at));
        cJSON_AddItemToArray(array, item);
    }
    return array;
}

void routes_get_verify(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct ledger ledger;
    struct error err;

    (void)request;
    // The result first: what it has found is in the ledger by then.
    cJSON *json = verifier_json(context->verifier);
    if (!route_ledger(context, &ledger, &err)) {
        cJSON_Delete(json);
        reply_failure(reply, &err);
        return;
    }
    cJSON_AddItemToObject(json, "differing", differing_json(&ledger));
    ledger_clear(&ledger);
    reply_json(reply, 200, json);
}
