#include "service/lock_schedule.h"

#include "base/json_exact.h"
#include "base/json_memory.h"

void lock_schedule_write(struct lock *lock, const struct config *rules, const struct config *place)
{
    cJSON *json = cJSON_CreateObject();

    json_add_int64(json, "interval_ms", rules->sync_interval_ms);
    json_add_int64(json, "follow_ms", rules->sync_follow_ms);
    json_add_int64(json, "daily_minute", rules->daily_minute);
    cJSON_AddStringToObject(json, "timezone", rules->timezone);
    // The jitter of the interval follows from these.
    cJSON_AddStringToObject(json, "project", place->project);
    cJSON_AddStringToObject(json, "dataset", place->dataset);
    cJSON_AddStringToObject(json, "source", place->sqlite_path);
    char *text = json_print(json);
    cJSON_Delete(json);
    if (text != NULL)
        lock_tell_schedule(lock, text);
    cJSON_free(text);
}

static void read_number(const cJSON *json, const char *name, int64_t *value)
{
    *value = json_int64_of(cJSON_GetObjectItemCaseSensitive(json, name), *value);
}

static void read_text(const cJSON *json, const char *name, char **value)
{
    char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    if (text != NULL)
        *value = text;
}

cJSON *lock_schedule_read(const struct config *own, struct config *out_config)
{
    struct lock_service service;
    int64_t minute = own->daily_minute;

    *out_config = *own;
    if (!lock_find_service(own->state_path, &service))
        return NULL;
    cJSON *json = json_parse_exact(service.schedule);
    read_number(json, "interval_ms", &out_config->sync_interval_ms);
    read_number(json, "follow_ms", &out_config->sync_follow_ms);
    read_number(json, "daily_minute", &minute);
    out_config->daily_minute = (int)minute;
    read_text(json, "timezone", &out_config->timezone);
    read_text(json, "project", &out_config->project);
    read_text(json, "dataset", &out_config->dataset);
    read_text(json, "source", &out_config->sqlite_path);
    return json;
}
