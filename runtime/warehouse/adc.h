/* adc: where credentials are looked for when no file is named, and the metadata server of Google's
 * machines (AIP-4110, AIP-4115). For the files of this group. */
#ifndef BQSYNC_WAREHOUSE_ADC_H
#define BQSYNC_WAREHOUSE_ADC_H

#include "warehouse/oauth.h"

/* The value of an environment variable, borrowed; NULL if it is not set, or empty. */
const char *adc_setting(const char *name);

/* Where gcloud keeps the login of a user, into out; false if there is no home. */
bool adc_gcloud_file(char *out, size_t size);

/* Whether this is a machine of Google's; asks the metadata server at most a few seconds. *out_root
 * gets its root URL. GCE_METADATA_HOST names another one, NO_GCE_CHECK=true says no at once. */
bool adc_find_metadata(const struct oauth *oauth, char *out_root, size_t size);

#endif
