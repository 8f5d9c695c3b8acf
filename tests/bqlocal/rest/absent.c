/* Routes of features that bqlocal does not have. Clients list them to see what there is. */
#include "bqlocal/faults/fault.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/rest/handlers.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/store.h"

bool rest_absent_list(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;
    cJSON *resource = NULL;
    bool found = at->table != NULL
                     ? store_table_get(in->store, at->dataset, at->table, &resource, err)
                     : store_dataset_get(in->store, at->dataset, &resource, err);

    cJSON_Delete(resource);
    return found && answer_json(&request->answer, 200, cJSON_CreateObject());
}

/* None, but for the tables to which a fault gives some. */
bool rest_policy_list(const struct parts *in, struct request *request, struct error *err)
{
    const struct path_parameters *at = &request->parameters;

    if (!faults_guard_rows(in->faults, at->dataset, at->table))
        return rest_absent_list(in, request, err);
    cJSON *answer = cJSON_CreateObject();
    cJSON *policy = cJSON_CreateObject();
    cJSON *reference = job_table_reference(in->store, at->dataset, at->table);
    cJSON_AddStringToObject(reference, "policyId", "of_a_fault");
    cJSON_AddItemToObject(policy, "rowAccessPolicyReference", reference);
    cJSON_AddStringToObject(policy, "filterPredicate", "false");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "rowAccessPolicies"), policy);
    return answer_json(&request->answer, 200, answer);
}

bool rest_absent(const struct parts *in, struct request *request, struct error *err)
{
    (void)in;
    return failure_set(err, "notImplemented", "bqlocal does not have %s", request->method_id);
}
