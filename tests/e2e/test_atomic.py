"""BQ_SYNC_ATOMIC=1: all tables of a pass change in BigQuery in one moment."""

import signal
import threading
import time
import unittest

from tests.support.bqlocal import Bqlocal, HttpError
from tests.support.deployment import Deployment

ATOMIC = {"BQ_SYNC_ATOMIC": "1"}


class AtomicCase(unittest.TestCase):
    latency = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], latency=self.latency))
        self.app = self.enterContext(Deployment(self.bq, environment=ATOMIC))

    def assert_equal_everywhere(self):
        self.assertTrue(self.app.json("verify")["ok"])

    def assert_no_staging(self):
        self.assertEqual([], [name for name in self.bq.tables("d") if name.startswith("bqsync_staging")])

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, "never came true")
            time.sleep(0.005)

    def fill(self):
        self.app.script("insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two');"
                        "insert into events(kind, at) values ('a', 1), ('b', 2);"
                        "insert into settings values ('k', 'v')")

    def query_jobs(self):
        return [request for request in self.bq.requests()
                if request["method"] == "POST" and request["path"].split("?")[0].endswith("projects/p/jobs")
                and not request["path"].startswith("/upload")]


class AtomicTest(AtomicCase):
    def test_a_first_sync_fills_every_table_in_one_transaction(self):
        self.fill()

        run = self.app.sync()

        self.assertTrue(run["ok"])
        accounts = self.app.table(run, "accounts")
        self.assertEqual(("synced", "replace", 2, 0, 0), (
            accounts["status"], accounts["mode"], accounts["rows_inserted"], accounts["rows_updated"],
            accounts["rows_deleted"]))
        self.assertEqual("synced", self.app.table(run, "devices")["status"])
        self.assertEqual(1, len(self.query_jobs()))
        self.assert_equal_everywhere()
        self.assert_no_staging()

    def test_each_table_gets_its_own_counts(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from accounts where id = 2;"
                        "insert into accounts values (3, 'c@x', 3, 'three'), (4, 'd@x', 4, 'four');"
                        "insert into events(kind, at) values ('c', 3); update settings set value = 'w'")
        self.bq.clear_requests()

        run = self.app.sync()

        counts = {table["table"]: (table["mode"], table["rows_inserted"], table["rows_updated"], table["rows_deleted"])
                  for table in run["tables"] if table["status"] == "synced"}
        self.assertEqual({"accounts": ("merge", 2, 1, 1), "events": ("merge", 1, 0, 0),
                          "settings": ("replace", 1, 0, 0)}, counts)
        self.assertEqual(1, len(self.query_jobs()))
        self.assertEqual(4, self.app.table(run, "accounts")["last_synced_row_id"])
        self.assert_equal_everywhere()
        self.assert_no_staging()

    def test_an_idle_pass_makes_exactly_one_request(self):
        self.fill()
        self.app.sync()
        self.bq.clear_requests()

        run = self.app.sync()

        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        self.assertEqual(["GET"], [request["method"] for request in self.bq.requests()])

    def test_snapshots_tell_which_run_a_table_is_from(self):
        self.fill()
        first = self.app.sync()
        self.app.execute("insert into accounts values (3, 'c@x', 3, 'three')")
        second = self.app.sync()

        rows = self.bq.query("select run_id, table_name, sequence, generation, snapshot_at from d._bqsync_snapshots")

        # A table that is created empty has nothing to change in the transaction.
        self.assertEqual({"accounts", "events", "settings"}, {
            row["table_name"] for row in rows if row["run_id"] == first["run_id"]})
        (latest,) = [row for row in rows if row["run_id"] == second["run_id"]]
        self.assertEqual("accounts", latest["table_name"])
        (before,) = [row for row in rows if row["run_id"] == first["run_id"] and row["table_name"] == "accounts"]
        self.assertGreater(latest["sequence"], before["sequence"])
        self.assertGreater(latest["generation"], before["generation"])
        self.assertGreater(latest["snapshot_at"], before["snapshot_at"])
        started = second["started_at"].rstrip("Z")
        self.assertLessEqual(started[:19], latest["snapshot_at"].strftime("%Y-%m-%dT%H:%M:%S"))

    def test_dropped_snapshots_are_made_again(self):
        self.fill()
        self.app.sync()
        self.bq.query("drop table d._bqsync_snapshots")
        self.app.execute("delete from accounts where id = 1")

        self.assertTrue(self.app.sync()["ok"])

        self.assertEqual(1, self.bq.scalar("select count(*) from d._bqsync_snapshots"))

    def test_a_table_that_cannot_be_staged_fails_alone(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from events where id = 1")
        self.bq.faults({"method": "POST", "path": "/datasets/d/tables", "action": "status", "status": 403, "nth": 1})

        run = self.app.sync(status=1)

        statuses = sorted(self.app.table(run, name)["status"] for name in ("accounts", "events"))
        self.assertEqual(["failed", "synced"], statuses)
        self.bq.clear_faults()
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal_everywhere()

    def test_a_staging_load_that_fails_for_a_passing_reason_is_tried_again(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from events where id = 1")
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "backendError", "message": "try again"})

        self.assertTrue(self.app.sync()["ok"])

        self.assert_equal_everywhere()
        self.assert_no_staging()

    def test_a_transaction_that_fails_changes_no_table_and_all_are_told(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from events where id = 1")
        self.bq.query("drop table d._bqsync_snapshots")
        self.bq.query("create table d._bqsync_snapshots (something_else int64)")

        run = self.app.sync(status=1)

        self.assertEqual({"failed"}, {self.app.table(run, name)["status"] for name in ("accounts", "events")})
        self.assertEqual(["one", "two"], sorted(row["note"] for row in self.bq.rows("d", "accounts")))
        self.assertEqual(2, self.bq.scalar("select count(*) from d.events"))
        self.assert_no_staging()
        self.bq.query("drop table d._bqsync_snapshots")
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal_everywhere()

    def test_a_transaction_that_is_aborted_is_tried_again(self):
        self.fill()
        self.app.sync()
        self.app.script("update accounts set note = 'uno' where id = 1; delete from events where id = 1")
        self.bq.clear_requests()
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "aborted", "message": "concurrent update"})

        run = self.app.sync()

        self.assertTrue(run["ok"])
        self.assertEqual(2, len(self.query_jobs()))
        self.assert_equal_everywhere()


class ScannedAtomicTest(AtomicTest):
    """The same with a source that may not be written."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], latency=self.latency))
        self.app = self.enterContext(Deployment(self.bq, environment=ATOMIC, state="state.db"))

    def test_snapshots_tell_which_run_a_table_is_from(self):
        self.fill()
        runs = [self.app.sync()["run_id"]]
        self.app.execute("insert into accounts values (3, 'c@x', 3, 'three')")
        runs.append(self.app.sync()["run_id"])

        rows = self.bq.query("select run_id from d._bqsync_snapshots where table_name = 'accounts' order by generation")

        self.assertEqual(runs, [row["run_id"] for row in rows])


class InFlightTest(AtomicCase):
    latency = "300ms"

    def change(self):
        self.app.script("update accounts set note = 'uno' where id = 1; delete from events where id = 1")

    def is_committing(self):
        return any(True for _ in self.query_jobs())

    def test_a_run_killed_before_the_transaction_changes_nothing_and_the_next_does(self):
        self.fill()
        self.app.sync()
        self.change()
        self.bq.clear_requests()
        process = self.app.start("sync", "--json")
        self.wait_for(lambda: any(request["path"].startswith("/upload") for request in self.bq.requests()))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertEqual(["one", "two"], sorted(row["note"] for row in self.bq.rows("d", "accounts")))
        self.app.execute("insert into accounts values (3, 'c@x', 3, 'three')")

        run = self.app.sync()

        self.assertEqual((1, 1), (
            self.app.table(run, "accounts")["rows_inserted"], self.app.table(run, "accounts")["rows_updated"]))
        self.assert_equal_everywhere()

    def test_a_run_killed_during_the_transaction_is_settled_for_every_table(self):
        self.fill()
        self.app.sync()
        self.change()
        self.bq.clear_requests()
        process = self.app.start("sync", "--json")
        self.wait_for(self.is_committing)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        run = self.app.sync()

        self.assertEqual({"unchanged"}, {self.app.table(run, name)["status"] for name in ("accounts", "events")})
        self.assert_equal_everywhere()
        self.assert_no_staging()

    def test_a_join_never_sees_half_a_pass(self):
        torn, seen, ended = [], set(), threading.Event()

        def look():
            while not ended.is_set():
                try:
                    (row,) = self.bq.query(
                        "select (select max(note) from d.accounts) as a, (select max(kind) from d.events) as e")
                except HttpError:
                    continue
                seen.add(row["a"])
                if row["a"] != row["e"]:
                    torn.append(row)

        self.app.script("insert into accounts values (1, 'a@x', 1, '0'); insert into events(kind, at) values ('0', 1)")
        self.app.sync()
        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            for number in range(1, 5):
                with self.app.connect() as db:
                    db.execute("begin")
                    db.execute("update accounts set note = ?", (str(number),))
                    db.execute("update events set kind = ?", (str(number),))
                    db.execute("commit")
                full = ["--full"] if number == 3 else []
                self.assertTrue(self.app.sync(*full)["ok"])
        finally:
            ended.set()
            watcher.join()

        self.assertEqual([], torn)
        self.assertGreater(len(seen), 2)


if __name__ == "__main__":
    unittest.main()
