/* config_option: what is known of one setting. Types only; the table of all settings is
 * config_options(). */
#ifndef BQSYNC_BASE_CONFIG_OPTION_H
#define BQSYNC_BASE_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>

enum config_type {
    CONFIG_STRING,
    CONFIG_SECRET,
    CONFIG_TOKEN,       /* a bearer token: kept as a secret */
    CONFIG_DSN,         /* a Sentry DSN, which holds a key: kept as a secret */
    CONFIG_CREDENTIALS, /* the path of a file with a key, or the key itself: kept as a secret */
    CONFIG_PROJECT,     /* a project id, also "example.com:name" */
    CONFIG_DATASET,     /* a dataset id */
    CONFIG_BOOL,        /* 1/0, true/false, yes/no, on/off */
    CONFIG_INTEGER,
    CONFIG_BYTES,    /* a whole number, or one with k, M, G, T (powers of 1000); off */
    CONFIG_DURATION, /* 150ms, 90s, 15m, 2h, off */
    CONFIG_TIME,     /* HH:MM, off */
    CONFIG_ZONE,     /* an IANA time zone */
    CONFIG_LISTEN,   /* host:port to listen on, off */
    CONFIG_LEVEL,
    CONFIG_FORMAT,
    CONFIG_HOST,   /* host:port or a URL; kept as a URL, http unless it says otherwise */
    CONFIG_URL,    /* a URL with its scheme */
    CONFIG_PRICE,  /* US dollars with up to six decimals, kept as millionths; off */
    CONFIG_CHOICE, /* one of the two words of the placeholder; a bool, true for the second */
};

/* One setting. The flag is the variable in lower case with dashes and without BQ_, here without its
 * leading dashes ("sqlite-path"). */
struct config_option {
    const char *variable;
    const char *flag;
    enum config_type type;
    size_t offset;           /* of the field in struct config */
    const char *fallback;    /* default as text, NULL: none */
    const char *placeholder; /* in --help: "FILE" */
    const char *help;        /* one line */
    int minimum, maximum;    /* of a CONFIG_INTEGER */
    bool reloads;            /* serve takes a new value on SIGHUP */
};

#endif
