#include "service/routes_verify.h"

#include "service/body.h"

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

void routes_get_verify(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    (void)request;
    reply_json(reply, 200, verifier_json(context->verifier));
}
