/* url: what of a URL may be shown. A URL in a setting may carry a user name and a password in front
 * of its host, or a key in its query; messages and logs show it without them. Pure. */
#ifndef BQSYNC_BASE_URL_H
#define BQSYNC_BASE_URL_H

/* Removes user, password, query and fragment from a URL in place. It may lack its scheme
 * ("user:password@proxy:3128") and need not be valid: everything up to the last @ is removed, so
 * that nothing stays of a password that holds a slash or an @ itself. */
void url_clean(char *url);

#endif
