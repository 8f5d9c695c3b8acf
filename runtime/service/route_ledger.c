#include "service/route_ledger.h"

#include "base/json_text.h"
#include "base/log.h"
#include "service/past_runs.h"

bool route_ledger(
    const struct routes_context *context, struct ledger *out_ledger, struct error *err)
{
    const char *state_path = context->deployment->config->state_path;
    cJSON *run = status_last_run(context->status);
    cJSON *idle = past_runs_idle(state_path);
    struct error unread;

    if (run != NULL &&
        !ledger_catch_up(context->ledger, json_text_of(run, "run_id", ""), state_path, &unread))
        log_debug("past runs not read", LOG_TEXT("reason", unread.message));
    ledger_learn(context->ledger, idle);
    cJSON_Delete(run);
    cJSON_Delete(idle);
    return ledger_copy(context->ledger, out_ledger, err);
}
