#include "source/capture_effect.h"

#include "base/text_fit.h"
#include "source/capture_collation.h"
#include "source/statement.h"

#include <stdint.h>
#include <stdio.h>
#include <strings.h>

static bool is_strict(const struct source_table *in, bool *out_strict, struct error *err)
{
    return statement_has_row(
        in->source, "select 1 from pragma_table_list(?1) where schema = 'main' and strict",
        out_strict, err, "s", in->table->name);
}

/* The foreign keys of other tables that refer to a table (one of its own is looked for by each
 * INSERT anyway), and whether its primary key is what they refer to: by their number of columns if
 * they name none, else by the name of an INTEGER PRIMARY KEY, which has no index. */
enum { KEY_CHILD, KEY_NUMBER, KEY_COLUMNS, KEY_IS_NAMED, KEY_IS_PRIMARY };

static const char keys_sql[] =
    "select m.name, f.id, count(*), max(f.\"to\") is not null, case when max(f.\"to\") is null"
    " then count(*) = (select count(*) from pragma_table_xinfo(?1) where pk > 0)"
    " else count(*) = 1 and lower(max(f.\"to\")) ="
    " (select lower(max(name)) from pragma_table_xinfo(?1) where pk > 0 having count(*) = 1)"
    " and not exists (select 1 from pragma_index_list(?1) where origin = 'pk') end"
    " from sqlite_master m, pragma_foreign_key_list(m.name) f"
    " where m.type = 'table' and lower(f.\"table\") = lower(?1)"
    " and lower(m.name) <> lower(?1) group by m.name, f.id";

/* The columns of each unique index with as many columns as the foreign key ?2 of the table ?3, and
 * whether the foreign key names them. */
enum { ITEM_INDEX, ITEM_NAME, ITEM_COLLATION, ITEM_IS_NAMED };

static const char items_sql[] =
    "select l.seq, x.name, x.coll, exists (select 1 from pragma_foreign_key_list(?3) f"
    " where f.id = ?2 and lower(f.\"to\") = lower(x.name))"
    " from pragma_index_list(?1) l, pragma_index_xinfo(l.name) x"
    " where l.\"unique\" and not l.partial and x.key and"
    " (select count(*) from pragma_index_xinfo(l.name) where key) = ?4 order by l.seq";

/* As SQLite has it, the index compares the column by the column's own collation. */
static bool look_at_item(
    const struct source_table *in, sqlite3_stmt *item, bool *out_of_key, struct error *err)
{
    const char *name = statement_borrow_text(item, ITEM_NAME);
    const char *collation = NULL;

    *out_of_key = false;
    if (sqlite3_column_type(item, ITEM_NAME) == SQLITE_NULL ||
        sqlite3_column_int(item, ITEM_IS_NAMED) != 1)
        return true;
    if (!capture_collation_of_column(in->source, in->table->name, name, &collation, err))
        return false;
    *out_of_key = strcasecmp(collation, statement_borrow_text(item, ITEM_COLLATION)) == 0;
    return true;
}

/* Whether some index has the columns that a foreign key names, and no others. */
static bool find_index(
    const struct source_table *in, sqlite3_stmt *key, bool *out_found, struct error *err)
{
    sqlite3_stmt *item = NULL;
    int index = -1;
    bool fits = false;
    bool row = true;
    bool ok = statement_bind(
        in->source, items_sql, &item, err, "sisi", in->table->name,
        sqlite3_column_int64(key, KEY_NUMBER), statement_borrow_text(key, KEY_CHILD),
        sqlite3_column_int64(key, KEY_COLUMNS));

    *out_found = false;
    while (ok && row) {
        ok = database_step(in->source, item, &row, err);
        if (!ok)
            break;
        if (!row || sqlite3_column_int(item, ITEM_INDEX) != index) {
            *out_found = *out_found || fits;
            fits = row;
        }
        if (row) {
            bool of_key = false;
            index = sqlite3_column_int(item, ITEM_INDEX);
            ok = look_at_item(in, item, &of_key, err);
            fits = fits && of_key;
        }
    }
    sqlite3_finalize(item);
    return ok;
}

static bool judge_keys(
    const struct source_table *in, char *out_problem, size_t size, struct error *err)
{
    sqlite3_stmt *key = NULL;
    bool row = true;
    bool ok = statement_bind(in->source, keys_sql, &key, err, "s", in->table->name);

    while (ok && row && out_problem[0] == '\0') {
        ok = database_step(in->source, key, &row, err);
        if (!ok || !row)
            break;
        bool found = sqlite3_column_int(key, KEY_IS_PRIMARY) == 1;
        if (!found && sqlite3_column_int(key, KEY_IS_NAMED) == 1)
            ok = find_index(in, key, &found, err);
        if (ok && !found)
            text_format(
                out_problem, size,
                "a foreign key of the table %.*s refers to columns of it that no primary key and "
                "no unique index has, which SQLite calls a mismatch at every INSERT as soon as the "
                "table has a trigger: create a unique index on these columns",
                TEXT_FIT(statement_borrow_text(key, KEY_CHILD), 200));
    }
    sqlite3_finalize(key);
    return ok;
}

bool capture_effect_judge(
    const struct source_table *in, bool guarded, char *out_problem, size_t size, struct error *err)
{
    bool strict = false;

    out_problem[0] = '\0';
    if (guarded && !is_strict(in, &strict, err))
        return false;
    if (strict) {
        snprintf(
            out_problem, size,
            "it is STRICT, and triggers that find the rows which REPLACE removes would have SQLite "
            "check the types of a row before its other constraints");
        return true;
    }
    return judge_keys(in, out_problem, size, err);
}
