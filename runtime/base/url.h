/* url: the parts of URLs in settings. What of one may be shown: a URL in a setting may carry a user
 * name and a password in front of its host, or a key in its query; messages and logs show it
 * without them. And the one URL that a database may be named by. Pure. */
#ifndef BQSYNC_BASE_URL_H
#define BQSYNC_BASE_URL_H

#include "base/slice.h"

#include <stdbool.h>

/* Removes user, password, query and fragment from a URL in place. It may lack its scheme
 * ("user:password@proxy:3128") and need not be valid: everything up to the last @ is removed, so
 * that nothing stays of a password that holds a slash or an @ itself. */
void url_clean(char *url);

/* "file:PATH?immutable=1" is SQLite's way to say that nobody changes a database ("URI Filenames"):
 * it is read without locks and without files beside it. *out_path becomes PATH, a part of url,
 * taken as it is. */
bool url_is_immutable_file(const char *url, struct slice *out_path);

#endif
