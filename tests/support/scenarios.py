"""The scenarios of the crash tests: the rows before, the change, and the run that is killed.

A scenario has rows that are synced first without a fault, a change, sometimes an accident, and a run that is killed
and then repeated. The expected outcome is always the same: BigQuery holds what SQLite holds, each row once, and every
staging table has an expiration.
"""

import collections
import contextlib
import pathlib
import sqlite3

from tests.support.following import commit_account, following, leave_label_behind
from tests.support.workload_tables import TABLES

# status is that of each run: 1 where a rejected row stays.
Scenario = collections.namedtuple("Scenario", "name before change options tables accident status", defaults=[None, 0])


def checkpoint(app):
    """Moves the whole source into its main file."""
    with app.connect() as db:
        db.execute("pragma wal_checkpoint(truncate)")


def drop_target(bq, app):
    bq.delete("datasets/d/tables/accounts")


def drop_column(bq, app):
    bq.query(f"alter table {app.dataset}.accounts drop column note")


def restore_backup(bq, app):
    """Restores yesterday's file after a day that was synced."""
    checkpoint(app)
    backup = app.path.read_bytes()
    app.script("insert into accounts values (8, 'h@x', 8, 'lost'); update accounts set note = 'lost' where id = 1;"
               "delete from accounts where id = 3")
    app.run("sync", "accounts")
    for suffix in ("-wal", "-shm"):
        pathlib.Path(f"{app.path}{suffix}").unlink(missing_ok=True)
    app.path.write_bytes(backup)


def kill_follower(bq, app):
    """The service that followed commits was killed while the label stayed behind."""
    with following(app):
        leave_label_behind(app)
    app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2")


def restore_followed(bq, app):
    """The same, and a backup is restored that lacks a row which BigQuery holds under the same label."""
    with following(app):
        number = leave_label_behind(app)
        with app.connect() as db, contextlib.closing(sqlite3.connect(app.folder / "backup.db")) as copy:
            db.backup(copy)
        commit_account(app, number)
    for suffix in ("-wal", "-shm"):
        pathlib.Path(f"{app.path}{suffix}").unlink(missing_ok=True)
    (app.folder / "backup.db").rename(app.path)


def restore_target(bq, app):
    """Time travel brings back rows and labels from before the last sync."""
    old = bq.table("d", "accounts")["labels"]["bqsync_generation"]
    app.execute("update accounts set note = 'newer' where id = 1")
    app.run("sync", "accounts")
    bq.query("update d.accounts set note = 'one' where id = 1")
    bq.patch("datasets/d/tables/accounts", {"labels": {"bqsync_generation": old}})


def change_definition(bq, app):
    """The table was synced by a binary whose definition lacked a column."""
    bq.query("alter table d.accounts drop column note")
    bq.patch("datasets/d/tables/accounts", {"labels": {"bqsync_shape": "another"}})
    app.execute("update bq_sync_tracking set content_hash = 'another' where table_name = 'accounts'")


# Triggers that do once, in the middle of the run, what an operator may do while it waits.
MEANWHILE = """
create table meanwhile(done);
create trigger meanwhile {when} when not exists (select 1 from meanwhile) begin
  insert into meanwhile values (1);
  {what};
end;
insert into accounts values (4, 'd@x', 4, null);
"""
RESET = "delete from bq_sync_tracking where table_name = 'accounts'"
DISTRUST = ("update bq_sync_tracking set content_hash = '', intent_nonce = '', epoch = epoch + 1"
            " where table_name = 'accounts'")
BEFORE_INTENT = "after update of sequence on bq_sync_capture"
AFTER_INTENT = "after update of generation on bq_sync_generations"


def leave_an_intent_elsewhere(bq, app):
    """The run before was configured for another dataset and was cut off from the job that it wanted to start."""
    bq.post("datasets", {"datasetReference": {"projectId": "p", "datasetId": "e"}})
    app.run("sync", "accounts", BQ_DATASET_NAME="e")
    app.execute("insert into accounts values (5, 'e@x', 5, null)")
    bq.faults({"method": "POST", "path": "^/bigquery/v2/projects/p/jobs", "action": "reset_before", "count": 1000})
    app.run("sync", "accounts", BQ_DATASET_NAME="e", BQ_RETRY_BUDGET="300ms")
    bq.clear_faults()


RESPELLED = TABLES["key_moments"].create + """;
insert into key_moments values ('2024-01-01 00:00:00', 'one'), ('2024-01-02 00:00:00', 'two'), ('2024-01-03', 'three');
"""
INDEXED = TABLES["things"].create + """;
create unique index one_active on things(owner) where active = 1;
insert into things(id, owner, active, name) values (1, 'ann', 1, 'one'), (2, 'ann', 0, 'two'), (3, 'bob', 1, 'three');
"""
# One day more than one job may change partitions, so that a replacement takes several statements.
MANY_DAYS = """
create table logged_days(id integer primary key, day text, note text);
with recursive n(x) as (select 0 union all select x + 1 from n where x < 4000)
insert into logged_days select x + 1, date('2010-01-01', x || ' days'), 'one' from n;
"""
DAYS = """
create table logged_days(id integer primary key, day text, note text);
insert into logged_days values (1, '2010-01-01', 'a'), (2, '2010-01-02', 'b'), (3, '2010-01-03', 'c'),
  (4, '2010-01-02', 'd');
"""
MISFIT = """
insert into events(kind, payload, at) values ('a', '{"n":1}', 1), ('b', '{', 2), ('c', '[]', 3);
"""

STAYING = ("marked", "marked_small", "kept", "kept_log", "kept_scanned")
STAY = ";".join(TABLES[table].create + f""";
insert into {table}(id, n, note) values (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three'), (4, 4, 'four')""" for table in STAYING)
STAY_CHANGE = ";".join(f"""delete from {table} where id in (1, 4); update {table} set note = 'zwei' where id = 2;
insert into {table}(id, n) values (5, 5); insert into {table}(id, n) values (4, 40)""" for table in STAYING)

ROWS = """
insert into events(kind, payload, at) values ('a', '{"n":1}', 1), ('b', null, 2), ('c', '[]', 3);
insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two'), (3, 'c@x', 3, null);
insert into settings values ('theme', 'dark'), ('lang', 'en');
insert into memberships values ('core', 'ann', 'lead', '2020-02-29'), ('core', 'bob', null, null);
insert into devices values ('s-1', 1, 1.25), ('s-2', 0, null);
insert into everything(id, i, s) values (1, 1, 'x'), (2, 'abc', 'y');
"""

SCENARIOS = [
    Scenario("first sync", None, ROWS, (), ("accounts", "events", "settings")),
    Scenario("append: new rows", ROWS,
             "insert into events(kind, at) values ('d', 4), ('e', 5)", (), ("events",)),
    Scenario("append: new rows near the quota", ROWS,
             "insert into events(kind, at) values ('d', 4), ('e', 5);"
             "insert into bq_sync_loads values ('p.d.events', strftime('%s') / 3600 - 1, 1490)", (), ("events",)),
    Scenario("append: an update", ROWS,
             "update events set kind = 'z' where id = 2; insert into events(kind, at) values ('d', 4)", (),
             ("events",)),
    Scenario("upsert: new rows only", ROWS,
             "insert into accounts values (4, 'd@x', 4, null)", (), ("accounts",)),
    Scenario("upsert: insert, update, delete", ROWS,
             "insert into accounts values (4, 'd@x', 4, null); update accounts set note = 'uno' where id = 1;"
             "delete from accounts where id = 2", (), ("accounts",)),
    Scenario("upsert: more than a statement carries", ROWS,
             "insert into accounts values (4, 'd@x', 4, null); delete from accounts where id = 2;"
             "update accounts set note = hex(zeroblob(600000)) where id = 1", (), ("accounts",)),
    Scenario("upsert: an immutable column", DAYS,
             "update logged_days set note = 'two' where day = '2010-01-02'; insert into logged_days values"
             " (9, '2010-01-02', 'new')", (), ("logged_days",)),
    Scenario("upsert: an immutable column changed", DAYS,
             "update logged_days set day = '2011-01-01' where id = 1; update logged_days set note = 'two' where id = 4",
             (), ("logged_days",)),
    Scenario("upsert: changed keys", ROWS,
             "update accounts set id = 9 where id = 1; update memberships set person = 'eve' where person = 'bob'",
             (), ("accounts", "memberships")),
    Scenario("upsert: REPLACE and rekey", ROWS,
             "insert or replace into accounts values (9, 'a@x', 9, null); delete from devices where serial = 's-1';"
             "insert into devices values ('s-1', 0, 9)", (), ("accounts", "devices")),
    Scenario("upsert: a fixed reject", ROWS,
             "update everything set i = 2 where id = 2; update everything set s = 'z' where id = 1", (),
             ("everything",)),
    Scenario("append: a fixed reject", MISFIT,
             "update events set payload = '[]' where id = 2; insert into events(kind, at) values ('d', 4)", (),
             ("events",)),
    Scenario("upsert: a reject stays", ROWS, "update everything set s = 'z' where id = 1", (), ("everything",),
             status=1),
    Scenario("upsert: a key respelled", RESPELLED,
             "update key_moments set at = '2024-01-01T00:00:00Z', v = 'uno' where v = 'one';"
             "insert into key_moments values ('2024-01-02T00:00Z', 'beside');"
             "delete from key_moments where v = 'two'", (), ("key_moments",)),
    Scenario("upsert: a partial unique index", INDEXED,
             "update or replace things set active = 1 where id = 2", (), ("things",)),
    Scenario("replace: a change", ROWS,
             "update settings set value = 'light' where name = 'theme'; delete from settings where name = 'lang'",
             (), ("settings",)),
    Scenario("replace: emptied", ROWS, "delete from settings", (), ("settings",)),
    Scenario("replace: in parts", MANY_DAYS, "update logged_days set note = 'two', day = date(day, '1 day')", (),
             ("logged_days",)),
    Scenario("full sync", ROWS, "update accounts set note = 'x'; delete from events where id = 1", ("--full",),
             ("accounts", "events")),
    Scenario("full sync: rejects keep their versions", ROWS,
             "update accounts set balance = 'much' where id = 2; update accounts set note = 'uno' where id = 1;"
             "delete from accounts where id = 3", ("--full",), ("accounts",), status=1),
    Scenario("full sync: rejects of respelled keys", RESPELLED,
             "update key_moments set v = x'ff' where v = 'one'; update key_moments set v = 'zwei' where v = 'two';"
             "insert into key_moments values ('2024-01-01T00:00Z', 'beside')", ("--full",), ("key_moments",),
             status=1),
    Scenario("deleted rows are marked", STAY, STAY_CHANGE, (), ("marked",)),
    Scenario("deleted rows are marked by a full sync", STAY, STAY_CHANGE, ("--full",), ("marked", "marked_small")),
    Scenario("deleted rows are marked: emptied", STAY, "delete from marked", ("--full",), ("marked",)),
    Scenario("deleted rows are kept", STAY, STAY_CHANGE, (), ("kept", "kept_scanned")),
    Scenario("deleted rows are kept by a full sync", STAY, STAY_CHANGE, ("--full",), ("kept", "kept_log")),
    Scenario("deleted rows are kept: nothing else", STAY, "delete from kept where id = 1", (), ("kept",)),
    Scenario("reset", ROWS, "delete from bq_sync_tracking where table_name = 'accounts'", (), ("accounts",)),
    Scenario("capture interrupted", ROWS,
             "drop trigger bq_sync_update_accounts; update accounts set note = 'unseen' where id = 1", (),
             ("accounts",)),
    Scenario("reset before the intent", ROWS, MEANWHILE.format(when=BEFORE_INTENT, what=RESET), (), ("accounts",)),
    Scenario("reset after the intent", ROWS, MEANWHILE.format(when=AFTER_INTENT, what=RESET), (), ("accounts",)),
    Scenario("repair before the intent", ROWS, MEANWHILE.format(when=BEFORE_INTENT, what=DISTRUST), (), ("accounts",)),
    Scenario("repair after the intent", ROWS, MEANWHILE.format(when=AFTER_INTENT, what=DISTRUST), (), ("accounts",)),
    Scenario("intent of another dataset", ROWS, "insert into accounts values (4, 'd@x', 4, null)", (), ("accounts",),
             leave_an_intent_elsewhere),
    Scenario("target dropped", ROWS, "insert into accounts values (4, 'd@x', 4, null)", (), ("accounts",),
             drop_target),
    Scenario("column dropped in BigQuery", ROWS, "insert into accounts values (4, 'd@x', 4, null)", (), ("accounts",),
             drop_column),
    Scenario("source restored", ROWS, "update accounts set note = 'kept' where id = 2", (), ("accounts",),
             restore_backup),
    Scenario("target restored", ROWS, "insert into accounts values (4, 'd@x', 4, null)", (), ("accounts",),
             restore_target),
    Scenario("label left behind", ROWS, "insert into accounts values (4, 'd@x', 4, null)", (), ("accounts",),
             kill_follower),
    Scenario("label left behind, source restored", ROWS, "insert into accounts values (4, 'd@x', 4, null)", (),
             ("accounts",), restore_followed),
    Scenario("columns swapped", ROWS,
             "alter table memberships rename column role to swapped;"
             "alter table memberships rename column since to role;"
             "alter table memberships rename column swapped to since; update memberships set since = null", (),
             ("memberships",)),
    Scenario("definition changed", ROWS, "update accounts set note = 'uno' where id = 1", (), ("accounts",),
             change_definition),
]

# With the control tables in another file there is no capture to lose, and bqsync adds nothing to the source.
SCANNED = [scenario for scenario in SCENARIOS if scenario.name in (
    "first sync", "append: new rows", "append: an update", "upsert: insert, update, delete", "upsert: changed keys",
    "upsert: a fixed reject", "append: a fixed reject", "upsert: a reject stays", "upsert: a key respelled",
    "upsert: a partial unique index", "replace: a change", "replace: emptied", "full sync",
    "full sync: rejects keep their versions", "full sync: rejects of respelled keys", "deleted rows are marked",
    "deleted rows are kept", "deleted rows are kept: nothing else", "target dropped",
    "column dropped in BigQuery", "source restored")]
