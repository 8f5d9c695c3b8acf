/* proxy_secret: the passwords of proxies, which stand in URLs of the environment. */
#ifndef BQSYNC_WAREHOUSE_PROXY_SECRET_H
#define BQSYNC_WAREHOUSE_PROXY_SECRET_H

/* Keeps those of the variables that libcurl reads among the secrets (base/secrets.h), for as long
 * as the process lives, as the environment does. */
void proxy_secret_keep(void);

#endif
