/* cmd_plan: `bqsync plan` and `bqsync check`: before anything is written. */
#include "cli/commands.h"
#include "sync/report/check.h"
#include "sync/report/plan_report.h"

#include <stdio.h>
#include <string.h>

static double number(const cJSON *object, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static const char *text(const cJSON *object, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return value == NULL ? "" : value;
}

static void print_plan(const cJSON *json)
{
    const cJSON *table;
    const cJSON *statement;

    printf(
        "%-26s %-8s %10s %10s %10s %11s %7s  %s\n", "table", "mode", "insert", "update", "delete",
        "loads today", "a day", "why");
    cJSON_ArrayForEach(table, cJSON_GetObjectItemCaseSensitive(json, "tables"))
    {
        printf(
            "%-26s %-8s %10.0f %10.0f %10.0f %11.0f %7.0f  %s\n", text(table, "table"),
            text(table, "mode"), number(table, "insert"), number(table, "update"),
            number(table, "delete"), number(table, "modifications_today"),
            number(table, "modifications_a_day"), text(table, "why"));
        cJSON_ArrayForEach(statement, cJSON_GetObjectItemCaseSensitive(table, "ddl"))
        {
            printf("    %s\n", statement->valuestring);
        }
        if (*text(table, "blocked") != '\0')
            printf("    BLOCKED: %s\n", text(table, "blocked"));
    }
}

int command_plan(struct invocation *in)
{
    struct error err;
    cJSON *json = NULL;
    bool blocked = false;
    bool full = (in->args->switches & ARGS_FULL) != 0;

    if (!preview_run(in->deployment, in->tables, in->table_count, full, &json, &blocked, &err))
        return command_fail(in, &err);
    if ((in->args->switches & ARGS_JSON) != 0)
        return command_print_json(json, blocked ? 1 : 0);
    print_plan(json);
    cJSON_Delete(json);
    return blocked ? 1 : 0;
}

struct check_print {
    cJSON *array; /* NULL: print lines */
};

static void print_check(
    void *context, const char *name, enum check_status status, const char *message)
{
    struct check_print *print = context;

    if (print->array == NULL) {
        const char *shown = status == CHECK_FAIL ? "FAIL" : check_status_name(status);
        printf("%-4s  %s: %s\n", shown, name, message);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", name);
    cJSON_AddStringToObject(json, "status", check_status_name(status));
    cJSON_AddStringToObject(json, "message", message);
    cJSON_AddItemToArray(print->array, json);
}

static int finish_check(cJSON *json, bool ok)
{
    if (json == NULL)
        return ok ? 0 : 1;
    cJSON_ReplaceItemInObjectCaseSensitive(json, "ok", cJSON_CreateBool(ok));
    return command_print_json(json, ok ? 0 : 1);
}

int command_check(struct invocation *in)
{
    struct check_print print = {0};
    struct error why;
    cJSON *json = NULL;

    if ((in->args->switches & ARGS_JSON) != 0) {
        json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        print.array = cJSON_AddArrayToObject(json, "checks");
    }
    if (!config_require(in->config, true, true, &why)) {
        print_check(&print, "configuration", CHECK_FAIL, why.message);
        return finish_check(json, false);
    }
    bool have = deployment_init(
        in->deployment, in->config, in->deployment->tables, in->deployment->table_count,
        COMMANDS_RETRY_BUDGET_MS, &why);
    bool ok = check_run(
        in->deployment, in->tables, in->table_count, have ? NULL : &why, print_check, &print);
    return finish_check(json, ok);
}
