#include "bqlocal/faults/permission.h"

#include "bqlocal/faults/fault.h"
#include "bqlocal/store/failure.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "bigquery."

bool permission_check(
    const struct faults *faults, const char *project, const char *permission, struct error *err)
{
    if (!faults_denies(faults, permission))
        return true;
    return failure_set(
        err, "accessDenied",
        "Access Denied: Project %s: User does not have %s permission in project %s (or it may not "
        "exist).",
        project, permission, project);
}

bool permission_is_known(const char *permission, struct error *err)
{
    static const char *const known[] = {
        "datasets.create", "datasets.delete", "datasets.get",       "datasets.update",
        "jobs.create",     "tables.create",   "tables.delete",      "tables.get",
        "tables.getData",  "tables.list",     "tables.setCategory", "tables.update",
        "tables.updateData", "rowAccessPolicies.list",
    };
    char list[600] = "";
    size_t length = 0;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(permission, PREFIX, strlen(PREFIX)) == 0 &&
            strcmp(permission + strlen(PREFIX), known[i]) == 0)
            return true;
        length += (size_t)snprintf(
            list + length, sizeof list - length, "%s" PREFIX "%s", i > 0 ? ", " : "", known[i]);
    }
    return failure_set(
        err, "invalid", "bqlocal asks for no permission %.60s; it asks for %s", permission, list);
}

/* A list in a list counts as its members: Google's system tests send one and are answered. */
static void add_held(const struct faults *faults, const cJSON *asked, cJSON *held)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, asked)
    {
        if (cJSON_IsArray(one))
            add_held(faults, one, held);
        else if (cJSON_IsString(one) && !faults_denies(faults, one->valuestring))
            cJSON_AddItemToArray(held, cJSON_Duplicate(one, false));
    }
}

cJSON *permission_held(const struct faults *faults, const cJSON *asked)
{
    cJSON *held = cJSON_CreateArray();

    add_held(faults, asked, held);
    return held;
}
