/* fake_about: what a request of the BigQuery API is about, as its answer has to say it. */
#ifndef TESTS_SUPPORT_FAKE_ABOUT_H
#define TESTS_SUPPORT_FAKE_ABOUT_H

#include "support/fake_http.h"

/* Appends the body of an answer to the request: an object that lacks the reference to the job, the
 * table or the dataset that was asked about gets it; anything else stays as it is. *job_id: of the
 * job started last, owned by the caller, which an upload's session is about. */
void fake_about_complete(
    const struct fake_request *request, const char *body, char **job_id, struct buffer *out);

#endif
