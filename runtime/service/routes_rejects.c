#include "service/routes_rejects.h"

#include "base/json_exact.h"
#include "service/body.h"
#include "service/state_read.h"
#include "source/rejects.h"

#include <string.h>

#define PAGE_VALUES 100

/* What stands in the place of a value that the definition hashes, redacts or cuts. */
#define HIDDEN "(hidden)"

struct page {
    const struct routes_context *context;
    cJSON *array;
    size_t count;
    bool more;                /* there are values behind the last one */
    char last[BOOKMARK_SIZE]; /* its bookmark, once the page is full */
    struct error err;
    bool failed;
};

/* The column of this name in the key, or NULL. */
static const struct column *key_column(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->key_count; i++) {
        const struct column *column = &table->columns[table->key[i]];
        if (strcmp(column->name, name) == 0 || strcmp(column->source, name) == 0)
            return column;
    }
    return NULL;
}

/* Hides the values of the key's columns that have a transform; *out_hidden: whether there is one.
 */
static cJSON *visible_key(const struct table *table, const char *key_json, bool *out_hidden)
{
    cJSON *key = json_parse_exact(key_json);
    cJSON *item = key == NULL ? NULL : key->child;

    *out_hidden = false;
    while (item != NULL) {
        cJSON *next = item->next;
        const char *column_name = item->string;
        const struct column *column = key_column(table, column_name);
        if (column != NULL && column->transform != TRANSFORM_NONE) {
            cJSON_ReplaceItemInObjectCaseSensitive(key, column_name, cJSON_CreateString(HIDDEN));
            *out_hidden = true;
        }
        item = next;
    }
    return key;
}

static void add_reject(struct page *page, const struct table *table, const struct reject *reject)
{
    bool hidden = false;
    cJSON *json = cJSON_CreateObject();
    cJSON *key = visible_key(table, reject->key_json, &hidden);

    cJSON_AddStringToObject(json, "table", reject->table);
    cJSON_AddItemToObject(json, "key", key == NULL ? cJSON_CreateNull() : key);
    cJSON_AddStringToObject(json, "column", reject->column);
    cJSON_AddStringToObject(json, "storage_class", reject->storage_class);
    cJSON_AddStringToObject(
        json, "reason", hidden ? rejects_reason_without_key(reject->reason) : reject->reason);
    cJSON_AddStringToObject(json, "since", reject->since);
    cJSON_AddItemToArray(page->array, json);
    page->count++;
}

/* Tables that are not compiled in any more have no columns to tell what to hide by, and their
 * values are of no pass. */
static bool visit(void *context, const struct reject *reject)
{
    struct page *page = context;
    const struct table *table = deployment_table(page->context->deployment, reject->table);

    if (table == NULL)
        return true;
    if (page->count == PAGE_VALUES) {
        page->more = true;
        return false;
    }
    add_reject(page, table, reject);
    if (page->count < PAGE_VALUES)
        return true;
    const struct reject_place place = {reject->table, reject->key_json, reject->column};
    page->failed = !bookmarks_keep(page->context->bookmarks, &place, page->last, &page->err);
    return !page->failed;
}

static bool read_page(
    struct page *page, const char *table, const struct reject_place *after, struct error *err)
{
    struct tracking tracking;
    bool open = false;

    if (!state_read_open_beside_source(page->context->deployment->config, &tracking, &open, err))
        return false;
    if (!open)
        return true;
    bool ok = rejects_each_after(&tracking, table, after, visit, page, err);
    tracking_close(&tracking);
    if (ok && page->failed)
        *err = page->err;
    return ok && !page->failed;
}

static void reply_page(struct page *page, struct reply *reply)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddItemToObject(json, "rejects", page->array);
    if (page->more)
        cJSON_AddStringToObject(json, "next", page->last);
    else
        cJSON_AddNullToObject(json, "next");
    reply_json(reply, 200, json);
}

/* False after replying. */
static bool is_known(const struct routes_context *context, const char *table, struct reply *reply)
{
    if (table == NULL || deployment_table(context->deployment, table) != NULL)
        return true;
    cJSON *unknown = cJSON_CreateArray();
    cJSON_AddItemToArray(unknown, cJSON_CreateString(table));
    body_reply_unknown(context->deployment, reply, unknown);
    return false;
}

void routes_get_rejects(
    const struct routes_context *context, const struct route_request *request, struct reply *reply)
{
    struct page page = {.context = context, .array = cJSON_CreateArray()};
    struct reject_place after = {0};
    struct error err = {0};

    if (!is_known(context, request->table, reply))
        goto refused;
    if (request->after != NULL && !bookmarks_find(context->bookmarks, request->after, &after)) {
        reply_error(
            reply, 400, "bad_request",
            "after has to be \"next\" of a page that this process has answered with; start again "
            "without it");
        goto refused;
    }
    bool ok = read_page(&page, request->table, request->after == NULL ? NULL : &after, &err);
    bookmarks_forget(&after);
    if (ok) {
        reply_page(&page, reply);
        return;
    }
    reply_failure(reply, &err);

refused:
    cJSON_Delete(page.array);
}
