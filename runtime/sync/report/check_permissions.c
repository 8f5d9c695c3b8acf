#include "sync/report/check_permissions.h"

#include "base/buffer.h"
#include "base/text_fit.h"

#include <stdio.h>
#include <string.h>

/* Only where columns have policy tags ("Set up column-level access control"). */
#define SET_CATEGORY "bigquery.tables.setCategory"

#define ROLE_DATA "roles/bigquery.dataEditor"
#define ROLE_TAGS "roles/bigquery.dataOwner"
#define ROLE_JOBS "roles/bigquery.jobUser"

/* The permissions that a sync needs on an existing table. */
static const char *const table_permissions[] = {
    "bigquery.tables.get",        "bigquery.tables.getData", "bigquery.tables.update",
    "bigquery.tables.updateData", "bigquery.tables.delete",  SET_CATEGORY,
};
#define TABLE_PERMISSIONS (sizeof table_permissions / sizeof table_permissions[0])

/* Bytes for the names of tables in one finding. */
#define NAMES_CEILING 300

static const char *member_of(const struct checker *c)
{
    const struct credentials *credentials = c->deployment->credentials;
    const char *member = credentials == NULL ? NULL : credentials_member(credentials);

    return member == NULL ? "serviceAccount:EMAIL" : member;
}

/* A shell command that grants a role. GRANT is the only way to grant a role on a dataset from the
 * command line ("Data control language (DCL) statements in GoogleSQL"). */
static void grant_command(
    const struct checker *c, const char *role, const char *location, char *out, size_t size)
{
    const struct config *config = c->deployment->config;

    if (strcmp(role, ROLE_JOBS) == 0)
        snprintf(
            out, size, "gcloud projects add-iam-policy-binding %s --member='%s' --role=" ROLE_JOBS,
            config->project, member_of(c));
    else
        snprintf(
            out, size,
            "bq query --project_id=%s%s%s --use_legacy_sql=false 'GRANT `%s` ON SCHEMA "
            "`%s`.`%s` TO \"%s\"'",
            config->project, location[0] == '\0' ? "" : " --location=", location, role,
            config->project, config->dataset, member_of(c));
}

/* One permission, the role that grants it, and where it was probed: "project p", "p:d", ... */
struct probe {
    const char *permission;
    const char *role;
    const char *location;
    const char *where;
};

static void note_missing(const struct checker *c, const struct probe *probe)
{
    const struct config *config = c->deployment->config;
    char name[100];
    char command[700];

    bool of_project = strcmp(probe->role, ROLE_JOBS) == 0;

    grant_command(c, probe->role, probe->location, command, sizeof command);
    snprintf(name, sizeof name, "permission %s", probe->permission);
    check_findings_add(
        c->findings, name, CHECK_FAIL,
        "%s does not have it on %s; %s on the %s %s%s%s grants it. Run: %s", member_of(c),
        probe->where, probe->role, of_project ? "project" : "dataset", config->project,
        of_project ? "" : ":", of_project ? "" : config->dataset, command);
}

/* Whether the error means that a permission is missing. accessNotConfigured means that the API is
 * turned off in the project, although it is a 403 too. */
static bool is_refusal(const struct error *err)
{
    return err->http_status == 403 && err->code == ERROR_AUTH &&
           strcmp(err->reason, "accessNotConfigured") != 0;
}

/* Adds the finding of a probe. False: the probe failed for another reason than this permission. */
static bool note_probe(
    const struct checker *c, const struct probe *probe, bool ok, const struct error *err)
{
    char name[100];

    snprintf(name, sizeof name, "permission %s", probe->permission);
    if (ok) {
        check_findings_add(c->findings, name, CHECK_OK, "held on %s", probe->where);
        return true;
    }
    if (is_refusal(err)) {
        note_missing(c, probe);
        return true;
    }
    // Without an answer nothing is known of a permission.
    check_findings_add(
        c->findings, err->http_status == 0 ? "BigQuery" : name, CHECK_FAIL, "%s", err->message);
    return false;
}

/* --- the dataset ------------------------------------------------------------------------- */

/* What the dataset gives to new tables. bqsync's own do not take it, but those that others make for
 * it do. */
static void note_defaults(const struct checker *c, const cJSON *dataset)
{
    const char *collation =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(dataset, "defaultCollation"));

    if (collation == NULL || collation[0] == '\0')
        return;
    check_findings_add(
        c->findings, "dataset collation", CHECK_WARN,
        "tables created in %s have the collation %s, which makes 'a' and 'A' one key. Those that "
        "bqsync creates do not; one that you create needs `default collate ''`",
        c->deployment->config->dataset, collation);
}

static void note_dataset(const struct checker *c, const cJSON *dataset, const char *location)
{
    const struct config *config = c->deployment->config;

    check_findings_add(
        c->findings, "dataset", CHECK_OK, "%s.%s in %s", config->project, config->dataset,
        location);
    note_defaults(c, dataset);
}

/* *out_exists: the dataset exists, or may exist. False: every other call would fail in the same
 * way; the finding is added. */
static bool probe_dataset(
    const struct checker *c, struct bigquery *bigquery, const char *where,
    struct check_rights *rights, bool *out_exists)
{
    const struct config *config = c->deployment->config;
    cJSON *dataset = NULL;
    struct error err = {0};

    bool ok = bigquery_dataset_read(bigquery, &dataset, &err);
    if (!ok && err.code == ERROR_CONFIG) {
        check_findings_add(
            c->findings, "dataset", config->create_dataset ? CHECK_OK : CHECK_FAIL, "%s",
            config->create_dataset
                ? "does not exist; the next sync creates it (BQ_CREATE_DATASET=1)"
                : err.message);
        return true;
    }
    *out_exists = true;
    const char *location =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(dataset, "location"));
    if (ok && location != NULL) {
        snprintf(rights->location, sizeof rights->location, "%s", location);
        bigquery_set_location(bigquery, location);
        note_dataset(c, dataset, location);
    }
    cJSON_Delete(dataset);
    return note_probe(
        c, &(struct probe){"bigquery.datasets.get", ROLE_DATA, rights->location, where}, ok, &err);
}

struct listing {
    const struct checker *c;
    bool *exists;
};

static void note_forgetting(const struct checker *c, const char *target)
{
    const struct config *config = c->deployment->config;

    check_findings_add(
        c->findings, "partition expiration", CHECK_WARN,
        "partitions of %s.%s expire, and their rows with them, although SQLite still has them. "
        "Turn it off: alter table `%s`.`%s`.`%s` set options (partition_expiration_days = null)",
        config->dataset, target, config->project, config->dataset, target);
}

static bool note_listed(void *context, const struct listed_table *table)
{
    struct listing *listing = context;

    for (size_t i = 0; i < listing->c->count; i++)
        if (strcmp(listing->c->tables[i]->target, table->name) == 0) {
            listing->exists[i] = true;
            if (table->forgets)
                note_forgetting(listing->c, table->name);
        }
    return true;
}

/* A dry run of a CREATE statement: head and tail stand around the name. BigQuery does not document
 * that a dry run checks every permission of the statement, so a success is reported as "not
 * refused" and not as "held". */
static void probe_create(
    const struct checker *c, struct bigquery *bigquery, const struct probe *probe, const char *head,
    const char *tail)
{
    const struct config *config = c->deployment->config;
    char sql[700];
    char name[100];
    struct error err = {0};

    snprintf(
        sql, sizeof sql, "create %s `%s`.`%s`.`bqsync_permission_probe`%s", head, config->project,
        config->dataset, tail);
    snprintf(name, sizeof name, "permission %s", probe->permission);
    if (bigquery_dry_run(bigquery, sql, &err))
        check_findings_add(
            c->findings, name, CHECK_OK, "a dry run on %s is not refused", probe->where);
    else
        note_probe(c, probe, false, &err);
}

/* Whether tables can be created, and the function of a table with history ("CREATE TABLE FUNCTION
 * statement"). */
static void probe_creations(
    const struct checker *c, struct bigquery *bigquery, const char *where,
    const struct check_rights *rights)
{
    bool history = false;

    for (size_t i = 0; i < c->count; i++)
        history = history || c->tables[i]->history != NULL;
    probe_create(
        c, bigquery, &(struct probe){"bigquery.tables.create", ROLE_DATA, rights->location, where},
        "table if not exists", " (x int64)");
    if (history)
        probe_create(
            c, bigquery,
            &(struct probe){"bigquery.routines.create", ROLE_DATA, rights->location, where},
            "table function", "(x int64) as select x");
}

/* --- tables ------------------------------------------------------------------------------ */

/* The tables on which one permission is missing. */
struct shortage {
    char names[NAMES_CEILING];
    size_t tables;
};

static void add_shortage(struct shortage *shortage, const char *table)
{
    size_t length = strlen(shortage->names);

    shortage->tables++;
    if (length + strlen(table) + 8 < sizeof shortage->names)
        snprintf(
            shortage->names + length, sizeof shortage->names - length, "%s%s",
            length == 0 ? "" : ", ", table);
    else if (length > 3 && strcmp(shortage->names + length - 3, "...") != 0)
        strcat(shortage->names, ", ...");
}

static bool is_needed(const struct table *table, const char *permission)
{
    return strcmp(permission, SET_CATEGORY) != 0 ||
           strstr(table->schema_json, "policyTags") != NULL;
}

/* Returns the number of tables that answered, -1 after an error; its finding is added. */
static int ask_tables(
    const struct checker *c, struct bigquery *bigquery, const struct check_rights *rights,
    struct shortage *shortages)
{
    int asked = 0;

    for (size_t i = 0; i < c->count; i++) {
        const char *table = c->tables[i]->target;
        bool held[TABLE_PERMISSIONS] = {false};
        struct error err = {0};
        if (rights->listed && !rights->exists[i])
            continue;
        if (!bigquery_table_permissions(
                bigquery, table, table_permissions, TABLE_PERMISSIONS, held, &err)) {
            if (err.code == ERROR_NOT_FOUND)
                continue;
            if (!is_refusal(&err)) {
                check_findings_add(
                    c->findings, "permissions of tables", CHECK_FAIL, "%s", err.message);
                return -1;
            }
            // 403 here means that none of the permissions is held.
        }
        asked++;
        for (size_t p = 0; p < TABLE_PERMISSIONS; p++)
            if (!held[p] && is_needed(c->tables[i], table_permissions[p]))
                add_shortage(&shortages[p], table);
    }
    return asked;
}

static bool any_needs_tags(const struct checker *c)
{
    bool any = false;

    for (size_t i = 0; i < c->count; i++)
        any = any || is_needed(c->tables[i], SET_CATEGORY);
    return any;
}

static bool probe_tables(
    const struct checker *c, struct bigquery *bigquery, const struct check_rights *rights)
{
    struct shortage shortages[TABLE_PERMISSIONS] = {0};
    int asked = ask_tables(c, bigquery, rights, shortages);

    if (asked < 0)
        return false;
    if (asked == 0) {
        check_findings_add(
            c->findings, "permissions of tables", CHECK_OK,
            "can be checked once a target exists; %s on the dataset grants them", ROLE_DATA);
        return true;
    }
    for (size_t p = 0; p < TABLE_PERMISSIONS; p++) {
        char where[NAMES_CEILING + 80];
        struct error none = {0};
        bool tags = strcmp(table_permissions[p], SET_CATEGORY) == 0;
        struct probe probe = {
            table_permissions[p], tags ? ROLE_TAGS : ROLE_DATA, rights->location, where};
        if (tags && !any_needs_tags(c))
            continue;
        if (shortages[p].tables == 0)
            snprintf(where, sizeof where, "%d target tables", asked);
        else
            text_format(
                where, sizeof where, "%zu of %d target tables (%.*s)", shortages[p].tables, asked,
                TEXT_FIT(shortages[p].names, NAMES_CEILING - 1));
        if (shortages[p].tables > 0)
            note_missing(c, &probe);
        else
            note_probe(c, &probe, true, &none);
    }
    return true;
}

/* Whether a MERGE may be run: not in a project without billing, whose sandbox has no DML ("BigQuery
 * sandbox"). A dry run of one that would change nothing. */
static void probe_dml(
    const struct checker *c, struct bigquery *bigquery, const struct check_rights *rights)
{
    const struct config *config = c->deployment->config;
    struct error err = {0};
    char sql[900];
    size_t i = 0;

    // Where a filter for partitions is required, this statement would lack it.
    while (i < c->count && !(rights->listed && rights->exists[i] &&
                             strstr(c->tables[i]->resource_json, "requirePartitionFilter") == NULL))
        i++;
    if (i == c->count)
        return;
    snprintf(
        sql, sizeof sql,
        "merge `%s`.`%s`.`%s` as t using (select 1 as one) as s on false when not matched by "
        "source and false then delete",
        config->project, config->dataset, c->tables[i]->target);
    if (bigquery_dry_run(bigquery, sql, &err))
        check_findings_add(
            c->findings, "dml", CHECK_OK, "a dry run of MERGE into %s is not refused",
            c->tables[i]->target);
    else if (!is_refusal(&err)) // the permissions of the tables report those
        check_findings_add(
            c->findings, "dml", CHECK_FAIL,
            "MERGE is refused, so changed and deleted rows cannot be sent: %s", err.message);
}

/* Whether jobs can be run, which probe_creations needs. */
static bool probe_jobs(
    const struct checker *c, struct bigquery *bigquery, const char *location, bool *out_may_run)
{
    struct error err = {0};
    char where[300];

    snprintf(where, sizeof where, "project %s", c->deployment->config->project);
    *out_may_run = bigquery_dry_run(bigquery, "select 1", &err);
    return note_probe(
        c, &(struct probe){"bigquery.jobs.create", ROLE_JOBS, location, where}, *out_may_run, &err);
}

static bool probe_list(
    const struct checker *c, struct bigquery *bigquery, const char *where,
    struct check_rights *rights)
{
    struct listing listing = {.c = c, .exists = rights->exists};
    struct error err = {0};

    rights->listed = bigquery_tables_list(bigquery, note_listed, &listing, &err);
    return note_probe(
        c, &(struct probe){"bigquery.tables.list", ROLE_DATA, rights->location, where},
        rights->listed, &err);
}

bool check_permissions(
    const struct checker *c, struct bigquery *bigquery, struct check_rights *out_rights)
{
    const struct config *config = c->deployment->config;
    char where[400];
    bool exists = false;
    bool may_run = false;

    snprintf(where, sizeof where, "%s:%s", config->project, config->dataset);
    if (!probe_dataset(c, bigquery, where, out_rights, &exists) ||
        !probe_jobs(c, bigquery, out_rights->location, &may_run) || !exists ||
        !probe_list(c, bigquery, where, out_rights))
        return false;
    if (may_run) {
        probe_creations(c, bigquery, where, out_rights);
        probe_dml(c, bigquery, out_rights);
    } else {
        check_findings_add(
            c->findings, "permission bigquery.tables.create", CHECK_WARN,
            "cannot be checked without bigquery.jobs.create");
    }
    return probe_tables(c, bigquery, out_rights);
}
