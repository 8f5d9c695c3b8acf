/* printed: takes note of a secret that a unit test hands to the code under test, so that the last
 * test of a run can look for it in everything that was printed (no_secret.py). */
#ifndef BQSYNC_TEST_PRINTED_H
#define BQSYNC_TEST_PRINTED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* name tells what it is; of a value of several lines each is a secret, but for PEM's frame. Does
 * nothing unless ctest says where to keep it. */
static inline void printed_secret(const char *name, const char *value)
{
    const char *folder = getenv("BQSYNC_PRINTED");
    char path[1000];

    if (folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/keys", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/keys/unit-%ld", folder, (long)getpid());
    FILE *file = fopen(path, "a");
    if (file == NULL)
        abort();
    while (*value != '\0') {
        size_t length = strcspn(value, "\n");
        if (length >= 8 && strncmp(value, "-----", 5) != 0)
            fprintf(file, "%s\t%.*s\n", name, (int)length, value);
        value += length;
        value += *value == '\n';
    }
    fclose(file);
}

#endif
