/* permission_name: the permissions that bqlocal asks for. Pure; any thread. */
#ifndef BQLOCAL_FAULTS_PERMISSION_NAME_H
#define BQLOCAL_FAULTS_PERMISSION_NAME_H

#include "base/error.h"

/* Whether bqlocal asks for this permission anywhere; invalid, with the list, if not. */
MUST_CHECK bool permission_is_known(const char *permission, struct error *err);

#endif
