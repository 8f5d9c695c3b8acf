"""This machine's clock was ahead during a pass and has been put right since."""

import json
import os
import unittest

from tests.e2e.serving import Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment

AHEAD_S = 40 * 86400


@unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
class Clock(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.clock = {"LD_PRELOAD": str(BUILD / "tests" / "support" / "libclock_shim.so"),
                      "BQSYNC_CLOCK_SHIFT_S": str(AHEAD_S)}
        self.app = self.enterContext(Deployment(self.bq, environment=self.clock))
        self.app.execute("insert into accounts(email) values ('a@x')")
        self.app.sync()
        self.clock["BQSYNC_CLOCK_SHIFT_S"] = "0"

    def test_status_says_that_a_pass_lies_in_the_future(self):
        status, out, _ = self.app.run("status")

        self.assertEqual(0, status)
        self.assertIn("were synced in the future: this machine's clock says", out)
        accounts = next(line for line in out.splitlines() if line.startswith("accounts"))
        self.assertIn(" future ", accounts)
        self.assertNotIn("never", accounts)

    def test_no_age_is_negative(self):
        status, out, _ = self.app.run("status", "--json")

        self.assertEqual(0, status)
        document = json.loads(out)
        self.assertGreater(document["tables"][0]["fresh_at"], document["now"])
        self.assertEqual({0}, {table["lag_seconds"] for table in document["tables"]})

    def test_metrics_have_no_negative_age(self):
        service = self.enterContext(Service(self.app, BQ_SYNC_INTERVAL="off"))
        ages = [float(line.split()[1]) for line in service.get("/metrics").body.decode().splitlines()
                if line.startswith("bqsync_freshness_seconds{")]

        self.assertTrue(ages)
        self.assertGreaterEqual(min(ages), 0)

    def test_the_last_run_is_the_one_that_came_last(self):
        idle = self.app.sync()

        last = self.app.json("status")["last_run"]
        self.assertEqual(idle["run_id"], last["run_id"])
        self.assertLessEqual(last["finished_at"], self.app.json("status")["now"])

    def test_a_day_ahead_is_over_when_the_clock_is_right(self):
        self.app.execute("insert into accounts(email) values ('b@x')")
        self.app.sync()

        status, out, _ = self.app.run("status")
        self.assertEqual(0, status)
        self.assertNotIn("in the future", next(line for line in out.splitlines() if line.startswith("accounts")))


if __name__ == "__main__":
    unittest.main()
