#include "bqlocal/store/partitions.h"

#include "bqlocal/store/failure.h"
#include "bqlocal/store/json_member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IN_JOB_MAX   4000
#define IN_TABLE_MAX 10000
#define TOUCHED      "bqlocal_touched"
#define DAY_US       "86400000000"

/* Days or hours since 1970-01-01, or a month or a year as text; names stand for %s in all. */
static char *time_number(const struct store_field *field, const char *unit)
{
    char *days = field->type == STORE_DATE
                     ? sqlite3_mprintf("%%s.\"%w\"", field->name)
                     : sqlite3_mprintf("floor(%%s.\"%w\" / " DAY_US ".0)", field->name);
    char *out = NULL;

    if (strcmp(unit, "HOUR") == 0)
        out = sqlite3_mprintf("floor(%%s.\"%w\" / 3600000000.0)", field->name);
    else if (strcmp(unit, "DAY") == 0)
        out = sqlite3_mprintf("%s", days);
    else
        out = sqlite3_mprintf(
            "strftime('%s', %s * 86400, 'unixepoch')",
            strcmp(unit, "MONTH") == 0 ? "%%Y-%%m" : "%%Y", days);
    sqlite3_free(days);
    return out;
}

static char *range_number(const struct store_field *field, const cJSON *range)
{
    long long start = json_number(range, "start", 0);
    long long interval = json_number(range, "interval", 1);

    return sqlite3_mprintf(
        "case when %%s.\"%w\" < %lld or %%s.\"%w\" >= %lld then 'out' else (%%s.\"%w\" - %lld) / "
        "%lld end",
        field->name, start, field->name, (long long)json_number(range, "end", 0), field->name,
        start, interval);
}

/* Replaces each %s by the name of a row, and %% by %. */
static char *of_row(const char *number, const char *row)
{
    sqlite3_str *out = sqlite3_str_new(NULL);

    sqlite3_str_appendall(out, "coalesce(");
    for (const char *at = number; *at != '\0'; at++) {
        if (*at == '%' && at[1] == 's')
            sqlite3_str_appendall(out, row);
        else
            sqlite3_str_append(out, at, 1);
        at += *at == '%';
    }
    sqlite3_str_appendall(out, ", 'null')");
    return sqlite3_str_finish(out);
}

static bool find_number(
    struct partition_watch *watch, const cJSON *resource, const struct store_schema *schema)
{
    const cJSON *time = json_at(resource, "timePartitioning");
    const cJSON *range = json_at(resource, "rangePartitioning");
    const char *name = json_text(time != NULL ? time : range, "field");
    const struct store_field *field = name == NULL ? NULL : store_schema_find(schema, name);

    if (field == NULL)
        return true;
    watch->number = time != NULL ? time_number(field, json_text(time, "type"))
                                 : range_number(field, json_at(range, "range"));
    return watch->number != NULL;
}

static bool add_trigger(
    const struct partition_watch *watch, const char *event, const char *row, struct error *err)
{
    char *number = of_row(watch->number, row);
    bool ok = store_executef(
        watch->store, err,
        "create temp trigger \"bqlocal_%s_%s\" after %s on main.\"%w.%w\" begin"
        " insert or ignore into " TOUCHED " values (%s); end",
        event, row, event, watch->dataset, watch->table, number);

    sqlite3_free(number);
    return ok;
}

static void drop_all(struct store *store)
{
    struct error ignored;

    if (!store_execute(
            store,
            "drop trigger if exists temp.bqlocal_insert_new; drop trigger if exists "
            "temp.bqlocal_update_new; drop trigger if exists temp.bqlocal_update_old; drop trigger "
            "if exists temp.bqlocal_delete_old; drop table if exists temp." TOUCHED,
            &ignored))
        return;
}

static bool open_watch(
    struct store *store, const char *dataset, const char *table, struct partition_watch *watch,
    struct error *err)
{
    struct store_schema schema = {0};
    cJSON *resource = NULL;

    *watch = (struct partition_watch){.store = store, .dataset = dataset, .table = table};
    bool ok = store_table_get(store, dataset, table, &resource, err) &&
              store_schema(store, dataset, table, &schema, err) &&
              (find_number(watch, resource, &schema) ||
               error_set(err, ERROR_MEMORY, "out of memory for partitions"));
    cJSON_Delete(resource);
    store_schema_clear(&schema);
    return ok;
}

char *partitions_of_row(
    struct store *store, const char *dataset, const char *table, const char *row)
{
    struct partition_watch watch;
    struct error ignored;
    char *number = NULL;

    if (open_watch(store, dataset, table, &watch, &ignored) && watch.number != NULL)
        number = of_row(watch.number, row);
    sqlite3_free(watch.number);
    return number;
}

bool partitions_watch(
    struct store *store, const char *dataset, const char *table, struct partition_watch *out_watch,
    struct error *err)
{
    struct partition_watch *watch = out_watch;

    bool ok = open_watch(store, dataset, table, watch, err);
    if (!ok || watch->number == NULL)
        return ok;
    drop_all(store);
    return store_execute(store, "create temp table " TOUCHED "(number primary key)", err) &&
           add_trigger(watch, "insert", "new", err) && add_trigger(watch, "update", "new", err) &&
           add_trigger(watch, "update", "old", err) && add_trigger(watch, "delete", "old", err);
}

static bool count(struct store *store, const char *sql, int64_t *out_count, struct error *err)
{
    sqlite3_stmt *row = NULL;

    bool ok = store_prepare(store, sql, &row, err, NULL) &&
              (sqlite3_step(row) == SQLITE_ROW || store_sqlite_failed(store, err));
    if (ok)
        *out_count = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return ok;
}

bool partitions_judge(const struct partition_watch *watch, struct error *err)
{
    int64_t touched = 0;
    int64_t all = 0;

    if (watch->number == NULL)
        return true;
    char *number = of_row(watch->number, "t");
    char *sql = sqlite3_mprintf(
        "select count(distinct %s) from \"%w.%w\" as t", number, watch->dataset, watch->table);
    bool ok = count(watch->store, "select count(*) from temp." TOUCHED, &touched, err) &&
              (touched == 0 || count(watch->store, sql, &all, err));
    sqlite3_free(number);
    sqlite3_free(sql);
    if (ok && touched > IN_JOB_MAX)
        return failure_set(
            err, "invalid",
            "Too many partitions produced by query, allowed %d, query produces at least %lld "
            "partitions",
            IN_JOB_MAX, (long long)touched);
    if (ok && all > IN_TABLE_MAX)
        return failure_set(
            err, "invalid",
            "Too many partitions: Table %s:%s.%s would have %lld partitions, allowed %d",
            watch->store->project, watch->dataset, watch->table, (long long)all, IN_TABLE_MAX);
    return ok;
}

void partitions_forget(struct partition_watch *watch)
{
    if (watch->number != NULL)
        drop_all(watch->store);
    sqlite3_free(watch->number);
    watch->number = NULL;
}
