#include "bqlocal/server/local_server.h"

#include "bqlocal/auth/strict.h"
#include "bqlocal/faults/fault.h"
#include "bqlocal/http/request_log.h"
#include "bqlocal/jobs/job_record.h"
#include "bqlocal/rest/uploads.h"
#include "bqlocal/server/connection.h"
#include "bqlocal/server/route_table.h"
#include "bqlocal/sql/run/sql.h"
#include "bqlocal/store/failure.h"

#include <microhttpd.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECTIONS_MAX 500

int64_t server_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool server_wait(struct server *server, int64_t deadline_ms)
{
    struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};

    return pthread_cond_timedwait(&server->changed, &server->lock, &until) != ETIMEDOUT;
}

static bool parse_address(
    const char *listen, struct sockaddr_storage *out_address, socklen_t *out_length,
    struct error *err)
{
    const char *colon = strrchr(listen, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char host[256];

    if (colon == NULL || colon[1] == '\0')
        return error_set(err, ERROR_USAGE, "--listen %s: expected HOST:PORT", listen);
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

/* Writes the address as bound, and returns its port. */
static unsigned describe_address(
    struct server *server, const struct sockaddr_storage *address, socklen_t length)
{
    char host[96], port[16];
    bool six = address->ss_family == AF_INET6;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

    if (getnameinfo(
            (const struct sockaddr *)address, length, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        strcpy(host, "127.0.0.1");
    snprintf(server->address, sizeof server->address, six ? "[%s]:%u" : "%s:%u", host, info->port);
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
    if (!is_loopback(&address))
        fprintf(
            stderr,
            "bqlocal: warning: %s is not a loopback address: anybody who reaches it can "
            "read and change everything\n",
            server->options.listen);
    if (strict_tls(
            server->strict, (const char **)&tls[0].ptr_value, (const char **)&tls[1].ptr_value)) {
        server->tls = true;
        flags |= MHD_USE_TLS;
    } else {
        tls[0].option = MHD_OPTION_END;
    }
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    // Requests wait for the lock: none of them sees the address before it is written.
    pthread_mutex_lock(&server->lock);
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, serve_request, server, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_URI_LOG_CALLBACK, serve_begin, server, MHD_OPTION_NOTIFY_COMPLETED, serve_end,
        server, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_LISTENING_ADDRESS_REUSE,
        1u, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    unsigned port = server->daemon == NULL ? 0 : describe_address(server, &address, length);
    pthread_mutex_unlock(&server->lock);
    if (server->daemon == NULL)
        return error_set(
            err, ERROR_UNREACHABLE, "cannot listen on %s: %s", server->options.listen,
            strerror(errno));
    return write_port_file(server->options.port_file, port, err);
}

static bool read_json_file(const char *path, cJSON **out_json, struct error *err)
{
    struct buffer text;
    char chunk[4096];
    size_t length;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return error_set(err, ERROR_USAGE, "cannot read %s: %s", path, strerror(errno));
    buffer_init(&text, 16 << 20);
    while ((length = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_append(&text, chunk, length);
    fclose(file);
    *out_json = cJSON_ParseWithLength(buffer_text(&text), text.length);
    buffer_clear(&text);
    return *out_json != NULL || error_set(err, ERROR_USAGE, "%s is not JSON", path);
}

static bool read_faults(struct server *server, struct error *err)
{
    cJSON *document = NULL;

    if (server->options.faults == NULL)
        return true;
    if (!read_json_file(server->options.faults, &document, err))
        return false;
    bool ok = faults_replace(server->faults, document, err);
    if (!ok)
        error_wrap(err, "%s", server->options.faults);
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

static bool open_all(struct server *server, struct error *err)
{
    const struct server_options *options = &server->options;
    cJSON *strict = NULL;

    if (!store_open(options->data, options->project, &server->store, err) ||
        !sql_register(&server->store, err) || !request_log_new(&server->log, err) ||
        !faults_new(&server->faults, err) || !read_faults(server, err) ||
        !make_datasets(server, err) || !uploads_new(&server->uploads, err))
        return false;
    if (options->strict != NULL) {
        if (!read_json_file(options->strict, &strict, err))
            return false;
        bool ok = strict_new(strict, options->strict, &server->strict, err);
        cJSON_Delete(strict);
        if (!ok)
            return false;
    }
    return jobs_start(server, &server->jobs, err);
}

bool server_start(struct server *server, const struct server_options *options, struct error *err)
{
    pthread_condattr_t attributes;

    *server = (struct server){.options = *options};
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!open_all(server, err) || !listen_on(server, err)) {
        server_stop(server);
        return false;
    }
    return true;
}

void server_stop(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    jobs_stop(server->jobs);
    uploads_free(server->uploads);
    faults_free(server->faults);
    request_log_free(server->log);
    strict_free(server->strict);
    if (server->store.handle != NULL)
        store_close(&server->store);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
}
