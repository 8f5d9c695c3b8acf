/* The part of capture.h that installs and removes the triggers of one table. */
#include "base/buffer.h"
#include "source/capture.h"
#include "source/capture_guard.h"
#include "source/capture_objects.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"
#include "source/tracking_schema.h"

static const char create_capture_sql[] = "create table if not exists bq_sync_capture(\n"
                                         "    table_name text primary key,\n"
                                         "    sequence integer not null,\n"
                                         "    watermark integer\n"
                                         ") without rowid";

static bool drop_object(struct database *source, const struct object *object, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(&sql, object->trigger ? "drop trigger $n" : "drop table $n", object->name);
    bool ok = statement_exec_buffer(source, &sql, err);
    buffer_clear(&sql);
    return ok;
}

static bool is_expected(const struct object_list *expected, const struct object *object)
{
    struct object_list one = {.items = (struct object *)object, .count = 1};

    for (size_t i = 0; i < expected->count; i++) {
        struct object_list other = {.items = &expected->items[i], .count = 1};
        if (capture_objects_serve(&one, &other))
            return true;
    }
    return false;
}

/* Drops all triggers, which makes those that follow newer than every one of the application, and a
 * dirty set that is not as this build makes it. One that is as it should be stays: clean empties
 * it, outside of this transaction. */
static bool drop_objects(
    struct database *source, const struct object_list *expected, const struct object_list *actual,
    struct error *err)
{
    for (size_t i = 0; i < actual->count; i++) {
        const struct object *object = &actual->items[i];
        if ((object->trigger || !is_expected(expected, object)) &&
            !drop_object(source, object, err))
            return false;
    }
    return true;
}

/* The counter continues from its last value, or from the watermark made with it. An INTEGER PRIMARY
 * KEY at or below the highest one ever synced is only found by its capture, so the trigger
 * watermark does not start below that. */
static bool write_capture_row(const struct source_table *in, bool tracked, struct error *err)
{
    const struct table *table = in->table;
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_append(
        &sql,
        "insert into bq_sync_capture(table_name, sequence, watermark) select $t, max($r, 1), ",
        table->name,
        tracked ? "coalesce((select synced_sequence + 1 from bq_sync_tracking"
                  " where table_name = ?1), 1)"
                : "1");
    if (in->shape->integer_key)
        sqlite_sql_append(
            &sql, "max(0, coalesce((select max($n) from $n), 0), $r)",
            sqlite_sql_key_name(table, 0), table->name,
            tracked ? "coalesce((select last_synced_row_id from bq_sync_tracking"
                      " where table_name = ?1), 0)"
                    : "0");
    else
        buffer_append_text(&sql, "null");
    buffer_append_text(
        &sql, " where ?1 is not null on conflict(table_name) do update set"
              " sequence = max(sequence, excluded.sequence) + 1,"
              " watermark = max(coalesce(watermark, 0), excluded.watermark)");
    bool ok = buffer_check(&sql, "statement", err) &&
              statement_run(in->source, buffer_text(&sql), err, "s", table->name);
    buffer_clear(&sql);
    return ok;
}

/* Whether the watermarks are kept in this database too, with the columns used here. */
static bool has_progress(struct database *source, bool *out_exists, struct error *err)
{
    int64_t count = 0;

    if (!database_query_int64(
            source,
            "select count(*) from pragma_table_info('bq_sync_tracking')"
            " where name in ('synced_sequence', 'content_hash', 'intent_nonce')",
            0, &count, err))
        return false;
    *out_exists = count == 3;
    return true;
}

static bool install(const struct source_table *in, struct error *err)
{
    struct database *source = in->source;
    struct object_list expected = {0};
    struct object_list actual = {0};
    char problem[sizeof in->shape->why_scan];
    struct buffer guards;
    bool tracked = false;

    buffer_init(&guards, SQLITE_SQL_CEILING);
    bool ok =
        capture_guard_append_sql(in, &guards, problem, sizeof problem, err) &&
        capture_objects_actual(source, in->table->name, &actual, err) &&
        capture_objects_expected(in->table, buffer_text(&guards), &expected, err) &&
        has_progress(source, &tracked, err) &&
        (in->shape->capture == CAPTURE_INTACT || drop_objects(source, &expected, &actual, err)) &&
        database_exec(source, create_capture_sql, err) && write_capture_row(in, tracked, err) &&
        database_exec(source, in->table->capture_install_sql, err) &&
        database_exec(source, buffer_text(&guards), err) &&
        // Only a replacement makes up for what was not captured, also if this process ends
        // before it.
        (!tracked || tracking_schema_distrust(source, in->table->name, err));
    capture_objects_clear(&expected);
    capture_objects_clear(&actual);
    buffer_clear(&guards);
    return ok;
}

static bool check_installable(const struct source_table *in, struct error *err)
{
    const struct source_shape *shape = in->shape;

    if (!shape->exists)
        return capture_check_columns(in->table, shape, in->source->path, err);
    if (shape->why_scan[0] != '\0')
        return error_set(err, ERROR_SCHEMA, "it has to be scanned: %s", shape->why_scan);
    return capture_check_columns(in->table, shape, in->source->path, err);
}

bool capture_install(struct database *source, const struct table *table, struct error *err)
{
    struct source_shape shape;
    const struct source_table in = {source, table, &shape};

    if (!database_begin(source, err))
        return error_wrap(err, "change capture of %s", table->name);
    if (capture_inspect(source, table, &shape, err) && check_installable(&in, err) &&
        install(&in, err) && database_commit(source, err))
        return true;
    database_rollback(source);
    return error_wrap(err, "change capture of %s", table->name);
}

/* Removal of one table's capture by its name alone: it may have left the registry, and the source.
 */
static bool remove_table(struct database *source, const char *name, struct error *err)
{
    struct object_list actual = {0};
    struct object_list none = {0};
    bool known = false;

    bool ok = capture_objects_actual(source, name, &actual, err) &&
              drop_objects(source, &none, &actual, err) &&
              capture_objects_has_counter(source, name, &known, err) &&
              (!known ||
               statement_run(
                   source, "delete from bq_sync_capture where table_name = ?1", err, "s", name));
    capture_objects_clear(&actual);
    return ok;
}

bool capture_remove(struct database *source, const struct table *table, struct error *err)
{
    if (!database_begin(source, err))
        return error_wrap(err, "change capture of %s", table->name);
    if (remove_table(source, table->name, err) && capture_objects_remove_counters(source, err) &&
        database_commit(source, err))
        return true;
    database_rollback(source);
    return error_wrap(err, "change capture of %s", table->name);
}
