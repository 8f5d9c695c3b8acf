/* cmd_version: `bqsync version`: what this program is made of. A report of a fault needs that: the
 * system's libraries change under a program. Reads nothing and makes no request. */
#include "base/build_id.h"
#include "base/hex.h"
#include "cli/commands.h"

#include <curl/curl.h>
#include <isa-l.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <zstd.h>

#define TEXT(macro)    #macro
#define TEXT_OF(macro) TEXT(macro)
#define HEX_SIZE       (2 * BUILD_ID_SIZE + 1)
#define LIBRARY_COUNT  6

struct library {
    const char *name;
    const char *version;
};

/* All of them but SQLite. The functions say which version is loaded; ISA-L has none, so its headers
 * speak for it. */
static void list_libraries(struct library out[static LIBRARY_COUNT])
{
    const char *isal =
        TEXT_OF(ISAL_MAJOR_VERSION) "." TEXT_OF(ISAL_MINOR_VERSION) "." TEXT_OF(ISAL_PATCH_VERSION);

    out[0] = (struct library){"libcurl", curl_version_info(CURLVERSION_NOW)->version};
    out[1] = (struct library){"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)};
    out[2] = (struct library){"libmicrohttpd", MHD_get_version()};
    out[3] = (struct library){"cJSON", cJSON_Version()};
    out[4] = (struct library){"ISA-L", isal};
    out[5] = (struct library){"zstd", ZSTD_versionString()};
}

/* In hexadecimal digits; "" if the linker has stamped none. */
static void describe_build(char out[static HEX_SIZE])
{
    unsigned char bytes[BUILD_ID_SIZE];
    size_t length = build_id(bytes);

    hex_write(bytes, length, out);
    out[2 * length] = '\0';
}

static int print_json(const struct library libraries[static LIBRARY_COUNT], const char *build)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "version", BQSYNC_VERSION);
    if (build[0] == '\0')
        cJSON_AddNullToObject(json, "build_id");
    else
        cJSON_AddStringToObject(json, "build_id", build);
    cJSON *sqlite = cJSON_AddObjectToObject(json, "sqlite");
    cJSON_AddStringToObject(sqlite, "version", sqlite3_libversion());
    cJSON_AddStringToObject(sqlite, "source_id", sqlite3_sourceid());
    cJSON_AddBoolToObject(sqlite, "compiled_in", BQSYNC_SQLITE_COMPILED_IN);
    cJSON *others = cJSON_AddObjectToObject(json, "libraries");
    for (size_t i = 0; i < LIBRARY_COUNT; i++)
        cJSON_AddStringToObject(others, libraries[i].name, libraries[i].version);
    return command_print_json(json, 0);
}

int command_version(struct invocation *in)
{
    struct library libraries[LIBRARY_COUNT];
    char build[HEX_SIZE];

    list_libraries(libraries);
    describe_build(build);
    if ((in->args->switches & ARGS_JSON) != 0)
        return print_json(libraries, build);
    printf("bqsync         %s\n", BQSYNC_VERSION);
    printf("build id       %s\n", build[0] == '\0' ? "none" : build);
    printf(
        "SQLite         %s, %s\n               %s\n", sqlite3_libversion(),
        BQSYNC_SQLITE_COMPILED_IN ? "compiled in" : "the system's library", sqlite3_sourceid());
    for (size_t i = 0; i < LIBRARY_COUNT; i++)
        printf("%-14s %s\n", libraries[i].name, libraries[i].version);
    return 0;
}
