#include "sync/report/check_findings.h"

#include "base/text_fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void check_findings_add(
    struct check_findings *findings, const char *name, enum check_status status, const char *format,
    ...)
{
    struct check_finding *items =
        realloc(findings->items, (findings->count + 1) * sizeof *findings->items);
    va_list args;

    if (items == NULL) {
        findings->failed = true;
        return;
    }
    findings->items = items;
    struct check_finding *finding = &items[findings->count++];
    finding->status = status;
    snprintf(finding->name, sizeof finding->name, "%s", name);
    va_start(args, format);
    text_format_list(finding->message, sizeof finding->message, format, args);
    va_end(args);
    findings->failed = findings->failed || status == CHECK_FAIL;
    if (findings->watch != NULL)
        findings->watch(finding);
}

void check_findings_clear(struct check_findings *findings)
{
    free(findings->items);
    *findings = (struct check_findings){0};
}

const char *check_status_name(enum check_status status)
{
    static const char *const names[] = {
        [CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};
    _Static_assert(sizeof names / sizeof names[0] == CHECK_FAIL + 1, "a name for each status");

    return names[status];
}

cJSON *check_findings_json(const struct check_findings *findings)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "ok", !findings->failed);
    cJSON *array = cJSON_AddArrayToObject(json, "checks");
    for (size_t i = 0; i < findings->count; i++) {
        const struct check_finding *finding = &findings->items[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", finding->name);
        cJSON_AddStringToObject(item, "status", check_status_name(finding->status));
        cJSON_AddStringToObject(item, "message", finding->message);
        cJSON_AddItemToArray(array, item);
    }
    return json;
}
