#include "bqlocal/faults/permission_name.h"

#include "bqlocal/store/failure.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "bigquery."

bool permission_is_known(const char *permission, struct error *err)
{
    static const char *const known[] = {
        "datasets.create",
        "datasets.delete",
        "datasets.get",
        "datasets.update",
        "jobs.create",
        "routines.create",
        "routines.delete",
        "routines.get",
        "routines.list",
        "routines.update",
        "tables.create",
        "tables.delete",
        "tables.get",
        "tables.getData",
        "tables.list",
        "tables.setCategory",
        "tables.update",
        "tables.updateData",
        "rowAccessPolicies.list",
    };
    char list[900] = "";
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
