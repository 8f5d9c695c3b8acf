#include "service/past_runs.h"

#include "base/json_exact.h"
#include "base/json_text.h"
#include "source/lock.h"

#include <stdlib.h>
#include <string.h>

static cJSON *parse(const char *json, const char *state)
{
    cJSON *run = json_parse_exact(json);

    if (run != NULL && cJSON_GetObjectItemCaseSensitive(run, "state") == NULL)
        cJSON_AddStringToObject(run, "state", state);
    return run;
}

static const cJSON *by_id(const cJSON *runs, const char *run_id)
{
    const cJSON *run = NULL;

    cJSON_ArrayForEach(
        run, runs) if (strcmp(json_text_of(run, "run_id", ""), run_id) == 0) return run;
    return NULL;
}

static bool collect(void *context, const char *run_id, const char *state, const char *json)
{
    cJSON *run = parse(json, state);

    (void)run_id;
    // A document that can't be parsed is left out, and the others are still shown.
    if (run != NULL)
        cJSON_AddItemToArray(context, run);
    return true;
}

/* Inserts a run from memory among those of the database, ordered by time. All runs are moved to a
 * new array, because cJSON_InsertItemInArray (1.7.15) can't insert in the middle. Takes runs;
 * returned owned. */
static cJSON *merge(cJSON *runs, const cJSON *run)
{
    cJSON *merged = cJSON_CreateArray();
    bool placed = by_id(runs, json_text_of(run, "run_id", "")) != NULL;

    while (runs->child != NULL) {
        cJSON *other = cJSON_DetachItemFromArray(runs, 0);
        // Times in the same format and zone can be compared as texts.
        if (!placed &&
            strcmp(json_text_of(other, "started_at", ""), json_text_of(run, "started_at", "")) <=
                0) {
            cJSON_AddItemToArray(merged, cJSON_Duplicate(run, true));
            placed = true;
        }
        cJSON_AddItemToArray(merged, other);
    }
    if (!placed)
        cJSON_AddItemToArray(merged, cJSON_Duplicate(run, true));
    cJSON_Delete(runs);
    return merged;
}

bool past_runs_list(
    struct tracking *tracking, const cJSON *recent, int limit, cJSON **out_runs, struct error *err)
{
    cJSON *runs = cJSON_CreateArray();
    const cJSON *run = NULL;

    if (runs == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!tracking_each_run(tracking, limit, collect, runs, err)) {
        cJSON_Delete(runs);
        return false;
    }
    cJSON_ArrayForEach(run, recent) runs = merge(runs, run);
    while (cJSON_GetArraySize(runs) > limit)
        cJSON_DeleteItemFromArray(runs, limit);
    *out_runs = runs;
    return true;
}

struct search {
    const char *run_id;
    cJSON *found;
};

static bool look(void *context, const char *run_id, const char *state, const char *json)
{
    struct search *search = context;

    if (strcmp(run_id, search->run_id) != 0)
        return true;
    search->found = parse(json, state);
    return false;
}

bool past_runs_find(
    struct tracking *tracking, const cJSON *recent, const char *run_id, cJSON **out_run,
    struct error *err)
{
    const cJSON *known = by_id(recent, run_id);
    struct search search = {.run_id = run_id};

    if (known != NULL) {
        *out_run = cJSON_Duplicate(known, true);
        return *out_run != NULL || error_set(err, ERROR_MEMORY, "out of memory");
    }
    if (tracking != NULL && !tracking_each_run(tracking, TRACKING_RUNS_KEPT, look, &search, err))
        return false;
    *out_run = search.found;
    return true;
}

cJSON *past_runs_idle(const char *state_path)
{
    cJSON *runs = cJSON_CreateArray();
    char *text = lock_read_idle(state_path);
    char *rest = text;
    const char *line = NULL;

    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
        cJSON *run = json_parse_exact(line);
        if (run == NULL)
            continue;
        bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "ok"));
        cJSON_AddStringToObject(run, "state", ok ? "done" : "failed");
        cJSON_AddItemToArray(runs, run);
    }
    free(text);
    return runs;
}
