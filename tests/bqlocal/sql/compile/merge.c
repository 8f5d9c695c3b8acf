/* MERGE. Everything is decided before anything changes:
 *
 * 1. The source becomes a temporary table, with one more column for its side of each equality in
 *    ON, under an index, so that the target is scanned once and each row finds its partners
 * quickly.
 * 2. A second temporary table, the plan, gets a line for each pair that matched, each source row
 *    and each target row that did not: target rowid, source rowid, number of the first WHEN whose
 *    condition holds.
 * 3. One statement for each WHEN executes its lines. */
#include "bqlocal/sql/compile/compile.h"

#include <string.h>

/* SQLite's names of the two temporary tables. They cannot collide with tables of the store, which
 * hold a dot. */
#define SOURCE "temp.bqlocal_merge_source"
#define PLAN   "temp.bqlocal_merge_plan"

struct merge {
    struct sql_compiler *compiler;
    const struct sql_node *node;
    struct sql_target *target;
    const char *rowid;
    struct sql_range ranges[2]; /* target t0, source s0 */
    struct sql_output source;
    struct sql_list target_keys; /* SQL over t0 */
    struct sql_list source_keys; /* SQL over the source's inside */
    struct sql_list key_operators;
    const char *on;
};

static bool drop_tables(struct sql_compiler *compiler)
{
    return sql_execute(compiler, "DROP TABLE IF EXISTS " SOURCE, NULL) &&
           sql_execute(compiler, "DROP TABLE IF EXISTS " PLAN, NULL);
}

/* Translates with only these ranges in scope; false, without an error, if that fails. */
static bool translate_side(
    struct merge *merge, const struct sql_expr *expr, struct sql_range *ranges, size_t count,
    struct sql_value *out)
{
    struct sql_scope scope = {.ranges = ranges, .range_count = count, .no_aggregates = "ON clause"};
    struct error *err = merge->compiler->err;
    struct sql_scope *outer = merge->compiler->scope;
    struct error ignored = {0};

    merge->compiler->err = &ignored;
    merge->compiler->scope = &scope;
    bool ok = sql_translate(merge->compiler, expr, out);
    merge->compiler->scope = outer;
    merge->compiler->err = err;
    return ok;
}

/* Takes an equality as a key if one side is about the target only and the other about the source
 * only. A name that both have is not taken: translating the whole ON reports it as ambiguous. */
static bool add_key(
    struct merge *merge, const struct sql_expr *a, const struct sql_expr *b, const char *op)
{
    struct sql_compiler *compiler = merge->compiler;

    for (int swap = 0; swap < 2; swap++) {
        const struct sql_expr *left = swap ? b : a;
        const struct sql_expr *right = swap ? a : b;
        struct sql_value target = {0};
        struct sql_value source = {0};
        struct sql_value ignored = {0};
        int type = 0;
        if (!translate_side(merge, left, &merge->ranges[0], 1, &target) ||
            !translate_side(merge, right, &merge->ranges[1], 1, &source) ||
            translate_side(merge, left, &merge->ranges[1], 1, &ignored) ||
            translate_side(merge, right, &merge->ranges[0], 1, &ignored))
            continue;
        if (!sql_common_type(&target, &source, &type) || type == STORE_FLOAT64 ||
            !sql_compares(type) || !sql_coerce(compiler, &target, type, &target) ||
            !sql_coerce(compiler, &source, type, &source))
            return false;
        sql_push(compiler->arena, &merge->target_keys, (void *)(uintptr_t)target.sql);
        sql_push(compiler->arena, &merge->source_keys, (void *)(uintptr_t)source.sql);
        sql_push(compiler->arena, &merge->key_operators, (void *)(uintptr_t)op);
        return true;
    }
    return false;
}

static void find_keys(struct merge *merge, const struct sql_expr *on)
{
    if (on->kind == SQL_EXPR_AND) {
        for (size_t i = 0; i < on->args.count; i++)
            find_keys(merge, on->args.items[i]);
    } else if (on->kind == SQL_EXPR_BINARY && strcmp(on->text, "=") == 0) {
        add_key(merge, on->args.items[0], on->args.items[1], "=");
    } else if (on->kind == SQL_EXPR_IS_DISTINCT && on->negated) {
        add_key(merge, on->args.items[0], on->args.items[1], "IS");
    }
}

/* The source as a query with columns c0, c1, ... and its range under the alias s0. */
static bool open_source(struct merge *merge)
{
    struct sql_compiler *compiler = merge->compiler;
    struct sql_scope scope = {0};
    struct sql_list names = {0};
    struct sql_list fields = {0};
    const char *from = NULL;

    if (!sql_translate_from(compiler, merge->node->from, &scope, &from))
        return false;
    for (size_t i = 0; i < scope.range_count; i++)
        for (size_t j = 0; j < scope.ranges[i].count; j++) {
            struct sql_field *field = &scope.ranges[i].fields[j];
            sql_push(
                compiler->arena, &names,
                sql_printf(compiler->arena, "%s AS c%zu", field->sql, fields.count));
            field->sql = sql_printf(compiler->arena, "s0.c%zu", fields.count);
            sql_push(compiler->arena, &fields, field);
        }
    merge->source.count = fields.count;
    merge->source.sql = sql_printf(
        compiler->arena, "SELECT %s FROM %s",
        sql_join(compiler, ", ", (const char *const *)names.items, names.count), from);
    if (scope.range_count != 1)
        return sql_error(
            compiler->err, merge->node->from->place,
            "bqlocal supports one table or subquery here: put the join into a subquery");
    merge->ranges[1] = scope.ranges[0];
    return true;
}

static bool acts_by_source(const struct merge *merge)
{
    for (size_t i = 0; i < merge->node->when_count; i++)
        if (merge->node->whens[i].kind == SQL_WHEN_NOT_MATCHED_BY_SOURCE)
            return true;
    return false;
}

static bool translate_on(struct merge *merge)
{
    struct sql_scope scope = {
        .ranges = merge->ranges, .range_count = 2, .no_aggregates = "ON clause"};
    struct sql_compiler *compiler = merge->compiler;
    const struct sql_expr *on = merge->node->on;

    compiler->scope = &scope;
    bool ok = sql_translate_bool(compiler, on, "MERGE ON clause", &merge->on);
    // Rows of the target that match nothing do not matter, unless a WHEN is about them.
    if (ok && !acts_by_source(merge))
        sql_note_filters(compiler, on);
    compiler->scope = NULL;
    if (!ok)
        return false;
    find_keys(merge, on);
    return true;
}

/* Step 1. Inside the source's own table its columns are c0, c1, ... without the alias. */
static bool store_source(struct merge *merge)
{
    struct sql_compiler *compiler = merge->compiler;
    size_t keys = merge->source_keys.count;
    const char **selected = sql_alloc(compiler->arena, (keys + 1) * sizeof *selected);
    const char **indexed = sql_alloc(compiler->arena, (keys + 1) * sizeof *indexed);

    for (size_t i = 0; i < keys; i++) {
        const char *key = merge->source_keys.items[i];
        selected[i] = sql_printf(compiler->arena, ", %s AS k%zu", key, i);
        indexed[i] = sql_printf(compiler->arena, "k%zu", i);
    }
    const char **columns = sql_alloc(compiler->arena, (merge->source.count + 1) * sizeof *columns);
    for (size_t i = 0; i < merge->source.count; i++)
        columns[i] = sql_printf(compiler->arena, "c%zu", i);
    const char *names = sql_join(compiler, ", ", columns, merge->source.count);
    const char *key_names = sql_join(compiler, ", ", indexed, keys);
    // Columns without declared types: values are kept as they come. The rowid has a name of its own
    // because UPDATE ... FROM makes a subquery of several tables, which hides the others.
    if (!drop_tables(compiler) ||
        !sql_execute(
            compiler,
            sql_printf(
                compiler->arena,
                "CREATE TEMP TABLE bqlocal_merge_source(%s%s%s, r INTEGER PRIMARY KEY)", names,
                keys > 0 ? ", " : "", key_names),
            NULL) ||
        !sql_execute(
            compiler,
            sql_printf(
                compiler->arena, "INSERT INTO " SOURCE " SELECT s0.*%s, NULL FROM (%s) AS s0",
                sql_join(compiler, "", selected, keys), merge->source.sql),
            NULL))
        return false;
    return keys == 0 ||
           sql_execute(
               compiler,
               sql_printf(
                   compiler->arena,
                   "CREATE INDEX temp.bqlocal_merge_key ON bqlocal_merge_source(%s)", key_names),
               NULL);
}

/* CASE WHEN condition THEN number ... END over the WHENs of one kind, 0 if none acts; NULL if there
 * is no such WHEN. */
static bool translate_choice(
    struct merge *merge, enum sql_when_kind kind, struct sql_range *ranges, size_t count,
    const char **out_sql)
{
    struct sql_scope scope = {
        .ranges = ranges, .range_count = count, .no_aggregates = "MERGE", .no_windows = true};
    struct sql_compiler *compiler = merge->compiler;
    struct sql_list items = {0};
    bool ok = true;

    *out_sql = NULL;
    compiler->scope = &scope;
    for (size_t i = 0; ok && i < merge->node->when_count; i++) {
        const struct sql_when *when = &merge->node->whens[i];
        const char *condition = "1";
        if (when->kind != kind)
            continue;
        ok = when->condition == NULL ||
             sql_translate_bool(compiler, when->condition, "MERGE WHEN condition", &condition);
        sql_push(
            compiler->arena, &items,
            sql_printf(compiler->arena, "WHEN %s THEN %zu", condition, i + 1));
    }
    compiler->scope = NULL;
    if (ok && items.count > 0)
        *out_sql = sql_printf(
            compiler->arena, "CASE %s ELSE 0 END",
            sql_join(compiler, " ", (const char *const *)items.items, items.count));
    return ok;
}

static const char *join_condition(struct merge *merge)
{
    struct sql_list items = {0};

    for (size_t i = 0; i < merge->source_keys.count; i++)
        sql_push(
            merge->compiler->arena, &items,
            sql_printf(
                merge->compiler->arena, "%s %s s0.k%zu AND ",
                (const char *)merge->target_keys.items[i],
                (const char *)merge->key_operators.items[i], i));
    return sql_printf(
        merge->compiler->arena, "%s%s",
        sql_join(merge->compiler, "", (const char *const *)items.items, items.count), merge->on);
}

static bool plan_matches(struct merge *merge, const char *choice)
{
    struct sql_compiler *compiler = merge->compiler;

    // CROSS JOIN keeps the order: the target is scanned, the source found by its index.
    return sql_execute(
               compiler,
               "CREATE TEMP TABLE bqlocal_merge_plan(target INTEGER, source INTEGER, action "
               "INTEGER)",
               NULL) &&
           sql_execute(
               compiler,
               sql_printf(
                   compiler->arena,
                   "INSERT INTO " PLAN " SELECT t0.%s, s0.r, %s FROM %s AS t0 CROSS JOIN " SOURCE
                   " AS s0 WHERE %s",
                   merge->rowid, choice == NULL ? "0" : choice, merge->target->quoted,
                   join_condition(merge)),
               NULL);
}

/* Rows without a partner on the other side, where some WHEN acts on them; an index of the plan
 * finds those that have one. */
static bool plan_unmatched(struct merge *merge, const char *insert, const char *by_source)
{
    struct sql_compiler *compiler = merge->compiler;
    bool ok = true;

    if (insert != NULL)
        ok = sql_execute(
                 compiler,
                 "CREATE INDEX temp.bqlocal_merge_by_source ON bqlocal_merge_plan(source)", NULL) &&
             sql_execute(
                 compiler,
                 sql_printf(
                     compiler->arena,
                     "INSERT INTO " PLAN " SELECT NULL, s0.r, %s FROM " SOURCE
                     " AS s0 WHERE (%s) > 0 AND NOT EXISTS (SELECT 1 FROM " PLAN
                     " AS p0 WHERE p0.source = s0.r)",
                     insert, insert),
                 NULL);
    if (ok && by_source != NULL)
        ok = sql_execute(
                 compiler,
                 "CREATE INDEX temp.bqlocal_merge_by_target ON bqlocal_merge_plan(target)", NULL) &&
             sql_execute(
                 compiler,
                 sql_printf(
                     compiler->arena,
                     "INSERT INTO " PLAN " SELECT t0.%s, NULL, %s FROM %s AS t0 WHERE (%s) > 0 AND "
                     "NOT EXISTS (SELECT 1 FROM " PLAN " AS p0 WHERE p0.target = t0.%s)",
                     merge->rowid, by_source, merge->target->quoted, by_source, merge->rowid),
                 NULL);
    return ok;
}

/* Two source rows that would act on one target row are an error if one of them updates it. */
static bool check_single(struct merge *merge)
{
    struct sql_compiler *compiler = merge->compiler;
    struct sql_list updates = {0};
    int64_t twice = 0;

    for (size_t i = 0; i < merge->node->when_count; i++)
        if (merge->node->whens[i].action == SQL_ACTION_UPDATE)
            sql_push(compiler->arena, &updates, sql_printf(compiler->arena, "%zu", i + 1));
    if (updates.count == 0)
        return true;
    char *sql = sql_printf(
        compiler->arena,
        "SELECT EXISTS (SELECT 1 FROM " PLAN " WHERE action > 0 AND target IS NOT NULL GROUP BY "
        "target HAVING count(*) > 1 AND max(action IN (%s)))",
        sql_join(compiler, ",", (const char *const *)updates.items, updates.count));
    if (!sql_query_int64(compiler, sql, &twice))
        return false;
    return twice == 0 || sql_error(
                             compiler->err, SQL_NO_PLACE,
                             "UPDATE/MERGE must match at most one source row for each target row");
}

static bool act_update(
    struct merge *merge, const struct sql_sets *sets, bool by_source, size_t number,
    struct sql_statement *out)
{
    struct sql_compiler *compiler = merge->compiler;
    struct sql_scope scope = {
        .ranges = merge->ranges,
        .range_count = by_source ? 1 : 2,
        .no_aggregates = "UPDATE",
        .no_windows = true};
    const char *assignments = NULL;
    int64_t changes = 0;

    compiler->scope = &scope;
    bool ok = sql_translate_sets(compiler, merge->target, sets, &assignments);
    compiler->scope = NULL;
    // The plus signs keep SQLite from using an index of the plan: it reads the plan once, in order,
    // and each line finds its rows by their ids.
    char *sql = sql_printf(
        compiler->arena,
        "UPDATE %s AS t0 SET %s FROM " PLAN " AS p0%s WHERE +p0.action = %zu AND t0.%s = +p0.target"
        "%s",
        merge->target->quoted, assignments == NULL ? "" : assignments,
        by_source ? "" : ", " SOURCE " AS s0", number, merge->rowid,
        by_source ? "" : " AND s0.r = +p0.source");
    ok = ok && sql_execute(compiler, sql, &changes);
    out->updated += changes;
    return ok;
}

static bool act_delete(struct merge *merge, size_t number, struct sql_statement *out)
{
    int64_t changes = 0;
    bool ok = sql_execute(
        merge->compiler,
        sql_printf(
            merge->compiler->arena,
            "DELETE FROM %s WHERE %s IN (SELECT target FROM " PLAN " WHERE action = %zu)",
            merge->target->quoted, merge->rowid, number),
        &changes);

    out->deleted += changes;
    return ok;
}

static bool insert_values(
    struct merge *merge, const struct sql_when *when, const size_t *indexes, size_t count,
    const char **out_sql)
{
    struct sql_compiler *compiler = merge->compiler;
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);

    if (when->values.count != count)
        return sql_error(
            compiler->err, when->place,
            "Inserted row has wrong column count; Has %zu, expected %zu", when->values.count,
            count);
    for (size_t i = 0; i < count; i++)
        if (!sql_assign_expr(
                compiler, when->values.items[i], &merge->target->schema.fields[indexes[i]],
                &items[i]))
            return false;
    *out_sql = sql_join(compiler, ", ", items, count);
    return true;
}

static bool act_insert(
    struct merge *merge, const struct sql_when *when, size_t number, struct sql_statement *out)
{
    struct sql_compiler *compiler = merge->compiler;
    struct sql_scope scope = {
        .ranges = &merge->ranges[1],
        .range_count = 1,
        .no_aggregates = "INSERT",
        .no_windows = true};
    const char *head = NULL;
    const char *values = NULL;
    const char *defaults = NULL;
    size_t *indexes = NULL;
    size_t count = 0;
    int64_t changes = 0;

    compiler->scope = &scope;
    bool ok = sql_target_columns(
                  compiler, merge->target, &when->columns, when->place, &indexes, &count) &&
              insert_values(merge, when, indexes, count, &values) &&
              sql_insert_head(compiler, merge->target, indexes, count, &head, &defaults);
    compiler->scope = NULL;
    ok = ok && sql_execute(
                   compiler,
                   sql_printf(
                       compiler->arena,
                       "%s SELECT %s%s FROM " PLAN " AS p0 CROSS JOIN " SOURCE
                       " AS s0 WHERE +p0.action = %zu AND s0.r = +p0.source",
                       head, values, defaults, number),
                   &changes);
    out->inserted += changes;
    return ok;
}

static bool act(struct merge *merge, struct sql_statement *out)
{
    for (size_t i = 0; i < merge->node->when_count; i++) {
        const struct sql_when *when = &merge->node->whens[i];
        bool by_source = when->kind == SQL_WHEN_NOT_MATCHED_BY_SOURCE;
        bool ok = when->action == SQL_ACTION_UPDATE
                      ? act_update(merge, &when->sets, by_source, i + 1, out)
                  : when->action == SQL_ACTION_DELETE ? act_delete(merge, i + 1, out)
                                                      : act_insert(merge, when, i + 1, out);
        if (!ok)
            return false;
    }
    return true;
}

static bool run(struct merge *merge, struct sql_statement *out)
{
    const char *matched = NULL;
    const char *insert = NULL;
    const char *by_source = NULL;

    if (!translate_choice(merge, SQL_WHEN_MATCHED, merge->ranges, 2, &matched) ||
        !translate_choice(merge, SQL_WHEN_NOT_MATCHED, &merge->ranges[1], 1, &insert) ||
        !translate_choice(merge, SQL_WHEN_NOT_MATCHED_BY_SOURCE, merge->ranges, 1, &by_source))
        return false;
    if (!store_source(merge) || !plan_matches(merge, matched) ||
        !plan_unmatched(merge, insert, by_source) || !check_single(merge))
        return false;
    return act(merge, out);
}

bool sql_run_merge(
    struct sql_compiler *compiler, const struct sql_node *node, struct sql_target *target,
    struct sql_statement *out)
{
    struct merge merge = {.compiler = compiler, .node = node, .target = target};
    struct error ignored;

    if (!sql_rowid(compiler, target, &merge.rowid) ||
        !sql_table_range(
            compiler, target->dataset, target->table, node->alias, "t0", &merge.ranges[0]) ||
        !open_source(&merge) || !translate_on(&merge))
        return false;
    bool ok = run(&merge, out);
    struct error *err = compiler->err;
    compiler->err = ok ? err : &ignored;
    bool dropped = drop_tables(compiler);
    compiler->err = err;
    return ok && dropped;
}
