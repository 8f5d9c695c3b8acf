/* Routes of features that bqlocal does not have. Clients list them to see what there is. */
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

bool rest_absent(const struct parts *in, struct request *request, struct error *err)
{
    (void)in;
    return failure_set(err, "notImplemented", "bqlocal does not have %s", request->method_id);
}
