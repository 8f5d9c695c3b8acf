/* The application must not notice change capture: every statement ends alike with and without it,
 * over all conflict clauses, upserts and table shapes; and whatever a statement changed is in the
 * dirty set afterwards or above the watermark. Built once for each kind of key that the definition
 * of t has (schemas/int64, schemas/text, schemas/pair); each runs the shapes that fit. */
#include "support/prelude.h"

#include "t.h"
#include "unit/source/support.h"

/* k1 to k9: literals for the key columns, "|" between rows' parts is not needed: one text each. */
struct shape {
    const char *label;
    const char *create;  /* table t; its last columns are email and v */
    const char *columns; /* the key columns */
    size_t key_count;
    bool integer; /* the schema has one INT64 key */
    const char *keys[9];
    const char *where[9];
    const char *set_key[9];
};

#define INT_KEYS                                                                                   \
    {                                                                                              \
        "1", "2", "3", "4", "5", "6", "7", "8", "9"                                                \
    }
#define INT_WHERE                                                                                  \
    {                                                                                              \
        "id = 1", "id = 2", "id = 3", "id = 4", "id = 5", "id = 6", "id = 7", "id = 8", "id = 9"   \
    }
#define INT_SET INT_WHERE
#define TEXT_KEYS                                                                                  \
    {                                                                                              \
        "'k1'", "'k2'", "'k3'", "'k4'", "'k5'", "'k6'", "'K1'", "'k8'", "'k9'"                     \
    }
#define TEXT_WHERE                                                                                 \
    {                                                                                              \
        "id = 'k1'", "id = 'k2'", "id = 'k3'", "id = 'k4'", "id = 'k5'", "id = 'k6'", "id = 'K1'", \
            "id = 'k8'", "id = 'k9'"                                                               \
    }
#define TEXT_SET TEXT_WHERE
#define PAIR_KEYS                                                                                  \
    {                                                                                              \
        "'a', 1", "'a', 2", "'b', 1", "'b', 2", "'c', 1", "'c', 2", "'A', 1", "'d', 1", "'d', 9"   \
    }
#define PAIR_WHERE                                                                                 \
    {                                                                                              \
        "a = 'a' and b = 1", "a = 'a' and b = 2", "a = 'b' and b = 1", "a = 'b' and b = 2",        \
            "a = 'c' and b = 1", "a = 'c' and b = 2", "a = 'A' and b = 1", "a = 'd' and b = 1",    \
            "a = 'd' and b = 9"                                                                    \
    }
#define PAIR_SET                                                                                   \
    {                                                                                              \
        "a = 'a', b = 1", "a = 'a', b = 2", "a = 'b', b = 1", "a = 'b', b = 2", "a = 'c', b = 1",  \
            "a = 'c', b = 2", "a = 'A', b = 1", "a = 'd', b = 1", "a = 'd', b = 9"                 \
    }

/* Of a pair whose second half is the row's id. */
#define OWNED_KEYS                                                                                 \
    {                                                                                              \
        "'a', 1", "'a', 2", "'b', 3", "'b', 4", "'c', 5", "'c', 6", "'A', 1", "'d', 8", "'d', 9"   \
    }
#define OWNED_WHERE                                                                                \
    {                                                                                              \
        "a = 'a' and b = 1", "a = 'a' and b = 2", "a = 'b' and b = 3", "a = 'b' and b = 4",        \
            "a = 'c' and b = 5", "a = 'c' and b = 6", "a = 'A' and b = 1", "a = 'd' and b = 8",    \
            "a = 'd' and b = 9"                                                                    \
    }
#define OWNED_SET                                                                                  \
    {                                                                                              \
        "a = 'a', b = 1", "a = 'a', b = 2", "a = 'b', b = 3", "a = 'b', b = 4", "a = 'c', b = 5",  \
            "a = 'c', b = 6", "a = 'A', b = 1", "a = 'd', b = 8", "a = 'd', b = 9"                 \
    }

static const struct shape shapes[] = {
    {"integer primary key", "create table t(id integer primary key, email, v)", "id", 1, true,
     INT_KEYS, INT_WHERE, INT_SET},
    {"autoincrement and unique",
     "create table t(id integer primary key autoincrement, email text unique, v)", "id", 1, true,
     INT_KEYS, INT_WHERE, INT_SET},
    {"unique without case",
     "create table t(id integer primary key, email text collate nocase unique, v)", "id", 1, true,
     INT_KEYS, INT_WHERE, INT_SET},
    {"conflict clauses of the table",
     "create table t(id integer primary key on conflict replace, email text"
     " unique on conflict replace, v)",
     "id", 1, true, INT_KEYS, INT_WHERE, INT_SET},
    {"partial unique index",
     "create table t(id integer primary key, email text, v);"
     "create unique index t_email on t(email) where v > 0 /* live */ and email is not null",
     "id", 1, true, INT_KEYS, INT_WHERE, INT_SET},
    {"partial unique index over a flag",
     "create table t(id integer primary key, email text, v);"
     "create unique index t_email on t(email) where v in (1, 2, 3, 8) or v is null -- live",
     "id", 1, true, INT_KEYS, INT_WHERE, INT_SET},
    {"partial unique index over the id",
     "create table t(id integer primary key, email text, v);"
     "create unique index t_email on t(v) where id > 2",
     "id", 1, true, INT_KEYS, INT_WHERE, INT_SET},
    {"generated column", "create table t(id integer primary key, email text, v, g as (v || '!'))",
     "id", 1, true, INT_KEYS, INT_WHERE, INT_SET},
    {"strict", "create table t(id integer primary key, email text not null, v int) strict", "id", 1,
     true, INT_KEYS, INT_WHERE, INT_SET},
    {"two unique columns", "create table t(id integer primary key, email text unique, v unique)",
     "id", 1, true, INT_KEYS, INT_WHERE, INT_SET},
    {"int primary key", "create table t(id int primary key, email unique, v)", "id", 1, true,
     INT_KEYS, INT_WHERE, INT_SET},
    {"integer primary key desc", "create table t(id integer primary key desc, email, v)", "id", 1,
     true, INT_KEYS, INT_WHERE, INT_SET},
    {"text key", "create table t(id text primary key, email unique, v)", "id", 1, false, TEXT_KEYS,
     TEXT_WHERE, TEXT_SET},
    {"text key without case", "create table t(id text collate nocase primary key, email unique, v)",
     "id", 1, false, TEXT_KEYS, TEXT_WHERE, TEXT_SET},
    {"text key without case or rowid",
     "create table t(id text collate nocase primary key, email unique, v) without rowid", "id", 1,
     false, TEXT_KEYS, TEXT_WHERE, TEXT_SET},
    {"text key and a partial unique index",
     "create table t(id text primary key, email text, v, g as (email || '!'));"
     "create unique index t_email on t(email) where not v isnull and v <> 7",
     "id", 1, false, TEXT_KEYS, TEXT_WHERE, TEXT_SET},
    {"untyped key", "create table t(id primary key, email unique, v)", "id", 1, false, TEXT_KEYS,
     TEXT_WHERE, TEXT_SET},
    {"key besides an integer primary key",
     "create table t(id text unique not null, email unique, v, n integer primary key)", "id", 1,
     false, TEXT_KEYS, TEXT_WHERE, TEXT_SET},
    {"composite key", "create table t(a text, b int, email, v, primary key(a, b))", "a, b", 2,
     false, PAIR_KEYS, PAIR_WHERE, PAIR_SET},
    {"composite key without rowid",
     "create table t(a text, b int, email unique, v, primary key(b, a)) without rowid", "a, b", 2,
     false, PAIR_KEYS, PAIR_WHERE, PAIR_SET},
    {"composite key without case",
     "create table t(a text collate nocase, b int, email unique, v, primary key(a, b))", "a, b", 2,
     false, PAIR_KEYS, PAIR_WHERE, PAIR_SET},
    {"an owner and an integer primary key",
     "create table t(a text, b integer primary key, email unique, v)", "a, b", 2, false, OWNED_KEYS,
     OWNED_WHERE, OWNED_SET},
    {"the same with generated ids",
     "create table t(a text not null default 'z', b integer primary key autoincrement, email, v)",
     "a, b", 2, false, OWNED_KEYS, OWNED_WHERE, OWNED_SET},
};
#define SHAPE_COUNT (sizeof shapes / sizeof shapes[0])

/* {c} key columns, {kN} key literals, {wN} condition, {sN} assignment of a key, {or} a conflict
 * clause: a statement with one is run with each. Rows: k1 to k5 with e1 to e5, k6 inserted after
 * the seal. */
static const char *const statements[] = {
    "insert {or} into t({c}, email, v) values ({k9}, 'e9', 1)",
    "insert {or} into t({c}, email, v) values ({k1}, 'e9', 1)",
    "insert {or} into t({c}, email, v) values ({k7}, 'e9', 1)",
    "insert {or} into t({c}, email, v) values ({k9}, 'e2', 1)",
    "insert {or} into t({c}, email, v) values ({k9}, 'E2', 1)",
    "insert {or} into t({c}, email, v) values ({k1}, 'e2', 3)",
    "insert {or} into t({c}, email, v) values ({k9}, 'e6', 1)",
    "insert {or} into t({c}, email, v) values ({k9}, null, 1)",
    "insert {or} into t({c}, email, v) values ({k8}, 'e8', 1), ({k9}, null, 'not a number')",
    "insert {or} into t({c}, email, v) values ({k8}, 'e8', 1), ({k1}, 'e9', 'not a number')",
    "insert {or} into t({c}, email, v) values ({k9}, x'00', 1) on conflict do nothing",
    "update {or} t set {s2}, email = null, v = 'not a number' where {w1}",
    "insert {or} into t({c}, email, v) values ({k8}, 'e8', 1), ({k1}, 'x', 2), ({k9}, 'e9', 3)",
    "insert {or} into t({c}, email, v) values ({k8}, 'e8', 1), ({k9}, 'e1', 1), ({k3}, 'e3', 1)",
    "insert {or} into t({c}, email, v) values ({k9}, '{\"a\": 1}', 0), ({k8}, '{\"a\":1}', 1)",
    "insert {or} into t(email, v) values ('e9', 1)",
    "insert {or} into t(email, v) values ('e2', 1)",
    "insert {or} into t default values",
    "insert {or} into t({c}, v) values ({k9}, 7)",
    "insert {or} into t({c}, email, v) select {c}, email || 'x', v from t where {w2}",
    "insert {or} into t(rowid, {c}, email, v) values (2, {k9}, 'e9', 9)",
    "insert {or} into t({c}, email, v) values ({k9}, 'e9', 1) returning *, changes()",
    "insert {or} into t({c}, email, v) values ({k1}, 'e2', 1) returning *",
    "replace into t({c}, email, v) values ({k1}, 'e2', 5), ({k2}, 'e3', 6)",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict do nothing",
    "insert into t({c}, email, v) values ({k9}, 'e2', 1) on conflict do nothing",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict({c}) do nothing",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict({c}) do update set v = v + 10",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1), ({k8}, 'e8', 2), ({k2}, 'e7', 3)"
    " on conflict({c}) do update set v = excluded.v, email = excluded.email",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict({c}) do update set email = "
    "'e2'",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict({c}) do update set {s9}",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict({c}) do update set v = 1"
    " where false",
    "insert into t({c}, email, v) values ({k9}, 'e2', 1) on conflict(email) do update set v = v + "
    "10",
    "insert into t({c}, email, v) values ({k9}, 'e2', 1) on conflict(email) do update set {s8}",
    "insert {or} into t({c}, email, v) values ({k9}, 'e2', 1) on conflict(email) do nothing",
    "insert {or} into t({c}, email, v) values ({k1}, 'e2', 1) on conflict({c}) do update set v = 8",
    "update {or} t set v = v + 1",
    "insert into t({c}, email, v) values ({k9}, 'e2', 7); update {or} t set v = 1 where {w9}",
    "insert into t({c}, email, v) values ({k9}, 'e2', 7); update {or} t set v = 8",
    "insert into t({c}, email, v) values ({k9}, 'e9', 3); update {or} t set rowid = 12 where {w1}",
    "update {or} t set v = v + 1 where {w1}",
    "update {or} t set v = 9 where {w6}",
    "update {or} t set v = v where {w1}",
    "update {or} t set email = email",
    "update {or} t set email = 'e2' where {w1}",
    "update {or} t set email = 'same'",
    "update {or} t set email = 'E3', v = 2 where {w4}",
    "update {or} t set email = null where {w1}",
    "update {or} t set {s9} where {w1}",
    "update {or} t set {s2} where {w1}",
    "update {or} t set {s7} where {w2}",
    "update {or} t set {s2}, email = 'e3' where {w1}",
    "update {or} t set {s1}",
    "update {or} t set rowid = 77 where {w1}",
    "update {or} t set rowid = 2 where {w1}",
    "update {or} t set oid = 2 where {w1}",
    "update {or} t set (v, \"_ROWID_\") = (1, 2) where {w1}",
    "update {or} t set n = 2, v = 8 where {w1}",
    "insert into t({c}, email, v) values ({k1}, 'e9', 1) on conflict({c}) do update set oid = 2",
    "update {or} t set v = 4 where {w1} returning *",
    "update {or} t set v = s.v + 1 from (select 5 as v) as s where {w3}",
    "delete from t",
    "delete from t where {w1}",
    "delete from t where {w6}",
    "delete from t where v > 2",
    "delete from t where v > 2 returning *",
    "begin; update t set v = 1; savepoint s; delete from t; rollback to s; update t set v = 2 where"
    " {w2}; commit",
    "begin; delete from t; rollback",
    "begin; insert into t({c}, email, v) values ({k9}, 'e9', 1);"
    " insert or rollback into t({c}, email, v) values ({k1}, 'e1', 1)",
    "delete from t; insert into t({c}, email, v) values ({k1}, 'e1', 1), ({k6}, 'e6', 2)",
    "update t set v = 5 where {w1}; update t set v = 6 where {w1}; delete from t where {w1};"
    " insert into t({c}, email, v) values ({k1}, 'e1', 1)",
};
#define STATEMENT_COUNT (sizeof statements / sizeof statements[0])

static const char *const clauses[] = {"",         "or ignore", "or replace",
                                      "or abort", "or fail",   "or rollback"};
#define CLAUSE_COUNT (sizeof clauses / sizeof clauses[0])

/* What the application has of its own. */
static const char *const extras[] = {
    "",
    "create trigger t_touch after update on t begin update t set v = new.v + 1000"
    " where email is new.email and v < 1000; end",
    "create trigger t_before before insert on t when new.email = 'e9' begin"
    " update t set v = 50 where email = 'e3'; select raise(ignore) where new.v = 3; end",
};
#define EXTRA_COUNT (sizeof extras / sizeof extras[0])

static char *substitute(const char *statement, const struct shape *shape, const char *clause)
{
    struct buffer out;

    buffer_init(&out, 1 << 16);
    for (const char *at = statement; *at != '\0'; at++) {
        const char *end = at[0] == '{' ? strchr(at, '}') : NULL;
        size_t length = end == NULL ? 0 : (size_t)(end - at - 1);
        size_t number = length == 2 ? (size_t)(at[2] - '1') : 9;
        if (length == 1 && at[1] == 'c')
            buffer_append_text(&out, shape->columns);
        else if (length == 2 && strncmp(at + 1, "or", 2) == 0)
            buffer_append_text(&out, clause);
        else if (length == 2 && number < 9)
            buffer_append_text(
                &out, at[1] == 'k'   ? shape->keys[number]
                      : at[1] == 'w' ? shape->where[number]
                                     : shape->set_key[number]);
        else
            end = NULL;
        if (end != NULL)
            at = end;
        else
            buffer_append_byte(&out, (uint8_t)*at);
    }
    return buffer_take(&out);
}

static int append_row(void *context, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++)
        buffer_printf(context, "%s|", values[i] == NULL ? "NULL" : values[i]);
    buffer_append_byte(context, '\n');
    return 0;
}

/* All that the application can see of how a script ended. total_changes is left out: SQLite counts
 * what triggers do in it. */
static char *outcome(struct database *database, const char *script)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    int result = sqlite3_exec(database->handle, script, append_row, &out, NULL);
    buffer_printf(
        &out, "result %d: %s\nchanges %d last %lld autocommit %d\n",
        sqlite3_extended_errcode(database->handle),
        result == SQLITE_OK ? "" : sqlite3_errmsg(database->handle),
        sqlite3_changes(database->handle), (long long)sqlite3_last_insert_rowid(database->handle),
        sqlite3_get_autocommit(database->handle));
    database_rollback(database);
    sqlite3_exec(
        database->handle, "select *, quote(email), quote(v) from t order by 1, 2, 3, 4", append_row,
        &out, NULL);
    sqlite3_exec(database->handle, "select rowid, * from t order by 1", append_row, &out, NULL);
    return buffer_take(&out);
}

static void copy_database(struct database *from, struct database *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");

    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
}

/* t before the statement, one row a key: kept in the temp schema so that SQL can compare. */
static void remember_rows(struct database *database, const char *name)
{
    char sql[256];

    snprintf(
        sql, sizeof sql, "drop table if exists temp.%s; create temp table %s as select * from t",
        name, name);
    run(database, sql);
}

/* Keys whose row differs between before and now, without an entry of the present sequence and not
 * above the watermark. */
static char *missed_keys(struct database *database)
{
    struct buffer sql;
    struct buffer out;

    buffer_init(&sql, 1 << 16);
    buffer_init(&out, 1 << 16);
    buffer_append_text(
        &sql, "select * from (select * from (select * from before except select * from now)"
              " union all select * from (select * from now except select * from before)) as r"
              " where not exists (select 1 from bq_sync_dirty_t d where ");
    for (size_t i = 0; i < t_table.key_count; i++)
        buffer_printf(
            &sql, "d.bq_sync_key_%zu is r.%s collate binary and ", i + 1,
            t_table.columns[t_table.key[i]].source);
    buffer_append_text(&sql, "d.bq_sync_sequence = (select sequence from bq_sync_capture))");
    for (size_t i = 0; i < t_table.key_count; i++)
        buffer_printf(&sql, " and r.%s is not null", t_table.columns[t_table.key[i]].source);
    if (t_table.new_rows_sql != NULL)
        buffer_append_text(
            &sql, " and (r.id > (select watermark from bq_sync_capture)) is not true");
    assert_int_equal(
        sqlite3_exec(database->handle, buffer_text(&sql), append_row, &out, NULL), SQLITE_OK);
    buffer_clear(&sql);
    return buffer_take(&out);
}

/* One shape with one of the extras: databases to copy from. */
struct bench {
    const struct shape *shape;
    struct database plain;    /* without capture */
    struct database fresh;    /* capture just installed and sealed */
    struct database listed;   /* and every row listed already, under the sequence before */
    struct database relisted; /* and every row listed already, under the present sequence */
    struct database left;
    struct database right;
};

static void open_memory(struct database *database)
{
    expect_ok(database_open(":memory:", DATABASE_CREATE, 0, database, &err));
    run(database, "pragma temp_store = memory");
}

static void fill(struct database *database, const struct shape *shape, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char sql[256];
        snprintf(
            sql, sizeof sql, "insert into t(%s, email, v) values (%s, 'e%d', %d)", shape->columns,
            shape->keys[i - 1], i, i);
        run(database, sql);
    }
}

static void bench_open(struct bench *bench, const struct shape *shape, const char *extra)
{
    *bench = (struct bench){.shape = shape};
    struct database *all[] = {&bench->plain,    &bench->fresh, &bench->listed,
                              &bench->relisted, &bench->left,  &bench->right};
    for (size_t i = 0; i < 6; i++)
        open_memory(all[i]);
    run(&bench->plain, shape->create);
    fill(&bench->plain, shape, 1, 5);
    // Of two triggers SQLite fires the one first that was made last. If that were the application's
    // and ended in FAIL, ours would not fire although the row stays changed; docs/capture.md says
    // so.
    run(&bench->plain, extra);
    copy_database(&bench->plain, &bench->fresh);
    expect_ok(capture_install(&bench->fresh, &t_table, &err));
    fill(&bench->plain, shape, 6, 6);
    fill(&bench->fresh, shape, 6, 6);

    const char *touch = "update t set v = v";
    copy_database(&bench->fresh, &bench->relisted);
    run(&bench->relisted, touch);
    copy_database(&bench->relisted, &bench->listed);
    run(&bench->listed, "update bq_sync_capture set sequence = sequence + 1");
    run(&bench->plain, touch);
    run(&bench->fresh, touch);
    run(&bench->fresh, "delete from bq_sync_dirty_t");
}

static void bench_close(struct bench *bench)
{
    database_close(&bench->plain);
    database_close(&bench->fresh);
    database_close(&bench->listed);
    database_close(&bench->relisted);
    database_close(&bench->left);
    database_close(&bench->right);
}

static int cases;
static int quirks;

/* With recursive triggers on and any delete trigger on the table, SQLite 3.40 checks the
 * constraints a second time after REPLACE has removed rows, and then fails some updates of a rowid
 * that displace rows, taking the updated row itself for a conflict. Whether that is what happened:
 * a trigger that does nothing changes the outcome in the same way. */
static bool is_quirk_of_delete_triggers(struct bench *bench, const char *script, const char *with)
{
    copy_database(&bench->plain, &bench->left);
    run(&bench->left, "pragma recursive_triggers = 1;"
                      " create trigger t_idle after delete on t begin select 1; end;"
                      " delete from t where false");
    char *quirk = outcome(&bench->left, script);
    bool same = strcmp(quirk, with) == 0;
    free(quirk);
    return same;
}

static void compare(
    struct bench *bench, struct database *captured, const char *script, bool recursive)
{
    const char *pragma =
        recursive ? "pragma recursive_triggers = 1" : "pragma recursive_triggers = 0";

    copy_database(&bench->plain, &bench->left);
    copy_database(captured, &bench->right);
    run(&bench->left, pragma);
    run(&bench->right, pragma);
    remember_rows(&bench->right, "before");
    // The rows that the extras have changed while filling are the same on both sides by now.
    run(&bench->left, "delete from t where false");
    run(&bench->right, "delete from t where false");
    char *without = outcome(&bench->left, script);
    char *with = outcome(&bench->right, script);
    if (strcmp(without, with) != 0) {
        if (!recursive || !is_quirk_of_delete_triggers(bench, script, with))
            fail_msg(
                "%s, recursive %d: %s\nwithout capture:\n%s\nwith:\n%s", bench->shape->label,
                recursive, script, without, with);
        quirks++;
    }
    remember_rows(&bench->right, "now");
    char *missed = missed_keys(&bench->right);
    if (missed[0] != '\0')
        fail_msg(
            "%s, recursive %d: %s\nchanged but neither listed nor above the watermark:\n%s",
            bench->shape->label, recursive, script, missed);
    free(without);
    free(with);
    free(missed);
    cases++;
}

/* With BQSYNC_MATRIX=full everything is run with everything; by default the rarer states meet every
 * third statement, which takes a third of the time. */
static void run_script(struct bench *bench, const char *script, bool extra, size_t turn)
{
    static int full = -1;

    if (full < 0)
        full = getenv("BQSYNC_MATRIX") != NULL;
    bool third = full == 1 || turn % 3 == 0;
    if (!extra || third)
        compare(bench, &bench->listed, script, false);
    if (extra)
        return;
    compare(bench, &bench->listed, script, true);
    if (full == 1 || turn % 2 == 0)
        compare(bench, &bench->fresh, script, false);
    if (full == 1 || turn % 2 == 1)
        compare(bench, &bench->fresh, script, true);
    if (third)
        compare(bench, &bench->relisted, script, false);
}

static void run_shape(const struct shape *shape, const char *extra)
{
    struct bench bench;

    bench_open(&bench, shape, extra);
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        size_t variants = strstr(statements[i], "{or}") != NULL ? CLAUSE_COUNT : 1;
        for (size_t variant = 0; variant < variants; variant++) {
            char *script = substitute(statements[i], shape, clauses[variant]);
            run_script(&bench, script, extra[0] != '\0', i + variant);
            free(script);
        }
    }
    bench_close(&bench);
}

static void test_no_statement_ends_differently_and_no_change_is_missed(void **state)
{
    (void)state;
    cases = 0;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        if (shapes[i].key_count != t_table.key_count ||
            shapes[i].integer != (t_table.new_rows_sql != NULL))
            continue;
        for (size_t extra = 0; extra < EXTRA_COUNT; extra++)
            run_shape(&shapes[i], extras[extra]);
    }
    print_message("%d comparisons, %d of them quirks of any delete trigger\n", cases, quirks);
    // The excuse must stay a rare one.
    assert_true(quirks < cases / 500);
    assert_true(cases > 2000);
}

static int count_steps(void *steps)
{
    ++*(int *)steps;
    return 0;
}

static bool has_keyless(struct database *database, int64_t synced_sequence)
{
    const struct watermark watermark = {.found = true, .synced_sequence = synced_sequence};
    struct source_shape shape;
    const struct source_table in = {database, &t_table, &shape};
    bool keyless = false;
    int steps = 0;

    expect_ok(capture_inspect(database, &t_table, &shape, &err));
    sqlite3_progress_handler(database->handle, 100, count_steps, &steps);
    expect_ok(capture_has_keyless(&in, &watermark, &keyless, &err));
    sqlite3_progress_handler(database->handle, 0, NULL, NULL);
    // A look at each of the rows takes a thousand times as many.
    assert_true(keyless || steps <= 2);
    return keyless;
}

/* A NULL in any column but the first of a key is found by no index. */
static void test_rows_without_a_key_are_noted_and_not_looked_for(void **state)
{
    (void)state;
    if (t_table.key_count < 2)
        return;
    struct database database;
    open_memory(&database);
    run(&database, "create table t(a text, b int, email, v, primary key(a, b));"
                   "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)"
                   " insert into t(a, b) select 'x', i from n");
    expect_ok(capture_install(&database, &t_table, &err));
    int64_t before = query_int(&database, "select sequence from bq_sync_capture") - 1;
    assert_false(has_keyless(&database, before));

    run(&database, "update t set v = 1 where b = 7; insert into t(a, b) values ('y', 1)");
    assert_false(has_keyless(&database, before));
    run(&database, "insert into t(a, v) values ('x', 1)");
    assert_true(has_keyless(&database, before));
    assert_false(has_keyless(&database, before + 1));

    run(&database, "update bq_sync_capture set sequence = sequence + 1");
    assert_false(has_keyless(&database, before + 1));
    run(&database, "update t set b = null where b = 8");
    assert_true(has_keyless(&database, before + 1));

    // Columns that are NOT NULL need no triggers for that.
    run(&database, "drop table t; create table t(a text not null, b int not null, email, v,"
                   " primary key(a, b))");
    expect_ok(capture_install(&database, &t_table, &err));
    assert_false(has_keyless(&database, 0));
    assert_int_equal(
        query_int(
            &database, "select count(*) from sqlite_master where name like 'bq_sync_keyless%'"),
        0);
    database_close(&database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_statement_ends_differently_and_no_change_is_missed),
        cmocka_unit_test(test_rows_without_a_key_are_noted_and_not_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
