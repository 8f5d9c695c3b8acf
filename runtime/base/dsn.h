/* dsn: the address of a Sentry project, scheme://KEY[:SECRET]@host[:port][/path]/PROJECT (Sentry,
 * "Data Source Name"). */
#ifndef BQSYNC_BASE_DSN_H
#define BQSYNC_BASE_DSN_H

#include <stdbool.h>

struct dsn {
    char scheme[8];
    char key[128];  /* a secret */
    char host[256]; /* with port */
    char path[256]; /* "" or "/path" */
    char project[64];
};

/* Splits the text; false if it has another form or a part is too long. *out is then undefined. */
bool dsn_parse(const char *text, struct dsn *out);

#endif
