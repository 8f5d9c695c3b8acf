#include "warehouse/job_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool job_id_nonce(char out[static JOB_ID_NONCE_SIZE], struct error *err)
{
    uint64_t nonce;

    if (getrandom(&nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        return error_set(err, ERROR_SOURCE, "no random numbers from the kernel");
    snprintf(out, JOB_ID_NONCE_SIZE, "%016" PRIx64, nonce);
    return true;
}

void job_id_safe_name(const char *name, char *out, size_t size)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = 0;

    for (; *name != '\0' && length + 1 < size; name++)
        out[length++] = strchr(safe, *name) != NULL ? *name : '_';
    out[length] = '\0';
}
