"""Rejected rows: what they cost, what stays in BigQuery, and where they are seen."""

import sqlite3
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class RejectsTest(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state=self.state))

    def sync(self, table, *options, status=0, **environment):
        return self.app.table(self.app.sync(*options, status=status, **environment), table)

    def test_one_reject_does_not_reload_an_append_table(self):
        self.app.execute("insert into events values (1, 'a', '{}', 1), (2, 'b', 'no json', 2), (3, 'c', '{}', 3)")
        self.assertEqual(1, self.sync("events", status=1)["rows_rejected"])
        for number in range(4):
            events = self.sync("events", status=1)
            self.assertNotEqual("replace", events["mode"])
            self.assertEqual((0, 1), (events["bytes_sent"], events["rows_rejected"]), number)
        self.app.execute("insert into events values (4, 'd', '{}', 4)")
        self.assertEqual(1, self.sync("events", status=1)["rows_inserted"])
        self.assertEqual([1, 3, 4], sorted(row["id"] for row in self.bq.rows("d", "events")))

    def test_an_error_that_is_over_is_not_reported_any_longer(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        with sqlite3.connect(self.app.folder / (self.state or "app.db")) as db:
            db.execute("update bq_sync_tracking set last_error = 'broken' where table_name = 'accounts'")
        db.close()

        self.assertEqual("unchanged", self.sync("accounts")["status"])

        self.assertIsNone(self.app.table(self.app.json("status"), "accounts")["last_error"])

    def test_rejects_are_logged_with_their_first_reason(self):
        self.app.execute("insert into accounts values (1, 'a@x', 'much', null), (2, 'b@x', 'more', null)")
        for _ in range(2):
            _, _, err = self.app.run("sync")
            line = next(line for line in err.splitlines() if "rows rejected" in line)
            self.assertIn(" warn ", line)
            self.assertIn('table=accounts rows=2 first_reason="balance: text value', line)
            self.assertNotIn("much", line)

    def test_status_says_why_the_last_run_was_not_ok(self):
        self.app.execute("insert into accounts values (1, 'a@x', 'much', null)")
        self.app.sync(status=1)
        self.assertIn("    1 row is rejected: bqsync rejects lists values and reasons\n", self.app.run("status")[1])

    # What makes a row of each mode unfit, and what it was before.
    SPOILED = [
        ("accounts", "insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two')",
         "update accounts set balance = 'much' where id = 2"),
        ("events", "insert into events values (1, 'a', '{}', 1), (2, 'b', '{}', 2)",
         "update events set payload = 'no json' where id = 2"),
        ("settings", "insert into settings values ('a', '1'), ('b', '2')",
         "update settings set value = x'ff' where name = 'b'"),
        ("memberships", "insert into memberships values ('t', 'a', 'r', null), ('t', 'b', 's', '2024-01-01')",
         "update memberships set since = 'never' where person = 'b'"),
    ]

    def spoil(self, **environment):
        for _, insert, _ in self.SPOILED:
            self.app.execute(insert)
        self.app.sync(**environment)
        before = {table: self.app.warehouse_rows(table) for table, _, _ in self.SPOILED}
        for _, _, update in self.SPOILED:
            self.app.execute(update)
        return before

    def expect_kept(self, before, run):
        for table, rows in before.items():
            with self.subTest(table=table):
                self.assertEqual(rows, self.app.warehouse_rows(table))
                self.assertEqual(1, self.app.table(run, table)["rows_rejected"])
        self.assertTrue(self.app.json("verify")["ok"])

    def expect_gone(self):
        self.app.execute("delete from accounts where id = 2")
        self.app.execute("update accounts set note = 'new' where id = 1")
        self.app.execute("delete from events where id = 2")
        self.app.execute("update settings set value = 'good' where name = 'b'")
        self.app.execute("delete from memberships where person = 'b'")
        self.app.sync("--full")
        for table, _, _ in self.SPOILED:
            self.assertEqual([], self.app.json("rejects", table)["rejects"])
        self.assertTrue(self.app.json("verify")["ok"])
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "accounts")])
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "events")])

    def test_the_version_synced_before_stays_through_replacements(self):
        before = self.spoil()
        for options in ((), ("--full",), (), ("--full",)):
            self.expect_kept(before, self.app.sync(*options, status=1))
        self.app.run("reset", "accounts")
        self.expect_kept(before, self.app.sync(status=1))
        self.expect_gone()

    def test_a_replacement_that_finds_the_reject_keeps_the_version(self):
        before = self.spoil()
        run = self.app.sync("--full", status=1)
        self.expect_kept(before, run)
        self.assertEqual(1, self.app.table(run, "accounts")["rows_inserted"])
        self.expect_gone()

    def test_a_transaction_keeps_the_version_too(self):
        before = self.spoil(BQ_SYNC_ATOMIC="1")
        for options in ((), ("--full",)):
            self.expect_kept(before, self.app.sync(*options, status=1, BQ_SYNC_ATOMIC="1"))
        self.expect_gone()

    def test_the_only_row_is_kept_although_none_is_sent(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.app.execute("update accounts set balance = 'much' where true")
        self.sync("accounts", "--full", status=1)
        self.assertEqual(1, len(self.bq.rows("d", "accounts")))
        self.assertEqual("equal except 1 rejected row", self.app.run("verify", "accounts")[1].splitlines()[1][27:54])

    def test_a_row_that_takes_over_the_key_of_a_rejected_one_is_sent(self):
        self.app.script("drop table settings; create table settings(name text, value);"
                        "insert into settings values ('a', '1')")
        self.app.sync()
        self.app.execute("insert into settings values ('a', x'ff'), ('a', '3')")
        self.app.execute("delete from settings where value = '1'")
        self.sync("settings", "--full", status=1)
        self.assertEqual(["3"], [row["value"] for row in self.bq.rows("d", "settings")])


class ScannedRejectsTest(RejectsTest):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()
