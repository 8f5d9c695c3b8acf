/* cmd_state: `bqsync rejects`, `bqsync reset` and `bqsync capture`: show and change the control
 * tables. */
#include "base/json_memory.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "service/state_read.h"
#include "source/capture.h"
#include "source/lock.h"
#include "source/recognition.h"
#include "source/rejects.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "source/tracking_schema.h"
#include "sync/pass/plan.h"

#include <stdio.h>
#include <string.h>

/* --- rejects ----------------------------------------------------------------------------- */

struct rejects_print {
    const struct invocation *in;
    cJSON *array; /* NULL: print lines */
    size_t count;
};

static bool print_reject(void *context, const struct reject *reject)
{
    struct rejects_print *print = context;

    if (!command_has_table(print->in, reject->table))
        return true;
    print->count++;
    if (print->array == NULL) {
        printf(
            "%s.%s %s: %s value %s (since %s)\n", reject->table, reject->column, reject->key_json,
            reject->storage_class, reject->reason, reject->since);
        return true;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "table", reject->table);
    cJSON_AddItemToObject(json, "key", cJSON_CreateRaw(reject->key_json));
    cJSON_AddStringToObject(json, "column", reject->column);
    cJSON_AddStringToObject(json, "storage_class", reject->storage_class);
    cJSON_AddStringToObject(json, "reason", reject->reason);
    cJSON_AddStringToObject(json, "since", reject->since);
    cJSON_AddItemToArray(print->array, json);
    return true;
}

int command_rejects(struct invocation *in)
{
    struct rejects_print print = {.in = in};
    struct tracking tracking;
    bool open = false;
    struct error err;

    if (!state_read_open_beside_source(in->config, &tracking, &open, &err))
        return command_fail(in, &err);
    cJSON *json = NULL;
    if ((in->args->switches & ARGS_JSON) != 0) {
        json = cJSON_CreateObject();
        print.array = cJSON_AddArrayToObject(json, "rejects");
    }
    bool ok = !open || rejects_each(&tracking, NULL, print_reject, &print, &err);
    if (open)
        tracking_close(&tracking);
    if (!ok) {
        cJSON_Delete(json);
        return command_fail(in, &err);
    }
    if (json != NULL)
        return command_print_json(json, 0);
    if (print.count == 0)
        puts("no rejected rows");
    return 0;
}

/* --- reset ------------------------------------------------------------------------------- */

/* Before the first control table is written. */
static bool recognize(const struct invocation *in, struct error *err)
{
    const struct deployment *deployment = in->deployment;
    struct database source;

    if (!database_open(in->config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &source, err))
        return false;
    bool ok =
        recognition_check(&source, in->config, deployment->tables, deployment->table_count, err);
    database_close(&source);
    return ok;
}

int command_reset(struct invocation *in)
{
    struct tracking tracking;
    struct error err;

    if (in->all_tables) {
        error_set(&err, ERROR_USAGE, "bqsync reset needs the names of the tables to reset");
        return command_fail(in, &err);
    }
    if (!recognize(in, &err) || !tracking_open(in->config->state_path, &tracking, &err))
        return command_fail(in, &err);
    bool ok = true;
    for (size_t i = 0; i < in->table_count && ok; i++)
        ok = tracking_reset(&tracking, in->tables[i]->name, &err);
    tracking_close(&tracking);
    if (!ok)
        return command_fail(in, &err);
    if ((in->args->switches & ARGS_JSON) != 0) {
        cJSON *json = cJSON_CreateObject();
        cJSON *array = cJSON_AddArrayToObject(json, "reset");
        for (size_t i = 0; i < in->table_count; i++)
            cJSON_AddItemToArray(array, cJSON_CreateString(in->tables[i]->name));
        return command_print_json(json, 0);
    }
    for (size_t i = 0; i < in->table_count; i++)
        printf("%s will be replaced by the next sync\n", in->tables[i]->name);
    return 0;
}

/* --- capture ----------------------------------------------------------------------------- */

static const char *const state_names[] = {
    [CAPTURE_ABSENT] = "absent",
    [CAPTURE_INTACT] = "intact",
    [CAPTURE_INTERRUPTED] = "interrupted"};
_Static_assert(
    sizeof state_names / sizeof state_names[0] == CAPTURE_INTERRUPTED + 1, "a name for each state");

enum capture_action { ACTION_INSTALL, ACTION_REMOVE, ACTION_SHOW, ACTION_PRUNE };

static bool parse_action(
    const struct args *args, enum capture_action *out_action, struct error *err)
{
    static const char *const names[] = {"install", "remove", "show", "prune", NULL};

    if (args->word_count == 0)
        return error_set(err, ERROR_USAGE, "bqsync capture needs install, remove, show or prune");
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], args->words[0]) == 0) {
            *out_action = (enum capture_action)i;
            return true;
        }
    }
    return error_set(
        err, ERROR_USAGE, "bqsync capture takes install, remove, show or prune, not %s",
        args->words[0]);
}

static bool named(const struct args *args, const struct table *table)
{
    if (args->word_count == 1)
        return true;
    for (size_t i = 1; i < args->word_count; i++)
        if (strcmp(args->words[i], table->name) == 0)
            return true;
    return false;
}

static bool check_names(const struct invocation *in, enum capture_action action, struct error *err)
{
    if (action == ACTION_PRUNE && in->args->word_count > 1)
        return error_set(
            err, ERROR_USAGE,
            "bqsync capture prune takes no tables: it removes the capture of those that have no "
            "definition");
    for (size_t i = 1; i < in->args->word_count; i++)
        if (deployment_table(in->deployment, in->args->words[i]) == NULL)
            return error_set(
                err, ERROR_USAGE, "unknown table %s; bqsync tables lists them", in->args->words[i]);
    return true;
}

static bool act(
    const struct config *config, struct database *source, struct tracking *tracking,
    enum capture_action action, const struct table *table, struct error *err)
{
    struct source_shape shape;

    switch (action) {
    case ACTION_SHOW:
    case ACTION_PRUNE:
        return true;
    case ACTION_REMOVE:
        return capture_remove(source, table, err) &&
               shadow_drop((struct database_place){.path = config->state_path}, table, err);
    case ACTION_INSTALL:
        break;
    }
    if (!capture_inspect(source, table, &shape, err))
        return false;
    bool scanned = shape.why_scan[0] != '\0' && table->capture != CAPTURE_TRIGGERS;
    if (shape.capture == CAPTURE_INTACT || scanned)
        return true;

    // Changes made before now were not captured, so the next sync has to send all rows.
    return tracking_invalidate(tracking, table->name, err) && capture_install(source, table, err);
}

static bool report(
    const struct invocation *in, struct database *source, cJSON *array, const struct table *table,
    struct error *err)
{
    struct plan_capture capture = {0};
    struct source_shape shape;
    struct error problem;

    if (!capture_inspect(source, table, &shape, err))
        return false;
    const char *why = NULL;
    if (shape.exists)
        why = plan_capture(in->config, table, &shape, &capture, &problem) ? capture.why
                                                                          : problem.message;
    if (array == NULL) {
        printf(
            "%s%*s %s%s%s\n", CONSOLE_PADDED(table->name, console_name_width(in)),
            state_names[shape.capture], why != NULL ? "; scanned: " : "", why != NULL ? why : "");
        return true;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "table", table->name);
    cJSON_AddStringToObject(json, "state", state_names[shape.capture]);
    if (why != NULL)
        cJSON_AddStringToObject(json, "why_scan", why);
    cJSON_AddItemToArray(array, json);
    return true;
}

static bool run_action(
    struct invocation *in, enum capture_action action, struct database *source,
    struct tracking *tracking, cJSON *array, struct error *err)
{
    for (size_t i = 0; i < in->table_count; i++) {
        const struct table *table = in->tables[i];
        if (!named(in->args, table))
            continue;
        if (!act(in->config, source, tracking, action, table, err) ||
            !report(in, source, array, table, err))
            return error_wrap(err, "%s", table->name);
    }
    // All capture goes, also that of tables that no longer have a definition.
    return action != ACTION_REMOVE || in->args->word_count > 1 ||
           capture_remove_unknown(source, NULL, 0, err);
}

static void print_pruned(const cJSON *names)
{
    const char *before = "removed: ";
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        printf("%s%s", before, name->valuestring);
        before = ", ";
    }
    puts(cJSON_GetArraySize(names) > 0 ? "" : "nothing to remove");
}

/* Removes the capture of tables that no longer have a definition, and says of which: in array, or
 * on stdout if that is NULL. */
static bool prune(
    const struct invocation *in, struct database *source, cJSON *array, struct error *err)
{
    cJSON *printed = array == NULL ? cJSON_CreateArray() : NULL;
    bool ok = capture_list_unknown(
        source, in->tables, in->table_count, array == NULL ? printed : array, err);

    // Where they go into a document, that is checked when it is printed.
    if (ok && array == NULL && json_memory_lost())
        ok = error_set(err, ERROR_MEMORY, "out of memory for the names of the tables");
    ok = ok && capture_remove_unknown(source, in->tables, in->table_count, err);
    if (ok && array == NULL)
        print_pruned(printed);
    cJSON_Delete(printed);
    return ok;
}

int command_capture(struct invocation *in)
{
    enum capture_action action = ACTION_SHOW;
    struct database source;
    struct tracking tracking;
    struct lock lock;
    struct error err;

    if (!parse_action(in->args, &action, &err) || !check_names(in, action, &err))
        return command_fail(in, &err);
    if (action != ACTION_SHOW && !in->config->state_is_source) {
        error_set(
            &err, ERROR_CONFIG,
            "triggers cannot be installed: BQ_STATE_PATH is set, so bqsync does not write to %s",
            in->config->sqlite_path);
        return command_fail(in, &err);
    }
    bool writes = action != ACTION_SHOW;
    if (action == ACTION_INSTALL && !recognize(in, &err))
        return command_fail(in, &err);
    if (!database_open(
            in->config->sqlite_path, writes ? DATABASE_WRITE : DATABASE_READ, DATABASE_PATIENCE_MS,
            &source, &err))
        return command_fail(in, &err);
    if (writes && !lock_acquire(in->config->state_path, "capture", &lock, &err)) {
        database_close(&source);
        return command_fail(in, &err);
    }

    bool json_wanted = (in->args->switches & ARGS_JSON) != 0;
    cJSON *json = json_wanted ? cJSON_CreateObject() : NULL;
    const char *list = action == ACTION_PRUNE ? "pruned" : "capture";
    cJSON *array = json_wanted ? cJSON_AddArrayToObject(json, list) : NULL;
    // What a newer bqsync has installed is not this one's to change.
    bool ok = !writes || tracking_schema_refuse_newer(&source, &err);
    if (ok && action == ACTION_INSTALL)
        ok = tracking_open(in->config->state_path, &tracking, &err);
    if (ok) {
        ok = action == ACTION_PRUNE ? prune(in, &source, array, &err)
                                    : run_action(in, action, &source, &tracking, array, &err);
        if (action == ACTION_INSTALL)
            tracking_close(&tracking);
    }
    if (writes)
        lock_release(&lock);
    database_close(&source);
    if (!ok) {
        cJSON_Delete(json);
        return command_fail(in, &err);
    }
    return json_wanted ? command_print_json(json, 0) : 0;
}
