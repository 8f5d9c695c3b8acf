"""Jobs of an earlier run that BigQuery carries out after its intent was lost: with a backup, or with the state.

A job may wait in BigQuery for minutes, and a request in a proxy. The state that has started it knows its id from the
intent, but a backup that is older, or a new state, does not: it knows the id from the label of the target.
"""

import pathlib
import unittest

from tests.support import backups, mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.following import commit_account, following, leave_label_behind, wait
from tests.support.killing import wait_until_acted

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = """
insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c@x', 3, 'three');
insert into events(kind, at) values ('first', 1);
insert into settings values ('theme', 'dark');
"""
CHANGE = {
    "accounts": "update accounts set note = 'of the old history' where id = 1; delete from accounts where id = 3",
    "events": "insert into events(kind, at) values ('of the old history', 2)",
    "settings": "update settings set value = 'of the old history'",
}


class LateJobCase(unittest.TestCase):
    environment = {"BQ_PARALLEL": "1", "BQ_RETRY_BUDGET": "1s"}
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, environment=self.environment, state=self.state))
        self.app.script(ROWS)
        self.app.sync()
        self.save()

    def save(self):
        backups.save(self.app, "backup.db")

    def forget(self):
        backups.restore(self.app, "backup.db")

    def start_a_job_that_waits(self, *arguments):
        self.bq.faults({"action": "job_hang", "count": 1})
        process = self.app.start("sync", *arguments)
        self.assertTrue(wait_until_acted(self.bq, process))
        process.kill()
        process.communicate()

    def assert_equal(self):
        reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", ROOT / "tests/schemas", ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def assert_it_does_no_harm(self):
        self.bq.clear_faults()
        self.bq.wait_until_idle()
        self.assertEqual(0, self.app.run("sync")[0])
        self.assert_equal()
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})


class RestoredSourceTest(LateJobCase):
    """A backup is restored that is older than the job."""

    def late(self, table, *arguments):
        self.app.script(CHANGE[table])
        self.start_a_job_that_waits(*arguments, table)
        self.forget()

        status, _, err = self.app.run("sync", table)

        self.assertEqual(1, status, err)
        self.assertIn("an earlier sync, of which this database knows nothing, has started", err)
        self.assert_it_does_no_harm()

    def test_changes(self):
        self.late("accounts")

    def test_new_rows(self):
        self.late("events")

    def test_a_replacement(self):
        self.late("settings")

    def test_a_replacement_of_a_table_that_is_merged(self):
        self.late("accounts", "--full")

    def test_the_first_job_of_a_target(self):
        self.bq.delete("datasets/d/tables/accounts")
        self.late("accounts")


class LostStateTest(RestoredSourceTest):
    """The state is lost, and the source is what it was."""

    state = "state.db"

    def forget(self):
        for suffix in ("", "-wal", "-shm"):
            (self.app.folder / (self.state + suffix)).unlink(missing_ok=True)
        self.app.script("update accounts set note = 'new'; update settings set value = 'new'")


class TransactionTest(RestoredSourceTest):
    """One script commits all tables."""

    environment = {**LateJobCase.environment, "BQ_SYNC_ATOMIC": "1"}

    def start_a_job_that_waits(self, *arguments):
        self.bq.faults({"action": "job_hang", "job": "query", "count": 1})
        process = self.app.start("sync", *arguments)
        self.assertTrue(wait_until_acted(self.bq, process))
        process.kill()
        process.communicate()

    def test_a_second_script_of_its_pass(self):
        self.app.script(";".join(CHANGE.values()))
        self.bq.faults({"action": "job_fail", "job": "query", "reason": "backendError", "count": 1},
                       {"action": "job_hang", "job": "query", "nth": 2, "count": 1})
        process = self.app.start("sync")
        wait(lambda: self.bq.fault_state()[1]["acted"] > 0, "the second script")
        process.kill()
        process.communicate()
        self.forget()

        self.assertEqual(1, self.app.run("sync")[0])
        self.assert_it_does_no_harm()


class SeriesTest(LateJobCase):
    """While passes follow commits, several jobs may come after one label."""

    def late(self, jobs, fault):
        """So many jobs come after the backup; the last is late."""
        with following(self.app) as process:
            number = leave_label_behind(self.app)
            self.save()
            for more in range(number, number + jobs - 1):
                commit_account(self.app, more)
            self.bq.faults({**fault, "count": 1})
            self.app.execute("insert into accounts values (?, 'late@x', 1, null)", (number + jobs,))
            wait(lambda: any(rule["acted"] + rule["held"] for rule in self.bq.fault_state()), "the job")
            self.assertIsNone(process.poll())
        self.forget()
        self.app.run("sync")
        self.assert_it_does_no_harm()

    def test_a_job_that_waits(self):
        self.late(1, {"action": "job_hang"})

    def test_the_third_job(self):
        self.late(3, {"action": "job_hang"})

    def test_a_request_that_is_under_way(self):
        self.late(1, {"method": "POST", "path": "/jobs", "action": "hang_before"})


if __name__ == "__main__":
    unittest.main()
