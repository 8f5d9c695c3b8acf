#include "warehouse/credential_file.h"

#include "base/json_strict.h"
#include "base/small_file.h"
#include "base/text_fit.h"
#include "warehouse/http.h"
#include "warehouse/http_url.h"
#include "warehouse/oauth.h"

#include <openssl/crypto.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest real ones hold some 3 kB. */
#define FILE_CEILING (1u << 20)

bool credential_file_error(
    const struct credential_source *source, struct error *err, const char *format, ...)
{
    char text[800];
    va_list args;

    va_start(args, format);
    text_format_list(text, sizeof text, format, args);
    va_end(args);
    if (source->path == NULL)
        return error_set(err, ERROR_AUTH, "the key in GOOGLE_APPLICATION_CREDENTIALS: %s", text);
    return error_set(err, ERROR_AUTH, "credentials file %s: %s", source->path, text);
}

/* Whether the bytes of a file or a key found room. */
static bool check_room(
    const struct credential_source *source, const struct buffer *bytes, struct error *err)
{
    if (bytes->failure == BUFFER_LIMIT)
        return credential_file_error(source, err, "is larger than a credentials file can be");
    return buffer_check(bytes, "credentials", err);
}

static bool read_file(const struct credential_source *source, struct buffer *out, struct error *err)
{
    char words[SMALL_FILE_TEXT_SIZE];
    int reason = small_file_read(source->path, out);

    if (reason == ENOENT)
        return credential_file_error(
            source, err,
            "there is no such file; set GOOGLE_APPLICATION_CREDENTIALS to the path of a key file, "
            "or unset it to use gcloud's credentials");
    if (reason == EISDIR)
        return credential_file_error(
            source, err, "is a directory; GOOGLE_APPLICATION_CREDENTIALS has to name a file");
    if (reason == EACCES || reason == EPERM || reason == ELOOP)
        return credential_file_error(
            source, err, "cannot be read: %s; give the user that runs bqsync the right to read it",
            strerror(reason));
    if (reason != 0) {
        bool is_pipe = reason == ETIME;
        credential_file_error(
            source, err, "%s%s", is_pipe ? "" : "cannot be read: ", small_file_text(reason, words));
        err->code = small_file_code(reason, ERROR_AUTH);
        return false;
    }
    return check_room(source, out, err);
}

static bool parse(
    const struct credential_source *source, struct buffer *text, cJSON **out_root,
    struct error *err)
{
    const char *start = buffer_text(text);

    if (start[strspn(start, " \t\r\n")] == '\0')
        return credential_file_error(source, err, "is empty; download or create the key again");
    const char *end = start;
    cJSON *root = json_parse_strict(buffer_slice(text), &end);
    if (root == NULL) {
        unsigned line = 1;
        for (const char *at = start; at < end; at++)
            line += *at == '\n';
        return credential_file_error(
            source, err, "is not JSON (line %u); it has to be the key file as Google gave it",
            line);
    }
    if (!cJSON_IsObject(root)) {
        credential_file_wipe(root);
        return credential_file_error(source, err, "holds JSON, but not an object with a \"type\"");
    }
    *out_root = root;
    return true;
}

/* The six bits of a character of base64, -1 if it is none. */
static int base64_bits(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(alphabet, c == '-' ? '+' : c == '_' ? '/' : c);

    return c == '\0' || at == NULL ? -1 : (int)(at - alphabet);
}

/* Appends what text stands for; false if it is not base64. Line breaks and the padding count for
 * nothing, as every tool that makes a key fit for a variable breaks and pads it its own way. */
static bool decode_base64(const char *text, struct buffer *out)
{
    unsigned bits = 0;
    unsigned held = 0;

    for (; *text != '\0'; text++) {
        int six = base64_bits(*text);
        if (isspace((unsigned char)*text) || *text == '=')
            continue;
        if (six < 0)
            return false;
        bits = bits << 6 | (unsigned)six;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buffer_append_byte(out, (uint8_t)(bits >> held));
        }
    }
    return true;
}

/* Whether a folder other than the root holds, or could hold, a file of this name. */
static bool folder_exists(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat status;

    if (slash == NULL || slash == path)
        return false;
    char *folder = strndup(path, (size_t)(slash - path));
    bool exists = folder != NULL && stat(folder, &status) == 0 && S_ISDIR(status.st_mode);
    free(folder);
    return exists;
}

bool credential_file_is_key(const char *value)
{
    size_t length = strlen(value);

    if (value[strspn(value, " \t\r\n")] == '{' || strpbrk(value, "\n\"") != NULL ||
        strstr(value, "-----BEGIN") != NULL)
        return true;
    if (access(value, F_OK) == 0 || errno == EACCES || errno == ELOOP)
        return false;
    bool names_json = length > 5 && strcmp(value + length - 5, ".json") == 0;
    return !names_json && !folder_exists(value);
}

static bool read_value(
    const struct credential_source *source, const char *value, struct buffer *out,
    struct error *err)
{
    static const char spaces[] = " \t\r\n";
    const char *start = value + strspn(value, spaces);

    bool is_base64 = *start != '{' && decode_base64(start, out);
    const char *decoded = buffer_text(out);
    if (*start == '{')
        buffer_append_text(out, start);
    else if (!is_base64 || decoded[strspn(decoded, spaces)] != '{')
        return credential_file_error(
            source, err,
            "is neither JSON nor base64 of JSON, and no file has this name (%zu bytes, not shown "
            "as they may be secret); it has to be the whole key file as Google gave it, or its "
            "path",
            strlen(value));
    return check_room(source, out, err);
}

bool credential_file_load(
    const struct credential_source *source, const char *value, cJSON **out_root, struct error *err)
{
    struct buffer text;

    buffer_init_secret(&text, FILE_CEILING);
    bool ok = (source->path != NULL ? read_file(source, &text, err)
                                    : read_value(source, value, &text, err)) &&
              parse(source, &text, out_root, err);
    buffer_clear(&text);
    return ok;
}

static void wipe_texts(cJSON *item)
{
    for (; item != NULL; item = item->next) {
        if (cJSON_IsString(item))
            OPENSSL_cleanse(item->valuestring, strlen(item->valuestring));
        wipe_texts(item->child);
    }
}

void credential_file_wipe(cJSON *root)
{
    wipe_texts(root);
    cJSON_Delete(root);
}

const char *credential_file_optional(const cJSON *object, const char *field, const char *fallback)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, field));

    return text == NULL || text[0] == '\0' ? fallback : text;
}

bool credential_file_require(
    const struct credential_source *source, const cJSON *object, const char *field, const char *fix,
    const char **out_text, struct error *err)
{
    const char *text = credential_file_optional(object, field, NULL);

    if (text == NULL)
        return credential_file_error(
            source, err, "\"%s\" is missing (type %s); %s", field, source->type, fix);
    *out_text = text;
    return true;
}

static bool ends_with_domain(const char *host, const char *domain)
{
    size_t host_length = strlen(host);
    size_t domain_length = strlen(domain);

    return host_length > domain_length + 1 && host[host_length - domain_length - 1] == '.' &&
           strcmp(host + host_length - domain_length, domain) == 0;
}

bool credential_file_check_url(
    const struct credential_source *source, const char *field, const char *url, struct error *err)
{
    char origin[512];
    char host[256];

    const char *problem = http_url_problem(url);
    if (problem == NULL &&
        (!http_origin(url, origin, sizeof origin) || !http_host(url, host, sizeof host)))
        problem = "is not a URL";
    if (problem != NULL)
        return credential_file_error(
            source, err, "\"%s\" %s. Get the file from Google again", field, problem);
    if (source->allow_any_host)
        return true;
    if (strncmp(origin, "https://", 8) != 0)
        return credential_file_error(
            source, err, "\"%s\" is not https (%s); secrets are not sent in the clear", field,
            origin);
    // A user name in front of the host makes it look like another one.
    if (strcspn(url + 8, "@") < strcspn(url + 8, "/?#"))
        return credential_file_error(
            source, err,
            "\"%s\" has a user name in it, before the @; such a URL can look like that of another "
            "host. Get the file from Google again",
            field);
    if (!(ends_with_domain(host, "googleapis.com") || ends_with_domain(host, source->universe) ||
          strcmp(host, "accounts.google.com") == 0))
        return credential_file_error(
            source, err,
            "\"%s\" points to %s, which is not a Google host; secrets would go there. Get the file "
            "from Google again",
            field, host);
    return true;
}
