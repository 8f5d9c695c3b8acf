#include "bqlocal/server/local_server.h"

#include "bqlocal/auth/strict.h"
#include "bqlocal/faults/fault.h"
#include "bqlocal/http/request_log.h"
#include "bqlocal/jobs/job_runner.h"
#include "bqlocal/rest/uploads.h"
#include "bqlocal/server/connection.h"
#include "bqlocal/server/mixed.h"
#include "bqlocal/sql/run/sql.h"
#include "bqlocal/store/text_file.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 500

struct server {
    struct server_options options;
    struct monitor monitor;
    struct store store;
    struct parts parts;
    struct MHD_Daemon *daemon;
    char url[160];
};

static bool parse_address(
    const char *listen, struct sockaddr_storage *out_address, socklen_t *out_length,
    struct error *err)
{
    const char *colon = strrchr(listen, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char host[256], *end = NULL;

    if (colon == NULL || !isdigit((unsigned char)colon[1]) ||
        strtoul(colon + 1, &end, 10) > 65535 || *end != '\0')
        return error_set(err, ERROR_USAGE, "--listen %s: expected HOST:PORT, 0 to 65535", listen);
    // [::1]:9050 names its address in brackets.
    size_t length = (size_t)(colon - listen);
    const char *start = listen;
    if (length >= 2 && *listen == '[' && colon[-1] == ']') {
        start++;
        length -= 2;
    }
    snprintf(host, sizeof host, "%.*s", (int)length, start);
    int problem = getaddrinfo(length == 0 ? "127.0.0.1" : host, colon + 1, &hints, &found);
    if (problem != 0)
        return error_set(err, ERROR_USAGE, "--listen %s: %s", listen, gai_strerror(problem));
    memcpy(out_address, found->ai_addr, found->ai_addrlen);
    *out_length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* Writes the URL as bound, and returns its port. */
static unsigned describe_address(
    struct server *server, const struct sockaddr_storage *address, socklen_t length, bool tls)
{
    char host[96], port[16];
    bool six = address->ss_family == AF_INET6;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

    if (getnameinfo(
            (const struct sockaddr *)address, length, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        strcpy(host, "127.0.0.1");
    snprintf(
        server->url, sizeof server->url, six ? "%s://[%s]:%u" : "%s://%s:%u",
        tls ? "https" : "http", host, info->port);
    return info->port;
}

/* Seen by others only when it is complete. */
static bool write_port_file(const char *path, unsigned port, struct error *err)
{
    char aside[4096];
    FILE *file = NULL;

    if (path == NULL)
        return true;
    if (snprintf(aside, sizeof aside, "%s.tmp", path) >= (int)sizeof aside)
        return error_set(err, ERROR_USAGE, "--port-file: the name is too long");
    file = fopen(aside, "w");
    if (file == NULL)
        return error_set(err, ERROR_DISK, "cannot write %s: %s", aside, strerror(errno));
    bool ok = fprintf(file, "%u\n", port) > 0;
    ok = fclose(file) == 0 && ok;
    if (!ok || rename(aside, path) != 0)
        return error_set(err, ERROR_DISK, "cannot write %s: %s", path, strerror(errno));
    return true;
}

static void warn_if_reachable(const char *listen, const struct sockaddr_storage *address)
{
    if (!is_loopback(address))
        fprintf(
            stderr,
            "bqlocal: warning: %s is not a loopback address: anybody who reaches it can "
            "read and change everything\n",
            listen);
}

static bool listen_on(struct server *server, struct error *err)
{
    struct sockaddr_storage address;
    socklen_t length = 0;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, NULL},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ITC;

    if (!parse_address(server->options.listen, &address, &length, err))
        return false;
    warn_if_reachable(server->options.listen, &address);
    bool secure = strict_tls(
        server->parts.strict, (const char **)&tls[0].ptr_value, (const char **)&tls[1].ptr_value);
    if (secure)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    // Requests wait for the monitor: none of them sees the URL before it is written.
    monitor_enter(&server->monitor);
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, connection_serve, &server->parts, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_URI_LOG_CALLBACK, connection_begin, &server->parts, MHD_OPTION_NOTIFY_COMPLETED,
        connection_end, &server->parts, MHD_OPTION_NOTIFY_CONNECTION, mixed_connection, NULL,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    unsigned port = server->daemon == NULL ? 0 : describe_address(server, &address, length, secure);
    monitor_leave(&server->monitor);
    if (server->daemon == NULL)
        return error_set(
            err, ERROR_UNREACHABLE, "cannot listen on %s: %s", server->options.listen,
            strerror(errno));
    return write_port_file(server->options.port_file, port, err);
}

static bool read_faults(struct faults *faults, const char *path, struct error *err)
{
    cJSON *document = NULL;

    if (path == NULL)
        return true;
    if (!text_file_read_json(path, &document, err))
        return false;
    bool ok = faults_replace(faults, document, err) || error_wrap(err, "%s", path);
    cJSON_Delete(document);
    return ok;
}

static bool make_datasets(struct server *server, struct error *err)
{
    cJSON *resource = cJSON_CreateObject();
    bool ok = true;

    cJSON_AddStringToObject(resource, "location", server->options.location);
    for (size_t i = 0; ok && i < server->options.dataset_count; i++) {
        const char *dataset = server->options.datasets[i];
        ok = store_dataset_exists(&server->store, dataset) ||
             store_dataset_insert(&server->store, dataset, resource, err);
    }
    cJSON_Delete(resource);
    return ok;
}

static bool open_parts(struct server *server, struct error *err)
{
    const struct server_options *options = &server->options;
    struct parts *parts = &server->parts;
    const struct job_settings jobs = {
        .location = options->location,
        .latency_ms = options->job_latency_ms,
        .kept = options->data != NULL,
        .discards = options->discard,
        .lenient_modes = options->lenient_modes,
        .refuses_json_numbers = options->refuse_json_numbers,
        .avro_codecs = options->avro_codecs,
    };

    parts->monitor = &server->monitor;
    parts->store = &server->store;
    parts->location = options->location;
    parts->url = server->url;
    return store_open(options->data, options->project, &server->store, err) &&
           sql_register(&server->store, err) && request_log_new(&parts->log, err) &&
           faults_new(&parts->faults, err) && read_faults(parts->faults, options->faults, err) &&
           make_datasets(server, err) && uploads_new(&parts->uploads, err) &&
           (options->strict == NULL || strict_new(options->strict, &parts->strict, err)) &&
           jobs_new(&server->monitor, &server->store, parts->faults, &jobs, &parts->jobs, err) &&
           jobs_start(parts->jobs, err);
}

bool server_start(
    const struct server_options *options, struct server **out_server, struct error *err)
{
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for the server");
    server->options = *options;
    monitor_init(&server->monitor);
    if (!open_parts(server, err) || !listen_on(server, err)) {
        server_stop(server);
        return false;
    }
    *out_server = server;
    return true;
}

void server_stop(struct server *server)
{
    struct parts *parts = &server->parts;

    monitor_stop(&server->monitor);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    jobs_stop(parts->jobs);
    jobs_free(parts->jobs);
    uploads_free(parts->uploads);
    faults_free(parts->faults);
    request_log_free(parts->log);
    strict_free(parts->strict);
    if (server->store.handle != NULL)
        store_close(&server->store);
    monitor_clear(&server->monitor);
    free(server);
}

const char *server_url(const struct server *server)
{
    return server->url;
}
