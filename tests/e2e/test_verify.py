"""What verify must not be fooled by."""

import json
import os
import time
import unittest

from tests.bench.measure import cost_of
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import SHAPES, Deployment

# A key column without affinity keeps the storage class that it is given.
LOOSE = SHAPES.replace("create table devices(serial text primary key not null",
                       "create table devices(serial primary key not null")


class VerifyTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, schema=LOOSE))

    def verify(self, table, status=1, *options):
        return self.app.table(self.app.json("verify", *options, table, status=status), table)

    def test_equal_rows_do_not_hide_other_equal_rows(self):
        self.app.script("drop table settings; create table settings(name text, value text);"
                        "insert into settings values ('a', '1'), ('a', '1')")
        self.app.sync("settings")
        self.assertTrue(self.verify("settings", 0)["equal"])
        self.bq.query("update d.settings set value = '2' where true")

        self.assertEqual(["a"], self.verify("settings")["different"])

    def test_a_column_that_bigquery_lacks_is_a_difference_and_is_repaired(self):
        for table, row, column in (("accounts", "insert into accounts values (1, 'a@x', 1, 'one')", "note"),
                                   ("settings", "insert into settings values ('a', '1')", "value"),
                                   ("people", "select 1", "name")):
            with self.subTest(table=table):
                self.app.execute(row)
                self.app.sync(table)
                self.bq.query(f"alter table d.{table} drop column {column}")

                found = self.verify(table)

                rows = len(self.app.source_rows(table))
                self.assertEqual((False, [column], 1, None), (found["equal"], found["missing_columns"],
                                                              found["missing_columns_count"], found["error"]))
                self.assertEqual((rows, rows), (found["source_rows"], found["warehouse_rows"]))
                self.assertIn(f'columns missing in BigQuery (1): "{column}"', self.app.run("verify", table)[1])
                self.assertEqual([], self.verify(table, 0, "--repair")["missing_columns"])
                self.assertIn(column, [field["name"] for field in self.bq.table("d", table)["schema"]["fields"]])
                self.assertTrue(self.verify(table, 0)["equal"])

    def test_memory_does_not_grow_with_the_number_of_differences(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("a sanitizer keeps what was freed")
        peaks = []
        for rows in (20_000, 60_000):
            self.app.execute("delete from accounts")
            self.app.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)"
                             " insert into accounts select i, i || '@x', i, 'note' from n", (rows,))
            self.app.sync("accounts")
            self.bq.query("update d.accounts set note = 'wrong' where true")
            peaks.append(cost_of([self.app.program, "verify", "accounts"], self.app.environment, self.app.folder, 1).peak_mib)

        self.assertLess(peaks[1], peaks[0] + 12, peaks)

    def test_a_sync_that_ends_while_the_query_runs_is_no_difference(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")
        self.app.sync()
        self.bq.faults({"method": "POST", "path": "/queries", "action": "delay", "ms": 3000})
        process = self.app.start("verify", "accounts", "--json")
        self.wait_for_query()
        self.app.execute("update accounts set note = 'new' where id = 1")
        self.app.execute("insert into accounts values (3, 'c@x', 3, null)")
        self.app.sync()

        out, err = process.communicate(timeout=60)

        self.assertEqual(0, process.returncode, out + err)

    def test_checksums_that_no_row_explains_are_a_difference_also_with_json(self):
        for table, row, damage in (
                ("events", "insert into events(kind, payload) values ('a', '{\"b\": 67.174118, \"a\": 1.50}')",
                 "update d.events set kind = 'wrong' where true"),
                ("accounts", "insert into accounts values (1, 'a@x', 1, null)",
                 "update d.accounts set email = 'wrong' where true")):
            with self.subTest(table=table):
                self.app.execute(row)
                self.app.sync()
                self.assertTrue(self.verify(table, 0)["equal"])
                self.bq.query(damage)
                self.bq.faults({"method": "POST", "path": "/queries", "action": "hang_before", "nth": 2})
                process = self.app.start("verify", table, "--json")
                end = time.monotonic() + 20
                while self.bq.fault_state()[0]["held"] == 0:
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.01)
                # The row is right again before the drill-down reads it.
                self.bq.query(damage.replace("'wrong'", "'a'" if table == "events" else "'a@x'"))
                self.bq.clear_faults()
                out, err = process.communicate(timeout=60)

                self.assertEqual(1, process.returncode, out + err)
                self.assertEqual(1, json.loads(out)["tables"][0]["unexplained_count"])

    def wait_for_query(self):
        end = time.monotonic() + 60
        while not any(request["path"].endswith("/queries") for request in self.bq.get("/bqlocal/requests")["requests"]):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_a_row_without_a_key_in_bigquery_stops_no_repair(self):
        self.app.script("insert into devices values ('s', 1, 1);"
                        "insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        self.bq.query("alter table d.accounts alter column id drop not null")
        self.bq.query("insert into d.accounts (id, email) values (null, 'x')")
        self.bq.query("update d.devices set reading = 5 where true")

        self.assertTrue(self.app.json("verify", "--repair")["ok"])
        self.assertEqual([1], [row["id"] for row in self.bq.rows("d", "accounts")])

    def test_a_key_keeps_its_storage_class_to_the_repair(self):
        self.app.execute("insert into devices values (1.5, 1, 1), ('2.5', 1, 1), (3, 1, 1)")
        self.app.sync()
        self.bq.query("update d.devices set reading = 5 where true")

        self.assertEqual({1.5, 3, "2.5"}, set(self.verify("devices")["different"]))
        self.assertTrue(self.app.json("verify", "--repair")["ok"])
        self.assertEqual(3, len(self.bq.rows("d", "devices")))

    def test_an_outage_is_not_a_difference(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.app.sync()
        for action in ({"action": "status", "status": 503}, {"action": "reset_before"}):
            with self.subTest(action=action["action"]):
                self.bq.faults({"method": "POST", "path": "/queries", "count": 0, **action})
                status, out, _ = self.app.run("verify", "accounts", BQ_RETRY_BUDGET="1s")

                self.assertEqual(5, status, out)
                self.assertIn("not verified", out)
                self.assertNotIn("does not equal", out)

    def test_rejected_rows_are_never_passed_over_in_silence(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 'much', null)")
        self.app.sync(status=1)

        status, out, _ = self.app.run("verify")

        self.assertEqual(0, status)
        self.assertIn("equal except 1 rejected row", out)
        self.assertTrue(out.endswith("\nBigQuery equals SQLite except 1 rejected row: bqsync rejects lists it\n"), out)
        accounts = self.verify("accounts", 0)
        self.assertEqual((True, 1), (accounts["equal"], accounts["rejected"]))


if __name__ == "__main__":
    unittest.main()
