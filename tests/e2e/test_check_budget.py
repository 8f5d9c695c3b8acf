"""One retry budget covers a whole command, however many tables it is about."""

import socket
import time
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

BUDGET_SECONDS = 2
TABLES = 8

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

    def timed_sync(self, **environment):
        began = time.monotonic()
        status, out, err = self.app.run("sync", "--json", **environment)
        took = time.monotonic() - began
        self.assertLess(took, BUDGET_SECONDS * TABLES, err)
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
                if parallel == "1":
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
        self.app.sync()
        self.app.script("update accounts set note = 'x'; insert into events(kind) values ('c');")
        self.bq.faults({"action": "status", "status": 503, "count": 0, "path": "/tables/accounts$"})
        run = self.app.sync(status=1)
        failed = [table["table"] for table in run["tables"] if table["status"] == "failed"]
        self.assertEqual(["accounts"], failed)
        self.assertEqual("synced", self.app.table(run, "events")["status"])


class NewTables(unittest.TestCase):
    """BigQuery may not know a table everywhere in the moment after it was made."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts(email) values ('a@x')")

    def test_a_load_into_a_new_table_that_is_not_found_is_sent_again(self):
        self.bq.faults({"method": "POST", "path": "uploadType=multipart", "action": "status",
                        "status": 404, "reason": "notFound", "message": "Not found: Table p:d.accounts"})
        run = self.app.sync("accounts")
        self.assertEqual("synced", self.app.table(run, "accounts")["status"])
        self.assertEqual(1, self.bq.fault_state()[0]["acted"])

    def test_a_job_that_does_not_find_a_new_table_is_done_anew(self):
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "notFound",
                        "message": "Not found: Table p:d.accounts was not found in location US"})
        accounts = self.app.table(self.app.sync("accounts"), "accounts")
        self.assertEqual(("synced", 1), (accounts["status"], accounts["rows_inserted"]))
        self.assertEqual(1, len(self.bq.rows("d", "accounts")))

    def test_a_job_that_does_not_find_an_old_table_fails(self):
        self.app.sync("accounts")
        self.app.execute("update accounts set note = 'x'")
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "notFound", "count": 0,
                        "message": "Not found: Table p:d.accounts was not found in location US"})
        accounts = self.app.table(self.app.sync("accounts", status=1), "accounts")
        self.assertEqual("not_found", accounts["error"]["code"])


if __name__ == "__main__":
    unittest.main()
