/* server: bqlocal as a whole: the store, jobs, uploads and faults behind one big lock, and the HTTP
 * daemon in front. Each connection has its own thread; whoever touches anything below `lock` holds
 * it. */
#ifndef BQLOCAL_SERVER_LOCAL_SERVER_H
#define BQLOCAL_SERVER_LOCAL_SERVER_H

#include "base/error.h"
#include "bqlocal/http/exchange.h"
#include "bqlocal/store/store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Daemon;
struct faults;
struct jobs;
struct request_log;
struct strict;
struct uploads;

struct server_options {
    const char *listen; /* host:port */
    const char *data;   /* NULL: in memory */
    const char *project;
    const char **datasets;
    size_t dataset_count;
    const char *location;
    int64_t job_latency_ms;
    const char *faults; /* file, NULL: none */
    const char *strict; /* file, NULL: not strict */
    bool discard;
    const char *port_file; /* NULL: none */
};

struct server {
    struct server_options options;
    char address[128]; /* host:port as bound */
    bool tls;
    struct MHD_Daemon *daemon;
    struct strict *strict; /* NULL: no credentials asked for */

    pthread_mutex_t lock;
    /* Signalled when a job ends, faults change or the server stops; timed on CLOCK_MONOTONIC. */
    pthread_cond_t changed;
    bool stopping;
    struct store store;
    struct jobs *jobs;
    struct uploads *uploads;
    struct faults *faults;
    struct request_log *log;
};

/* Opens the store, makes the datasets, and starts to listen. options are borrowed for the server's
 * life. The server must not move. */
MUST_CHECK bool server_start(
    struct server *server, const struct server_options *options, struct error *err);
/* Wakes whatever waits, ends the connections and the jobs' worker, closes the store. */
void server_stop(struct server *server);

/* Waits on `changed` for at most so long (milliseconds), with the lock held; false: time is up. */
bool server_wait(struct server *server, int64_t deadline_ms);
/* CLOCK_MONOTONIC in milliseconds. */
int64_t server_monotonic_ms(void);

#endif
