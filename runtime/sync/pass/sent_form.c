#include "sync/pass/sent_form.h"

#include <stdio.h>
#include <string.h>

void sent_form_write(
    const struct table *table, const struct source_shape *shape, enum capture_choice by,
    char out[static TRACKING_CONTENT_SIZE])
{
    bool scan = by == CAPTURE_SCAN;
    const char *found = !scan ? "." : table->mode == SEND_REPLACE ? "f" : "s";

    snprintf(
        out, TRACKING_CONTENT_SIZE, "%.14s%s%s", table->content_hash, found,
        scan ? "" : shape->layout);
}

bool sent_form_has_definition(const struct table *table, const struct watermark *watermark)
{
    return strncmp(watermark->content_hash, table->content_hash, strlen(table->content_hash)) == 0;
}

bool sent_form_notes_less(
    const struct table *table, const struct watermark *watermark, const char *now)
{
    size_t length = strlen(table->content_hash);
    const char *noted = watermark->content_hash + length;

    now += length;
    return now[0] == '.' && strlen(noted) < strlen(now) && strncmp(noted, now, strlen(noted)) == 0;
}

const char *sent_form_change(
    const struct table *table, const struct watermark *watermark, const char *now)
{
    size_t length = strlen(table->content_hash);

    if (watermark->content_hash[0] == '\0')
        return "change capture or a replacement was interrupted";
    if (!sent_form_has_definition(table, watermark))
        return "the definition changed";
    if (strcmp(watermark->content_hash, now) == 0 || sent_form_notes_less(table, watermark, now))
        return NULL;
    return watermark->content_hash[length] == '.' && now[length] == '.'
               ? "columns were renamed, moved or made again in SQLite"
               : "changes were found in another way before";
}
