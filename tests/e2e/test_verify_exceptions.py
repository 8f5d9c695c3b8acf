"""What verify leaves out, and says so: rejected rows, which can hide no other row, and changes that are not synced."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.killing import wait_until_held

KEYS = "create table numbers(k primary key, v text, n integer); create table names(k primary key, v text, n integer)"


class RejectedTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))

    def deploy(self, **more):
        return self.enterContext(Deployment(self.bq, program="bqsync_keys", schema=KEYS, **more))

    def test_two_equal_rows_of_one_key_hide_no_row_that_is_there_twice(self):
        for state in (None, "state.db"):
            with self.subTest(state):
                app = self.deploy(state=state, dataset="d")
                self.bq.query("drop table if exists d.names")
                app.execute("insert into names values (1.5, 'x', 1), ('1.5', 'x', 1), ('a', 'b', 2)")
                app.sync("names", status=1)
                table, = app.json("verify", "names")["tables"]
                self.assertEqual((2, 2, 1), (table["source_rows"], table["warehouse_rows"], table["rejected"]))

                self.bq.query("insert into d.names select * from d.names where k = '1.5'")
                table, = app.json("verify", "names", status=1)["tables"]
                self.assertEqual(["1.5"], table["duplicated"])

                app.json("verify", "--repair", "names")
                self.assertEqual(["1.5", "a"], sorted(row["k"] for row in self.bq.rows("d", "names")))

    def test_a_rejected_row_without_a_key_hides_none_of_bigquery(self):
        app = self.deploy()
        app.execute("insert into names values (null, 'x', 1), ('a', 'b', 2)")
        app.sync("names", status=1)
        self.bq.query("alter table d.names alter column k drop not null")
        self.bq.query("insert into d.names(k, v, n) values (null, 'y', 7)")

        table, = app.json("verify", "names", status=1)["tables"]
        self.assertEqual([None], table["extra"])

        app.json("verify", "--repair", "names")
        self.assertEqual(["a"], [row["k"] for row in self.bq.rows("d", "names")])


class PendingTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into events(kind) values ('a'), ('b')")
        self.app.sync("events")

    def test_changes_that_are_not_synced_are_named(self):
        self.app.script("insert into events(kind) values ('c'); update events set kind = 'd' where id = 1")

        status, out, _ = self.app.run("verify", "events")

        self.assertEqual(0, status)
        self.assertIn("equal except 2 pending changes", out.splitlines()[1])
        self.assertTrue(out.endswith("\nBigQuery equals SQLite except 2 pending changes\n"), out)

    def test_a_row_that_a_killed_pass_has_sent_is_pending(self):
        for table in ("events", "accounts"):
            with self.subTest(table):
                self.app.script("insert into events(kind) values ('c'); insert into accounts(email) values ('%s')" % table)
                self.bq.faults({"method": "POST", "path": "/jobs|/queries|/upload", "nth": 1, "action": "hang_after"})
                process = self.app.start("sync", table)
                self.assertTrue(wait_until_held(self.bq, process))
                process.kill()
                process.communicate()
                self.bq.clear_faults()

                entry, = self.app.json("verify", table)["tables"]

                self.assertEqual((True, 0), (entry["equal"], entry["extra_count"]))
                self.app.sync(table)
                entry, = self.app.json("verify", table)["tables"]
                self.assertEqual((True, 0), (entry["equal"], entry["pending"]))

    def test_nothing_is_said_of_tables_that_were_not_compared(self):
        self.app.execute("alter table events rename column kind to sort")

        status, out, _ = self.app.run("verify", "events")

        self.assertEqual(1, status)
        self.assertEqual(["events", "not", "verified", "-", "-", "-", "-"], out.splitlines()[1].split())
        self.assertTrue(out.endswith("\nNothing could be compared\n"), out)


if __name__ == "__main__":
    unittest.main()
