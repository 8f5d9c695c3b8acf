/* log_field: one key and its value in a line of the log. Types only. */
#ifndef BQSYNC_BASE_LOG_FIELD_H
#define BQSYNC_BASE_LOG_FIELD_H

#include <stdint.h>

/* text == NULL means the number. A list of fields ends with one whose key is NULL. */
struct log_field {
    const char *key;
    const char *text;
    int64_t number;
};

#endif
