/* uploads: media of load jobs: multipart bodies and resumable sessions ("API uploads",
 * Google Cloud documentation). Bytes are spooled as they arrive, so that memory stays flat.
 * upload_body_write runs outside of the monitor, so that uploads do not stop everything else; the
 * rest runs inside. */
#ifndef BQLOCAL_REST_UPLOADS_H
#define BQLOCAL_REST_UPLOADS_H

#include "base/slice.h"
#include "bqlocal/http/exchange.h"

/* The resumable sessions. */
struct uploads;

MUST_CHECK bool uploads_new(struct uploads **out_uploads, struct error *err);
void uploads_free(struct uploads *uploads);

/* At the headers of an upload request: decides where its body is written. */
MUST_CHECK bool upload_body_begin(
    const struct parts *in, struct request *request, struct error *err);
MUST_CHECK bool upload_body_write(struct request *request, struct slice bytes, struct error *err);
/* Releases what the request holds; a session keeps the bytes that came before a break. */
void upload_body_end(struct request *request);

/* Forgets the session that the request names: its client gets 404 from now on. False (notFound) if
 * the request names one. */
bool upload_vanish(const struct parts *in, struct request *request, struct error *err);

request_handler rest_upload, rest_upload_cancel;

#endif
