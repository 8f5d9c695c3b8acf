"""Every version of every row is in the log of its table, once, and the log shows the table as it was."""

import contextlib
import decimal
import os
import random
import sqlite3
import unittest

from tests.e2e.histories import HistoryTest
from tests.support import changelog, mirror
from tests.support.crash_world import DEFINITIONS
from tests.support.deployment import BUILD

SHIM = BUILD / "tests" / "support" / "libclock_shim.so"


class OperationsTest(HistoryTest):
    def setUp(self):
        super().setUp()
        self.app.script("insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two')")
        self.run = self.sync("accounts")

    def test_the_first_sync_logs_each_row_as_an_insert(self):
        self.assertEqual([("1", "insert"), ("2", "insert")], self.operations())
        self.assertEqual({self.run["run_id"]}, {version.run for version in self.log().versions})
        self.check()

    def test_each_change_is_a_version_of_its_kind(self):
        self.app.script("insert into accounts values (3, 'c@x', 3, 'three'); update accounts set note = 'uno' where id = 1;"
                        "delete from accounts where id = 2")
        accounts = self.app.table(self.sync("accounts"), "accounts")

        self.assertEqual([("1", "update"), ("2", "delete"), ("3", "insert")], self.operations(since=2))
        self.assertEqual((1, 1, 1), tuple(accounts[f"rows_{what}"] for what in ("inserted", "updated", "deleted")))
        deleted = next(version for version in self.log().versions if version.operation == "delete")
        self.assertEqual(("2", None, None, None), deleted.cells)
        self.check()

    def test_changes_between_two_passes_are_one_version(self):
        self.app.script("update accounts set note = 'uno' where id = 1; update accounts set note = 'eins' where id = 1;"
                        "insert into accounts values (3, 'c@x', 3, null); update accounts set note = 'drei' where id = 3;"
                        "insert into accounts values (4, 'd@x', 4, null); delete from accounts where id = 4;"
                        "delete from accounts where id = 2; insert into accounts values (2, 'b@x', 2, 'again')")
        self.sync("accounts")

        self.assertEqual([("1", "update"), ("2", "update"), ("3", "insert")], self.operations(since=2))
        self.check()

    def test_a_key_that_comes_back_is_inserted_again(self):
        self.app.execute("delete from accounts where id = 1")
        self.sync("accounts")
        self.app.execute("insert into accounts values (1, 'z@x', 9, 'again')")
        self.sync("accounts")

        self.assertEqual([("1", "delete"), ("1", "insert")], self.operations(since=2))
        self.check()

    def test_replace_takes_the_place_of_another_row(self):
        self.app.execute("replace into accounts values (1, 'b@x', 5, 'took the address of 2')")
        self.sync("accounts")

        self.assertEqual([("1", "update"), ("2", "delete")], self.operations(since=2))
        self.check()

    def test_a_changed_key_is_a_deletion_and_an_insert(self):
        self.app.execute("update accounts set id = 7 where id = 1")
        self.sync("accounts")

        self.assertEqual([("1", "delete"), ("7", "insert")], self.operations(since=2))
        self.check()

    def test_a_row_that_changes_again_after_a_pass_has_failed(self):
        """What the first change found counts, whichever pass it was meant for."""
        self.app.execute("insert into accounts values (9, 'i@x', 9, null)")
        self.sync("accounts")
        first = ("insert into accounts values (5, 'e@x', 5, null)", "delete from accounts where id = 1",
                 "update accounts set note = 'zwei' where id = 2")
        then = ("update accounts set note = 'five' where id = 5", "insert into accounts values (1, 'a@x', 1, 'again')",
                "delete from accounts where id = 2")
        self.app.script(";".join(first))
        self.bq.faults({"method": "POST", "path": "/jobs", "action": "status", "status": 400, "count": 100})
        self.app.run("sync", "accounts")
        self.bq.clear_faults()
        self.app.script(";".join(then))
        self.sync("accounts")

        self.assertEqual([("1", "update"), ("2", "delete"), ("5", "insert")], self.operations(since=3))
        self.check()

    def test_a_pass_without_changes_logs_nothing(self):
        self.bq.clear_requests()
        self.sync("accounts")

        self.assertEqual(1, len(self.bq.requests()))
        self.assertEqual(2, len(self.operations()))

    def test_staged_changes_are_logged_as_those_in_a_statement(self):
        self.app.script("update accounts set note = hex(zeroblob(600000)) where id = 1;"
                        "insert into accounts values (3, 'c@x', 3, null); delete from accounts where id = 2")
        self.sync("accounts")

        self.assertEqual([("1", "update"), ("2", "delete"), ("3", "insert")], self.operations(since=2))
        self.check()

    def test_a_transaction_of_all_tables_has_their_logs(self):
        self.app.script("update accounts set note = 'uno' where id = 1; insert into settings values ('theme', 'dark')")
        self.sync("accounts", "settings", BQ_SYNC_ATOMIC="1")
        self.app.script("delete from accounts where id = 1; update settings set value = 'light'")
        run = self.sync("accounts", "settings", BQ_SYNC_ATOMIC="1")

        self.assertEqual([("1", "update"), ("1", "delete")], self.operations(since=2))
        self.assertEqual([("theme", "insert"), ("theme", "update")], self.operations("settings"))
        self.assertEqual(1, self.app.table(run, "accounts")["rows_deleted"])
        self.check("accounts", "settings")


class KindsTest(HistoryTest):
    def changes(self, table, *scripts, **environment):
        """Syncs after each script; the operations."""
        for script in scripts:
            self.app.script(script)
            self.sync(table, **environment)
        self.check(table)
        return self.operations(table)

    def test_mode_append(self):
        self.assertEqual(
            [("1", "insert"), ("2", "insert"), ("3", "insert"), ("1", "update"), ("2", "delete")],
            self.changes("events", "insert into events(kind) values ('a'), ('b')", "insert into events(kind) values ('c')",
                         "update events set kind = 'z' where id = 1; delete from events where id = 2"))

    def test_mode_replace_logs_differences(self):
        self.assertEqual(
            [("lang", "insert"), ("theme", "insert"), ("lang", "delete"), ("size", "insert"), ("theme", "update"),
             ("size", "delete"), ("theme", "delete")],
            self.changes("settings", "insert into settings values ('theme', 'dark'), ('lang', 'en')",
                         "update settings set value = 'light' where name = 'theme'; delete from settings where name = 'lang';"
                         "insert into settings values ('size', '12')", "delete from settings"))

    def test_a_composite_key(self):
        self.assertEqual(
            [("core", "insert"), ("core", "insert"), ("core", "delete"), ("core", "update")],
            self.changes("memberships", "insert into memberships values ('core', 'ann', 'lead', null), ('core', 'bob', null, null)",
                         "delete from memberships where person = 'ann'; update memberships set role = 'lead' where person = 'bob'"))

    def test_rows_that_enter_and_leave_a_filter_and_what_is_hidden(self):
        self.assertEqual(
            [("1", "insert"), ("1", "delete"), ("2", "insert")],
            self.changes("people", "insert into people values (1, 'a@x', 'Annette', 'phone one', 0), (2, 'b@x', 'Robert', 'phone two', 1)",
                         "update people set deleted = 1 - deleted", "update people set name = 'x' where id = 1"))
        log = repr(self.bq.rows("d", "people_changes"))
        for secret in ("a@x", "Annette", "Robert", "phone one", "phone two"):
            self.assertNotIn(secret, log)

    def test_a_scan_logs_as_triggers_do(self):
        self.app = self.deploy(state="state.db")
        self.assertEqual(
            [("1", "insert"), ("2", "insert"), ("1", "update"), ("2", "delete"), ("3", "insert")],
            self.changes("accounts", "insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)",
                         "update accounts set note = 'x' where id = 1; delete from accounts where id = 2;"
                         "insert into accounts values (3, 'c@x', 3, null)"))

    def test_a_rejected_row_has_no_version_until_it_fits(self):
        self.app.script("insert into everything(id, i) values (1, 1), (2, 'no number')")
        self.sync("everything", status=1)
        self.app.script("update everything set i = 'nor this' where id = 1")
        self.sync("everything", status=1)
        self.sync("everything", "--full", status=1)
        self.assertEqual([("1", "insert")], self.operations("everything"))

        self.app.script("update everything set i = id + 7")
        self.sync("everything")
        self.app.script("update everything set i = 'no more' where id = 1")
        self.sync("everything", status=1)
        self.app.script("delete from everything")
        self.sync("everything")
        self.assertEqual([("1", "update"), ("2", "insert"), ("1", "delete"), ("2", "delete")],
                         self.operations("everything", since=1))
        self.check("everything")

    def fail_to_sync(self, table):
        """A pass that creates what is missing in BigQuery, and can start no job."""
        self.bq.faults({"method": "POST", "path": "/jobs", "count": 0, "action": "status", "status": 403})
        self.sync(table, status=4)
        self.bq.clear_faults()

    def test_a_row_that_was_rejected_before_a_pass_that_failed(self):
        """The pass has published that nothing is rejected any more, so the next one does not meet the rows there."""
        self.app.script("create table marked_scanned(id integer primary key, n, note text, doc text);"
                        "insert into marked_scanned(id, n) values (1, 1), (2, 'no number'), (3, 'nor this')")
        self.sync("marked_scanned", status=1)
        self.app.script("delete from marked_scanned where id = 2; update marked_scanned set n = 3 where id = 3")
        self.fail_to_sync("marked_scanned")
        self.sync("marked_scanned")
        self.assertEqual([("1", "insert"), ("3", "insert")], self.operations("marked_scanned"))

    def test_every_type_is_compared_in_a_replacement(self):
        self.app.script("insert into everything(id, i, f, b, s, y, n, bn, d, t, dt, ts, j, g) values"
                        " (1, 1, 9e999, 1, 'x', x'00ff', '1.5', '2.5', '2020-02-29', '12:00:00', '2020-02-29T12:00:00',"
                        " '2020-02-29T12:00:00Z', '{\"b\": [1, 2.50], \"a\": null}', 'POINT(1 2)'), (2, null, null, null,"
                        " null, null, null, null, null, null, null, null, null, null)")
        self.sync("everything")
        self.sync("everything", "--full")
        self.assertEqual([("1", "insert"), ("2", "insert")], self.operations("everything"))

        self.app.script("drop table if exists copies; create table copies as select * from everything;")
        values = {"i": 2, "f": 1.5, "b": 0, "s": "y", "y": b"\1", "n": "1.25", "bn": "1.25", "d": "2021-01-01",
                  "t": "13:00:00", "dt": "2021-01-01T00:00:00", "ts": "2021-01-01T00:00:00Z", "j": "{}", "g": "POINT(3 4)"}
        for count, (column, value) in enumerate(values.items(), start=1):
            self.app.execute(f"update everything set {column} = ? where id = 1", (value,))
            self.sync("everything", "--full")
            self.assertEqual(2 + count, len(self.operations("everything")), column)
        self.check("everything")


class KeptRowsTest(HistoryTest):
    """The table keeps rows that are deleted in SQLite; the log knows that they are gone."""

    schema = "create table kept(id integer primary key, n, note, doc); create table marked(id integer primary key, n, note, doc)"

    def test_a_kept_row_is_deleted_and_inserted_again_in_the_log(self):
        for table in ("kept", "marked"):
            with self.subTest(table):
                for change in (f"insert into {table}(id, n) values (1, 1), (2, 2), (9, 9)", f"delete from {table} where id < 3",
                               f"insert into {table}(id, n) values (1, 3)", f"delete from {table} where id = 1"):
                    self.app.execute(change)
                    self.sync(table)
                self.sync(table, "--full")
                self.app.execute(f"insert into {table}(id, n) values (2, 4)")
                self.sync(table, "--full")

                self.assertEqual(
                    [("1", "delete"), ("2", "delete"), ("1", "insert"), ("1", "delete"), ("2", "insert")],
                    self.operations(table, since=3))
                self.assertEqual({1, 2, 9}, {row["id"] for row in self.bq.rows("d", table)})
                self.check(table)


class ReplacementsTest(HistoryTest):
    def setUp(self):
        super().setUp()
        self.app.script("insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two'), (3, 'c@x', 3, null)")
        self.sync("accounts")

    def test_a_full_sync_logs_differences_only(self):
        self.sync("accounts", "--full")
        self.assertEqual(3, len(self.operations()))

        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2;"
                        "insert into accounts values (4, 'd@x', 4, null)")
        self.sync("accounts", "--full")
        self.assertEqual([("1", "update"), ("2", "delete"), ("4", "insert")], self.operations(since=3))
        self.check()

    def test_a_reset_logs_differences_only(self):
        self.app.script("update accounts set note = 'uno' where id = 1")
        self.app.run("reset", "accounts")
        self.sync("accounts")
        self.assertEqual([("1", "update")], self.operations(since=3))
        self.check()

    def test_a_dropped_target_is_made_again_and_nothing_is_logged(self):
        self.bq.delete("datasets/d/tables/accounts")
        self.app.execute("delete from accounts where id = 2")
        self.sync("accounts")
        self.assertEqual([("2", "delete")], self.operations(since=3))
        self.check()

    def test_a_target_that_was_dropped_and_is_empty_now(self):
        self.bq.delete("datasets/d/tables/accounts")
        self.app.execute("delete from accounts")
        self.sync("accounts")
        self.assertEqual([("1", "delete"), ("2", "delete"), ("3", "delete")], self.operations(since=3))
        self.check()

    def test_a_restore_abandons_what_it_undid(self):
        copy = self.save("backup.db")
        self.app.script("update accounts set note = 'lost' where id = 1; delete from accounts where id = 2;"
                        "insert into accounts values (4, 'd@x', 4, 'lost')")
        self.sync("accounts")
        undone = self.log().versions[-1].at
        self.restore(copy)
        self.app.execute("update accounts set note = 'new' where id = 3")
        self.sync("accounts")

        log = self.log()
        self.assertEqual([("1", "update"), ("2", "delete"), ("4", "insert")],
                         sorted((version.key[0], version.operation) for version in log.versions if version.abandoned))
        self.assertEqual([("3", "update")], [(version.key[0], version.operation) for version in log.versions
                                             if not version.abandoned][3:])
        self.assertEqual({"one", "two", None}, {cells[3] for cells in log.rows(undone)})
        self.check()

    def test_a_restore_after_which_a_pass_is_killed(self):
        copy = self.save("backup.db")
        self.app.script("update accounts set note = 'lost' where id = 1")
        self.sync("accounts")
        self.restore(copy)
        self.bq.faults({"method": "POST", "path": "/jobs", "action": "status", "status": 400, "count": 100})
        self.app.run("sync", "accounts")
        self.bq.clear_faults()
        self.sync("accounts")

        self.assertEqual([("1", "update")], [(version.key[0], version.operation) for version in self.log().versions
                                             if version.abandoned])
        self.check()

    def test_a_target_that_was_restored_in_bigquery_changes_no_version(self):
        old = self.bq.table("d", "accounts")["labels"]["bqsync_generation"]
        self.app.execute("update accounts set note = 'newer' where id = 1")
        self.sync("accounts")
        self.bq.query("update d.accounts set note = 'one' where id = 1")
        self.bq.patch("datasets/d/tables/accounts", {"labels": {"bqsync_generation": old}})
        self.sync("accounts")

        self.assertEqual([("1", "update")], self.operations(since=3))
        self.check()


@unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
class ClockTest(HistoryTest):
    def test_a_clock_that_is_set_back_changes_no_order(self):
        self.app.script("insert into accounts values (1, 'a@x', 1.5, 'one')")
        self.sync("accounts")
        for number, shift in enumerate((86400, 0, -86400), start=1):
            self.app.execute("update accounts set note = ?", (str(number),))
            self.sync("accounts", LD_PRELOAD=str(SHIM), BQSYNC_CLOCK_SHIFT_S=str(shift))

        times = [version.at for version in self.log().versions]
        self.assertEqual([1, 1], [times[2] - times[1], times[3] - times[2]])
        self.check()


class FiftyPassesTest(HistoryTest):
    def test_the_table_as_of_each_pass_is_what_sqlite_held(self):
        """By values that are saved at each pass, with full syncs, resets and transactions among the passes."""
        rng = random.Random(50)
        saved = []
        for number in range(50):
            for _ in range(rng.randrange(1, 6)):
                key = rng.randrange(1, 15)
                self.app.execute(*rng.choice([
                    ("insert or ignore into accounts values (?, ?, ?, ?)", (key, f"{key}@x", key / 8, f"new {number}")),
                    ("replace into accounts values (?, ?, ?, ?)", (key, f"{rng.randrange(1, 15)}@x", None, f"put {number}")),
                    ("update accounts set note = ?, balance = ? where id = ?", (f"set {number}", number, key)),
                    ("update or ignore accounts set id = ? where id = ?", (rng.randrange(1, 15), key)),
                    ("delete from accounts where id = ?", (key,)),
                ]))
            if rng.random() < 0.1:
                self.app.run("reset", "accounts")
            options = {"BQ_SYNC_ATOMIC": "1"} if rng.random() < 0.2 else {}
            self.sync("accounts", *(["--full"] if rng.random() < 0.1 else []), **options)
            versions = self.log().versions
            saved.append((self.save(f"{number}.db"), max(version.at for version in versions)))

        endpoint = mirror.Endpoint(self.bq.url, "p", "d")
        for copy, at in saved:
            source = mirror.open_source(str(copy))
            report = changelog.compare(source, endpoint, DEFINITIONS["accounts"], at)
            source.close()
            self.assertTrue(report.equal, (copy.name, report))
            self.assertEqual(rows_of(copy), self.function(at), copy.name)
        self.check()

    def function(self, at):
        """The rows that the table function gives."""
        rows = self.bq.query(f"select id, email, balance, note from d.accounts_at(timestamp_micros({at}))")
        return sorted(tuple(row.values()) for row in rows)


def rows_of(path):
    """The rows of accounts in a copy of the source."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [(key, email, None if balance is None else decimal.Decimal(balance), note) for key, email, balance, note
                in db.execute("select id, email, balance, note from accounts order by id")]


if __name__ == "__main__":
    unittest.main()
