"""`bqsync forget`: keys that are gone from SQLite are erased from BigQuery."""

import contextlib
import json
import sqlite3
import unittest

from tests.e2e.test_deletes import KEPT, MARKED, SCHEMA
from tests.e2e.test_history_target import SOURCE
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

# A version of each kind of key, as a log holds them, and a row that a table keeps although SQLite has lost it.
VERSION = ("insert into d.{log} ({names}, _bqsync_operation, _bqsync_at, _bqsync_generation, _bqsync_run) "
           "select {values}, 'insert', current_timestamp(), 1, 'r'")


class ForgetTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_history", schema=SOURCE))
        self.app.sync()
        for log in ("users_changes", "order_lines_changes", "settings_changes"):
            self.bq.query(f"truncate table d.{log}")

    def version(self, table, names, values, rows=1):
        for _ in range(rows):
            self.bq.query(VERSION.format(log=table + "_changes", names=names, values=values))

    def kept(self, table, names, values):
        self.bq.query(f"insert into d.{table} ({names}) select {values}")

    def forget(self, *words, status=0):
        return self.app.json("forget", *words, status=status)

    def ids(self, table):
        return sorted(row["id"] for row in self.bq.query(f"select id from d.{table}"))

    def test_rows_and_versions_of_the_key_are_erased_and_no_others(self):
        self.kept("users", "id, name", "17, 'Gone'")
        self.version("users", "id, name", "17, 'Gone'", rows=3)
        self.version("users", "id, name", "1, 'Ann'")
        status, out, err = self.app.run("forget", "users", "17", "99")
        self.assertEqual(0, status, err)
        self.assertIn("users 17: 1 row and 3 versions of its history erased\nusers 99: nothing found of the key as the definition converts it\nbilled ", out)
        self.assertEqual([1, 2], self.ids("users"))
        self.assertEqual([1], self.ids("users_changes"))
        self.assertEqual({True}, {table["equal"] for table in self.app.json("verify")["tables"]})

        again = self.forget("users", "17")

        self.assertEqual([{"key": "17", "rows": 0, "versions": 0}], again["keys"])

    def test_a_key_that_sqlite_still_has_is_refused_and_nothing_is_erased(self):
        self.kept("users", "id", "17")
        for words in (("17", "1"), ("1",)):
            status, _, err = self.app.run("forget", "users", *words)
            self.assertEqual(1, status)
            self.assertIn("users still has a row of this key in SQLite: 1.", err)
        self.assertEqual([1, 2, 17], self.ids("users"))
        # A row that the filter leaves out is still there.
        self.app.execute("insert into lines values (5, x'05', -1, null, null)")
        self.assertEqual(1, self.app.run("forget", "lines", '[5, "05"]')[0])

    def test_a_deletion_that_was_not_synced_is_sent_before(self):
        self.version("users", "id, name", "2, 'Bob'")
        self.app.execute("delete from users where id = 2")

        self.forget("users", "2")

        self.assertEqual([1], self.ids("users"))
        self.assertNotIn(2, self.ids("users_changes"))
        self.app.sync()
        self.assertNotIn(2, self.ids("users_changes"))

    def test_keys_are_named_by_their_type(self):
        self.version("order_lines", "order_id, code", "7, b'\\x00\\xff'")
        self.version("settings", "name, value", "'it''s [1]', 'x'".replace("''", "\\'"))

        self.assertEqual([{"key": [7, "00FF"], "rows": 0, "versions": 1}], self.forget("lines", '[7, "00FF"]')["keys"])
        self.assertEqual([{"key": "it's [1]", "rows": 0, "versions": 1}], self.forget("settings", "it's [1]")["keys"])
        self.assertEqual([], self.bq.query("select * from d.order_lines_changes"))
        self.assertEqual([], self.bq.query("select * from d.settings_changes"))

    def test_what_is_no_key_is_said(self):
        for words, message in (
                (("users", "abc"), "abc cannot be a key of users: id is not an integer"),
                (("lines", "7"), "7 cannot be a key of lines: a key of several columns is named by a JSON array"),
                (("lines", '[7]'), "[7] cannot be a key of lines: a key of several columns is named by a JSON array"),
                (("lines", '[7, null]'), "[7, null] cannot be a key of lines: it needs one value"),
                (("lines", '[7, "xy"]'), '[7, "xy"] cannot be a key of lines: BYTES are named by their hex digits'),
                (("users",), "bqsync forget needs a table and the keys to erase from it"),
                (("user", "1"), "unknown table user (did you mean users?)")):
            with self.subTest(words):
                status, _, err = self.app.run("forget", *words)
                self.assertEqual(2, status, err)
                self.assertIn(message, err)

    def test_a_table_that_does_not_fit_is_told_as_a_sync_tells_it(self):
        self.version("users", "id", "17")
        for change in ("alter table users drop column name", "drop table users"):
            self.app.execute(change)
            message = self.app.table(self.app.sync(status=1), "users")["error"]["message"]
            for options in ((), ("--dry-run",)):
                status, _, err = self.app.run("forget", "users", "17", *options)
                self.assertEqual(1, status)
                self.assertIn(message, err)
        self.assertIn("table users does not exist in ", message)
        self.assertEqual([17], self.ids("users_changes"))

    def test_a_log_that_is_left_of_a_history_is_searched(self):
        self.version("users", "id, name", "17, 'Gone'", rows=2)
        self.app.program = str(BUILD / "bqsync_history_changed")

        self.assertEqual([{"key": "17", "rows": 0, "versions": 2}], self.forget("users", "17")["keys"])

        self.assertEqual([], [row for row in self.bq.rows("d", "users_changes") if row["id"] == 17])

    def test_a_dry_run_erases_nothing(self):
        self.version("users", "id", "17")
        self.bq.clear_requests()

        _, out, _ = self.app.run("forget", "users", "17", "--dry-run")

        self.assertIn("users 17: 0 rows and 1 version of its history would be erased\n", out)
        self.assertEqual([17], self.ids("users_changes"))

    def test_the_key_stands_in_no_statement(self):
        self.version("settings", "name", "'secret-person'")
        before = {job["id"] for job in self.jobs()}

        self.forget("settings", "secret-person")

        new = [job for job in self.jobs() if job["id"] not in before]
        self.assertTrue(any("delete from" in json.dumps(job) for job in new))
        self.assertNotIn("secret-person", json.dumps(new))

    def jobs(self):
        return self.bq.get("jobs?projection=full&maxResults=1000")["jobs"]

    def test_billed_bytes_are_reported_and_kept(self):
        self.version("users", "id", "17")

        told = self.forget("users", "17")["bytes_billed"]

        self.assertGreaterEqual(told, 3 * 10 << 20)
        self.assertGreaterEqual(self.app.json("status")["bytes_billed_today"], told)

    def test_it_takes_the_budget_of_the_day(self):
        self.version("users", "id", "17")

        status, _, err = self.app.run("forget", "users", "17", BQ_MAX_BYTES_BILLED_PER_DAY="11M")

        self.assertEqual(1, status)
        self.assertIn("BQ_MAX_BYTES_BILLED_PER_DAY", err)
        self.assertEqual([17], self.ids("users_changes"))


class KeptRowsTest(unittest.TestCase):
    """Tables that mark or keep what SQLite deletes."""

    def test_a_row_that_sqlite_has_deleted_is_erased_and_others_stay(self):
        tables = MARKED + KEPT
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(bq, program="bqsync_deletes", schema=SCHEMA))
        for table in tables:
            app.script("".join(f"insert into {table}(id, name) values ({n}, 'n{n}');" for n in (1, 2, 3)))
        app.sync(*tables)
        for table in tables:
            app.execute(f"delete from {table} where id > 1")
        app.sync(*tables)
        for table in tables:
            with self.subTest(table=table):
                named = {number: f"n{number}" if table.endswith("_words") else str(number) for number in (1, 2)}

                erased = app.json("forget", table, named[2])["keys"]
                refused = app.run("forget", table, named[1])[0]

                self.assertEqual([{"key": named[2], "rows": 1, "versions": 0}], erased)
                self.assertEqual(1, refused)
                self.assertEqual([1, 3], sorted(row["id"] for row in bq.query(f"select id from d.{table}")))
                app.sync(table)
                verified = app.table(app.json("verify", table), table)
                self.assertEqual((True, 1), (verified["equal"], verified["kept"]))


    def test_what_was_sent_before_the_key_was_hashed_is_erased_too(self):
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(bq, program="bqsync_deletes_before", schema=SCHEMA))
        app.script("insert into kept_hashed(id, name) values (1, 'a'), (2, 'b')")
        app.sync("kept_hashed")
        app.execute("delete from kept_hashed where name = 'a'")
        app.sync("kept_hashed")
        app.program = str(BUILD / "bqsync_deletes")
        app.sync("kept_hashed")
        app.execute("delete from kept_hashed")
        self.assertEqual(["a", "b"], sorted(row["name"] for row in bq.rows("d", "kept_hashed") if len(row["name"]) == 1))

        found = {key["key"]: key["rows"] for key in app.json("forget", "--dry-run", "kept_hashed", "a", "b")["keys"]}
        erased = {key["key"]: key["rows"] for key in app.json("forget", "kept_hashed", "a", "b")["keys"]}
        status, out, _ = app.run("forget", "kept_hashed", "a")

        self.assertEqual({"a": 1, "b": 2}, found)
        self.assertEqual(found, erased)
        self.assertEqual([], bq.rows("d", "kept_hashed"))
        self.assertEqual(0, status)
        self.assertIn("kept_hashed a: nothing found of the key as the definition converts it, nor as it is in SQLite", out)

    def test_nothing_of_the_key_stays_in_the_state(self):
        # The highest id that was ever synced is the position, which stays.
        person, reject, highest = 987654321, 987650000, 999999999
        for state in (None, "state.db"):
            bq = self.enterContext(Bqlocal(datasets=["d"]))
            app = self.enterContext(Deployment(bq, program="bqsync_deletes", schema=SCHEMA, state=state))
            for table in MARKED + KEPT:
                app.execute(f"insert into {table}(id, name, made_at) values ({highest}, 'n', null), ({person}, '{person}', null),"
                            f" ({reject}, '{reject}', 'never')")
            app.sync(*MARKED, *KEPT, status=1)
            for table in MARKED + KEPT:
                app.execute(f"delete from {table} where id < {highest}")
                with self.subTest(table=table, state=state):
                    self.assertIn(str(reject), self.state_of(app))

                    erased = app.json("forget", table, str(person), str(reject))["keys"]

                    self.assertEqual([1, 0], [key["rows"] for key in erased])
                    self.assertNotIn(str(person), self.state_of(app, table))
                    self.assertNotIn(str(reject), self.state_of(app, table))

    @staticmethod
    def state_of(app, table=None):
        """All that the control tables hold, or what they hold of one table."""
        path = app.folder / "state.db" if (app.folder / "state.db").exists() else app.path
        with contextlib.closing(sqlite3.connect(path)) as db:
            names = [name for name, in db.execute(
                "select name from sqlite_master where type = 'table' and name like 'bq!_sync!_%' escape '!'")]
            rows = [(name, row) for name in names for row in db.execute(f'select * from "{name}"')]
        return repr([row for name, row in rows if table is None or name.endswith("_" + table) or table in row])


# Of each table of bqsync_keys: the key as SQLite has it, and as its owner names it.
KEYS = (
    ("amounts", "1.50", "1.50"), ("blobs", "x'00ff'", "00ff"), ("days", "'2024-02-29'", "2024-02-29"),
    ("digests", "'a@x'", "a@x"), ("flags", "1", "true"), ("names", "'a'", "a"), ("numbers", "-7", "-7"),
    ("times", "'2024-02-29 12:00:00'", "2024-02-29T12:00:00Z"))


class KeyTypesTest(unittest.TestCase):
    """Keys are converted and hashed as a sync does: what BigQuery has is found by the value that SQLite had."""

    def test_each_type_of_key(self):
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(bq, program="bqsync_keys", schema="".join(
            f"create table {table}(k, v text, n integer, primary key (k));" for table, _, _ in KEYS)))
        tables = [table for table, _, _ in KEYS]
        for table, stored, _ in KEYS:
            app.execute(f"insert into {table} values ({stored}, 'gone', 1)")
        app.sync(*tables)
        for table, stored, _ in KEYS:
            bq.query(f"create table d.{table}_copy as select * from d.{table}")
            app.execute(f"delete from {table}")
        app.sync(*tables)
        for table, stored, named in KEYS:
            with self.subTest(table=table):
                bq.query(f"insert into d.{table} select * from d.{table}_copy")

                status, out, err = app.run("forget", "--json", "--", table, named)

                self.assertEqual(0, status, err)
                self.assertEqual([{"key": named, "rows": 1, "versions": 0}], json.loads(out)["keys"])
                self.assertEqual([], bq.query(f"select * from d.{table}"))


if __name__ == "__main__":
    unittest.main()
