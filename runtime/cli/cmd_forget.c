/* cmd_forget: `bqsync forget`: erases keys from BigQuery and says what was found of each. */
#include "base/json_exact.h"
#include "base/text_fit.h"
#include "cli/bill.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "sync/forget/forget.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The key as it was named: an array stays one. */
static cJSON *key_json(const struct table *table, const char *given)
{
    return table->key_count > 1 ? cJSON_CreateRaw(given) : cJSON_CreateString(given);
}

static int print_json(const struct forget *forget)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", forget->table->name);
    cJSON_AddBoolToObject(json, "dry_run", forget->dry_run);
    cJSON *array = cJSON_AddArrayToObject(json, "keys");
    for (size_t i = 0; i < forget->count; i++) {
        const struct forget_key *key = &forget->keys[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddItemToObject(entry, "key", key_json(forget->table, key->given));
        json_add_int64(entry, "rows", key->rows);
        json_add_int64(entry, "versions", key->versions);
        cJSON_AddItemToArray(array, entry);
    }
    json_add_int64(json, "bytes_billed", forget->bytes_billed);
    return command_print_json(json, 0);
}

static void print_key(const struct forget *forget, const struct forget_key *key)
{
    const char *done = forget->dry_run ? "would be erased" : "erased";

    printf("%s ", forget->table->name);
    console_print_visible(text_or_quotes(key->given));
    printf(": ");
    if (key->rows + key->versions == 0) {
        printf(
            "nothing found of the key as the definition converts it%s\n",
            forget_keys_transformed(forget->table) ? ", nor as it is in SQLite" : "");
        return;
    }
    printf("%" PRId64 " row%s", key->rows, key->rows == 1 ? "" : "s");
    if (forget->table->history != NULL || key->versions > 0)
        printf(
            " and %" PRId64 " version%s of its history", key->versions,
            key->versions == 1 ? "" : "s");
    printf(" %s\n", done);
}

static int print(const struct invocation *in, const struct forget *forget)
{
    char billed[BILL_BYTES_SIZE];

    if ((in->args->switches & ARGS_JSON) != 0)
        return print_json(forget);
    for (size_t i = 0; i < forget->count; i++)
        print_key(forget, &forget->keys[i]);
    printf("billed %s\n", bill_bytes(forget->bytes_billed, billed));
    return 0;
}

static bool check_words(const struct invocation *in, struct error *err)
{
    if (in->args->word_count < 2)
        return error_set(
            err, ERROR_USAGE, "bqsync forget needs a table and the keys to erase from it");
    if (in->tables[0]->key_count == 0)
        return error_set(
            err, ERROR_USAGE, "%s has no key, so nothing tells its rows apart",
            in->tables[0]->name);
    return true;
}

int command_forget(struct invocation *in)
{
    struct error err;

    if (!check_words(in, &err))
        return command_fail(in, &err);
    struct forget forget = {
        .table = in->tables[0],
        .count = in->args->word_count - 1,
        .dry_run = (in->args->switches & ARGS_DRY_RUN) != 0,
    };
    forget.keys = calloc(forget.count, sizeof *forget.keys);
    bool ok = forget.keys != NULL || error_set(&err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; ok && i < forget.count; i++)
        forget.keys[i].given = in->args->words[i + 1];
    ok = ok && forget_run(in->deployment, &forget, &err);
    int status = ok ? print(in, &forget) : command_fail(in, &err);
    free(forget.keys);
    return status;
}
