/* permission: what callers of bqlocal may not do. Everybody holds every permission but those that a
 * fault rule "deny" names (docs/bqlocal.md). Callers are inside of the monitor. */
#ifndef BQLOCAL_FAULTS_PERMISSION_H
#define BQLOCAL_FAULTS_PERMISSION_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct faults;

/* 403 accessDenied in Google's words if the permission is denied. */
MUST_CHECK bool permission_check(
    const struct faults *faults, const char *project, const char *permission, struct error *err);
/* Those of a JSON array of names that are held, as a new array. */
cJSON *permission_held(const struct faults *faults, const cJSON *asked);

#endif
