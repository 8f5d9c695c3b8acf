#include "sync/pass/target_diff.h"

#include "base/buffer.h"
#include "base/json_text.h"
#include "base/text_fit.h"
#include "sync/pass/history_log.h"
#include "sync/pass/target_type.h"
#include "warehouse/googlesql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *member(const cJSON *object, const char *name)
{
    return json_text_of(object, name, "");
}

bool target_diff_required(const cJSON *field)
{
    return strcasecmp(member(field, "mode"), "REQUIRED") == 0;
}

cJSON *target_diff_field(const cJSON *fields, const char *name)
{
    cJSON *field;

    cJSON_ArrayForEach(field, fields)
    {
        if (strcasecmp(member(field, "name"), name) == 0)
            return field;
    }
    return NULL;
}

static bool is_key(const struct table *table, const char *column)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (strcasecmp(table->columns[table->key[i]].name, column) == 0)
            return true;
    return false;
}

struct comparison {
    const struct table *table;
    const char *project;
    const char *dataset;
    struct target_diff *diff;
    cJSON *fields; /* the live list, edited into what it has to become */
    bool fields_changed;
    struct buffer widen;
};

void target_diff_add_statement(struct target_diff *diff, char *statement)
{
    char **grown =
        realloc(diff->statements, (diff->statement_count + 1) * sizeof *diff->statements);

    if (grown != NULL)
        diff->statements = grown;
    if (statement != NULL && grown != NULL)
        diff->statements[diff->statement_count++] = statement;
    else
        free(statement);
}

static void add_statement(struct target_diff *diff, struct buffer *statement)
{
    target_diff_add_statement(diff, buffer_take(statement));
}

static void begin_alter(const struct comparison *c, struct buffer *out)
{
    buffer_init(out, GOOGLESQL_STATEMENT_CEILING);
    buffer_append_text(out, "alter table ");
    googlesql_path(out, c->project, c->dataset, c->table->target);
}

static void add_column(struct comparison *c, const cJSON *wanted)
{
    struct buffer statement;
    cJSON *field = cJSON_Duplicate(wanted, true);

    // BigQuery adds NULLABLE columns only, whatever the definition would like.
    cJSON_DeleteItemFromObjectCaseSensitive(field, "mode");
    cJSON_AddStringToObject(field, "mode", "NULLABLE");
    cJSON_AddItemToArray(c->fields, field);
    c->fields_changed = true;
    c->diff->added = true;

    begin_alter(c, &statement);
    buffer_append_text(&statement, " add column ");
    googlesql_identifier(&statement, member(wanted, "name"));
    buffer_printf(&statement, " %s", target_type_standard(member(wanted, "type")));
    if (*member(wanted, "description") != '\0') {
        buffer_append_text(&statement, " options(description=");
        googlesql_string(&statement, member(wanted, "description"));
        buffer_append_byte(&statement, ')');
    }
    add_statement(c->diff, &statement);
}

static void alter_column(struct comparison *c, const char *column, const char *action)
{
    struct buffer statement;

    begin_alter(c, &statement);
    buffer_append_text(&statement, " alter column ");
    googlesql_identifier(&statement, column);
    buffer_printf(&statement, " %s", action);
    add_statement(c->diff, &statement);
}

/* Notes what is set without a statement; of: the column, NULL: the table. */
static void note_set(struct comparison *c, const char *what, const char *of)
{
    char *set = c->diff->set;
    size_t used = strlen(set);

    text_format(
        set + used, sizeof c->diff->set - used, "%s%s%s%s", used > 0 ? ", " : "", what,
        of != NULL ? " of " : "", of != NULL ? of : "");
}

static void widen_column(struct comparison *c, const char *column, const char *type)
{
    char action[64];

    snprintf(action, sizeof action, "set data type %s", type);
    if (c->widen.length == 0) {
        buffer_append_text(&c->widen, "alter table ");
        googlesql_path(&c->widen, c->project, c->dataset, c->table->target);
    } else {
        buffer_append_byte(&c->widen, ',');
    }
    buffer_append_text(&c->widen, " alter column ");
    googlesql_identifier(&c->widen, column);
    buffer_printf(&c->widen, " %s", action);
    alter_column(c, column, action);
}

/* Only the first reason is reported; column: NULL if it is about the whole table. A log holds what
 * nothing can fill in again, so it is not to be dropped. */
static void block(struct comparison *c, const char *column, const char *why)
{
    const char *target = c->table->target;
    struct buffer statement;

    if (c->diff->blocked[0] != '\0')
        return;
    /* What SQLite no longer has is nowhere else. */
    if (history_is_log(c->table) || c->table->deletes != DELETES_MIRROR) {
        begin_alter(c, &statement);
        buffer_printf(
            &statement, " rename to `%s_until_now`` (the next sync %s)", target,
            history_is_log(c->table) ? "begins a new log"
                                     : "creates the table again; the other keeps the deleted rows");
    } else {
        buffer_init(&statement, GOOGLESQL_STATEMENT_CEILING);
        buffer_append_text(&statement, "drop table ");
        googlesql_path(&statement, c->project, c->dataset, target);
        buffer_append_text(&statement, "` (the next sync fills it again)");
    }
    snprintf(
        c->diff->blocked, sizeof c->diff->blocked,
        "%s%s%s %s. BigQuery cannot change that in place: put the definition back, or decide to "
        "run `%s",
        c->table->name, column != NULL ? "." : "", column != NULL ? column : "", why,
        buffer_text(&statement));
    buffer_clear(&statement);
}

static void block_extra(struct comparison *c, const char *column)
{
    struct buffer path;

    if (c->diff->blocked[0] != '\0')
        return;
    buffer_init(&path, GOOGLESQL_STATEMENT_CEILING);
    googlesql_path(&path, c->project, c->dataset, c->table->target);
    snprintf(
        c->diff->blocked, sizeof c->diff->blocked,
        "%s.%s exists only in BigQuery and is REQUIRED, so no row can be written. Decide to run "
        "`alter table %s alter column %s drop not null`, or add the column to the definition",
        c->table->name, column, buffer_text(&path), column);
    buffer_clear(&path);
}

/* What somebody has put in the place of the target holds none of our rows, so it is theirs to
 * remove. */
static void block_other(struct comparison *c, const struct target_type_other *other)
{
    struct buffer fix;

    buffer_init(&fix, GOOGLESQL_STATEMENT_CEILING);
    if (other->kind != NULL) {
        buffer_printf(&fix, "Decide to run `drop %s ", other->kind);
        googlesql_path(&fix, c->project, c->dataset, c->table->target);
        buffer_append_text(&fix, "` (the next sync creates the table)");
    } else {
        buffer_append_text(&fix, "Remove it there");
    }
    snprintf(
        c->diff->blocked, sizeof c->diff->blocked,
        "%s: %s.%s is %s%s in BigQuery, and rows can only be written into a table. %s, or name "
        "another \"target\" in the definition",
        c->table->name, c->dataset, c->table->target, other->what != NULL ? "" : "of type ",
        other->what != NULL ? other->what : other->type, buffer_text(&fix));
    buffer_clear(&fix);
}

/* "ALTER COLUMN SET DATA TYPE": not of a column of the primary key. */
static void block_limits(struct comparison *c, const cJSON *live, const char *type)
{
    const char *name = member(live, "name");
    const char *scale = member(live, "scale");
    struct buffer alter;

    if (is_key(c->table, name))
        block(c, name, "is a key column with limited length or precision in BigQuery");
    if (c->diff->blocked[0] != '\0')
        return;
    begin_alter(c, &alter);
    buffer_append_text(&alter, " alter column ");
    googlesql_identifier(&alter, name);
    snprintf(
        c->diff->blocked, sizeof c->diff->blocked,
        "%s.%s is %s(%s%s%s%s) in BigQuery and %s in its definition, so values that do not fit "
        "would "
        "be refused or rounded. Decide to run `%s set data type %s`",
        c->table->name, name, type, member(live, "maxLength"), member(live, "precision"),
        *scale != '\0' ? ", " : "", scale, type, buffer_text(&alter), type);
    buffer_clear(&alter);
}

static void replace_member(cJSON *object, const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    cJSON_AddStringToObject(object, name, value);
}

/* Tags that only BigQuery has stay: whoever protects a column there would be surprised to find it
 * open. */
static void compare_policy_tags(struct comparison *c, const cJSON *wanted, cJSON *live)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(wanted, "policyTags");
    const cJSON *have = cJSON_GetObjectItemCaseSensitive(live, "policyTags");

    if (tags == NULL || cJSON_Compare(tags, have, true))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(live, "policyTags");
    cJSON_AddItemToObject(live, "policyTags", cJSON_Duplicate(tags, true));
    note_set(c, "policy tags", member(wanted, "name"));
    c->fields_changed = true;
}

static void compare_column(struct comparison *c, const cJSON *wanted)
{
    const char *name = member(wanted, "name");
    cJSON *live = target_diff_field(c->fields, name);

    if (live == NULL) {
        add_column(c, wanted);
        return;
    }

    // Under und:ci 'a' and 'A' are one key: an update or a delete of one would hit both.
    if (is_key(c->table, name) && *member(live, "collation") != '\0') {
        char why[200];
        snprintf(
            why, sizeof why, "is a key column with the collation %s in BigQuery",
            member(live, "collation"));
        block(c, name, why);
    }

    const char *from = target_type_standard(member(live, "type"));
    const char *to = target_type_standard(member(wanted, "type"));
    if (strcasecmp(from, to) != 0) {
        // "ALTER COLUMN SET DATA TYPE": not of a column of the primary key.
        bool key = is_key(c->table, name);
        if (target_type_may_widen(from, to) && !key) {
            widen_column(c, name, to);
            replace_member(live, "type", to);
        } else {
            char why[200];
            snprintf(
                why, sizeof why, "%sis %s in BigQuery and %s in its definition",
                key ? "is a key column, " : "", from, to);
            block(c, name, why);
        }
    } else if (target_type_has_limits(live)) {
        block_limits(c, live, to);
    }
    if (target_diff_required(live) && !target_diff_required(wanted)) {
        replace_member(live, "mode", "NULLABLE");
        c->fields_changed = true;
        alter_column(c, name, "drop not null");
    }
    if (strcmp(member(live, "description"), member(wanted, "description")) != 0) {
        replace_member(live, "description", member(wanted, "description"));
        note_set(c, "description", name);
        c->fields_changed = true;
    }
    compare_policy_tags(c, wanted, live);
}

/* Columns that only BigQuery has are left alone, but a REQUIRED one would refuse every row. */
static void compare_extra(struct comparison *c, const cJSON *wanted_fields)
{
    size_t used = 0;
    cJSON *live;

    cJSON_ArrayForEach(live, c->fields)
    {
        const char *name = member(live, "name");
        if (target_diff_field(wanted_fields, name) != NULL)
            continue;
        if (used < sizeof c->diff->extra)
            used += (size_t)snprintf(
                c->diff->extra + used, sizeof c->diff->extra - used, "%s%s", used > 0 ? ", " : "",
                name);
        if (target_diff_required(live))
            block_extra(c, name);
    }
}

static void compare_labels(
    struct comparison *c, const cJSON *wanted, const cJSON *live, cJSON *patch)
{
    const cJSON *label;

    cJSON_ArrayForEach(label, wanted)
    {
        if (strcmp(member(live, label->string), label->valuestring) == 0)
            continue;
        // The view and the function of a log tell rows apart by one key, that of all versions.
        if (strcmp(label->string, LABEL_KEY) == 0 && *member(live, LABEL_KEY) != '\0') {
            block(c, NULL, "has versions by another key, or by keys converted in another way");
            continue;
        }
        cJSON *labels = cJSON_GetObjectItemCaseSensitive(patch, "labels");
        if (labels == NULL) {
            labels = cJSON_AddObjectToObject(patch, "labels");
            note_set(c, "labels", NULL);
        }
        cJSON_AddStringToObject(labels, label->string, label->valuestring);
    }
}

/* How long a log keeps its partitions. A target keeps them as long as its source has the rows, and
 * a pass warns of one that does not. */
static void compare_keeping(
    struct comparison *c, const cJSON *wanted, const cJSON *live, cJSON *patch)
{
    int days = c->table->history->keep_days;
    struct buffer statement;

    if (strcmp(member(live, "expirationMs"), member(wanted, "expirationMs")) == 0)
        return;
    cJSON *kept = cJSON_Duplicate(wanted, true);
    if (days == 0)
        cJSON_AddNullToObject(kept, "expirationMs");
    cJSON_AddItemToObject(patch, "timePartitioning", kept);
    begin_alter(c, &statement);
    buffer_append_text(&statement, " set options(partition_expiration_days = ");
    if (days == 0)
        buffer_append_text(&statement, "null)");
    else
        buffer_printf(&statement, "%d)", days);
    add_statement(c->diff, &statement);
}

static void compare_partitioning(
    struct comparison *c, const cJSON *wanted, const cJSON *live, cJSON *patch)
{
    const char *field = member(wanted, "field");

    if (live == NULL || strcmp(member(live, "field"), field) != 0 ||
        strcmp(member(live, "type"), member(wanted, "type")) != 0)
        block(c, field, "partitions the table by its definition but not in BigQuery");
    else if (history_is_log(c->table))
        compare_keeping(c, wanted, live, patch);
    else if (
        !cJSON_Compare(
            cJSON_GetObjectItemCaseSensitive(live, "range"),
            cJSON_GetObjectItemCaseSensitive(wanted, "range"), true) &&
        cJSON_HasObjectItem(wanted, "range"))
        block(c, field, "partitions the table by other ranges in its definition than in BigQuery");
}

static bool same_names(const cJSON *a, const cJSON *b)
{
    bool same = cJSON_GetArraySize(a) == cJSON_GetArraySize(b);

    for (int i = 0; same && i < cJSON_GetArraySize(a); i++)
        same = strcasecmp(
                   cJSON_GetStringValue(cJSON_GetArrayItem(a, i)),
                   cJSON_GetStringValue(cJSON_GetArrayItem(b, i))) == 0;
    return same;
}

/* "by a, b", or "none". */
static void append_clustering(struct buffer *out, const cJSON *names)
{
    const cJSON *name;

    if (cJSON_GetArraySize(names) == 0)
        buffer_append_text(out, "none");
    cJSON_ArrayForEach(name, names)
    {
        buffer_printf(out, "%s%s", name == names->child ? "by " : ", ", name->valuestring);
    }
}

/* A definition that names no clustering clusters by the key, but a table that somebody has
 * clustered by hand has been made so for the queries that it gets. Nothing in DDL changes a
 * clustering, so there is no statement to show. */
static void compare_clustering(
    struct comparison *c, const cJSON *wanted, const cJSON *live, cJSON *patch)
{
    const cJSON *want = cJSON_GetObjectItemCaseSensitive(wanted, "fields");
    const cJSON *have = cJSON_GetObjectItemCaseSensitive(live, "fields");
    bool left_alone = c->table->clusters_by_default && cJSON_GetArraySize(have) > 0;
    struct buffer text;

    if (same_names(want, have))
        return;
    buffer_init(&text, GOOGLESQL_STATEMENT_CEILING);
    append_clustering(&text, have);
    if (left_alone) {
        buffer_append_text(&text, " in BigQuery, left alone: the definition has no cluster_by");
    } else {
        buffer_append_text(&text, " in BigQuery; the next sync makes it ");
        append_clustering(&text, want);
        buffer_append_text(&text, ", for free; older rows are sorted when they are rewritten");
        note_set(c, "clustering", NULL);
        if (wanted == NULL)
            cJSON_AddNullToObject(patch, "clustering");
        else
            cJSON_AddItemToObject(patch, "clustering", cJSON_Duplicate(wanted, true));
    }
    snprintf(c->diff->clustering, sizeof c->diff->clustering, "%s", buffer_text(&text));
    buffer_clear(&text);
}

/* BigQuery trusts a primary key without checking it, and in mode replace rows may share a key. */
static void compare_primary_key(
    struct comparison *c, const cJSON *live, const cJSON *wanted, cJSON *patch)
{
    struct buffer statement;

    if (c->table->mode != SEND_REPLACE || cJSON_HasObjectItem(wanted, "tableConstraints") ||
        !cJSON_HasObjectItem(
            cJSON_GetObjectItemCaseSensitive(live, "tableConstraints"), "primaryKey"))
        return;
    cJSON_AddNullToObject(patch, "tableConstraints");
    begin_alter(c, &statement);
    buffer_append_text(&statement, " drop primary key");
    add_statement(c->diff, &statement);
}

/* The rest of the resource: description, labels, clustering and constraints can be patched,
 * partitioning cannot. */
static void compare_resource(struct comparison *c, const cJSON *live, cJSON *patch)
{
    cJSON *wanted = cJSON_Parse(c->table->resource_json);
    const cJSON *item;

    cJSON_ArrayForEach(item, wanted)
    {
        const char *name = item->string;
        const cJSON *have = cJSON_GetObjectItemCaseSensitive(live, name);
        if (strcmp(name, "timePartitioning") == 0 || strcmp(name, "rangePartitioning") == 0) {
            compare_partitioning(c, item, have, patch);
        } else if (strcmp(name, "labels") == 0) {
            compare_labels(c, item, have, patch);
        } else if (strcmp(name, "clustering") == 0) {
            continue;
        } else if (have == NULL || !cJSON_Compare(have, item, true)) {
            cJSON_AddItemToObject(patch, name, cJSON_Duplicate(item, true));
            note_set(c, name, NULL);
        }
    }
    compare_clustering(
        c, cJSON_GetObjectItemCaseSensitive(wanted, "clustering"),
        cJSON_GetObjectItemCaseSensitive(live, "clustering"), patch);
    compare_primary_key(c, live, wanted, patch);
    cJSON_Delete(wanted);
}

/* A target lives as long as its source. */
static void compare_expiration(struct comparison *c, const cJSON *live, cJSON *patch)
{
    struct buffer statement;

    if (!cJSON_HasObjectItem(live, "expirationTime"))
        return;
    cJSON_AddNullToObject(patch, "expirationTime");
    begin_alter(c, &statement);
    buffer_append_text(&statement, " set options(expiration_timestamp = null)");
    add_statement(c->diff, &statement);
}

static bool compare_missing(struct comparison *c, struct error *err)
{
    struct buffer statement;

    c->diff->missing = true;
    buffer_init(&statement, GOOGLESQL_STATEMENT_CEILING);
    googlesql_render(&statement, slice_of(c->table->ddl_sql), c->project, c->dataset, NULL);
    add_statement(c->diff, &statement);
    c->diff->fields = cJSON_Parse(c->table->schema_json);
    return c->diff->fields != NULL || error_set(err, ERROR_MEMORY, "out of memory");
}

/* Compares with a table that exists; wanted and c->fields are the two lists of columns. */
static bool compare_live(
    struct comparison *c, const cJSON *live, const cJSON *wanted, struct error *err)
{
    cJSON *patch = cJSON_CreateObject();
    const cJSON *field;

    if (patch == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    // Extra columns first: afterwards the list also holds the ones that are about to be added.
    compare_extra(c, wanted);
    cJSON_ArrayForEach(field, wanted)
    {
        compare_column(c, field);
    }
    compare_resource(c, live, patch);
    compare_expiration(c, live, patch);

    if (c->fields_changed) {
        cJSON *schema = cJSON_AddObjectToObject(patch, "schema");
        cJSON_AddItemToObject(schema, "fields", cJSON_Duplicate(c->fields, true));
    }
    c->diff->fields = c->fields;
    c->fields = NULL;
    if (patch->child != NULL)
        c->diff->patch = patch;
    else
        cJSON_Delete(patch);
    if (c->widen.length > 0)
        c->diff->widen_sql = buffer_take(&c->widen);
    return true;
}

bool target_compare(
    const struct table *table, const char *project, const char *dataset, const cJSON *live,
    struct target_diff *out_diff, struct error *err)
{
    *out_diff = (struct target_diff){0};
    struct comparison c = {
        .table = table, .project = project, .dataset = dataset, .diff = out_diff};
    if (live == NULL)
        return compare_missing(&c, err);
    struct target_type_other other;
    if (target_type_is_other(live, &other)) {
        block_other(&c, &other);
        return true;
    }

    cJSON *wanted = cJSON_Parse(table->schema_json);
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(live, "schema");
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(schema, "fields");
    c.fields = fields == NULL ? cJSON_CreateArray() : cJSON_Duplicate(fields, true);
    buffer_init(&c.widen, GOOGLESQL_STATEMENT_CEILING);
    bool ok = wanted != NULL && c.fields != NULL ? compare_live(&c, live, wanted, err)
                                                 : error_set(err, ERROR_MEMORY, "out of memory");
    buffer_clear(&c.widen);
    cJSON_Delete(c.fields);
    cJSON_Delete(wanted);
    return ok;
}

bool target_diff_changes(const struct target_diff *diff)
{
    return diff->missing || diff->patch != NULL || diff->widen_sql != NULL;
}

void target_diff_clear(struct target_diff *diff)
{
    for (size_t i = 0; i < diff->statement_count; i++)
        free(diff->statements[i]);
    free(diff->statements);
    cJSON_Delete(diff->patch);
    free(diff->widen_sql);
    cJSON_Delete(diff->fields);
    *diff = (struct target_diff){0};
}
