"""BigQuery that takes its time: jobs that do not end, and requests that nobody answers."""

import time
import unittest

from tests.e2e.test_bad_cases import BadCase

HANGS = {"action": "job_hang", "job": "load", "job_id": "_accounts_", "at": "PENDING", "count": 0}


class SlowBigQueryTest(BadCase):
    def failed(self, run):
        return [table["table"] for table in run["tables"] if table["status"] == "failed"]

    def test_a_job_that_never_ends_holds_up_its_table_alone(self):
        self.bq.faults(HANGS)

        run = self.app.sync(status=1, BQ_JOB_TIMEOUT="1s")

        self.assertEqual(["accounts"], self.failed(run))
        error = self.app.table(run, "accounts")["error"]["message"]
        self.assertIn("is still pending after", error)
        self.assertIn("BQ_JOB_TIMEOUT", error)
        with self.app.connect() as db:
            self.assertEqual([("accounts",)], db.execute("select table_name from bq_sync_intents").fetchall())
        self.assert_equal("events", "settings")

        # The job goes on: the next pass neither starts another one nor waits for long.
        self.app.script("insert into events(kind, at) values ('c', 3)")
        run = self.app.sync(status=1, BQ_RETRY_BUDGET="1s")
        self.assertEqual(["accounts"], self.failed(run))
        self.assertEqual("synced", self.app.table(run, "events")["status"])

        self.bq.clear_faults()
        self.app.script("update accounts set note = 'changed meanwhile' where id = 1")
        self.assert_fixed()

    def test_a_hanging_upload_ends_with_the_budget(self):
        self.bq.faults({"method": "POST", "path": "^/upload/", "action": "hang_before", "count": 0})

        began = time.monotonic()
        run = self.app.sync(status=1, BQ_RETRY_BUDGET="3s")
        took = time.monotonic() - began

        # Without a budget it would hang as long as the server does, which is until the rules are cleared.
        self.assertLess(took, 60)
        self.assertEqual("failed", self.app.table(run, "accounts")["status"])
        self.bq.clear_faults()
        self.assert_fixed()

    def test_a_table_updated_too_often_waits_for_the_next_window(self):
        self.bq.faults({"action": "job_fail", "job": "load", "job_id": "_accounts_", "reason": "rateLimitExceeded",
                        "message": "Exceeded rate limits: too many table update operations for this table"})

        began = time.monotonic()
        run = self.app.sync()

        self.assertGreater(time.monotonic() - began, 10)
        self.assertEqual("synced", self.app.table(run, "accounts")["status"])
        self.assert_equal()


if __name__ == "__main__":
    unittest.main()
