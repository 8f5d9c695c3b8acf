#include "bqlocal/faults/fault.h"

#include "bqlocal/faults/permission_name.h"
#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    uint64_t id;
    cJSON *source; /* as it was given */
    char *method;  /* NULL: any */
    regex_t path;
    bool has_path;
    char *job; /* kind of job, NULL: any */
    char *job_id;
    char *permission; /* FAULT_DENY */
    int64_t nth;
    int64_t count; /* 0: no end */
    struct fault_action action;
    int64_t matched;
    int64_t acted;
    int64_t held;
};

struct faults {
    struct rule *rules;
    size_t count;
    uint64_t last_id;
};

/* What an action is called and which keys go with it. */
static const struct {
    const char *name;
    enum fault_kind kind;
    const char *keys; /* allowed besides the common ones, each between blanks */
} actions[] = {
    {"status", FAULT_STATUS, " status reason message retry_after processed "},
    {"quota", FAULT_STATUS, " reason message retry_after processed "},
    {"token_expired", FAULT_STATUS, " message "},
    {"delay", FAULT_DELAY, " ms "},
    {"reset_before", FAULT_RESET_BEFORE, " after_bytes "},
    {"reset_after", FAULT_RESET_AFTER, " "},
    {"hang_before", FAULT_HANG_BEFORE, " "},
    {"hang_after", FAULT_HANG_AFTER, " "},
    {"truncate", FAULT_TRUNCATE, " "},
    {"not_json", FAULT_NOT_JSON, " status "},
    {"answer_of_another", FAULT_ANSWER_OF_ANOTHER, " processed "},
    {"answer_twice", FAULT_ANSWER_TWICE, " "},
    {"table_vanish", FAULT_TABLE_VANISH, " table "},
    {"upload_vanish", FAULT_UPLOAD_VANISH, " "},
    {"clock_skew", FAULT_CLOCK_SKEW, " ms "},
    {"deny", FAULT_DENY, " permission "},
    {"row_policies", FAULT_ROW_POLICIES, " table "},
    {"job_fail", FAULT_JOB_FAIL, " job job_id reason message at "},
    {"job_hang", FAULT_JOB_HANG, " job job_id at "},
    {"job_delay", FAULT_JOB_DELAY, " job job_id ms "},
};

static const char common_keys[] = " method path nth count action ";

bool faults_new(struct faults **out_faults, struct error *err)
{
    *out_faults = calloc(1, sizeof **out_faults);
    return *out_faults != NULL || error_set(err, ERROR_MEMORY, "out of memory for faults");
}

static void rule_clear(struct rule *rule)
{
    cJSON_Delete(rule->source);
    free(rule->method);
    free(rule->job);
    free(rule->job_id);
    free(rule->permission);
    if (rule->has_path)
        regfree(&rule->path);
}

static void rules_free(struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rule_clear(&rules[i]);
    free(rules);
}

void faults_free(struct faults *faults)
{
    if (faults == NULL)
        return;
    rules_free(faults->rules, faults->count);
    free(faults);
}

static bool listed(const char *words, const char *word)
{
    char padded[64];
    int length = snprintf(padded, sizeof padded, " %s ", word);

    return length > 0 && (size_t)length < sizeof padded && strstr(words, padded) != NULL;
}

/* Every key has to belong to the action and to be of the right type. */
static bool check_keys(size_t index, size_t action, const cJSON *source, struct error *err)
{
    static const char numbers[] = " nth count status retry_after ms after_bytes ";
    const cJSON *item;

    cJSON_ArrayForEach(item, source)
    {
        if (!listed(common_keys, item->string) && !listed(actions[action].keys, item->string))
            return failure_set(
                err, "invalid", "faults[%zu]: action %s does not take \"%.60s\"", index,
                actions[action].name, item->string);
        bool fits = listed(numbers, item->string)            ? cJSON_IsNumber(item)
                    : strcmp(item->string, "processed") == 0 ? cJSON_IsBool(item)
                                                             : cJSON_IsString(item);
        if (!fits)
            return failure_set(
                err, "invalid", "faults[%zu].%s: expected a %s", index, item->string,
                listed(numbers, item->string)            ? "number"
                : strcmp(item->string, "processed") == 0 ? "boolean"
                                                         : "string");
    }
    return true;
}

static void parse_reply(const char *name, const cJSON *source, struct fault_action *action)
{
    const char *reason = json_text(source, "reason");
    const char *message = json_text(source, "message");

    action->status = (int)json_number(source, "status", 503);
    if (strcmp(name, "quota") == 0) {
        action->status = 403;
        reason = reason == NULL ? "quotaExceeded" : reason;
        message = message == NULL
                      ? "Quota exceeded: Your table exceeded quota for imports or query appends "
                        "per table"
                      : message;
    } else if (strcmp(name, "token_expired") == 0) {
        action->status = 401;
        reason = "authError";
        message = message == NULL ? "Request had invalid authentication credentials." : message;
    }
    if (reason == NULL)
        reason = action->status == 429   ? "rateLimitExceeded"
                 : action->status == 401 ? "authError"
                 : action->status == 403 ? "accessDenied"
                 : action->status == 404 ? "notFound"
                 : action->status == 409 ? "duplicate"
                 : action->status == 500 ? "internalError"
                 : action->status > 500  ? "backendError"
                                         : "invalid";
    snprintf(action->reason, sizeof action->reason, "%s", reason);
    snprintf(
        action->message, sizeof action->message, "%s",
        message == NULL ? "Scripted by a fault of bqlocal" : message);
}

static bool parse_table(size_t index, const cJSON *source, struct rule *rule, struct error *err)
{
    const char *name = json_text(source, "table");
    const char *dot = name == NULL ? NULL : strchr(name, '.');

    if (dot == NULL || (size_t)(dot - name) >= sizeof rule->action.dataset)
        return failure_set(err, "invalid", "faults[%zu].table: expected \"dataset.table\"", index);
    snprintf(rule->action.dataset, sizeof rule->action.dataset, "%.*s", (int)(dot - name), name);
    snprintf(rule->action.table, sizeof rule->action.table, "%s", dot + 1);
    return true;
}

static bool parse_action(
    size_t index, size_t number, const cJSON *source, struct rule *rule, struct error *err)
{
    struct fault_action *action = &rule->action;
    const char *at = json_text(source, "at");

    action->kind = actions[number].kind;
    action->ms = json_number(source, "ms", 0);
    action->retry_after = json_number(source, "retry_after", 0);
    action->after_bytes = json_number(source, "after_bytes", -1);
    action->processed = json_bool(source, "processed", false);
    action->at_pending = at != NULL && strcmp(at, "PENDING") == 0;
    parse_reply(actions[number].name, source, action);
    if (action->kind == FAULT_NOT_JSON)
        action->status = (int)json_number(source, "status", 0);
    if (action->kind == FAULT_JOB_FAIL && json_text(source, "reason") == NULL)
        snprintf(action->reason, sizeof action->reason, "backendError");
    if (at != NULL && strcmp(at, "PENDING") != 0 && strcmp(at, "RUNNING") != 0)
        return failure_set(
            err, "invalid", "faults[%zu].at: expected \"PENDING\" or \"RUNNING\"", index);
    bool replies =
        action->kind == FAULT_STATUS || (action->kind == FAULT_NOT_JSON && action->status != 0);
    if (replies && (action->status < 200 || action->status > 599))
        return failure_set(err, "invalid", "faults[%zu].status: expected 200 to 599", index);
    if (action->ms < 0 && action->kind != FAULT_CLOCK_SKEW)
        return failure_set(err, "invalid", "faults[%zu].ms: expected no negative number", index);
    bool names_table = action->kind == FAULT_TABLE_VANISH || action->kind == FAULT_ROW_POLICIES;
    return !names_table || parse_table(index, source, rule, err);
}

static bool parse_path(size_t index, const cJSON *source, struct rule *rule, struct error *err)
{
    const char *path = json_text(source, "path");
    char words[128];

    if (path == NULL)
        return true;
    int problem = regcomp(&rule->path, path, REG_EXTENDED | REG_NOSUB);
    if (problem != 0) {
        regerror(problem, &rule->path, words, sizeof words);
        return failure_set(err, "invalid", "faults[%zu].path: %s", index, words);
    }
    rule->has_path = true;
    return true;
}

static bool parse_rule(size_t index, const cJSON *source, struct rule *rule, struct error *err)
{
    const char *name = json_text(source, "action");
    size_t number = 0;

    if (!cJSON_IsObject(source))
        return failure_set(err, "invalid", "faults[%zu]: expected an object", index);
    while (number < sizeof actions / sizeof actions[0] &&
           (name == NULL || strcmp(actions[number].name, name) != 0))
        number++;
    if (number == sizeof actions / sizeof actions[0])
        return failure_set(
            err, "invalid", "faults[%zu].action: unknown action \"%.60s\"", index,
            name == NULL ? "" : name);
    if (!check_keys(index, number, source, err) ||
        !parse_action(index, number, source, rule, err) || !parse_path(index, source, rule, err))
        return false;
    rule->nth = json_number(source, "nth", 1);
    rule->count = json_number(source, "count", 1);
    if (rule->nth < 1 || rule->count < 0)
        return failure_set(
            err, "invalid", "faults[%zu]: nth starts at 1, and count at 0 (no end)", index);
    rule->permission = json_text_copy(source, "permission");
    if (rule->action.kind == FAULT_DENY && rule->permission == NULL)
        return failure_set(
            err, "invalid", "faults[%zu].permission: expected a permission's name", index);
    if (rule->permission != NULL && !permission_is_known(rule->permission, err))
        return error_wrap(err, "faults[%zu].permission", index);
    rule->method = json_text_copy(source, "method");
    rule->job = json_text_copy(source, "job");
    rule->job_id = json_text_copy(source, "job_id");
    rule->source = cJSON_Duplicate(source, true);
    return true;
}

bool faults_replace(struct faults *faults, const cJSON *document, struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(document, "faults");
    size_t count = (size_t)cJSON_GetArraySize(list);
    const cJSON *item;
    size_t index = 0;

    if (document != NULL && !cJSON_IsArray(list))
        return failure_set(err, "invalid", "expected {\"faults\": [...]}");
    struct rule *rules = calloc(count + 1, sizeof *rules);
    if (rules == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for faults");
    cJSON_ArrayForEach(item, list)
    {
        rules[index].id = ++faults->last_id;
        rules[index].action.rule = rules[index].id;
        if (!parse_rule(index, item, &rules[index], err)) {
            rules_free(rules, index + 1);
            return false;
        }
        index++;
    }
    rules_free(faults->rules, faults->count);
    faults->rules = rules;
    faults->count = count;
    return true;
}

cJSON *faults_describe(const struct faults *faults)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(document, "faults");

    for (size_t i = 0; i < faults->count; i++) {
        cJSON *item = cJSON_Duplicate(faults->rules[i].source, true);
        cJSON_AddNumberToObject(item, "matched", (double)faults->rules[i].matched);
        cJSON_AddNumberToObject(item, "acted", (double)faults->rules[i].acted);
        cJSON_AddNumberToObject(item, "held", (double)faults->rules[i].held);
        cJSON_AddItemToArray(list, item);
    }
    return document;
}

static bool is_for_jobs(const struct rule *rule)
{
    return rule->action.kind >= FAULT_JOB_FAIL;
}

static bool is_for_requests(const struct rule *rule)
{
    return !is_for_jobs(rule) && rule->action.kind != FAULT_DENY &&
           rule->action.kind != FAULT_ROW_POLICIES;
}

/* The pattern is searched in the path alone and in the path with its query, so that "/tables$"
 * works as well as "upload_id=". */
static bool matches_path(const struct rule *rule, const char *target)
{
    if (!rule->has_path || regexec(&rule->path, target, 0, NULL, 0) == 0)
        return true;
    char *path = strndup(target, strcspn(target, "?"));
    bool found = path != NULL && regexec(&rule->path, path, 0, NULL, 0) == 0;
    free(path);
    return found;
}

static bool matches(const struct rule *rule, const char *method, const char *target)
{
    return (rule->method == NULL || strcmp(rule->method, method) == 0) &&
           matches_path(rule, target);
}

/* Counts a match; whether the rule acts on it. */
static bool count_match(struct rule *rule)
{
    rule->matched++;
    return rule->matched >= rule->nth &&
           (rule->count == 0 || rule->matched < rule->nth + rule->count);
}

/* The first rule that acts decides; the others have counted all the same. */
static void decide(struct rule *rule, struct fault_action *action)
{
    if (!count_match(rule) || action->kind != FAULT_NONE)
        return;
    rule->acted++;
    *action = rule->action;
}

bool faults_guard_any(const struct faults *faults)
{
    bool any = false;

    for (size_t i = 0; i < faults->count; i++)
        any = any || faults->rules[i].action.kind == FAULT_ROW_POLICIES;
    return any;
}

bool faults_guard_rows(const struct faults *faults, const char *dataset, const char *table)
{
    bool guards = false;

    for (size_t i = 0; i < faults->count; i++) {
        const struct fault_action *action = &faults->rules[i].action;
        guards =
            guards || (action->kind == FAULT_ROW_POLICIES &&
                       strcmp(action->dataset, dataset) == 0 && strcmp(action->table, table) == 0);
    }
    return guards;
}

bool faults_denies(const struct faults *faults, const char *permission)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->rules[i].permission != NULL &&
            strcmp(faults->rules[i].permission, permission) == 0)
            return true;
    return false;
}

struct fault_action faults_on_request(struct faults *faults, const char *method, const char *target)
{
    struct fault_action action = {.kind = FAULT_NONE};

    for (size_t i = 0; i < faults->count; i++)
        if (is_for_requests(&faults->rules[i]) && matches(&faults->rules[i], method, target))
            decide(&faults->rules[i], &action);
    return action;
}

struct fault_action faults_on_job(
    struct faults *faults, const char *method, const char *target, const char *kind,
    const char *job_id)
{
    struct fault_action action = {.kind = FAULT_NONE};

    for (size_t i = 0; i < faults->count; i++) {
        struct rule *rule = &faults->rules[i];
        if (is_for_jobs(rule) && matches(rule, method, target) &&
            (rule->job == NULL || strcmp(rule->job, kind) == 0) &&
            (rule->job_id == NULL || strstr(job_id, rule->job_id) != NULL))
            decide(rule, &action);
    }
    return action;
}

static struct rule *find(const struct faults *faults, uint64_t id)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->rules[i].id == id)
            return &faults->rules[i];
    return NULL;
}

bool faults_exists(const struct faults *faults, uint64_t rule)
{
    return find(faults, rule) != NULL;
}

void faults_hold(struct faults *faults, uint64_t rule, int change)
{
    struct rule *found = find(faults, rule);

    if (found != NULL)
        found->held += change;
}
