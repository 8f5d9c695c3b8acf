"""One retry budget covers a whole command, however many tables it is about."""

import socket
import sys
import pathlib
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.bqlocal import Bqlocal  # noqa: E402
from support.deployment import Deployment  # noqa: E402

BUDGET_SECONDS = 2
# What a pass does besides waiting, on a machine that is busy with other tests.
SLACK_SECONDS = 6

ROWS = """
insert into events(kind, at) values ('a', 1), ('b', 2);
insert into accounts(email) values ('a@x'), ('b@x');
insert into settings values ('a', '1'), ('b', '2');
insert into memberships(team, person) values ('a', '1'), ('b', '2');
insert into devices(serial) values ('a'), ('b');
insert into people(email) values ('a@x');
"""


def dead_port():
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RetryBudget(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(
            self.bq, environment={"BQ_RETRY_BUDGET": f"{BUDGET_SECONDS}s"}))
        self.app.script(ROWS)

    def enterContext(self, manager):
        self.addCleanup(manager.__exit__, None, None, None)
        return manager.__enter__()

    def timed_sync(self, **environment):
        began = time.monotonic()
        status, out, err = self.app.run("sync", "--json", **environment)
        took = time.monotonic() - began
        self.assertLess(took, BUDGET_SECONDS + SLACK_SECONDS, err)
        self.assertGreater(took, BUDGET_SECONDS / 3, err)
        return status, err

    def test_a_dead_endpoint_ends_a_sync_with_5_after_one_budget(self):
        status, err = self.timed_sync(BIGQUERY_EMULATOR_HOST=f"127.0.0.1:{dead_port()}")
        self.assertEqual(5, status, err)

    def test_an_endpoint_that_is_always_busy_ends_a_sync_with_5_after_one_budget(self):
        self.bq.faults({"action": "status", "status": 503, "count": 0})
        status, err = self.timed_sync()
        self.assertEqual(5, status, err)

    def test_an_endpoint_that_falls_ill_amid_a_pass_costs_one_budget_not_one_a_table(self):
        for parallel in ("1", "8"):
            with self.subTest(parallel=parallel):
                self.bq.faults({"action": "status", "status": 503, "count": 0, "nth": 6})
                status, err = self.timed_sync(BQ_PARALLEL=parallel)
                self.assertIn(status, (1, 5), err)
                self.assertIn("has stopped answering", err)

    def test_an_endpoint_that_hangs_up_amid_a_pass_costs_one_budget(self):
        self.bq.faults({"action": "reset_before", "count": 0, "nth": 4})
        status, err = self.timed_sync(BQ_PARALLEL="1")
        self.assertIn(status, (1, 5), err)

    def test_a_budget_spent_by_one_run_is_whole_again_in_the_next(self):
        self.bq.faults({"action": "status", "status": 503, "count": 0})
        self.timed_sync()
        self.bq.clear_faults()
        run = self.app.sync()
        self.assertTrue(run["ok"])

    def test_one_call_that_always_fails_does_not_stop_the_other_tables(self):
        self.bq.faults({"action": "status", "status": 503, "count": 0, "path": "/tables/accounts$"})
        run = self.app.sync(status=1)
        failed = [table["table"] for table in run["tables"] if table["status"] == "failed"]
        self.assertEqual(["accounts"], failed)


if __name__ == "__main__":
    unittest.main()
