#include "warehouse/adc.h"
#include "warehouse/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FLAVOR       "Metadata-Flavor: Google"
#define DEFAULT_ROOT "http://metadata.google.internal"
#define DEFAULT_IP   "169.254.169.254"
#define PROBE_MS     1500
#define PRODUCT_NAME "/sys/class/dmi/id/product_name"
#define TOKEN_PATH   "/computeMetadata/v1/instance/service-accounts/default/token?scopes="
#define PATH_CEILING 2048

const char *adc_setting(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

bool adc_gcloud_file(char *out, size_t size)
{
    const char *folder = adc_setting("CLOUDSDK_CONFIG");
    const char *home = adc_setting("HOME");
    int length = -1;

    if (folder != NULL)
        length = snprintf(out, size, "%s/application_default_credentials.json", folder);
    else if (home != NULL)
        length =
            snprintf(out, size, "%s/.config/gcloud/application_default_credentials.json", home);
    return length > 0 && (size_t)length < size;
}

/* Machines of Google's name their maker to the system: no request needed. */
static bool product_is_google(void)
{
    char name[32] = "";
    FILE *file = fopen(PRODUCT_NAME, "re");

    if (file == NULL)
        return false;
    bool google = fgets(name, sizeof name, file) != NULL && strncmp(name, "Google", 6) == 0;
    fclose(file);
    return google;
}

static bool answers_as_metadata(const struct oauth *oauth)
{
    const char *ip = adc_setting("GCE_METADATA_IP");
    char url[128];
    struct http_answer answer;

    snprintf(url, sizeof url, "http://%s", ip == NULL ? DEFAULT_IP : ip);
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = {FLAVOR},
        .connect_timeout_ms = PROBE_MS,
        .stall_timeout_ms = PROBE_MS,
        .no_proxy = true,
    };
    struct error ignored;
    http_answer_init(&answer);
    bool found = oauth->http->perform(oauth->http->context, &request, &answer, &ignored) &&
                 strcasecmp(answer.metadata_flavor, "Google") == 0;
    http_answer_clear(&answer);
    return found;
}

bool adc_find_metadata(const struct oauth *oauth, char *out_root, size_t size)
{
    const char *host = adc_setting("GCE_METADATA_HOST");
    const char *off = adc_setting("NO_GCE_CHECK");

    if (host == NULL)
        host = adc_setting("GCE_METADATA_ROOT"); // the older name
    if (host != NULL) {
        snprintf(out_root, size, "http://%s", host);
        return true;
    }
    if (off != NULL && strcasecmp(off, "true") == 0)
        return false;
    snprintf(out_root, size, "%s", DEFAULT_ROOT);
    return product_is_google() || answers_as_metadata(oauth);
}

bool metadata_token(
    const struct identity *identity, const struct oauth *oauth, const char *scope,
    struct token *out_token, struct error *err)
{
    struct buffer url;
    struct http_answer answer;

    buffer_init(&url, PATH_CEILING);
    buffer_append_text(&url, identity->metadata_root);
    buffer_append_text(&url, TOKEN_PATH);
    http_escape(&url, scope);
    const struct http_request request = {
        .method = "GET",
        .url = buffer_text(&url),
        .headers = {FLAVOR},
        .connect_timeout_ms = PROBE_MS,
        .stall_timeout_ms = OAUTH_STALL_MS,
        .no_proxy = true,
    };
    http_answer_init_secret(&answer);
    bool ok = buffer_check(&url, "the metadata server's URL", err) &&
              oauth_request(oauth, &request, &answer, err) &&
              oauth_read_token(oauth, &answer, request.url, out_token, err);
    if (!ok && err->http_status == 404)
        error_set(
            err, ERROR_AUTH,
            "the metadata server knows no service account: attach one to this machine, or set "
            "GOOGLE_APPLICATION_CREDENTIALS");
    http_answer_clear(&answer);
    buffer_clear(&url);
    return ok;
}
