#include "source/application_trigger.h"

#include "base/text_fit.h"
#include "source/sqlite_token.h"
#include "source/statement.h"

#include <stdio.h>

/* Why these triggers matter, from what SQLite does (trigger.c, insert.c, update.c, vdbe.c).
 *
 * Of the triggers that run after a change, SQLite fires the newest one first. RAISE(IGNORE) and
 * RAISE(FAIL) end the statement there and then, and the row stays changed: a capture trigger that
 * is older never runs. SQLite documents no order, so such a trigger counts whenever it was made.
 * RAISE(ABORT) and RAISE(ROLLBACK) undo the change, and what RAISE() ends before the change leaves
 * nothing to capture.
 *
 * A trigger that writes can do the same when the statement, or what it writes, says OR FAIL. Nearly
 * every application has some that write, so for these the order counts: capture is made again when
 * one is newer.
 *
 * Actions of foreign keys come between the change and its triggers. They override OR FAIL, but not
 * RAISE(FAIL), in whatever triggers they fire.
 *
 * A guard looks for the rows that REPLACE is about to remove. After BEFORE UPDATE triggers have
 * run, SQLite reads the columns again that the statement does not set, so one that writes can give
 * the row values for which no guard has looked. */

/* What the text of a trigger says. */
struct reading {
    bool after;
    bool update;
    bool raises_ignore;
    bool raises_fail;
    bool writes;
};

static bool is_word(const struct token *token, const char *word)
{
    return sqlite_token_is(token, TOKEN_WORD, word);
}

/* SQLite keeps "CREATE TRIGGER name ...", without IF NOT EXISTS and the name of the schema. */
static const char *behind_name(const char *sql)
{
    for (int i = 0; i < 3; i++)
        sqlite_token_next(&sql);
    return sql;
}

static void read_head(struct reading *reading, const char **at)
{
    struct token token = sqlite_token_next(at);

    reading->after = is_word(&token, "after");
    if (reading->after || is_word(&token, "before"))
        token = sqlite_token_next(at);
    reading->update = is_word(&token, "update");
}

/* A column can hardly have the name of one of these words; if one has, the trigger is taken for
 * more than it is. */
static struct reading read_trigger(const char *sql)
{
    struct reading reading = {0};
    bool body = false;

    sql = behind_name(sql);
    read_head(&reading, &sql);
    struct token before = {0};
    struct token token = sqlite_token_next(&sql);
    for (; token.kind != TOKEN_END; token = sqlite_token_next(&sql)) {
        body = body || is_word(&token, "begin");
        if (body)
            reading.writes = reading.writes || is_word(&token, "insert") ||
                             is_word(&token, "update") || is_word(&token, "delete") ||
                             (is_word(&before, "replace") && is_word(&token, "into"));
        if (is_word(&before, "raise") && sqlite_token_is(&token, TOKEN_SIGN, "(")) {
            token = sqlite_token_next(&sql);
            reading.raises_ignore = reading.raises_ignore || is_word(&token, "ignore");
            reading.raises_fail = reading.raises_fail || is_word(&token, "fail");
        }
        before = token;
    }
    return reading;
}

/* Whether foreign keys of other tables, or of the table itself, do something when a row of the
 * table goes or gets another key. */
static bool has_actions(const struct source_table *in, bool *out_actions, struct error *err)
{
    return statement_has_row(
        in->source,
        "select 1 from sqlite_master m, pragma_foreign_key_list(m.name) f"
        " where m.type = 'table' and lower(f.\"table\") = lower(?1)"
        " and (f.on_update not in ('NO ACTION', 'RESTRICT')"
        " or f.on_delete not in ('NO ACTION', 'RESTRICT'))",
        out_actions, err, "s", in->table->name);
}

/* Why capture of the table is not exact beside this trigger; NULL if it is. */
static bool find_problem(
    const struct source_table *in, const struct reading *reading, bool on_table, bool guarded,
    const char **out_problem, struct error *err)
{
    bool actions = false;

    *out_problem = NULL;
    if (on_table && reading->after && (reading->raises_ignore || reading->raises_fail))
        *out_problem = "may end a statement after the row is changed and before capture has run, "
                       "with RAISE(IGNORE) or RAISE(FAIL)";
    else if (on_table && !reading->after && reading->update && reading->writes && guarded)
        *out_problem = "writes before an update, so triggers cannot tell which rows UPDATE OR "
                       "REPLACE removes";
    else if (reading->raises_fail) {
        if (!has_actions(in, &actions, err))
            return false;
        if (actions)
            *out_problem = "may end an action of a foreign key with RAISE(FAIL), after the row is "
                           "changed and before capture has run";
    }
    return true;
}

/* The columns of the statement below. */
enum { TRIGGER_NAME, TRIGGER_SQL, TRIGGER_ON_TABLE, TRIGGER_NEWER };

static const char triggers_sql[] =
    "select name, sql, lower(tbl_name) = lower(?1), rowid > (select min(rowid) from sqlite_master"
    " where type = 'trigger' and lower(tbl_name) = lower(?1) and name like 'bq\\_sync\\_%'"
    " escape '\\') from sqlite_master where type = 'trigger'"
    " and name not like 'bq\\_sync\\_%' escape '\\'"
    " and (lower(tbl_name) = lower(?1) or sql like '%raise%fail%') order by rowid";

bool application_trigger_judge(
    const struct source_table *in, bool guarded, char *out_problem, size_t size, bool *out_newer,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    const char *problem = NULL;
    bool row = false;
    bool ok = false;

    *out_newer = false;
    out_problem[0] = '\0';
    if (!statement_bind(in->source, triggers_sql, &statement, err, "s", in->table->name))
        return false;
    for (;;) {
        if (!database_step(in->source, statement, &row, err))
            goto cleanup;
        if (!row || problem != NULL)
            break;
        bool on_table = sqlite3_column_int(statement, TRIGGER_ON_TABLE) == 1;
        struct reading reading = read_trigger(statement_borrow_text(statement, TRIGGER_SQL));
        if (!find_problem(in, &reading, on_table, guarded, &problem, err))
            goto cleanup;
        *out_newer |= on_table && reading.after && reading.writes &&
                      sqlite3_column_int(statement, TRIGGER_NEWER) == 1;
        if (problem != NULL)
            text_format(
                out_problem, size, "the application's trigger %.*s %s",
                TEXT_FIT(statement_borrow_text(statement, TRIGGER_NAME), 200), problem);
    }
    ok = true;

cleanup:
    sqlite3_finalize(statement);
    return ok;
}
