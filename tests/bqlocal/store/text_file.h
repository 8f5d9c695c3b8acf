/* text_file: a settings file as a whole. Any thread. */
#ifndef BQLOCAL_STORE_TEXT_FILE_H
#define BQLOCAL_STORE_TEXT_FILE_H

#include "base/error.h"

#include <cjson/cJSON.h>

/* The file's content, owned; ERROR_USAGE if it cannot be read, ERROR_LIMIT above 16 MB. */
MUST_CHECK bool text_file_read(const char *path, char **out_text, struct error *err);
/* The same parsed, owned; ERROR_USAGE if it is not JSON. */
MUST_CHECK bool text_file_read_json(const char *path, cJSON **out_json, struct error *err);

#endif
