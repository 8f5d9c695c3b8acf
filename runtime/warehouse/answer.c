#include "warehouse/answer.h"

#include "base/json_text.h"
#include "base/text_fit.h"
#include "warehouse/foreign_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What the answer to a call has to be. */
struct rule {
    /* NULL: not looked at. Where "fields" leaves it out, an answer has none. */
    const char *kind;
    /* The member that says what the answer is about; NULL: it has none. */
    const char *reference;
    /* In it, the member with the name. */
    const char *name;
    /* The member with the list that is the answer; NULL: it is none. */
    const char *list;
};

#define DATASET                                                                                    \
    {                                                                                              \
        "bigquery#dataset", "datasetReference", "datasetId", NULL                                  \
    }
#define TABLE                                                                                      \
    {                                                                                              \
        "bigquery#table", "tableReference", "tableId", NULL                                        \
    }
#define JOB                                                                                        \
    {                                                                                              \
        "bigquery#job", "jobReference", "jobId", NULL                                              \
    }
#define RESULTS                                                                                    \
    {                                                                                              \
        NULL, "jobReference", "jobId", NULL                                                        \
    }

static const struct rule rules[TRAFFIC_CALLS] = {
    [TRAFFIC_DATASETS_GET] = DATASET,
    [TRAFFIC_DATASETS_INSERT] = DATASET,
    [TRAFFIC_TABLES_LIST] = {"bigquery#tableList", NULL, NULL, "tables"},
    [TRAFFIC_TABLES_GET] = TABLE,
    [TRAFFIC_TABLES_INSERT] = TABLE,
    [TRAFFIC_TABLES_PATCH] = TABLE,
    [TRAFFIC_TABLES_DELETE] = {NULL, NULL, NULL, NULL},
    [TRAFFIC_TABLES_TEST_IAM] = {NULL, NULL, NULL, "permissions"},
    [TRAFFIC_POLICIES_LIST] = {NULL, NULL, NULL, "rowAccessPolicies"},
    [TRAFFIC_LOAD] = JOB,
    [TRAFFIC_UPLOAD] = JOB,
    [TRAFFIC_JOBS_INSERT] = JOB,
    [TRAFFIC_JOBS_GET] = JOB,
    [TRAFFIC_JOBS_LIST] = {"bigquery#jobList", NULL, NULL, "jobs"},
    [TRAFFIC_JOBS_QUERY] = RESULTS,
    [TRAFFIC_JOBS_RESULTS] = RESULTS,
};

/* Members by which an answer shows what it is. */
static const struct {
    const char *member;
    const char *what;
    const char *name;
} marks[] = {
    {"jobReference", "job", "jobId"},
    {"tableReference", "table", "tableId"},
    {"datasetReference", "dataset", "datasetId"},
    {"jobComplete", "a query", NULL},
    {"tables", "a list of tables", NULL},
    {"jobs", "a list of jobs", NULL},
    {"permissions", "permissions", NULL},
    {"rowAccessPolicies", "a list of policies", NULL},
};

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text(const cJSON *object, const char *name)
{
    return json_text_of(object, name, "");
}

/* Says what an answer is about that names a thing or has a mark of its own. Always false. */
static bool other(const cJSON *json, const char *lacks, char *out, size_t size)
{
    text_format(out, size, "it has no %s", lacks);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const cJSON *member = get(json, marks[i].member);
        if (member == NULL)
            continue;
        const char *name = marks[i].name == NULL ? "" : text(member, marks[i].name);
        const char *project = text(member, "projectId");
        const char *dataset = marks[i].name == NULL || strcmp(marks[i].name, "tableId") != 0
                                  ? ""
                                  : text(member, "datasetId");
        text_format(
            out, size, "it is about %s%s%.*s%s%.*s%s%.*s", marks[i].what, *name == '\0' ? "" : " ",
            TEXT_FIT(project, 60), *project == '\0' ? "" : ":", TEXT_FIT(dataset, 100),
            *dataset == '\0' ? "" : ".", TEXT_FIT(name, 100));
        break;
    }
    return false;
}

static bool lacks(const char *what, char *out, size_t size)
{
    text_format(out, size, "it has no %s", what);
    return false;
}

/* A project may be named by its number, and answers name it by its id. */
static bool is_project(const struct question *question, const char *name)
{
    const char *ours = question->project;

    return name[0] == '\0' || ours[strspn(ours, "0123456789")] == '\0' ||
           strcasecmp(name, ours) == 0;
}

/* Names may differ in case alone, but a dataset may ignore it as well, in its own name and in those
 * of its tables ("Datasets", isCaseInsensitive), and then answers with the spelling that it has. */
static bool is_table(const struct question *question, const char *table, const cJSON *reference)
{
    return is_project(question, text(reference, "projectId")) &&
           strcasecmp(text(reference, "datasetId"), question->dataset) == 0 &&
           (table == NULL || strcasecmp(text(reference, "tableId"), table) == 0);
}

static bool names_ours(
    const struct question *question, const struct rule *rule, const cJSON *reference)
{
    const char *name = text(reference, rule->name);

    if (strcmp(rule->name, "tableId") == 0)
        return is_table(question, question->subject, reference);
    if (!is_project(question, text(reference, "projectId")))
        return false;
    // The id of this job is BigQuery's choice, a new one for each query, and a dry run has none.
    if (question->what == TRAFFIC_JOBS_QUERY)
        return question->selected_id == NULL || strcmp(name, question->selected_id) != 0;
    if (strcmp(rule->name, "datasetId") == 0)
        return strcasecmp(name, question->subject) == 0;
    return strcmp(name, question->subject) == 0;
}

/* An entry of a list names what it belongs to, unless a server leaves that out. */
static bool entry_is_ours(const struct question *question, const cJSON *entry)
{
    const cJSON *table = get(entry, "tableReference");
    const cJSON *policy = get(entry, "rowAccessPolicyReference");
    const char *of = text(get(entry, "statistics"), "parentJobId");

    if (question->what == TRAFFIC_TABLES_LIST)
        return get(table, "datasetId") == NULL || is_table(question, NULL, table);
    if (question->what == TRAFFIC_POLICIES_LIST)
        return policy == NULL || is_table(question, question->subject, policy);
    return question->what != TRAFFIC_JOBS_LIST || of[0] == '\0' ||
           strcmp(of, question->subject) == 0;
}

static bool list_is_ours(
    const struct question *question, const struct rule *rule, const cJSON *json, char *out_instead,
    size_t size)
{
    const cJSON *entry = NULL;

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        bool wanted = rule->list != NULL && strcmp(marks[i].member, rule->list) == 0;
        if (!wanted && get(json, marks[i].member) != NULL)
            return other(json, "list", out_instead, size);
    }
    const cJSON *list = rule->list == NULL ? NULL : get(json, rule->list);
    cJSON_ArrayForEach(entry, list)
    {
        if (!entry_is_ours(question, entry)) {
            text_format(out_instead, size, "it lists %s of something else", rule->list);
            return false;
        }
    }
    return true;
}

/* A job without a state would be polled for ever. */
static bool has_state(const cJSON *json)
{
    const char *state = text(get(json, "status"), "state");

    return strcmp(state, "PENDING") == 0 || strcmp(state, "RUNNING") == 0 ||
           strcmp(state, "DONE") == 0;
}

bool answer_is_ours(
    const struct question *question, const cJSON *json, char *out_instead, size_t size)
{
    const struct rule *rule = &rules[question->what];
    const char *kind = text(json, "kind");

    if (json == NULL)
        return true;
    if (rule->kind != NULL && kind[0] != '\0' && strcmp(kind, rule->kind) != 0) {
        text_format(out_instead, size, "it is a %.*s", TEXT_FIT(kind, 100));
        return false;
    }
    if (rule->reference == NULL)
        return list_is_ours(question, rule, json, out_instead, size);

    const cJSON *reference = get(json, rule->reference);
    bool is_query = question->what == TRAFFIC_JOBS_QUERY || question->what == TRAFFIC_JOBS_RESULTS;
    if ((reference != NULL || question->what != TRAFFIC_JOBS_QUERY) &&
        !names_ours(question, rule, reference))
        return other(json, rule->reference, out_instead, size);
    if (is_query && !cJSON_IsBool(get(json, "jobComplete")))
        return lacks("jobComplete", out_instead, size);
    if (strcmp(rule->name, "jobId") == 0 && !is_query && !has_state(json))
        return lacks("state of the job", out_instead, size);
    return true;
}

bool answer_refuse(
    const struct question *question, int status, const char *instead, struct error *err)
{
    char shown[300];

    error_set(
        err, ERROR_TRANSIENT,
        "BigQuery: %s%s%s: http %d, but the answer is not about what was asked: %s (does a proxy "
        "or a cache on the way mix answers up?)",
        traffic_call_name(question->what), question->subject[0] == '\0' ? "" : " ",
        question->subject, status, foreign_text(shown, sizeof shown, instead));
    err->http_status = status;
    return false;
}
