/* config_value: the text of one setting -> its field in struct config. Pure but for the time zone,
 * which is looked up among the zones installed on this machine. */
#ifndef BQSYNC_BASE_CONFIG_VALUE_H
#define BQSYNC_BASE_CONFIG_VALUE_H

#include "base/config_option.h"
#include "base/error.h"

struct config;

/* Stores value into the option's field (a text is copied, the former one freed). origin says where
 * the value stands ("environment", ".env:3") and appears in the message. ERROR_CONFIG if the text
 * does not fit the type; the field is then unchanged. */
MUST_CHECK bool config_value_set(
    struct config *config, const struct config_option *option, const char *value,
    const char *origin, struct error *err);

/* Whether host:port (of a CONFIG_LISTEN) can be reached from this machine only: 127.0.0.0/8, ::1 or
 * localhost. */
bool config_value_is_loopback(const char *listen);

/* Whether the option's field holds a char * that config_clear has to free. */
bool config_value_is_text(enum config_type type);

/* Whether messages and reports must not show the value. */
bool config_value_is_secret(enum config_type type);

/* The size of the option's field. */
size_t config_value_size(enum config_type type);

#endif
