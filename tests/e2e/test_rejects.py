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


class ScannedRejectsTest(RejectsTest):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()
