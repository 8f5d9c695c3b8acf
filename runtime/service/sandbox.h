/* sandbox: confines the service to what it needs (BQ_SANDBOX), where the kernel can: which files it
 * opens (landlock.h) and which system calls it makes (syscall_filter.h). docs/security.md lists
 * both. What was done is logged; a kernel that cannot is no error. Call it before other threads
 * exist and after credentials are loaded: their file needs not be readable afterwards. */
#ifndef BQSYNC_SERVICE_SANDBOX_H
#define BQSYNC_SERVICE_SANDBOX_H

#include "sync/deployment.h"

/* env_file as for config_load, which SIGHUP calls again. Nothing undoes it. */
void sandbox_enter(const struct deployment *deployment, const char *env_file);

#endif
