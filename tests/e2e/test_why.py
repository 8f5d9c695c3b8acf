"""`bqsync status --why`: what failed and what to do, for the morning after."""

import pathlib
import re
import time
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class WhyTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def why(self):
        status, out, err = self.app.run("status", "--why")
        self.assertEqual(0, status, err)
        return out

    def test_before_the_first_sync_and_when_all_is_well_it_says_so(self):
        for _ in range(2):
            self.assertEqual("No run has failed, as far as runs are kept.\n"
                             "Nothing is failing now, and no row is rejected.\n", self.why())
            self.app.sync()

    def test_a_failing_table_has_its_code_and_the_fix(self):
        self.app.sync()
        self.app.execute("alter table accounts rename column note to state")
        self.app.run("sync")

        out = self.why()
        self.assertIn("  accounts  code=schema\n", out)
        self.assertIn("\nfailing now:\naccounts  code=schema\n    accounts in ", out)
        self.assertIn('add "source": "state" to it', out)
        self.assertIn("    code=schema: accounts in ", self.app.run("status")[1])

        self.app.execute("alter table accounts rename column state to note")
        self.app.run("sync")
        out = self.why()
        self.assertIn("last failed run: ", out)
        self.assertTrue(out.endswith("Nothing is failing now, and no row is rejected.\n"), out)

    def test_a_run_that_failed_as_a_whole_says_why(self):
        self.app.sync()
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.bq.faults({"method": "GET", "path": "/datasets/d/tables", "action": "status", "status": 403})
        self.assertEqual(4, self.app.run("sync", BQ_RETRY_BUDGET="300ms")[0])

        out = self.why()
        self.assertRegex(out, r"  the whole run  code=auth\n    \S")
        self.assertTrue(out.endswith("\nfailing now: the whole run, as above; no table is synced\n"), out)
        self.assertFalse(self.app.json("status", "--why")["last_run_ok"])

        self.bq.clear_faults()
        self.app.run("sync")
        self.assertTrue(self.why().endswith("Nothing is failing now, and no row is rejected.\n"))
        self.assertTrue(self.app.json("status", "--why")["last_run_ok"])

    def test_rejected_rows_are_grouped_with_three_keys_each(self):
        for key in range(1, 6):
            self.app.execute("insert into accounts values (?, ?, 'much', null)", (key, f"{key}@x"))
        self.app.execute("insert into people(id, email) values (9, x'00')")
        self.app.run("sync")

        document = self.app.json("status", "--why")
        groups = {(group["table"], group["column"]): group for group in document["rejects"]}
        balance = groups["accounts", "balance"]
        self.assertEqual((5, "text", [{"id": 1}, {"id": 2}, {"id": 3}]),
                         (balance["rows"], balance["storage_class"], balance["keys"]))
        self.assertRegex(self.why(), r'\naccounts\.balance  5 rows: text value .*: \{"id":1\} \{"id":2\} \{"id":3\} \.\.\.\n')
        self.assertEqual([], self.app.json("status", "--why", "events")["rejects"])

    def test_during_an_outage_it_says_that_a_run_goes_on_and_retries(self):
        self.app.sync()
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.bq.faults({"action": "status", "status": 503, "count": 0})
        process = self.app.start("sync", BQ_RETRY_BUDGET="600s")
        try:
            end = time.monotonic() + 60
            while not (self.app.json("status")["outage"] or {"attempts": 0})["attempts"] > 1:
                self.assertLess(time.monotonic(), end)
            why = self.why()
            document = self.app.json("status", "--why")
            status = self.app.run("status")[1]
        finally:
            self.bq.clear_faults()
            process.communicate()
        self.assertRegex(why, r"^running now: incremental since \S+ \(pid \d+ on \S+, `sync`, since \S+\)\n"
                              r"    retrying: BigQuery has given no good answer since \S+, in \d+ attempts: .*503.*\n"
                              r"    -> Check the connection")
        self.assertNotIn("Nothing is failing", why)
        self.assertEqual("incremental", document["running"]["kind"])
        self.assertLess(1, document["outage"]["attempts"])
        self.assertIn("    retrying: BigQuery has given no good answer", status)
        self.assertIsNone(self.app.json("status")["outage"])

    def test_each_table_of_the_last_failed_run_has_its_message_and_each_failing_one_a_fix(self):
        self.app.sync()
        self.app.execute("alter table accounts rename column note to state")
        self.app.run("sync")
        out = self.why()
        self.assertRegex(out, r"  accounts  code=schema\n    accounts in ")
        self.assertIn("    -> The definition does not fit SQLite or BigQuery", out)

    def test_the_dashboard_gives_the_same_advice(self):
        root = pathlib.Path(__file__).parents[2] / "runtime"
        words = (root / "service/dashboard/words.js").read_text().split("const FIXES = {")[1].split("};")[0]
        there = dict(re.findall(r'^  (\w+): "(.*)",?$', words, re.M))
        text = re.sub(r'"\s*"', "", (root / "base/error.c").read_text())
        here = dict(re.findall(r'\{\s*"(\w+)",\s*(?:true|false),\s*\d,\s*"([^"]*)"\s*\}', text))
        self.assertEqual(there, here)

    def test_a_database_that_is_missing_is_no_database_without_failures(self):
        for path in ("nope.db", "no/folder/app.db"):
            for command in (("rejects",), ("rejects", "--json"), ("status", "--why"), ("status",)):
                with self.subTest(command=command, path=path):
                    status, out, err = self.app.run(*command, BQ_SQLITE_PATH=path)
                    self.assertEqual(6, status, out)
                    self.assertIn("cannot open " + path, err + out)
        # One that was never synced has none.
        self.assertEqual("no rejected rows\n", self.app.run("rejects", BQ_STATE_PATH="later.db")[1])


if __name__ == "__main__":
    unittest.main()
