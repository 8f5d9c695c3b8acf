/* partial: partial responses ("Performance tips" of Google's API clients): the query parameter
 * `fields` names the members that an answer is cut down to, as in "status,statistics/query(a,b)". A
 * wildcard and lists inside of lists of objects are not done. Pure; any thread. */
#ifndef BQLOCAL_HTTP_PARTIAL_H
#define BQLOCAL_HTTP_PARTIAL_H

#include <cjson/cJSON.h>

/* Takes the resource and returns owned what the fields leave of it; fields NULL: all. */
cJSON *partial_select(cJSON *resource, const char *fields);

#endif
