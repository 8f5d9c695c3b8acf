/* json_strict: parses a JSON document that came from outside. cJSON ignores what stands behind the
 * document and cuts a string at U+0000, so that another text than the one that was sent would be
 * read. Pure. */
#ifndef BQSYNC_BASE_JSON_STRICT_H
#define BQSYNC_BASE_JSON_STRICT_H

#include "base/slice.h"

#include <cjson/cJSON.h>

/* The one document that the text consists of, owned. NULL if the text is not JSON, if something but
 * space follows, if a U+0000 is in it, as a byte or escaped, or without memory; *out_wrong is then
 * the place in the text, borrowed. */
cJSON *json_parse_strict(struct slice text, const char **out_wrong);

/* The document that a server has answered with, owned. NULL if the text is not JSON, if something
 * but space follows, if an object has two members of one name, or without memory: such an answer
 * was cut or mixed with another, and half of it would be read as if it were all. A string may hold
 * U+0000, because values of rows do. */
cJSON *json_parse_answer(struct slice text);

#endif
