#include "bqlocal/faults/permission.h"

#include "bqlocal/faults/fault.h"
#include "bqlocal/store/failure.h"

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
