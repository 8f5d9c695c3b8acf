/* json_text: texts in JSON documents that may lack them. Pure. */
#ifndef BQSYNC_BASE_JSON_TEXT_H
#define BQSYNC_BASE_JSON_TEXT_H

#include <cjson/cJSON.h>

/* The text of an object's member, borrowed; fallback if there is no such member, or it is no text.
 * object may be NULL. */
const char *json_text_of(const cJSON *object, const char *name, const char *fallback);

#endif
