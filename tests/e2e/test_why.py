"""`bqsync status --why`: what failed and what to do, for the morning after."""

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


if __name__ == "__main__":
    unittest.main()
