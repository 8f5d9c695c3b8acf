/* local_server: bqlocal as a whole: opens the parts, reads the files that options name, and puts
 * the HTTP daemon in front. Start and stop belong to one thread. */
#ifndef BQLOCAL_SERVER_LOCAL_SERVER_H
#define BQLOCAL_SERVER_LOCAL_SERVER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    bool lenient_modes;
    bool refuse_json_numbers;
    unsigned avro_codecs;  /* that loads read, as a set (jobs/avro_file.h) */
    const char *port_file; /* NULL: none */
};

struct server;

/* Opens the store, makes the datasets, and starts to listen. options are borrowed for the server's
 * life. */
MUST_CHECK bool server_start(
    const struct server_options *options, struct server **out_server, struct error *err);
/* Wakes all that wait, ends the connections and the jobs' worker, closes the store, frees. */
void server_stop(struct server *server);

/* "http://host:port" as bound; borrowed. */
const char *server_url(const struct server *server);

#endif
