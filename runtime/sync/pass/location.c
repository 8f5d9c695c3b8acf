#include "sync/pass/location.h"

#include <stdio.h>
#include <string.h>

/* Follows the location in the state where the case of names does not count. */
#define IGNORES_CASE " ignores case"

/* The setting of the state that holds it. */
static void setting_name(const struct config *config, char *out, size_t size)
{
    snprintf(out, size, "location:%s.%s", config->project, config->dataset);
}

static void read_setting(char *text, struct dataset *out_dataset)
{
    char *mark = strstr(text, IGNORES_CASE);

    out_dataset->ignores_case = mark != NULL;
    if (mark != NULL)
        *mark = '\0';
    snprintf(out_dataset->location, sizeof out_dataset->location, "%.63s", text);
}

/* Asks the dataset, which is created before that if it should be. */
static bool look(struct location *location, struct bigquery *bigquery, struct error *err)
{
    const struct config *config = location->config;

    if (config->create_dataset && !location->reads_only &&
        !bigquery_dataset_insert(bigquery, config->location, err))
        return false;
    if (location_refresh(location, bigquery, err))
        return true;
    location->absent = err->code == ERROR_CONFIG && config->create_dataset && location->reads_only;
    return location->absent;
}

bool location_find(struct location *location, struct bigquery *bigquery, struct error *err)
{
    const struct config *config = location->config;
    char setting[512];
    char text[100];

    setting_name(config, setting, sizeof setting);
    if (!tracking_get(location->tracking, setting, text, sizeof text, err))
        return false;
    read_setting(text, &location->dataset);
    location->kept = location->dataset.location[0] != '\0';
    return location->kept || look(location, bigquery, err);
}

bool location_find_again(struct location *location, struct bigquery *bigquery, struct error *err)
{
    if (!location->kept || err->code != ERROR_CONFIG)
        return false;
    location->kept = false;
    return look(location, bigquery, err);
}

bool location_refresh(struct location *location, struct bigquery *bigquery, struct error *err)
{
    char setting[512];
    char text[100];

    if (!bigquery_dataset_get(bigquery, &location->dataset, err))
        return false;
    location->kept = false;
    setting_name(location->config, setting, sizeof setting);
    snprintf(
        text, sizeof text, "%s%s", location->dataset.location,
        location->dataset.ignores_case ? IGNORES_CASE : "");
    return location->reads_only || tracking_set(location->tracking, setting, text, err);
}
