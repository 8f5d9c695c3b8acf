/* json_body: the JSON that a client sends, read as strictly as it was written: one object of valid
 * UTF-8 with nothing behind it, and no member twice. U+0000 would end a C string, so texts and
 * names with it are refused. The values of query parameters alone may have it, and stand for it as
 * JSON_ZERO, which is no UTF-8 and so never text of the client's own. Pure; any thread. */
#ifndef BQLOCAL_STORE_JSON_BODY_H
#define BQLOCAL_STORE_JSON_BODY_H

#include "base/error.h"
#include "base/slice.h"

#include <cjson/cJSON.h>

#define JSON_ZERO "\xC0\x80"

/* The object, owned; an empty text is an empty object. parseError or badRequest (400). */
MUST_CHECK bool json_body_parse(struct slice text, cJSON **out_object, struct error *err);

#endif
