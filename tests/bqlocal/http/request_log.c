#include "bqlocal/http/request_log.h"

#include "base/clock.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 10000

struct entry {
    char *method;
    char *path;
    int status;
    uint64_t request_bytes;
    uint64_t response_bytes;
    int64_t at_us;
};

struct request_log {
    struct entry entries[ENTRIES_MAX];
    size_t first;
    size_t count;
};

bool request_log_new(struct request_log **out_log, struct error *err)
{
    struct request_log *log = calloc(1, sizeof *log);

    if (log == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for the request log");
    *out_log = log;
    return true;
}

void request_log_free(struct request_log *log)
{
    if (log == NULL)
        return;
    request_log_clear(log);
    free(log);
}

static void entry_clear(struct entry *entry)
{
    free(entry->method);
    free(entry->path);
    *entry = (struct entry){0};
}

void request_log_clear(struct request_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        entry_clear(&log->entries[(log->first + i) % ENTRIES_MAX]);
    log->first = log->count = 0;
}

void request_log_add(
    struct request_log *log, const char *method, const char *path, int status,
    uint64_t request_bytes, uint64_t response_bytes)
{
    const struct clock *clock = clock_system();

    if (log->count == ENTRIES_MAX) {
        entry_clear(&log->entries[log->first]);
        log->first = (log->first + 1) % ENTRIES_MAX;
        log->count--;
    }
    log->entries[(log->first + log->count++) % ENTRIES_MAX] = (struct entry){
        .method = strdup(method),
        .path = strdup(path),
        .status = status,
        .request_bytes = request_bytes,
        .response_bytes = response_bytes,
        .at_us = clock->wall_us(clock->context),
    };
}

void request_log_write(const struct request_log *log, struct buffer *out)
{
    char at[CLOCK_TEXT_SIZE];

    buffer_append_text(out, "{\"requests\":[");
    for (size_t i = 0; i < log->count; i++) {
        const struct entry *entry = &log->entries[(log->first + i) % ENTRIES_MAX];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "method", entry->method == NULL ? "" : entry->method);
        cJSON_AddStringToObject(item, "path", entry->path == NULL ? "" : entry->path);
        cJSON_AddNumberToObject(item, "status", entry->status);
        cJSON_AddNumberToObject(item, "request_bytes", (double)entry->request_bytes);
        cJSON_AddNumberToObject(item, "response_bytes", (double)entry->response_bytes);
        cJSON_AddStringToObject(item, "at", clock_format(entry->at_us, at));
        char *text = cJSON_PrintUnformatted(item);
        cJSON_Delete(item);
        buffer_append_text(out, i > 0 ? "," : "");
        buffer_append_text(out, text == NULL ? "null" : text);
        free(text);
    }
    buffer_append_text(out, "]}");
}
