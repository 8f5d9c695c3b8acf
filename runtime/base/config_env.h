/* config_env: reads a .env file into (name, value, line) entries. Knows the syntax and nothing of
 * the settings. */
#ifndef BQSYNC_BASE_CONFIG_ENV_H
#define BQSYNC_BASE_CONFIG_ENV_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct config_entry {
    char *name;
    char *value;
    int line; /* from 1 */
};

struct config_env {
    struct config_entry *entries; /* in file order */
    size_t count;
    bool exists; /* the file was there */
};

/* Reads the file: KEY=VALUE lines with an optional "export ", comments from # on, values bare or in
 * single quotes (taken as they are) or in double quotes (\n, \r, \t, \", \\ and \$ are escapes);
 * nothing is expanded. A file that may be missing gives no entries. ERROR_CONFIG as
 * "file:line: ..." for a malformed line, never quoting a value. config_env_clear frees. */
MUST_CHECK bool config_env_read(
    const char *path, bool may_be_missing, struct config_env *out_env, struct error *err);
void config_env_clear(struct config_env *env);

/* The last entry of that name with a value, or NULL. */
const struct config_entry *config_env_find(const struct config_env *env, const char *name);

#endif
