"""What an upgrade, a downgrade, a move, a restore and a removal do to a running mirror."""

import json
import pathlib
import re
import sqlite3
import unittest

from tests.e2e.earlier.record import CHANGES, HERE, ROWS
from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import SHAPES, Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UPDATE = "update accounts set note = 'uno' where id = 1"
OURS = "select type, name, sql from sqlite_master where name like 'bq_sync%' order by 1, 2"


class UpgradeTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.script(ROWS)
        self.app.sync()

    def assert_equal(self, app=None):
        reports = mirror.compare(str((app or self.app).path), self.bq.url, "p", "d", ROOT / "tests/schemas", ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def assert_goes_on(self):
        """The next passes send what changed and nothing else."""
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})
        self.app.execute(UPDATE)
        accounts = self.app.table(self.app.sync(), "accounts")
        self.assertEqual(("merge", 1), (accounts["mode"], accounts["rows_updated"]))
        self.assert_equal()

    # Control tables

    def test_what_the_release_before_left_is_taken_over_and_nothing_is_sent_again(self):
        self.app.script(CHANGES)
        self.app.sync()
        # BigQuery has the rows of the recording now. What else that release left takes the place of ours.
        for path in self.app.folder.glob("app.db*"):
            path.unlink()
        self.app.script((HERE / "source.sql").read_text())
        for table, labels in json.loads((HERE / "labels.json").read_text()).items():
            self.bq.patch(f"datasets/d/tables/{table}", {"labels": labels})

        self.assert_goes_on()

    def test_control_tables_of_an_earlier_layout_are_completed_and_progress_is_kept(self):
        self.app.script("""
            alter table bq_sync_tracking drop column source_rows;
            alter table bq_sync_intents drop column row_count;
            alter table bq_sync_tracking drop column epoch;
            alter table bq_sync_intents drop column project;
            alter table bq_sync_intents drop column dataset;
            alter table bq_sync_intents drop column location;
            drop table bq_sync_loads;
            update bq_sync_meta set value = '0' where name = 'schema_version'""")

        self.assert_goes_on()

        self.assertEqual([("1",)], self.app.execute("select value from bq_sync_meta where name = 'schema_version'"))

    def test_tables_that_were_scanned_by_a_version_that_hashed_rows_in_another_way_are_sent_once(self):
        bq = self.enterContext(Bqlocal(datasets=["s"]))
        app = self.enterContext(Deployment(bq, state="state.db", dataset="s"))
        app.script(ROWS)
        app.sync()
        # As that version left them: a row for each key, under a hash of which this one knows nothing.
        with sqlite3.connect(app.folder / "state.db") as state:
            for table, keys in (("accounts", 1), ("events", 1), ("memberships", 2)):
                columns = ", ".join(f"bq_sync_key_{number + 1}" for number in range(keys))
                for kind in ("shadow", "pending"):
                    state.executescript(f"drop table bq_sync_{kind}_{table}; create table bq_sync_{kind}_{table}"
                                        f"({columns}, bq_sync_hash integer, primary key ({columns})) without rowid")
            state.execute("insert into bq_sync_shadow_accounts values (1, 1), (2, 2), (3, 3), (4, 4)")
            state.execute("alter table bq_sync_shadows drop column hash_version")
        app.execute("delete from accounts where id = 2")

        statuses = {table["table"]: (table["status"], table["mode"]) for table in app.sync()["tables"]}

        self.assertEqual(("synced", "replace"), statuses["accounts"])
        self.assertEqual(("synced", "replace"), statuses["events"])
        self.assertEqual({"unchanged"}, {table["status"] for table in app.sync()["tables"]})
        app.execute(UPDATE)
        accounts = app.table(app.sync(), "accounts")
        self.assertEqual(("merge", 1), (accounts["mode"], accounts["rows_updated"]))
        reports = mirror.compare(str(app.path), bq.url, "p", "s", ROOT / "tests/schemas", ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def test_progress_of_a_version_that_noted_less_of_the_columns_counts(self):
        for length in (23, 14):
            with self.subTest(length=length):
                self.app.execute(f"update bq_sync_tracking set content_hash = substr(content_hash, 1, {length})")
                self.app.execute("update accounts set note = note || '!' where id = 1")

                accounts = self.app.table(self.app.sync(), "accounts")

                self.assertEqual(("merge", 1), (accounts["mode"], accounts["rows_updated"]))
                self.assert_equal()
        self.assert_goes_on()

    def test_what_a_later_version_added_to_the_same_layout_is_left_alone(self):
        self.app.script("""
            alter table bq_sync_tracking add column later text not null default 'kept';
            create table bq_sync_later(name text);
            insert into bq_sync_meta values ('later', 'kept')""")

        self.assert_goes_on()

        self.assertEqual([("kept",)], self.app.execute("select distinct later from bq_sync_tracking"))
        self.assertEqual([("kept",)], self.app.execute("select value from bq_sync_meta where name = 'later'"))

    def test_a_later_layout_is_refused_before_anything_is_touched_and_the_advice_helps(self):
        self.app.execute("update bq_sync_meta set value = '99' where name = 'schema_version'")
        self.app.execute(UPDATE)
        before = self.app.execute(OURS)
        self.bq.clear_requests()

        status, _, err = self.app.run("sync")

        self.assertEqual(6, status, err)
        [line] = [line for line in err.splitlines() if line.startswith("bqsync: ")]
        self.assertIn("have version 99, this bqsync knows up to 1", line)
        self.assertIn("pass ended early kind=incremental", err)
        self.assertNotIn("pass done", err)
        self.assertEqual(before, self.app.execute(OURS))
        self.assertEqual([], [request for request in self.bq.requests() if request["method"] != "GET"])

        self.assertEqual(0, self.app.run("status")[0])
        self.assertIn("drop the tables bq_sync_*, but bq_sync_capture and bq_sync_dirty_*", err)
        for name, in self.app.execute("select name from sqlite_master where type = 'table' and name like 'bq_sync%'"
                                      " and name <> 'bq_sync_capture' and name not like 'bq_sync_dirty%'"):
            self.app.execute(f"drop table {name}")
        self.app.execute("update accounts set note = 'dos' where id = 2")
        self.assertEqual("replace", self.app.table(self.app.sync(), "accounts")["mode"])
        self.assert_equal()

    def test_each_command_that_tells_of_a_sync_or_writes_refuses_a_later_layout(self):
        self.app.execute("update bq_sync_meta set value = '99' where name = 'schema_version'")
        self.app.execute(UPDATE)
        before = self.app.execute(OURS)

        status, out, err = self.app.run("check")
        self.assertEqual(1, status, err)
        [finding] = [line for line in out.splitlines() if "control tables:" in line]
        self.assertRegex(finding, "^FAIL .*have version 99, this bqsync knows up to 1")
        for command in ("plan", "sync", "reset accounts", "forget accounts 99999", "capture install", "capture prune",
                        "capture remove", "capture remove accounts"):
            with self.subTest(command):
                status, out, err = self.app.run(*command.split())
                self.assertEqual((6, ""), (status, out), err)
                self.assertIn("have version 99, this bqsync knows up to 1", err)
        for command in ("status", "capture show", "rejects", "verify"):
            with self.subTest(command):
                self.assertEqual(0, self.app.run(*command.split())[0])
        self.assertEqual(before, self.app.execute(OURS))

    def test_triggers_of_another_version_are_replaced_and_their_table_is_sent_again(self):
        (name, sql), *_ = self.app.execute(
            "select name, sql from sqlite_master where type = 'trigger' and tbl_name = 'accounts'")
        self.app.execute(f"drop trigger {name}")
        self.app.execute(sql.replace("begin", "begin select 1;", 1) if "begin" in sql
                         else sql.replace("BEGIN", "BEGIN select 1;", 1))

        tables = {table["table"]: table for table in self.app.sync()["tables"]}

        self.assertEqual("replace", tables["accounts"]["mode"])
        self.assertEqual("unchanged", tables["events"]["status"])
        self.assertEqual([(sql,)], self.app.execute("select sql from sqlite_master where name = ?", (name,)))
        self.assert_goes_on()

    def leave_a_table_without_a_definition(self):
        """Its capture, as a binary that knew a table `gone` left it; a query that counts what there is of it."""
        self.app.execute("create table gone(id integer primary key, email text not null unique, balance, note)")
        ours = "select sql from sqlite_master where name like 'bq_sync%accounts%' and sql is not null order by type"
        for sql, in self.app.execute(ours):
            self.app.execute(sql.replace("accounts", "gone"))
        left = "select count(*) from sqlite_master where name like 'bq_sync%gone%'"
        self.assertGreater(self.app.execute(left), [(1,)])
        return left

    def test_what_a_table_without_a_definition_left_is_warned_of_and_cleared_away(self):
        left = self.leave_a_table_without_a_definition()
        count = self.app.execute(left)

        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})
        self.assertEqual(count, self.app.execute(left))
        warning = next(check for check in self.app.json("check")["checks"] if check["name"] == "capture")
        self.assertEqual("warn", warning["status"])
        self.assertIn("gone. `bqsync capture prune`", warning["message"])
        self.assertEqual(0, self.app.run("capture", "install")[0])
        self.assertEqual(count, self.app.execute(left))
        self.assertEqual((0, "removed: gone\n"), self.app.run("capture", "prune")[:2])
        self.assertEqual((0, "nothing to remove\n"), self.app.run("capture", "prune")[:2])
        self.assertEqual(2, self.app.run("capture", "prune", "accounts")[0])

        self.assertEqual([(0,)], self.app.execute(left))
        self.app.execute("insert into gone values (1, 'a@x', null, null)")
        self.assertNotIn("capture", [check["name"] for check in self.app.json("check")["checks"]])
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})
        self.assert_goes_on()

    def test_a_pruned_table_is_named_whole_whatever_its_name(self):
        names = ["a b", "sold, or lent", "x" * 600]
        for name in names:
            self.app.execute(f'create table "bq_sync_dirty_{name}"(id integer primary key)')

        self.assertEqual({"pruned": names}, self.app.json("capture", "prune"))

        self.assertEqual({"pruned": []}, self.app.json("capture", "prune"))

    def test_what_a_table_without_a_definition_left_goes_with_the_capture_of_all(self):
        left = self.leave_a_table_without_a_definition()

        self.assertEqual(0, self.app.run("capture", "remove")[0])

        self.assertEqual([(0,)], self.app.execute(left))
        self.assertEqual({"replace"}, {table["mode"] for table in self.app.sync()["tables"]})
        self.assert_equal()

    # Schema changes

    def test_a_column_that_no_definition_lists_costs_nothing(self):
        self.app.execute("alter table accounts add column theirs text")

        self.assert_goes_on()

    def test_a_renamed_column_fails_its_table_until_it_is_back(self):
        self.app.execute("alter table accounts rename column note to remark")

        run = self.app.sync(status=1)

        self.assertIn("lacks the column note", self.app.table(run, "accounts")["error"]["message"])
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"] if table["table"] != "accounts"})
        self.app.execute("alter table accounts rename column remark to note")
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def pretend_another_definition(self):
        """What a binary with another definition of accounts leaves behind."""
        self.bq.patch("datasets/d/tables/accounts", {"labels": {"bqsync_shape": "another"}})
        self.app.execute("update bq_sync_tracking set content_hash = 'another' where table_name = 'accounts'")

    def test_a_wider_type_widens_the_column_and_sends_the_table_again(self):
        self.bq.query("drop table d.accounts")
        self.bq.query("create table d.accounts(id int64 not null, email string, balance int64, note string)")
        self.pretend_another_definition()

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual("replace", accounts["mode"])
        types = {field["name"]: field["type"] for field in self.bq.table("d", "accounts")["schema"]["fields"]}
        self.assertEqual("NUMERIC", types["balance"])
        self.assert_goes_on()

    def test_a_column_that_left_the_definition_stays_in_bigquery(self):
        self.bq.query("alter table d.accounts add column former string")
        self.pretend_another_definition()

        status, _, err = self.app.run("sync")

        self.assertEqual(0, status, err)
        self.assertIn("former", err)
        self.assertEqual({None}, {row["former"] for row in self.bq.rows("d", "accounts")})

    # Moving and restoring

    def copy(self):
        """The database on another machine, by SQLite's own backup."""
        other = self.enterContext(Deployment(self.bq, schema=""))
        with self.app.connect() as source, other.connect() as target:
            source.backup(target)
        return other

    def test_a_copy_with_its_control_tables_goes_on_where_the_original_stopped(self):
        self.app.execute(UPDATE)
        self.app = self.copy()

        accounts = self.app.table(self.app.sync(), "accounts")

        self.assertEqual(("merge", 1), (accounts["mode"], accounts["rows_updated"]))
        self.assert_equal()

    def test_of_two_copies_that_both_go_on_the_one_behind_replaces_the_table(self):
        other = self.copy()
        self.app.execute(UPDATE)
        self.app.sync()
        other.execute("update accounts set note = 'dos' where id = 2")

        self.assertEqual("replace", other.table(other.sync(), "accounts")["mode"])
        self.assert_equal(other)

    # Removing

    def remove(self, app):
        text = (ROOT / "docs/operations.md").read_text().split("### Removing bqsync")[1]
        commands = re.search(r"```sh\n(.*?)```", text, re.S)[1]
        self.assertIn("bqsync capture remove\n", commands)
        script = re.search(r'sqlite3 app.db "(.*?)"', commands, re.S)[1]
        self.assertEqual(0, app.run("capture", "remove")[0])
        app.script(script)

    def test_the_documented_removal_leaves_the_database_as_it_was(self):
        self.remove(self.app)

        self.assertEqual([], self.app.execute(OURS))
        with sqlite3.connect(":memory:") as fresh:
            fresh.executescript(SHAPES)
            kept = "select type, name, tbl_name, sql from sqlite_master order by 1, 2, 3"
            self.assertEqual(fresh.execute(kept).fetchall(), self.app.execute(kept))
        self.app.execute(UPDATE)
        self.assertEqual(3, self.bq.scalar("select count(*) from d.accounts"))

    def test_removal_leaves_nothing_of_scans_and_converted_keys(self):
        schema = ("create table times(k text primary key, v, n); create table names(k text primary key, v, n);"
                  "create unique index upper on names(upper(v))")
        app = self.enterContext(Deployment(self.bq, program="bqsync_keys", schema=schema, dataset="d"))
        before = app.execute("select type, name, sql from sqlite_master order by 1, 2")
        app.script("insert into times(k) values ('2024-01-01'); insert into names(k) values ('n')")
        app.sync("times", "names")
        shadows = "select count(*) from sqlite_master where name like 'bq_sync_shadow\\_%' escape '\\'"
        self.assertEqual([(2,)], app.execute(shadows))
        app.execute("update names set v = 'one'")

        self.remove(app)

        self.assertEqual(before, app.execute("select type, name, sql from sqlite_master order by 1, 2"))


if __name__ == "__main__":
    unittest.main()
