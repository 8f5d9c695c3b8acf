#include "bqlocal/store/text_file.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)16 << 20)

bool text_file_read(const char *path, char **out_text, struct error *err)
{
    struct buffer text;
    char chunk[4096];
    size_t length;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return error_set(err, ERROR_USAGE, "cannot read %s: %s", path, strerror(errno));
    buffer_init(&text, FILE_BYTES_MAX);
    while ((length = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_append(&text, chunk, length);
    fclose(file);
    if (!buffer_check(&text, path, err)) {
        buffer_clear(&text);
        return false;
    }
    *out_text = buffer_take(&text);
    return true;
}

bool text_file_read_json(const char *path, cJSON **out_json, struct error *err)
{
    char *text = NULL;

    if (!text_file_read(path, &text, err))
        return false;
    *out_json = cJSON_Parse(text);
    free(text);
    return *out_json != NULL || error_set(err, ERROR_USAGE, "%s is not JSON", path);
}
