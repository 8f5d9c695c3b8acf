"""A pass that finds nothing to do writes nothing into the source, and is still known to status."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROWS = """
insert into events(kind, at) values ('a', 1), ('b', 2);
insert into accounts values (1, 'a@x', 1.5, 'one');
insert into settings values ('theme', 'dark');
"""


class IdlePass:
    state = None
    journal = "wal"
    environment = {}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state=self.state, journal=self.journal,
                                             environment=self.environment))
        self.app.script(ROWS)
        self.app.sync()

    def content(self):
        return {name: path.read_bytes() for name in ("app.db", "app.db-wal", "state.db")
                if (path := self.app.folder / name).exists()}

    def idle_sync(self):
        run = self.app.sync()
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        return run

    def test_it_changes_no_byte(self):
        content = self.content()
        self.idle_sync()
        self.idle_sync()
        # Not assertEqual, which would compute the difference of two databases.
        self.assertTrue(content == self.content())

    def test_no_other_connection_sees_a_commit(self):
        with self.app.connect() as db:
            version = db.execute("pragma data_version").fetchall()
            self.idle_sync()
            self.assertEqual(version, db.execute("pragma data_version").fetchall())

    def test_status_knows_it(self):
        run = self.idle_sync()
        status = self.app.json("status")

        self.assertEqual((run["run_id"], "done"), (status["last_run"]["run_id"], status["last_run"]["state"]))
        self.assertEqual({run["started_at"]}, {table["fresh_at"] for table in status["tables"]})

    def test_status_knows_nothing_of_it_once_another_command_has_run(self):
        self.idle_sync()
        self.app.execute("insert into events(kind) values ('c')")
        run = self.app.sync()
        status = self.app.json("status")

        self.assertEqual(run["run_id"], status["last_run"]["run_id"])

    def test_it_is_recorded_if_the_last_record_says_that_passes_fail(self):
        failed = self.app.run("sync", BIGQUERY_EMULATOR_HOST="127.0.0.1:1", BQ_RETRY_BUDGET="100ms")
        self.assertEqual(5, failed[0])
        self.assertEqual("failed", self.app.json("status")["last_run"]["state"])
        run = self.idle_sync()
        with self.app.connect() as db:
            db.execute("attach ? as state", [str(self.app.folder / (self.state or "app.db"))])
            newest = db.execute("select run_id, state from state.bq_sync_runs order by number desc").fetchone()

        self.assertEqual((run["run_id"], "done"), newest)


class TestWal(IdlePass, unittest.TestCase):
    def test_a_transaction_that_read_before_it_can_write_after_it(self):
        with self.app.connect() as db:
            db.execute("begin")
            db.execute("select count(*) from accounts").fetchall()
            self.idle_sync()
            db.execute("update accounts set note = 'uno' where id = 1")
            db.execute("commit")


class TestRollbackJournal(IdlePass, unittest.TestCase):
    journal = "delete"


class TestScanInTheSource(IdlePass, unittest.TestCase):
    environment = {"BQ_CAPTURE": "manual"}


class TestStateElsewhere(IdlePass, unittest.TestCase):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()
