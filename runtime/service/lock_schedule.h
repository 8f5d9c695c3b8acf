/* lock_schedule: the settings by which the running service starts passes. It leaves them in its
 * lock file, so that `status` shows its schedule, whatever the settings of the shell say. */
#ifndef BQSYNC_SERVICE_LOCK_SCHEDULE_H
#define BQSYNC_SERVICE_LOCK_SCHEDULE_H

#include "base/config.h"
#include "source/lock.h"

#include <cjson/cJSON.h>

/* Leaves them in the file. lock: of lock_acquire_service; does nothing if it is not held. rules:
 * the settings that a reload may change; place: those of the start. */
void lock_schedule_write(struct lock *lock, const struct config *rules, const struct config *place);

/* A copy of own with the settings of the service that runs on its state database, or as it is if
 * none runs. Texts of *out_config are borrowed from own and from the result, which the caller
 * deletes after *out_config; NULL: no service has left any. */
cJSON *lock_schedule_read(const struct config *own, struct config *out_config);

#endif
