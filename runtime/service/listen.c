#include "service/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

/* Splits "[::1]:80" or "host:80" into host and port. */
static bool split(const char *listen, char *host, size_t host_size, char *port, size_t port_size)
{
    const char *colon = strrchr(listen, ':');

    if (colon == NULL)
        return false;
    const char *start = listen;
    const char *end = colon;
    if (*start == '[' && end > start && end[-1] == ']') {
        start++;
        end--;
    }
    size_t length = (size_t)(end - start);
    if (length >= host_size || strlen(colon + 1) >= port_size)
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    strcpy(port, colon + 1);
    return true;
}

static int open_address(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(
        address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
        address->ai_protocol);

    if (fd < 0)
        return -1;
    // Otherwise a restart would have to wait for old connections to time out.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static void write_url(int fd, char out_url[LISTEN_URL_SIZE])
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[256] = "";
    char port[16] = "";

    if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        getnameinfo(
            (struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV);
    bool bare = address.ss_family != AF_INET6;
    snprintf(out_url, LISTEN_URL_SIZE, bare ? "http://%s:%s" : "http://[%s]:%s", host, port);
}

bool listen_open(
    const char *listen, int *out_socket, char out_url[LISTEN_URL_SIZE], struct error *err)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses = NULL;
    char host[256];
    char port[16];

    if (!split(listen, host, sizeof host, port, sizeof port))
        return error_set(err, ERROR_CONFIG, "BQ_ADMIN_LISTEN: %s is not host:port", listen);
    int reason = getaddrinfo(*host == '\0' ? NULL : host, port, &hints, &addresses);
    if (reason != 0)
        return error_set(
            err, ERROR_CONFIG, "BQ_ADMIN_LISTEN: %s: %s", listen, gai_strerror(reason));
    int fd = open_address(addresses);
    int failure = errno;
    freeaddrinfo(addresses);
    if (fd < 0)
        return error_set(
            err, ERROR_CONFIG, "BQ_ADMIN_LISTEN: cannot listen on %s: %s", listen,
            strerror(failure));
    write_url(fd, out_url);
    *out_socket = fd;
    return true;
}
