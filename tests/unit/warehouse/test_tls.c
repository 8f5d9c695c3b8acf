/* TLS against a server with a certificate made on the spot: only trust decides. */
#include "support/prelude.h"

#include "warehouse/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_server {
    SSL_CTX *context;
    char certificate[64]; /* path of the PEM file */
    int listener;
    int port;
    pthread_t thread;
};

/* A certificate for the address 127.0.0.1 that signs itself. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_ASC, (const unsigned char *)"bqsync test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

static void answer(SSL *tls)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    char head[4096] = "";
    int length = 0;

    if (SSL_accept(tls) != 1)
        return;
    while (strstr(head, "\r\n\r\n") == NULL && length < (int)sizeof head - 1) {
        int got = SSL_read(tls, head + length, (int)sizeof head - 1 - length);
        if (got <= 0)
            return;
        length += got;
        head[length] = '\0';
    }
    SSL_write(tls, reply, sizeof reply - 1);
    SSL_shutdown(tls);
}

static void *serve(void *context)
{
    struct tls_server *server = context;

    for (;;) {
        int socket = accept(server->listener, NULL, NULL);
        if (socket < 0)
            return NULL;
        SSL *tls = SSL_new(server->context);
        SSL_set_fd(tls, socket);
        answer(tls);
        SSL_free(tls);
        close(socket);
    }
}

static int setup(void **state)
{
    struct tls_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *certificate = make_certificate(key);

    signal(SIGPIPE, SIG_IGN);
    unsetenv("SSL_CERT_FILE");
    snprintf(server->certificate, sizeof server->certificate, "/tmp/bqsync-tls-XXXXXX");
    FILE *file = fdopen(mkstemp(server->certificate), "w");
    PEM_write_X509(file, certificate);
    fclose(file);
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->context, certificate);
    SSL_CTX_use_PrivateKey(server->context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 8) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    server->port = ntohs(address.sin_port);
    *state = server;
    return pthread_create(&server->thread, NULL, serve, server);
}

static int teardown(void **state)
{
    struct tls_server *server = *state;

    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->context);
    unlink(server->certificate);
    free(server);
    return 0;
}

/* One request to the host by a client of its own. */
static bool ask(
    const struct tls_server *server, const char *host, struct http_answer *answer_out,
    struct error *err)
{
    struct http_client *client = NULL;
    char url[80];

    snprintf(url, sizeof url, "https://%s:%d/", host, server->port);
    const struct http_request request = {.method = "GET", .url = url};
    if (!http_client_open(&client, err))
        return false;
    const struct http_ops *ops = http_client_ops(client);
    bool ok = ops->perform(ops->context, &request, answer_out, err);
    http_client_close(client);
    return ok;
}

static void test_a_certificate_nobody_vouches_for_is_refused(void **state)
{
    struct http_answer got;
    struct error err = {0};

    http_answer_init(&got);
    expect_error(ask(*state, "127.0.0.1", &got, &err), ERROR_UNREACHABLE, "certificate");

    assert_int_equal(got.failure, HTTP_UNTRUSTED);
    http_answer_clear(&got);
}

static void test_a_root_of_trust_may_be_named(void **state)
{
    const struct tls_server *server = *state;
    struct http_answer got;
    struct error err = {0};

    http_answer_init(&got);
    setenv("SSL_CERT_FILE", server->certificate, 1);
    bool ok = ask(server, "127.0.0.1", &got, &err);
    unsetenv("SSL_CERT_FILE");

    expect_ok(ok);
    assert_int_equal(got.status, 200);
    http_answer_clear(&got);
}

static void test_a_trusted_certificate_of_another_host_is_refused(void **state)
{
    const struct tls_server *server = *state;
    struct http_answer got;
    struct error err = {0};

    http_answer_init(&got);
    setenv("SSL_CERT_FILE", server->certificate, 1);
    bool ok = ask(server, "localhost", &got, &err);
    unsetenv("SSL_CERT_FILE");

    expect_error(ok, ERROR_UNREACHABLE, "https://localhost:");
    assert_int_equal(got.failure, HTTP_UNTRUSTED);
    http_answer_clear(&got);
}

static void test_a_root_of_trust_that_cannot_be_read_is_an_error(void **state)
{
    struct http_answer got;
    struct error err = {0};

    http_answer_init(&got);
    setenv("SSL_CERT_FILE", "/nowhere/roots.pem", 1);
    bool ok = ask(*state, "127.0.0.1", &got, &err);
    unsetenv("SSL_CERT_FILE");

    expect_error(ok, ERROR_UNREACHABLE, "/nowhere/roots.pem");
    assert_int_equal(got.failure, HTTP_UNTRUSTED);
    http_answer_clear(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certificate_nobody_vouches_for_is_refused),
        cmocka_unit_test(test_a_root_of_trust_may_be_named),
        cmocka_unit_test(test_a_trusted_certificate_of_another_host_is_refused),
        cmocka_unit_test(test_a_root_of_trust_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
