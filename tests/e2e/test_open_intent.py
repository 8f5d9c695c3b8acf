"""What is said while an intent is open whose label BigQuery does not have, because it refused to set it."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

DENIED = {"action": "deny", "permission": "bigquery.tables.update"}


class OpenIntentTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'first'), (2, 'b@x', 2, 'second')")
        self.app.sync()
        self.first = self.labels()
        self.app.execute("update accounts set note = 'third' where id = 1")
        self.app.sync()
        self.app.execute("update accounts set note = 'fourth' where id = 1")
        self.bq.faults(DENIED)

    def labels(self):
        return self.bq.get("datasets/d/tables/accounts")["labels"]

    def error(self):
        return self.app.table(self.app.sync("accounts", status=4), "accounts")["error"]

    def test_each_sync_names_what_is_refused(self):
        first = self.error()
        self.assertIn("bigquery.tables.update", str(first))
        self.assertEqual(first, self.error())

    def test_the_plan_is_what_the_next_sync_does(self):
        self.error()
        for refused in (True, False):
            if not refused:
                self.bq.clear_faults()
            plan = self.app.table(self.app.json("plan"), "accounts")
            self.assertEqual(("merge", 1, None), (plan["mode"], plan["update"], plan.get("why")), plan)
        sync = self.app.table(self.app.sync(), "accounts")
        self.assertEqual(("merge", 1), (sync["mode"], sync["rows_updated"]))

    def test_a_version_that_was_restored_in_bigquery_is_still_seen(self):
        self.error()
        self.bq.clear_faults()
        self.bq.patch("datasets/d/tables/accounts", {"labels": self.first})
        self.assertEqual("replace", self.app.table(self.app.json("plan"), "accounts")["mode"])
        self.assertEqual("replace", self.app.table(self.app.sync(), "accounts")["mode"])


if __name__ == "__main__":
    unittest.main()
