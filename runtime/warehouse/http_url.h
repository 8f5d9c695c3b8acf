/* http_rule: what may stand in a request: in a header, in a token, in a URL. What comes from a
 * file, a variable or a server could otherwise end its line and begin another header. Pure. For the
 * files of this group. */
#ifndef BQSYNC_WAREHOUSE_HTTP_URL_H
#define BQSYNC_WAREHOUSE_HTTP_URL_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a header line holds no control character, such as the end of a line. */
bool http_is_line(const char *line);
/* Whether a word of a header holds only what can be seen of ASCII, and no blank (RFC 6750, 2.1). */
bool http_is_word(const char *word);
/* Why a URL is none that libcurl takes and everybody reads in the same way, to be put behind its
 * name; NULL if nothing is wrong with it. */
const char *http_url_problem(const char *url);

/* Appends text percent-encoded as one path segment or query value (RFC 3986). */
void http_escape(struct buffer *out, const char *text);

/* "https://host:port" of a URL into out, without a user name; false if it does not look like one or
 * does not fit. */
bool http_origin(const char *url, char *out, size_t size);
/* The host alone, lower case, without brackets and port. */
bool http_host(const char *url, char *out, size_t size);
/* Whether the host is this machine by name or number. */
bool http_host_is_loopback(const char *host);

#endif
