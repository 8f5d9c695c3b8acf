#include "sync/pass/location.h"

#include <stdio.h>
#include <stdlib.h>

/* The setting of the state that holds it. */
static void setting_name(const struct config *config, char *out, size_t size)
{
    snprintf(out, size, "location:%s.%s", config->project, config->dataset);
}

bool location_find(struct location *location, struct bigquery *bigquery, struct error *err)
{
    const struct config *config = location->config;
    char setting[512];

    setting_name(config, setting, sizeof setting);
    if (!tracking_get(location->tracking, setting, location->name, sizeof location->name, err))
        return false;
    location->kept = location->name[0] != '\0';
    if (location->kept)
        return true;
    if (config->create_dataset && !location->reads_only &&
        !bigquery_dataset_insert(bigquery, config->location, err))
        return false;
    return location_refresh(location, bigquery, err);
}

bool location_refresh(struct location *location, struct bigquery *bigquery, struct error *err)
{
    char setting[512];
    char *found = NULL;

    if (!bigquery_dataset_get(bigquery, &found, err))
        return false;
    snprintf(location->name, sizeof location->name, "%s", found);
    free(found);
    location->kept = false;
    setting_name(location->config, setting, sizeof setting);
    return location->reads_only || tracking_set(location->tracking, setting, location->name, err);
}
