/* upload: media of load jobs: multipart bodies and resumable sessions ("Upload data with the API",
 * Google Cloud documentation). Bytes go to a spool as they arrive, so that memory stays flat. The
 * functions named ..._write run without the server's big lock, everything else with it. */
#ifndef BQLOCAL_REST_UPLOADS_H
#define BQLOCAL_REST_UPLOADS_H

#include "base/slice.h"
#include "bqlocal/http/exchange.h"

struct server;
struct uploads;

MUST_CHECK bool uploads_new(struct uploads **out_uploads, struct error *err);
void uploads_free(struct uploads *uploads);

/* At the headers of an upload request: decides where its body goes. */
MUST_CHECK bool upload_body_begin(
    struct server *server, struct request *request, struct error *err);
MUST_CHECK bool upload_body_write(
    struct server *server, struct request *request, struct slice bytes, struct error *err);
/* Gives up whatever the request holds; a session keeps the bytes that came before a break. */
void upload_body_end(struct server *server, struct request *request);

/* Forgets the session that the request belongs to, if any: its client gets 404 from now on. */
void upload_vanish(struct server *server, struct request *request);

#endif
